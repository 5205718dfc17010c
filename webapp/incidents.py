"""The operator's page: what has stopped."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user

from engine import incidents
from webapp import edge, errors

pages = Blueprint("incidents", __name__)


@pages.get("/incidents")
def listing() -> str | errors.Page:
    if not current_user.operates:
        return errors.page(404)
    return render_template("incidents.html", incidents=incidents.open_ones(edge.reading()))
