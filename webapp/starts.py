"""What people begin from any page: the start buttons of the bundle."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from engine import cases, tasklist
from webapp import edge

pages = Blueprint("starts", __name__)


@pages.post("/starts/<start_id>")
def begin(start_id: str) -> Response:
    """A new case is under way, and its first step is open before the person."""
    key = request.form.get("_key") or None
    started = edge.write(
        lambda session: cases.start(session, start_id, actor=edge.person(), at=edge.now(), submission=key)
    )
    return redirect(next_address(started.tasks, started.business_key), 303)


def next_address(tasks: tuple[tasklist.TaskRow, ...], business_key: str) -> str:
    """The first step that this person can do now, else the case."""
    if tasks:
        return url_for("tasks.show", task_id=tasks[0].id)
    return url_for("cases.show", number=business_key)
