"""User tasks: claim, release, assign, the form, and complete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine import (
    bpmn,
    business_days,
    case_index,
    concealments,
    drafts,
    feel,
    forms,
    history,
    identity,
    instances,
    states,
    submissions,
    tables,
    tasklist,
)
from engine.columns import JST
from engine.errors import (
    CannotBeAssigned,
    InstanceEnded,
    StaleInstance,
    SubmissionInvalid,
    TaskAlreadyClaimed,
    TaskAlreadyClosed,
    TaskNotYours,
)
from engine.identity import Person
from engine.states import EventType, TaskState

GRANTS_CASE = "case"
"""A form field that carries `grants: case` lets the person chosen in it into the case."""


@dataclass(frozen=True, slots=True)
class TaskForm:
    """What the page of a task shows; a task without a form has neither `form` nor `view`."""

    task: tasklist.TaskRow
    form: forms.Form | None
    view: forms.FormView | None
    variables: Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class Completed:
    """The task as it is now, whether its instance ended, and what of the case the actor may do next."""

    task: tasklist.TaskRow
    ended: bool
    next_tasks: tuple[tasklist.TaskRow, ...]


# Claiming -----------------------------------------------------------------------------------------------


def claim(session: Session, task: int, *, actor: Person, at: datetime) -> tasklist.TaskRow:
    """The task is the actor's; claiming it again changes nothing.

    Raises TaskNotFound, TaskNotYours, TaskAlreadyClaimed, TaskAlreadyClosed.
    """
    row = _workable(session, task, actor)
    if row.assignee == actor.name:
        return row
    if row.assignee is not None:
        raise TaskAlreadyClaimed(task, row.assignee)
    event = states.move(row.state, TaskState.CLAIMED, states.TASK_MOVES)
    return _reassign(session, row, actor.name, TaskState.CLAIMED, event, actor, at)


def release(session: Session, task: int, *, actor: Person, at: datetime) -> tasklist.TaskRow:
    """The task is open to its candidates again. Raises TaskNotYours if the actor has not claimed it."""
    row = _workable(session, task, actor)
    if row.assignee != actor.name:
        raise TaskNotYours(task, actor.name)
    event = states.move(row.state, TaskState.CREATED, states.TASK_MOVES)
    return _reassign(session, row, None, TaskState.CREATED, event, actor, at)


def assign(session: Session, task: int, *, to: Person, actor: Person, at: datetime) -> tasklist.TaskRow:
    """The task is `to`'s: given on by its assignee, or while unclaimed or overdue by any who may do it.

    Raises CannotBeAssigned if `to` may not do it, TaskNotYours, TaskAlreadyClaimed.
    """
    row = _workable(session, task, actor)
    if row.assignee not in (None, actor.name) and row.escalated_at is None:
        raise TaskAlreadyClaimed(task, str(row.assignee))
    if not identity.may(to, row):
        raise CannotBeAssigned(task, to.name)
    event = states.move(row.state, TaskState.CLAIMED, states.ASSIGNMENTS)
    return _reassign(session, row, to.name, TaskState.CLAIMED, event, actor, at)


def _workable(session: Session, task: int, actor: Person) -> tasklist.TaskRow:
    """The open task, if it is for the actor."""
    row = tasklist.get(session, task, actor)
    if not identity.may(actor, row):
        raise TaskNotYours(task, actor.name)
    if not row.is_open:
        raise _closed(row)
    return row


def _closed(row: tasklist.TaskRow) -> TaskAlreadyClosed:
    return TaskAlreadyClosed(row.id, row.closed_by, row.closed_at or row.opened_at)


def _reassign(
    session: Session,
    row: tasklist.TaskRow,
    assignee: str | None,
    state: TaskState,
    event: EventType,
    actor: Person,
    at: datetime,
) -> tasklist.TaskRow:
    """Move the task upon the state that was read; who lost the race is told what stands now."""
    table = tables.UserTask
    same = (table.id == row.id, table.state == row.state, table.assignee.is_not_distinct_from(row.assignee))
    changed = session.execute(update(table).where(*same).values(state=state, assignee=assignee).returning(table.id))
    if changed.first() is None:
        now = tasklist.get(session, row.id, actor)
        raise TaskAlreadyClaimed(row.id, now.assignee) if now.is_open and now.assignee else _closed(now)
    facts = {"task": task_facts(row), "assignee": assignee}
    new = history.NewEvent(event, at, actor.name, facts, instance=row.instance, business_key=row.business_key)
    history.append(session, new)
    if assignee is not None:
        identity.take_part(session, row.business_key, assignee, at)
    return tasklist.find(session, row.id)


def task_facts(row: tasklist.TaskRow) -> dict[str, Any]:
    """What a history event says of the task it is about."""
    return {"id": row.id, "token": row.token, "element": row.element, "name": row.name, "form_id": row.form_id}


# The form, and completing -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Opened:
    """A task with its form and all that the form may read."""

    form: forms.Form | None
    prefill: Mapping[str, feel.Value]
    variables: Mapping[str, feel.Value]
    at: datetime

    @property
    def environment(self) -> feel.Environment:
        return feel.Environment(now=self.at, functions=business_days.FUNCTIONS)


def _running(session: Session, row: tasklist.TaskRow) -> instances.Running:
    try:
        return instances.load(session, row.instance)
    except InstanceEnded as ended:
        raise StaleInstance(row.instance) from ended


def _open(session: Session, row: tasklist.TaskRow, running: instances.Running, actor: Person, at: datetime) -> _Opened:
    local = at.astimezone(JST)
    try:
        scope = bpmn.task_scope(running.compiled.processes, running.snapshot, row.token, local)
    except bpmn.TokenGone as gone:
        raise StaleInstance(row.instance) from gone
    form = None if row.form_id is None else running.compiled.forms[row.form_id]
    variables: dict[str, feel.Value] = {
        **scope.variables,
        "people": [] if form is None else _people(identity.people(session)),
        "actor": {"name": actor.name, "label": actor.label, "groups": list(actor.groups)},
        "business_key": row.business_key,
    }
    return _Opened(form, scope.prefill, variables, local)


def _people(people: Iterable[Person]) -> list[feel.Value]:
    return [{"label": one.label, "value": one.name, "groups": list(one.groups)} for one in people if not one.read_only]


def form_view(
    session: Session, task: int, *, actor: Person, at: datetime, entered: Mapping[str, object] | None = None
) -> TaskForm:
    """The form as the actor sees it: with what they entered, or prefilled. Raises as `claim` does."""
    row = _workable(session, task, actor)
    opened = _open(session, row, _running(session, row), actor, at)
    if opened.form is None:
        return TaskForm(row, None, None, opened.variables)
    shown = {**opened.prefill, **(entered or {})}
    view = forms.fill(opened.form, shown, opened.variables, opened.environment)
    return TaskForm(row, opened.form, view, opened.variables)


def complete(
    session: Session,
    task: int,
    submitted: Mapping[str, object],
    *,
    actor: Person,
    at: datetime,
    submission: str | None = None,
) -> Completed:
    """The task is done with these values and the instance has gone on; the same `submission` again: no effect.

    Who may do an unclaimed task claims it by this. Raises SubmissionInvalid, TaskNotFound, TaskNotYours,
    TaskAlreadyClaimed, TaskAlreadyClosed, and StaleInstance, upon which the edge tries again.
    """
    done = _done_before(session, submission, actor)
    if done is not None:
        return done
    try:
        row = _workable(session, task, actor)
    except TaskAlreadyClosed:
        done = _done_before(session, submission, actor)  # the same request may have come to its end in between
        if done is None:
            raise
        return done
    if row.assignee not in (None, actor.name):
        raise TaskAlreadyClaimed(task, str(row.assignee))
    states.move(row.state, TaskState.COMPLETED, states.TASK_MOVES)
    running = _running(session, row)
    form, values = _submit(session, row, running, submitted, actor, at)
    mark = None if form is None else forms.concealed_under(form, values)
    facts = {"task": task_facts(row), **({} if mark is None else {"conceals": mark})}
    occasion = instances.Occasion(EventType.TASK_COMPLETED, actor.name, at, facts)
    try:
        taken = instances.advance(session, running, bpmn.CompleteTask(row.token, values, actor.name), occasion)
    except bpmn.ActorExcluded as excluded:
        raise TaskNotYours(task, actor.name) from excluded
    except bpmn.TokenGone as gone:
        raise StaleInstance(row.instance) from gone
    drafts.delete(session, task, actor)
    if form is not None:
        case_index.write_form(session, row.business_key, task, form, values)
    identity.take_part(session, row.business_key, actor.name, at)
    if mark is not None:
        concealments.conceal(session, row.business_key, actor.name, mark, at)
    for name in _granted(form, values):
        identity.take_part(session, row.business_key, name, at, granted=True)
    outcome = {"task": task, "ended": taken.ended, "business_key": row.business_key}
    submissions.record(session, submission, actor.name, outcome, at=at)
    done_now = replace(row, state=TaskState.COMPLETED, assignee=actor.name, closed_by=actor.name, closed_at=at)
    return Completed(done_now, taken.ended, tasklist.doable(session, actor, row.business_key))


def _done_before(session: Session, submission: str | None, actor: Person) -> Completed | None:
    done = submissions.outcome(session, submission, actor.name)
    if done is None:
        return None
    return Completed(
        tasklist.find(session, done["task"]), done["ended"], tasklist.doable(session, actor, done["business_key"])
    )


def _submit(
    session: Session,
    row: tasklist.TaskRow,
    running: instances.Running,
    submitted: Mapping[str, object],
    actor: Person,
    at: datetime,
) -> tuple[forms.Form | None, Mapping[str, feel.Value]]:
    """The form of the task, if it has one, and the values that it makes of what was submitted."""
    if row.form_id is None:
        if submitted:
            raise SubmissionInvalid(dict.fromkeys(submitted, "この作業には、入力する項目がありません。"))
        return None, {}
    opened = _open(session, row, running, actor, at)
    assert opened.form is not None  # noqa: S101 # the task has one
    try:
        given = forms.submit(
            opened.form,
            submitted,
            prefill=opened.prefill,
            variables=opened.variables,
            environment=opened.environment,
        )
    except forms.SubmissionRejected as rejected:
        raise SubmissionInvalid(rejected.errors) from rejected
    except forms.FormFault as fault:
        raise SubmissionInvalid({"": str(fault)}) from fault
    return opened.form, given.values


def _granted(form: forms.Form | None, values: Mapping[str, feel.Value]) -> Iterable[str]:
    """The user names in fields that let people into the case, also in the rows of lists."""
    return [] if form is None else list(_names(form.body, values))


def _names(fields: forms.Fields, values: Mapping[str, feel.Value]) -> Iterable[str]:
    for key, value in values.items():
        field = fields.by_key.get(key)
        if field is None:
            continue
        items = value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, dict):
                yield from _names(field.fields, item)
            elif field.grants == GRANTS_CASE and isinstance(item, str):
                yield item
