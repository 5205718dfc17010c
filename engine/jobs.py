"""Jobs: timers, service calls and deadlines that the worker takes when they are due.

The row is the truth. A timer and a deadline are one transaction; a service call is three: acquire, the call
outside any transaction, and its result or its failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from engine import bpmn, feel, history, incidents, instances, job_queue, notices, tables
from engine.errors import IncidentNotFound, JobNotFound
from engine.states import OPEN_JOB, EventType, JobKind, JobState, TaskState

LEASE = timedelta(minutes=5)
"""How long a call may take before another worker tries it again."""
BACKOFF = timedelta(seconds=10)
"""Wait before the second attempt, doubled before each further one, where the task does not say how long."""
OVERDUE = timedelta(seconds=10)
"""How long after its time a row that the queue does not know is put into it."""
TRANSACTION_RETRIES = 3
"""Attempts for a timer or deadline, which fails only when something is wrong with us."""


@dataclass(frozen=True, slots=True)
class JobRow:
    id: int
    instance: int
    task: int | None
    business_key: str
    kind: JobKind
    type: str
    token: int
    element: str
    values: Mapping[str, feel.Value]
    state: JobState
    due: datetime
    retries: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Call:
    """One service call. `key` is the same for every attempt, also after an incident: a repetition is told by it.

    `headers` are those of the task in its file.
    """

    key: str
    type: str
    values: Mapping[str, feel.Value]
    business_key: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outside:
    """A job type whose work is done outside any transaction, at least once."""

    call: Callable[[Call], Mapping[str, feel.Value]]


@dataclass(frozen=True, slots=True)
class Inside:
    """A job type whose work is rows of this database, in the transaction of its result, exactly once."""

    write: Callable[[Session, JobRow, datetime], Mapping[str, feel.Value]]


class CallFailed(Exception):
    """A call could not be made. `error_code`: an error of the process, caught there, and not tried again.

    `final`: another attempt with the same values cannot succeed either.
    """

    def __init__(self, message: str, *, error_code: str | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.final = final or error_code is not None


JobTypes = Mapping[str, Outside | Inside]


def _notify(session: Session, job: JobRow, at: datetime) -> Mapping[str, feel.Value]:
    """The people of `groups` and `users` have a notice with this `subject`."""
    subject = job.values.get("subject")
    if not isinstance(subject, str) or not subject:
        raise CallFailed("お知らせの件名(subject)がありません。")
    groups, users = _names(job.values.get("groups")), _names(job.values.get("users"))
    notices.write(session, subject, groups=groups, users=users, at=at, business_key=job.business_key)
    return {}


def _names(value: feel.Value) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) for item in items):
        raise CallFailed("お知らせの宛先は、名前のリストで渡してください。")
    return tuple(str(item) for item in items)


BUILT_IN: JobTypes = {"notify": Inside(_notify)}


# Finding ------------------------------------------------------------------------------------------------


def due(session: Session, *, at: datetime, limit: int = 100) -> list[int]:
    """The jobs whose time has come, also those whose worker died; the earliest first."""
    table = tables.Job
    query = select(table.id).where(_takeable(at)).order_by(table.due, table.id).limit(limit)
    return list(session.execute(query).scalars())


def next_due(session: Session) -> datetime | None:
    """When the next waiting job is due."""
    return session.execute(select(func.min(tables.Job.due)).where(tables.Job.state == JobState.WAITING)).scalar()


def _takeable(at: datetime) -> Any:
    table = tables.Job
    lapsed = (table.state == JobState.RUNNING) & (table.leased_until <= at)
    return or_((table.state == JobState.WAITING) & (table.due <= at), lapsed)


def get(session: Session, job: int) -> JobRow:
    """The job; raises JobNotFound."""
    query = select(tables.Job).where(tables.Job.id == job).execution_options(populate_existing=True)
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise JobNotFound(job)
    values = {name: feel.decode(value) for name, value in row.values.items()}
    return JobRow(
        row.id,
        row.instance_id,
        row.task_id,
        row.business_key,
        row.kind,
        row.type,
        row.token,
        row.element,
        values,
        row.state,
        row.due,
        row.retries,
        row.attempts,
    )


def acquire(session: Session, job: int, *, at: datetime) -> JobRow | None:
    """The job is this worker's until the lease ends; None if somebody else has it or it is gone."""
    table = tables.Job
    changes = {"state": JobState.RUNNING, "leased_until": at + LEASE, "attempts": table.attempts + 1}
    taken = session.execute(update(table).where(table.id == job, _takeable(at)).values(changes).returning(table.id))
    return None if taken.first() is None else get(session, job)


