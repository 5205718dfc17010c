"""What a person chooses for themselves: where and how mail reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext
from werkzeug.wrappers import Response

from engine import mail
from engine.errors import AddressInvalid
from webapp import edge, errors
from webapp.language import gettext as _

MODES: Mapping[mail.Mode, LazyString] = {
    "at_once": lazy_gettext("Soon, several things in one mail"),
    "daily": lazy_gettext("Once a day, at eight in the morning"),
    "none": lazy_gettext("No mail"),
}

pages = Blueprint("settings", __name__)


@pages.get("/settings")
def show() -> str:
    return _page(mail.setting(edge.reading(), edge.person().name))


@pages.post("/settings")
def save() -> Response | errors.Page:
    """Mail reaches the person this way from now on."""
    address, mode = request.form.get("address", ""), request.form.get("mode", "")
    if mode not in MODES:
        abort(400)
    chosen = mail.Setting(address, cast(mail.Mode, mode))
    if mode != "none" and not address.strip():
        return _page(chosen, _("To get mail, please write an address.")), 422
    name, at = edge.person().name, edge.now()
    try:
        edge.write(lambda session: mail.set_setting(session, name, address, chosen.mode, at=at))
    except AddressInvalid:
        return _page(chosen, _("Please write the address in the form name@company.example.")), 422
    flash(_("Your settings are saved."), "success")
    return redirect(url_for("settings.show"), 303)


def _page(setting: mail.Setting, error: str = "") -> str:
    return render_template("settings.html", setting=setting, modes=MODES, error=error)
