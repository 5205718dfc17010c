"""A task: its form and the card beside it, drafts, taking it on, giving it back or on, completing it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import cases, deployments, drafts, forms, identity, tasklist, user_tasks
from engine.errors import Conflict, SubmissionInvalid, TaskAlreadyClosed
from webapp import answers, edge, errors, names
from webapp.cases import form_of, past
from webapp.content import content, spoken
from webapp.forms_html import FormPage, Pairs, Posted, withhold, without_empty
from webapp.language import gettext as _
from webapp.starts import next_address
from webapp.told import told

TASK = "/tasks/<int(max=2147483647):task_id>"
CHANNEL = "channel"
"""The field or variable of a bundle that says by which channel people are in touch."""

pages = Blueprint("tasks", __name__)

Answer = str | Response | errors.Page

MOVES: Mapping[str, Callable[..., tasklist.TaskRow]] = {"claim": user_tasks.claim, "release": user_tasks.release}


@dataclass(frozen=True, slots=True)
class Shown:
    """A form before a person: the task, what is in the controls, and what of it is kept as a draft since when."""

    task: user_tasks.TaskForm
    page: FormPage | None
    saved: datetime | None


@pages.get(TASK)
def show(task_id: int) -> Answer:
    """The form with this person's draft, or else prefilled; a step that is over leads to its case."""
    task = tasklist.get(edge.reading(), task_id, edge.person())
    draft = drafts.get(edge.reading(), task_id, edge.person())
    if identity.may_read_case(edge.reading(), edge.person(), task.business_key):
        edge.opened(task.business_key)
    if task.is_open:
        return _page(task_id) if draft is None else _page(task_id, Posted("", draft.pairs), saved=draft.saved_at)
    if draft is not None:
        return _closed(task, draft.pairs)
    flash(_("“%(task)s” is already done.", task=content(task.name)))
    if not identity.may_read_case(edge.reading(), edge.person(), task.business_key):
        return redirect(url_for("inbox.show"), 303)
    return redirect(url_for("cases.show", number=task.business_key), 303)


@pages.post(TASK)
def act(task_id: int) -> Answer:
    """What the button says is done; the form comes back filled unless the task was completed."""
    posted = Posted.read(request.form.items(multi=True))
    try:
        return _act(task_id, posted)
    except TaskAlreadyClosed as closed:
        edge.record_refusal(closed)
        if closed.by != edge.person().name:
            _save(task_id, posted)
        return _closed(tasklist.get(edge.reading(), task_id, edge.person()), posted.pairs), errors.status(closed)


def _act(task_id: int, posted: Posted) -> Answer:
    if posted.action == "complete":
        return _complete(task_id, posted)
    if posted.action == "discard":
        edge.write(lambda session: drafts.delete(session, task_id, edge.person()))
        return redirect(url_for("tasks.show", task_id=task_id), 303)
    if posted.action == "save":
        return _page(task_id, posted, saved=_save(task_id, posted).saved_at)
    if posted.action in MOVES:
        _move(task_id, MOVES[posted.action])
    notice = _("The form was brought up to date. Nothing was sent yet.") if posted.action == "refresh" else ""
    return _page(task_id, posted, notice=notice)


@pages.post(f"{TASK}/draft")
def draft(task_id: int) -> Response:
    """What was typed is kept; a script gets the fields that matter now, a browser the page."""
    posted = Posted.read(request.form.items(multi=True))
    saved = _save(task_id, posted).saved_at
    if "HX-Request" not in request.headers:
        return redirect(url_for("tasks.show", task_id=task_id), 303)
    shown = _shown(task_id, posted, saved=saved)
    response = make_response(render_template("form.html", page=shown.page, saved=shown.saved))
    response.headers["Vary"] = "HX-Request"
    return response


@pages.post(f"{TASK}/claim")
def claim(task_id: int) -> Response:
    _move(task_id, user_tasks.claim)
    return redirect(url_for("tasks.show", task_id=task_id), 303)


@pages.post(f"{TASK}/release")
def release(task_id: int) -> Response:
    _move(task_id, user_tasks.release)
    return redirect(url_for("inbox.show"), 303)


@pages.post(f"{TASK}/assign")
def assign(task_id: int) -> Response:
    """Somebody else who may do the step has it now."""
    other = identity.person(edge.reading(), request.form.get("person", ""))
    task = edge.write(lambda session: user_tasks.assign(session, task_id, to=other, actor=edge.person(), at=edge.now()))
    who = names.current().addressed(other.name)
    flash(_("You asked %(who)s to do “%(task)s”.", who=who, task=content(task.name)), "success")
    return redirect(url_for("inbox.show"), 303)


def _move(task_id: int, move: Callable[..., tasklist.TaskRow]) -> None:
    edge.write(lambda session: move(session, task_id, actor=edge.person(), at=edge.now()))


def _save(task_id: int, posted: Posted) -> drafts.Draft:
    return edge.write(lambda session: drafts.save(session, task_id, posted.pairs, actor=edge.person(), at=edge.now()))


def _complete(task_id: int, posted: Posted) -> Answer:
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
        saved = _save(task_id, posted).saved_at
        return _page(task_id, posted, invalid.errors, saved=saved), 422
    _thank(done)
    flash(str(task_id), "completed-task")
    if done.next_tasks:
        return redirect(next_address(done.next_tasks, done.task.business_key), 303)
    _tell_what_follows(done.task.business_key)
    return redirect(url_for("inbox.show"), 303)


