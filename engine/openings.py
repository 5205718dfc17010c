"""What a step opens to the outside and closes again: tasks, jobs, subscriptions and incidents, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from engine import bpmn, columns, feel, incidents, job_queue, tables
from engine.errors import StaleInstance
from engine.statements import Statement
from engine.states import OPEN_JOB, OPEN_TASK, JobKind, JobState, TaskState

_TASKS, _JOBS = columns.core(tables.UserTask), columns.core(tables.Job)
_OPEN_HERE = (
    _TASKS.c.instance_id == bindparam("of_instance"),
    _TASKS.c.token == bindparam("at_token"),
    or_(*(_TASKS.c.state == state for state in OPEN_TASK)),
)
_FREE = or_(_TASKS.c.assignee.is_(None), _TASKS.c.assignee == bindparam("by"))
_CANCEL_TASK = Statement(update(_TASKS).where(*_OPEN_HERE).values(state=TaskState.CANCELLED, closed_at=bindparam("at")))
_COMPLETE_TASK = Statement(
    update(_TASKS)
    .where(*_OPEN_HERE, _FREE)
    .values(state=TaskState.COMPLETED, closed_at=bindparam("at"), closed_by=bindparam("by"), assignee=bindparam("by"))
)
_OPEN_TASK = Statement(insert(_TASKS).inline())
_TASK = (
    select(_TASKS.c.id)
    .where(_TASKS.c.instance_id == bindparam("of_instance"), _TASKS.c.token == bindparam("at_token"))
    .scalar_subquery()
)
_OFFER = Statement(insert(columns.core(tables.Candidate)).inline().values(task_id=_TASK))
_WANT_JOB = Statement(insert(_JOBS).returning(_JOBS.c.id))
_WANT_DEADLINE = Statement(insert(_JOBS).values(task_id=_TASK).returning(_JOBS.c.id))
_CANCEL_JOBS = (
    update(_JOBS)
    .where(
        _JOBS.c.instance_id == bindparam("of_instance"),
        _JOBS.c.token == bindparam("at_token"),
        or_(*(_JOBS.c.state == state for state in OPEN_JOB)),
    )
    .values(state=JobState.CANCELLED)
)
_DROP_JOBS = Statement(_CANCEL_JOBS.where(_JOBS.c.task_id.is_(None)))
_CANCEL_DEADLINE = Statement(_CANCEL_JOBS.where(_JOBS.c.task_id.is_not(None)))


@dataclass(frozen=True, slots=True)
class Step:
    """Whose step it is, who took it and when."""

    instance: int
    process: str
    business_key: str
    actor: str | None
    at: datetime


def write(session: Session, step: Step, taken: bpmn.Advance) -> list[int]:
    """Every row is as the step left it; gives the new subscriptions for messages.

    Raises StaleInstance, now or later in the transaction, if a task that the step closed is closed already, or
    claimed by somebody else.
    """
    _close_tasks(session, step, taken)
    _open_tasks(session, step, taken)
    _write_jobs(session, step, taken)
    _write_incidents(session, step, taken)
    return _write_subscriptions(session, step, taken)


def _close_tasks(session: Session, step: Step, taken: bpmn.Advance) -> None:
    for closed in taken.closed_tasks:
        here = {"of_instance": step.instance, "at_token": closed.token}
        lost = StaleInstance(step.instance)
        if closed.reason == "completed":
            _COMPLETE_TASK.change(session, {**here, "at": step.at, "by": step.actor}, lost)
        else:
            _CANCEL_TASK.change(session, {**here, "at": step.at}, lost)
        _CANCEL_DEADLINE.run(session, here)


def _open_tasks(session: Session, step: Step, taken: bpmn.Advance) -> None:
    for opened in taken.opened_tasks:
        row = {
            "instance_id": step.instance,
            "business_key": step.business_key,
            "process": opened.process,
            "token": opened.place.token,
            "element": opened.place.element,
            "scope": opened.place.scope,
            "name": opened.name,
            "form_id": opened.form_id,
            "state": TaskState.CREATED if opened.assignee is None else TaskState.CLAIMED,
            "assignee": opened.assignee,
            "due": opened.due,
            "due_reason": opened.due_reason,
            "escalate_to": list(opened.escalate_to),
            "escalated_at": None,
            "opened_at": step.at,
            "closed_at": None,
            "closed_by": None,
        }
        _OPEN_TASK.run(session, row)
        here = {"of_instance": step.instance, "at_token": opened.place.token}
        _offer(session, here, opened)
        if opened.due is not None and opened.escalate_to:
            job = bpmn.WantedJob(opened.place, "timer", opened.due)
            _want_job(session, _WANT_DEADLINE, _job(step, job) | {"kind": JobKind.DEADLINE, **here})


def _offer(session: Session, here: dict[str, int], opened: bpmn.OpenedTask) -> None:
    """Who may do the task: by group, by name; an assignee of the file may also release and take it again."""
    users = opened.candidate_users if opened.assignee is None else (*opened.candidate_users, opened.assignee)
    kinds = {"group": opened.candidate_groups, "user": users, "excluded": opened.excluded_users}
    named = dict.fromkeys((kind, name) for kind, names in kinds.items() for name in names)
    rows = [
        {**here, "kind": kind, "name": name, "position": position, "escalated": False}
        for position, (kind, name) in enumerate(named)
    ]
    if rows:
        _OFFER.run(session, *rows)


def _write_jobs(session: Session, step: Step, taken: bpmn.Advance) -> None:
    if taken.dropped_jobs:
        _DROP_JOBS.run(session, *({"of_instance": step.instance, "at_token": token} for token in taken.dropped_jobs))
    for wanted in taken.wanted_jobs:
        _want_job(session, _WANT_JOB, _job(step, wanted) | {"task_id": None})


def _want_job(session: Session, wanted: Statement, row: dict[str, Any]) -> None:
    ((job,),) = wanted.rows(session, **row)
    job_queue.defer(session, job, row["due"])


def _job(step: Step, wanted: bpmn.WantedJob) -> dict[str, Any]:
    return {
        "instance_id": step.instance,
        "business_key": step.business_key,
        "kind": JobKind(wanted.kind),
        "type": wanted.type,
        "token": wanted.place.token,
        "element": wanted.place.element,
        "input_values": {name: feel.encode(value) for name, value in wanted.values.items()},
        "state": JobState.WAITING,
        "due": wanted.due,
        "retries": wanted.retries,
        "attempts": 0,
        "leased_until": None,
        "error": None,
    }


def _write_subscriptions(session: Session, step: Step, taken: bpmn.Advance) -> list[int]:
    table = tables.Subscription
    if taken.closed_subscriptions:
        closed = (table.instance_id == step.instance, table.token.in_(taken.closed_subscriptions))
        session.execute(delete(table).where(*closed))
    for_messages = []
    for opened in taken.opened_subscriptions:
        row = {
            "instance_id": step.instance,
            "process": step.process,
            "token": opened.place.token,
            "element": opened.place.element,
            "kind": opened.kind,
            "name": opened.name,
            "key": opened.key,
        }
        subscription: int = session.execute(insert(table).returning(table.id), row).scalar_one()
        if opened.kind == "message":
            for_messages.append(subscription)
    return for_messages


def _write_incidents(session: Session, step: Step, taken: bpmn.Advance) -> None:
    if taken.ended or taken.resolved_faults:
        gone = None if taken.ended else taken.resolved_faults
        incidents.resolve(session, step.instance, gone, by=step.actor, at=step.at)
    for fault in taken.faults:
        incidents.open(
            session,
            instance=step.instance,
            business_key=step.business_key,
            token=fault.place.token,
            element=fault.place.element,
            message=fault.message,
            at=step.at,
        )
