"""Operations: what stopped and what fails, as an operator sees it; corrected and set going again, one or many.

Only who `operates` may see or do this. A retry is one transaction, also among many: one that fails again keeps no
other from going on.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import bpmn, bundles, feel, incidents, instances, jobs, tables
from engine.audit.redaction import Redaction
from engine.columns import JST
from engine.database import Database
from engine.errors import InstanceEnded, NotAnOperator, NotFound, StaleInstance, SubmissionInvalid
from engine.identity import Person
from engine.incidents import IncidentRow
from engine.states import OPEN_JOB, IncidentState, JobKind, JobState

SHOWN = 50
"""Incidents of one kind, and failing jobs, that are listed; the others are counted."""
LATE = timedelta(minutes=1)
"""Work that is due for longer tells that no worker runs, or too few."""
LONGEST = 100_000
"""Characters of one value as it is typed."""

NOT_A_NAME = "変数の名前は、文字で始まる文字・数字・_ だけで書いてください。"
NOT_A_VALUE = '値として読めません。文字列は "…" で囲み、日付は @"2026-11-24" のように書いてください。'
NOT_TO_BE_CHANGED = "この変数は、ここでは変更できません。"
TOO_LONG = "値が長すぎます。"

_NAME = re.compile(r"[^\W\d]\w{0,99}")
_FIXED = "business_key"
"""By this name messages find their case; another value would cut it off from them."""

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What came of a retry."""

    WENT_ON = "went_on"
    QUEUED = "queued"
    """The worker does it next."""
    STOPPED = "stopped"
    """It stopped there again."""
    GONE = "gone"
    """It was not open any more."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A retry of `incident` of the case `business_key` (empty if it was not open), and why it stopped again."""

    incident: int
    business_key: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """An open incident; `name` is what its element is called, `tried` how often it was tried."""

    incident: IncidentRow
    name: str
    tried: int


@dataclass(frozen=True, slots=True)
class Kind:
    """All open incidents at one element of one process; the oldest of them in `shown`."""

    process: str
    element: str
    name: str
    count: int
    shown: tuple[Stopped, ...]


@dataclass(frozen=True, slots=True)
class FailingJob:
    """A job that failed and is tried again at `due`, for the last time as attempt number `retries`."""

    id: int
    business_key: str
    type: str
    element: str
    error: str
    attempts: int
    retries: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """Jobs that are not done: how many wait, are `late`, `running`, and `failing`."""

    waiting: int
    late: int
    running: int
    failing: int
    shown: tuple[FailingJob, ...]


@dataclass(frozen=True, slots=True)
class Correction:
    """What an operator may correct where something stopped, as it stands at `version` of the instance."""

    version: int
    values: Mapping[str, str]
    withheld: tuple[str, ...]
    """Names of values of which the operator may not see all; to be changed by nobody here."""


def check(person: Person) -> None:
    """The person may see and do what stands here; raises NotAnOperator."""
    if not person.operates:
        raise NotAnOperator(person.name)


# Reading ------------------------------------------------------------------------------------------------


def kinds(session: Session) -> tuple[Kind, ...]:
    """Every open incident, by kind; the kind of the oldest first."""
    found: dict[tuple[str, str], list[IncidentRow]] = {}
    for row in incidents.open_ones(session):
        found.setdefault((row.process, row.element), []).append(row)
    return tuple(_kind(session, *key, rows) for key, rows in found.items())


def _kind(session: Session, process: str, element: str, rows: list[IncidentRow]) -> Kind:
    shown = tuple(_stopped(session, row) for row in rows[:SHOWN])
    return Kind(process, element, shown[0].name, len(rows), shown)


def stopped(session: Session, incident: int) -> Stopped:
    """The open incident; raises IncidentNotFound."""
    return _stopped(session, incidents.get(session, incident))


def _stopped(session: Session, row: IncidentRow) -> Stopped:
    runs, definitions = tables.ProcessInstance, tables.ProcessDefinition
    deployment = session.execute(
        select(definitions.deployment_id)
        .join(runs, runs.definition_id == definitions.id)
        .where(runs.id == row.instance)
    ).scalar_one()
    bundle = bundles.of_deployment(session, deployment).processes
    return Stopped(row, bundle.name_of(row.element, row.process), _tried(session, row))


def _tried(session: Session, row: IncidentRow) -> int:
    """By the worker, or as often as it stopped there."""
    job, table = tables.Job, tables.Incident
    by_worker = select(func.coalesce(func.sum(job.attempts), 0)).where(
        job.instance_id == row.instance, job.token == row.token
    )
    times = select(func.count(table.id)).where(table.instance_id == row.instance, table.token == row.token)
    return max(session.execute(by_worker).scalar_one(), session.execute(times).scalar_one())


def work(session: Session, *, at: datetime) -> Work:
    """The jobs that are not done."""
    job = tables.Job
    waiting = job.state == JobState.WAITING
    failing = waiting & job.error.is_not(None)
    counts = session.execute(
        select(
            func.count().filter(waiting),
            func.count().filter(waiting & (job.due <= at - LATE)),
            func.count().filter(job.state == JobState.RUNNING),
            func.count().filter(failing),
        ).where(job.state.in_(OPEN_JOB))
    ).one()
    rows = session.execute(select(job).where(failing).order_by(job.due, job.id).limit(SHOWN)).scalars()
    shown = (
        FailingJob(
            row.id,
            row.business_key,
            row.type or str(row.kind),
            row.element,
            row.error or "",
            row.attempts,
            row.retries,
            row.due,
        )
        for row in rows
    )
    return Work(*counts, tuple(shown))


