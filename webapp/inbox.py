"""The inbox: what is in my hands, what waits for my groups, what I was told."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import notices, saved_filters, tasklist
from engine.studio import revisions
from engine.task_criteria import TaskCriteria
from webapp import edge, filters

LIMIT = 50  # tasks in each part of the page

pages = Blueprint("inbox", __name__)


@pages.get("/")
def show() -> str:
    session, person, at = edge.reading(), edge.person(), edge.now()
    wanted = filters.wanted("tasks", request.args)
    criteria = TaskCriteria(due_before=_due_before(wanted.get("due", ""), at), text=wanted.get("q", ""))
    mine = tasklist.mine(session, person, criteria=criteria, limit=LIMIT + 1)
    offered = tasklist.offered(session, person, criteria=criteria, limit=LIMIT + 1)
    return render_template(
        "inbox.html",
        now=at,
        limit=LIMIT,
        mine=mine,
        offered=offered,
        counts=tasklist.counts(session, person, at),
        wanted=wanted,
        filters=saved_filters.listing(session, "tasks", person),
        notices=notices.unread(session, person.name),
        revisions=revisions.awaiting(session, person),
    )


@pages.post("/notices/<int(max=2147483647):notice_id>")
def put_away(notice_id: int) -> Response:
    edge.write(lambda session: notices.read(session, notice_id, edge.person().name, at=edge.now()))
    return redirect(url_for("inbox.show"), 303)


def _due_before(due: str, at: datetime) -> datetime | None:
    """The end of what is overdue, due today or due within seven days; None for no such wish."""
    tomorrow = datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
    return {"overdue": at, "today": tomorrow, "week": tomorrow + timedelta(days=6)}.get(due)