def _thank(done: user_tasks.Completed) -> None:
    """Whoever has done a step is told so, but nobody is thanked on the way into danger."""
    advice = deployments.guidance(edge.reading())
    card, *following = (advice.card(task.element, task.form_id) for task in (done.task, *done.next_tasks))
    if any(each and each.calls for each in following):
        return
    flash(_("“%(task)s” is done.", task=content(done.task.name)), "success")
    for line in card.after if card else ():
        flash(spoken(line), "success")


def _tell_what_follows(number: str) -> None:
    """Whoever has done their part knows in whose hands the case is now and where to see it, if they may read it."""
    if not identity.may_read_case(edge.reading(), edge.person(), number):
        return
    for task in tasklist.of_case(edge.reading(), number):
        flash(_("“%(task)s” goes on with: %(who)s", task=content(task.name), who=names.who_may(task)), "success")
    flash(number, "case")


def _submitted(blank: user_tasks.TaskForm, posted: Posted) -> dict[str, object]:
    """What the post says, less the fields whose recorded value this person cannot see and left alone."""
    if blank.form is None or blank.view is None:
        return dict(posted.pairs)
    _, withheld = withhold(blank.view, edge.person().marks, posted.entered)
    return without_empty(forms.from_pairs(blank.form, posted.pairs), withheld)


def _shown(
    task_id: int, posted: Posted | None, faults: Mapping[str, str] | None = None, saved: datetime | None = None
) -> Shown:
    session, actor, at = edge.reading(), edge.person(), edge.now()
    task = user_tasks.form_view(session, task_id, actor=actor, at=at)
    if posted is not None:
        task = user_tasks.form_view(session, task_id, actor=actor, at=at, entered=_submitted(task, posted))
    if task.view is None:
        return Shown(task, None, saved)
    view, withheld = withhold(task.view, actor.marks, posted.entered if posted else ())
    said = {path: told(sentence) for path, sentence in (faults or {}).items()}
    return Shown(task, FormPage(view, said, posted.added if posted else frozenset(), withheld), saved)


def _page(
    task_id: int,
    posted: Posted | None = None,
    faults: Mapping[str, str] | None = None,
    *,
    saved: datetime | None = None,
    notice: str = "",
) -> str:
    shown = _shown(task_id, posted, faults, saved)
    session, reader, task = edge.reading(), edge.person(), shown.task.task
    number = task.business_key
    readable = identity.may_read_case(session, reader, number)  # a task for everyone opens its case to nobody
    return render_template(
        "task.html",
        task=task,
        now=edge.now(),
        page=shown.page,
        saved=shown.saved,
        notice=notice,
        readable=readable,
        facts=cases.facts(session, number, reader) if readable else (),
        past=past(number) if readable else None,
        others=_others(task),
        texts=_texts(),
        key=request.form.get("_key") or secrets.token_urlsafe(16),
        **_card(shown.task, dict(posted.pairs if posted else ())),
    )


def _card(shown: user_tasks.TaskForm, typed: Mapping[str, str]) -> dict[str, object]:
    """The card of the step, and the rules of the channel in use, or of every channel where it is not known yet."""
    advice, task = deployments.guidance(edge.reading()), shown.task
    known = typed.get(CHANNEL) or shown.variables.get(CHANNEL)
    channel = known if isinstance(known, str) and known in advice.channels else None
    cards = [advice.card(task.element, task.form_id, each) for each in (channel, *advice.channels)]
    channels = [card.channel for card in cards if card and card.channel]
    return {"card": cards[0], "channels": channels[:1] if channel else channels}


def _others(task: tasklist.TaskRow) -> list[str]:
    """The names of those who could be asked to do the task, if the reader may give it on."""
    me = edge.person().name
    if task.assignee not in (None, me) and task.escalated_at is None:
        return []
    return [one.name for one in identity.people(edge.reading()) if one.name != me and identity.may(one, task)]


def _closed(task: tasklist.TaskRow, pairs: Pairs) -> str:
    """The page of a task that is over, with everything that this person had typed for it."""
    form = form_of(edge.reading(), task)
    gone = TaskAlreadyClosed(task.id, task.closed_by, task.closed_at or task.opened_at)
    return render_template(
        "closed.html",
        task=task,
        reasons=errors.reasons(gone),
        typed=answers.typed(form, pairs, names.current()),
        readable=identity.may_read_case(edge.reading(), edge.person(), task.business_key),
    )


def _texts() -> dict[str, str]:
    """What the script of the form says; `{time}` is put in by it."""
    return {
        "saving": _("Saving …"),
        "kept": _("No connection: what you entered is kept on this device ({time}) and saved as soon as there is one."),
        "not_sent": _(
            "No connection, so nothing was sent yet. It is kept on this device: press again once you are back."
        ),
        "refused": _("This could not be saved. What you entered is kept on this device ({time})."),
        "signed_out": _("You are signed out. What you entered is kept on this device ({time})."),
        "sign_in": _("Sign in again"),
        "not_kept": _("This could not be saved, nor kept on this device. Please copy your text before you leave."),
        "changed": _("The fields below have changed."),
        "offer": _("This device holds something that was not saved yet ({time})."),
        "use": _("Use it"),
        "leave": _("Delete it"),
    }