def correction(session: Session, incident: int, person: Person, *, at: datetime) -> Correction:
    """What can be seen from where it stopped; raises IncidentNotFound, NotAnOperator."""
    check(person)
    row = incidents.get(session, incident)
    running = instances.load(session, row.instance)
    values = _visible(running, row.token, at)
    seen = Redaction.for_case(session, row.business_key, person).of_variables(values)
    whole = {name: written(value) for name, value in values.items() if name in seen and seen[name] == value}
    return Correction(running.version, whole, tuple(name for name in values if name in seen and name not in whole))


def _visible(running: instances.Running, token: int, at: datetime) -> dict[str, feel.Value]:
    found = bpmn.task_scope(running.compiled.processes, running.snapshot, token, at.astimezone(JST)).variables
    return {name: found[name] for name in sorted(found) if name != _FIXED}


def written(value: feel.Value) -> str:
    """The FEEL that gives the value."""
    return feel.to_text([value])[1:-1]


# Correcting and trying again ----------------------------------------------------------------------------


def retry(
    session: Session,
    incident: int,
    typed: Mapping[str, str] | None = None,
    *,
    actor: Person,
    at: datetime,
    version: int | None = None,
) -> Tried:
    """What stopped was tried again, after its variables had the values that were typed, in FEEL or JSON.

    All or nothing. Raises IncidentNotFound, NotAnOperator; SubmissionInvalid by name of variable; StaleInstance if
    the instance is not at `version` any more.
    """
    check(actor)
    row = incidents.get(session, incident)
    running = instances.load(session, row.instance)
    if version not in (None, running.version):
        raise StaleInstance(row.instance)
    values = _checked(session, running, row, typed or {}, actor, at)
    if values:
        instances.change_variables(session, row.instance, values, actor=actor.name, at=at, token=row.token)
    jobs.retry(session, incident, actor=actor.name, at=at)
    return _tried_again(session, row)


def _checked(
    session: Session,
    running: instances.Running,
    row: IncidentRow,
    typed: Mapping[str, str],
    actor: Person,
    at: datetime,
) -> dict[str, feel.Value]:
    redaction = Redaction.for_case(session, row.business_key, actor)
    present = _visible(running, row.token, at)
    values, wrong = {}, {}
    for name, text in typed.items():
        try:
            values[name] = _read(name, text, at)
        except ValueError as fault:
            wrong[name] = str(fault)
            continue
        kept = {name: present[name]} if name in present else {}
        if name in redaction.hidden or name == _FIXED or redaction.of_variables(kept) != kept:
            wrong[name] = NOT_TO_BE_CHANGED
    if wrong:
        raise SubmissionInvalid(wrong)
    return values


def _read(name: str, text: str, at: datetime) -> feel.Value:
    """The value of the text, which may name no variable; ValueError with what to do."""
    if not _NAME.fullmatch(name):
        raise ValueError(NOT_A_NAME)
    if len(text) > LONGEST:
        raise ValueError(TOO_LONG)
    environment = feel.Environment(now=at.astimezone(JST))
    try:
        value = feel.parse_expression(text).evaluate({}, environment)
        feel.encode(value)
    except feel.FeelError as fault:
        raise ValueError(NOT_A_VALUE) from fault
    if environment.warnings:
        raise ValueError(NOT_A_VALUE)
    return value


def of_kind(session: Session, process: str | None, element: str | None) -> list[int]:
    """The open incidents at this element, oldest first; without one all."""
    wanted = (process, element)
    return [row.id for row in incidents.open_ones(session) if wanted in ((None, None), (row.process, row.element))]


def retry_each(
    database: Database,
    chosen: Iterable[int],
    typed: Mapping[str, str] | None = None,
    *,
    actor: Person,
    at: datetime,
) -> list[Tried]:
    """Each was tried again, its variables corrected, in a transaction of its own; raises NotAnOperator."""
    check(actor)
    return [_retry_one(database, incident, typed or {}, actor, at) for incident in dict.fromkeys(chosen)]


def _retry_one(database: Database, incident: int, typed: Mapping[str, str], actor: Person, at: datetime) -> Tried:
    key = ""
    try:
        with database.reading() as session:
            key = incidents.get(session, incident).business_key
        return database.retrying(lambda session: retry(session, incident, typed, actor=actor, at=at))
    except (NotFound, InstanceEnded, bpmn.TokenGone):
        return Tried(incident, "", Outcome.GONE)
    except SubmissionInvalid as invalid:
        return Tried(incident, key, Outcome.STOPPED, str(invalid))
    except SQLAlchemyError:
        raise
    except Exception as fault:  # whatever it is: this one, not the others, has failed
        log.exception("incident %s could not be tried again", incident)
        return Tried(incident, key, Outcome.STOPPED, type(fault).__name__)


def _tried_again(session: Session, row: IncidentRow) -> Tried:
    """What is there now, where it had stopped."""
    table, job = tables.Incident, tables.Job
    here = (table.instance_id == row.instance, table.token == row.token, table.state == IncidentState.OPEN)
    again = session.execute(select(table.message).where(*here)).scalar()
    if again is not None:
        return Tried(row.id, row.business_key, Outcome.STOPPED, again)
    wanted = (
        job.instance_id == row.instance,
        job.token == row.token,
        job.state == JobState.WAITING,
        (job.kind == JobKind.SERVICE) | (job.id == row.job),
    )
    queued = session.execute(select(job.id).where(*wanted)).first() is not None
    return Tried(row.id, row.business_key, Outcome.QUEUED if queued else Outcome.WENT_ON)