_NOT_NAMED = f"""NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs AS task
    WHERE task.task_name = '{job_queue.JOB}' AND task.status IN ('todo', 'doing') AND task.args ->> 'job' = job.id::text
)"""  # noqa: S608 - the name is ours


def release(session: Session, task: job_queue.Task, *, at: datetime) -> None:
    """The worker of this task has died: the row may be taken at once, not only when the lease ends."""
    table = tables.Job
    held = (table.id == task.job, table.due == task.due, table.state == JobState.RUNNING, table.leased_until > at)
    session.execute(update(table).where(*held).values(leased_until=at))


def requeue(session: Session, *, at: datetime) -> int:
    """Every row that was due `OVERDUE` ago and that no task names is in the queue again; gives their number."""
    table = tables.Job
    lost = session.execute(select(table.id, table.due).where(_takeable(at - OVERDUE), text(_NOT_NAMED))).all()
    for job, due in lost:
        job_queue.defer(session, job, due)
    return len(lost)


# Executing ----------------------------------------------------------------------------------------------


def fire(session: Session, job: JobRow, *, at: datetime) -> None:
    """The timer of an acquired job has fired, or its task is escalated."""
    if not _close(session, job, JobState.DONE):
        return
    if job.kind is JobKind.DEADLINE:
        _escalate(session, job, at)
        return
    occasion = instances.Occasion(EventType.TIMER_FIRED, None, at, _job_facts(job))
    instances.advance(session, instances.load(session, job.instance), bpmn.FireTimer(job.token), occasion)


def call(session: Session, job: JobRow, kind: Inside, *, at: datetime) -> None:
    """An acquired job of a type that works inside: its rows and its result are written."""
    finish(session, job, kind.write(session, job, at), at=at)


def prepare(session: Session, job: JobRow, *, at: datetime) -> Call:
    """The call that an acquired job of a type that works outside is; raises InstanceEnded, bpmn.TokenGone."""
    return Call(_key(session, job), job.type, job.values, job.business_key, _service(session, job, at).headers)


def _key(session: Session, job: JobRow) -> str:
    """That of the first job of this activation, whose others were wanted by retries."""
    table = tables.Job
    same = (table.instance_id == job.instance, table.token == job.token, table.kind == JobKind.SERVICE)
    return f"job-{session.execute(select(func.min(table.id)).where(*same)).scalar_one()}"


def _service(session: Session, job: JobRow, at: datetime) -> bpmn.Service:
    running = instances.load(session, job.instance)
    return bpmn.service(running.compiled.processes, running.snapshot, job.token, at)


def finish(session: Session, job: JobRow, values: Mapping[str, feel.Value], *, at: datetime) -> None:
    """The service call succeeded and the instance has gone on; a job that was cancelled meanwhile: nothing."""
    if _close(session, job, JobState.DONE):
        occasion = instances.Occasion(EventType.JOB_COMPLETED, None, at, _job_facts(job))
        cause = bpmn.JobCompleted(job.token, values)
        instances.advance(session, instances.load(session, job.instance), cause, occasion)


def fail(
    session: Session, job: JobRow, message: str, *, at: datetime, error_code: str | None = None, final: bool = False
) -> None:
    """The job waits for its next attempt; after the last, or if none can succeed, it has given up.

    A service call that gave up is told to the process, which catches it or has an incident there. A timer or
    deadline that gave up is an incident of the job itself.
    """
    table = tables.Job
    allowed = job.retries if job.kind is JobKind.SERVICE else TRANSACTION_RETRIES
    if not final and job.attempts < allowed:
        changes = {"state": JobState.WAITING, "leased_until": None, "error": message}
        running = (table.id == job.id, table.state == JobState.RUNNING)
        waiting = session.execute(update(table).where(*running).values(changes).returning(table.id)).first()
        if waiting is not None:
            again = at + _backoff(session, job, at)
            session.execute(update(table).where(table.id == job.id).values(due=again))
            job_queue.defer(session, job.id, again)
    elif _close(session, job, JobState.FAILED, message):
        _give_up(session, job, message, error_code, at)


