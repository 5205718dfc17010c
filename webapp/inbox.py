"""The inbox: what is in my hands, what waits for my groups, what I was told."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from engine import notices, user_tasks
from webapp import edge

pages = Blueprint("inbox", __name__)


@pages.get("/")
def show() -> str:
    session, person, at = edge.reading(), edge.person(), edge.now()
    return render_template(
        "inbox.html",
        now=at,
        mine=user_tasks.mine(session, person),
        offered=user_tasks.offered(session, person),
        notices=notices.unread(session, person.name),
    )


@pages.post("/notices/<int(max=2147483647):notice_id>")
def put_away(notice_id: int) -> Response:
    edge.write(lambda session: notices.read(session, notice_id, edge.person().name, at=edge.now()))
    return redirect(url_for("inbox.show"), 303)
