"""A task: its form, what was decided before, taking it on, giving it back, completing it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import cases, forms, identity, user_tasks
from engine.errors import Conflict, SubmissionInvalid
from webapp import edge, errors
from webapp.cases import Step, decided
from webapp.forms_html import FormPage, Posted, withhold, without_empty
from webapp.language import gettext as _
from webapp.starts import next_address

pages = Blueprint("tasks", __name__)

MOVES: Mapping[str, Callable[..., user_tasks.TaskRow]] = {"claim": user_tasks.claim, "release": user_tasks.release}


@pages.get("/tasks/<int(max=2147483647):task_id>")
def show(task_id: int) -> str | Response:
    """The form as it is prefilled now; a step that is over leads to its case."""
    task = user_tasks.get(edge.reading(), task_id, edge.person())
    if not task.is_open:
        flash(_("“%(task)s” is already done.", task=task.name))
        return redirect(url_for("cases.show", number=task.business_key), 303)
    return _page(task_id)


@pages.post("/tasks/<int(max=2147483647):task_id>")
def act(task_id: int) -> str | Response | errors.Page:
    """What the button says is done; the form comes back filled unless the task was completed."""
    posted = Posted.read(request.form.items(multi=True))
    if posted.action == "complete":
        return _complete(task_id, posted)
    if posted.action in MOVES:
        _move(task_id, MOVES[posted.action])
    return _page(task_id, posted)


@pages.post("/tasks/<int(max=2147483647):task_id>/claim")
def claim(task_id: int) -> Response:
    _move(task_id, user_tasks.claim)
    return redirect(url_for("tasks.show", task_id=task_id), 303)


@pages.post("/tasks/<int(max=2147483647):task_id>/release")
def release(task_id: int) -> Response:
    _move(task_id, user_tasks.release)
    return redirect(url_for("inbox.show"), 303)


def _move(task_id: int, move: Callable[..., user_tasks.TaskRow]) -> None:
    edge.write(lambda session: move(session, task_id, actor=edge.person(), at=edge.now()))


def _complete(task_id: int, posted: Posted) -> Response | errors.Page:
    """The task is done and the person stands before the next thing to do, or before the form with its errors."""
    actor, at, key = edge.person(), edge.now(), request.form.get("_key") or None
    try:
        submitted = _submitted(user_tasks.form_view(edge.reading(), task_id, actor=actor, at=at), posted)
    except Conflict:
        submitted = {}  # the task has moved on: `complete` knows whether this very page was the reason
    try:
        done = edge.write(
            lambda session: user_tasks.complete(session, task_id, submitted, actor=actor, at=at, submission=key)
        )
    except SubmissionInvalid as invalid:
        edge.record_refusal(invalid)
        return _page(task_id, posted, invalid.errors), 422
    flash(_("“%(task)s” is done.", task=done.task.name), "success")
    if done.next_tasks:
        return redirect(next_address(done.next_tasks, done.task.business_key), 303)
    return redirect(url_for("inbox.show"), 303)


def _submitted(blank: user_tasks.TaskForm, posted: Posted) -> dict[str, object]:
    """What the post says, less the fields whose recorded value this person cannot see and left alone."""
    if blank.form is None or blank.view is None:
        return dict(posted.pairs)
    _, withheld = withhold(blank.view, edge.person().marks, posted.entered)
    return without_empty(forms.from_pairs(blank.form, posted.pairs), withheld)


def _page(task_id: int, posted: Posted | None = None, faults: Mapping[str, str] | None = None) -> str:
    session, actor, at = edge.reading(), edge.person(), edge.now()
    shown = user_tasks.form_view(session, task_id, actor=actor, at=at)
    if posted is not None:
        shown = user_tasks.form_view(session, task_id, actor=actor, at=at, entered=_submitted(shown, posted))
    number, page = shown.task.business_key, None
    if shown.view is not None:
        view, withheld = withhold(shown.view, actor.marks, posted.entered if posted else ())
        page = FormPage(view, faults or {}, posted.added if posted else frozenset(), withheld)
    return render_template(
        "task.html",
        task=shown.task,
        now=at,
        page=page,
        refreshed=posted is not None and posted.action == "refresh",
        decided=_decided(session, number, actor),
        key=request.form.get("_key") or secrets.token_urlsafe(16),
    )


def _decided(session: Session, number: str, reader: identity.Person) -> list[Step]:
    """The steps before this one; a task for everyone opens no case to those who may not read it."""
    if not identity.may_read_case(session, reader, number):
        return []
    return decided(session, number, cases.timeline(session, number, reader))