def _backoff(session: Session, job: JobRow, at: datetime) -> timedelta:
    """How long to wait: as the task says, else longer each time."""
    named = _service(session, job, at).backoff if job.kind is JobKind.SERVICE else None
    return BACKOFF * 2 ** (job.attempts - 1) if named is None else named


def _give_up(session: Session, job: JobRow, message: str, error_code: str | None, at: datetime) -> None:
    if job.kind is JobKind.SERVICE:
        occasion = instances.Occasion(EventType.JOB_FAILED, None, at, _job_facts(job))
        cause = bpmn.JobFailed(job.token, message, error_code)
        instances.advance(session, instances.load(session, job.instance), cause, occasion)
        return
    incidents.open(
        session,
        instance=job.instance,
        business_key=job.business_key,
        token=job.token,
        element=job.element,
        message=message,
        at=at,
        job=job.id,
    )
    values = history.Values()
    facts = {**_job_facts(job), "message": values.put("message", "message", message)}
    history.append(
        session,
        history.NewEvent(
            EventType.INCIDENT_OPENED, at, None, facts, values, instance=job.instance, business_key=job.business_key
        ),
    )


def retry(session: Session, incident: int, *, actor: str, at: datetime) -> None:
    """What stopped is tried again: the element at once, a job by the worker. Raises IncidentNotFound."""
    row = incidents.get(session, incident)
    if row.job is None:
        instances.retry(session, row.instance, row.token, actor=actor, at=at)
        return
    table = tables.Job
    failed = (table.id == row.job, table.state == JobState.FAILED)
    again = update(table).where(*failed).values(state=JobState.WAITING, due=at, attempts=0, error=None)
    if session.execute(again.returning(table.id)).first() is None:  # somebody else was faster
        raise IncidentNotFound(incident)
    job_queue.defer(session, row.job, at)
    incidents.resolve(session, row.instance, [row.token], by=actor, at=at)
    facts = {"element": row.element, "job_id": row.job}
    event = EventType.INCIDENT_RETRIED
    history.append(
        session,
        history.NewEvent(event, at, actor, facts, instance=row.instance, business_key=row.business_key),
    )


def _close(session: Session, job: JobRow, state: JobState, error: str | None = None) -> bool:
    """Take the job out of work; False if it was cancelled, or another worker was faster."""
    table = tables.Job
    same = (table.id == job.id, table.state.in_(OPEN_JOB), table.attempts == job.attempts)
    changes = {"state": state, "leased_until": None, "error": error}
    return session.execute(update(table).where(*same).values(changes).returning(table.id)).first() is not None


def _job_facts(job: JobRow) -> dict[str, Any]:
    return {"job_id": job.id, "job_type": job.type or str(job.kind), "element": job.element}


# Deadlines ----------------------------------------------------------------------------------------------


def _escalate(session: Session, job: JobRow, at: datetime) -> None:
    """The groups that the deadline names are candidates of the open task, and told of it."""
    table = tables.UserTask
    open_task = (table.id == job.task, table.state.in_((TaskState.CREATED, TaskState.CLAIMED)))
    task = session.execute(
        update(table)
        .where(*open_task)
        .values(escalated_at=at)
        .returning(table.id, table.name, table.element, table.token, table.form_id, table.escalate_to, table.due_reason)
    ).one_or_none()
    if task is None:
        return
    _add_candidates(session, task.id, task.escalate_to)
    subject = f"期限を過ぎた作業があります: {task.name}"
    told = notices.write(
        session,
        subject,
        groups=task.escalate_to,
        users=(),
        at=at,
        business_key=job.business_key,
        task=task.id,
        kind="overdue",
    )
    about = {"id": task.id, "token": task.token, "element": task.element, "name": task.name, "form_id": task.form_id}
    facts = {"task": about, "escalated_to": list(task.escalate_to), "told": list(told)}
    history.append(
        session,
        history.NewEvent(
            EventType.TASK_ESCALATED, at, None, facts, instance=job.instance, business_key=job.business_key
        ),
    )


def _add_candidates(session: Session, task: int, groups: list[str]) -> None:
    table = tables.Candidate
    known = session.execute(select(table.kind, table.name).where(table.task_id == task)).all()
    new = [group for group in dict.fromkeys(groups) if ("group", group) not in {tuple(row) for row in known}]
    rows = [
        {"task_id": task, "kind": "group", "name": group, "position": len(known) + index, "escalated": True}
        for index, group in enumerate(new)
    ]
    if rows:
        session.execute(insert(table), rows)
