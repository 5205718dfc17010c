"""What somebody searches for often, under a name of their own; shared with everybody if they like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from engine import saved_filters
from webapp import edge
from webapp.language import gettext as _

LISTS: Mapping[str, str] = {"cases": "cases.listing", "tasks": "inbox.show"}
"""The page of each list that can be filtered."""
CRITERIA: Mapping[str, re.Pattern[str]] = {
    "cases": re.compile(r"q|state|overdue|fact\.[\w.]+", re.ASCII),
    "tasks": re.compile(r"q|due"),
}
"""What the lists can be asked for, by the names in their addresses."""

pages = Blueprint("filters", __name__)


def wanted(view: str, values: Mapping[str, str]) -> dict[str, str]:
    """What of an address or a form the list can be asked for, and was."""
    return {name: text for name, text in values.items() if CRITERIA[view].fullmatch(name) and text.strip()}


@pages.post("/filters")
def save() -> Response:
    """The criteria in the form can be chosen by this name from now on."""
    view, name = request.form.get("view", ""), request.form.get("name", "")
    if view not in LISTS:
        abort(404)
    criteria, shared = wanted(view, request.form), "shared" in request.form
    edge.write(lambda session: saved_filters.save(session, view, name, criteria, owner=edge.person(), shared=shared))
    flash(_("Saved as “%(name)s”.", name=name), "success")
    return redirect(f"{url_for(LISTS[view])}?{urlencode(criteria)}", 303)


@pages.post("/filters/<int(max=2147483647):filter_id>/delete")
def delete(filter_id: int) -> Response:
    edge.write(lambda session: saved_filters.delete(session, filter_id, edge.person()))
    return redirect(url_for(LISTS.get(request.form.get("view", ""), "inbox.show")), 303)
