"""Cases as people see them: what they may start, send and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select, true
from sqlalchemy.orm import Session

from engine import bundles, case_index, deployments, feel, history, identity, submissions, tables, user_tasks
from engine import instances as runs
from engine.audit.redaction import Redaction
from engine.case_index import FactRow
from engine.catalogue import Fact, MessageOffer, Start
from engine.errors import CaseNotFound, MessageNotFound, MessageNotYours, StartNotFound, StartNotYours
from engine.identity import Person
from engine.states import OPEN_TASK, EventType, InstanceState
from engine.user_tasks import TaskRow


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list; `title` is the name of the process it began with, `facts` what the reader may see of it."""

    business_key: str
    process: str
    title: str
    running: int
    open_tasks: int
    overdue: int
    opened_at: datetime
    opened_by: str | None
    changed_at: datetime
    facts: tuple[FactRow, ...] = ()

    def fact(self, name: str) -> FactRow | None:
        return next((fact for fact in self.facts if fact.name == name), None)


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """How many cases the criteria find, and how many of them have each labelled value of each fact."""

    total: int
    running: int
    overdue: int
    facts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class InstanceRow:
    id: int
    process: str
    name: str
    version: int
    state: InstanceState
    business_key: str
    started_at: datetime
    started_by: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Started:
    """The new case, and what of it the person who began it may do first."""

    instance: int
    business_key: str
    tasks: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """The instances that took the message, and what of the case the sender may do now."""

    taken_by: tuple[int, ...]
    tasks: tuple[TaskRow, ...]


# Starting and sending -----------------------------------------------------------------------------------


def starts(session: Session, person: Person) -> tuple[Start, ...]:
    """What the person may begin."""
    return tuple(start for start in deployments.catalogue(session).starts if identity.may(person, start))


def start(session: Session, start_id: str, *, actor: Person, at: datetime, submission: str | None = None) -> Started:
    """A new case has begun; the same `submission` again gives the same case. Raises StartNotFound, StartNotYours."""
    done = submissions.outcome(session, submission, actor.name)
    if done is None:
        found = next((one for one in deployments.catalogue(session).starts if one.id == start_id), None)
        if found is None:
            raise StartNotFound(start_id)
        if not identity.may(actor, found):
            raise StartNotYours(start_id)
        done = runs.start(session, found.process, found.variables, actor=actor.name, at=at)
        submissions.record(session, submission, actor.name, done, at=at)
    instance, business_key = done
    return Started(instance, business_key, user_tasks.doable(session, actor, business_key))


def offers(session: Session, business_keys: Collection[str], person: Person) -> dict[str, tuple[MessageOffer, ...]]:
    """Of each case the messages that this person may send and that it waits for now, or that begin something in it."""
    allowed = [offer for offer in deployments.catalogue(session).messages if identity.may(person, offer)]
    beginning: set[str] = set()
    for compiled in bundles.current(session):
        for process in compiled.processes.processes.values():
            beginning.update(process.start_messages)
    waiting = {key: set(beginning) for key in business_keys}
    table, names = tables.Subscription, [offer.name for offer in allowed]
    for key, name in session.execute(
        select(table.key, table.name).where(
            table.kind == "message", table.name.in_(names), table.key.in_(business_keys)
        )
    ):
        waiting[key].add(name)
    return {key: tuple(offer for offer in allowed if offer.name in named) for key, named in waiting.items()}


def send(
    session: Session,
    business_key: str,
    message: str,
    values: Mapping[str, feel.Value],
    *,
    actor: Person,
    at: datetime,
    submission: str | None = None,
) -> Sent:
    """The case has had the message; the same `submission` again: no effect.

    Raises CaseNotFound (also for a case the person may not read), MessageNotFound, MessageNotYours.
    """
    taken = submissions.outcome(session, submission, actor.name)
    if taken is None:
        _check_readable(session, business_key, actor)
        offer = next((one for one in deployments.catalogue(session).messages if one.name == message), None)
        if offer is None:
            raise MessageNotFound(message)
        if not identity.may(actor, offer):
            raise MessageNotYours(message)
        taken = runs.publish(session, message, business_key, values, actor=actor.name, at=at)
        identity.take_part(session, business_key, actor.name, at)
        submissions.record(session, submission, actor.name, taken, at=at)
    return Sent(tuple(taken), user_tasks.doable(session, actor, business_key))


# Reading ------------------------------------------------------------------------------------------------


def list_cases(
    session: Session,
    person: Person,
    *,
    at: datetime,
    query: str | None = None,
    facts: Mapping[str, str] | None = None,
    running: bool | None = None,
    overdue: bool | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[CaseRow]:
    """The cases that the person may read and the criteria find, the latest change first.

    `query`: words that all stand in the number, a fact or a text of the case. `facts`: each has this value.
    `running`, `overdue`: only those that go on, or have an open task past its due date, or do not.
    """
    known = readable_facts(session, person)
    where = _criteria(person, known, at, query, facts, running, overdue)
    return _rows(session, where, known, at, limit, offset)


def count_cases(
    session: Session,
    person: Person,
    *,
    at: datetime,
    query: str | None = None,
    facts: Mapping[str, str] | None = None,
    running: bool | None = None,
    overdue: bool | None = None,
) -> CaseCounts:
    """How many cases `list_cases` would give with the same criteria."""
    known = readable_facts(session, person)
    where = _criteria(person, known, at, query, facts, running, overdue)
    table = tables.Case
    found = select(table.business_key, table.running, _is_overdue(at).label("overdue")).where(where).cte("found")
    total, by_value = case_index.count(session, found, known)
    return CaseCounts(*total, by_value)


def _criteria(
    person: Person,
    known: tuple[Fact, ...],
    at: datetime,
    query: str | None,
    facts: Mapping[str, str] | None,
    running: bool | None,
    overdue: bool | None,
) -> ColumnElement[bool]:
    table = tables.Case
    key = table.business_key
    where = [*case_index.with_words(key, query, known, person), *case_index.with_facts(key, facts, known)]
    allowed = identity.readable_cases(person)
    if allowed is not None:
        where.append(key.in_(allowed))
    if running is not None:
        where.append(table.running > 0 if running else table.running == 0)
    if overdue is not None:
        where.append(_is_overdue(at) if overdue else ~_is_overdue(at))
    return and_(true(), *where)


def _is_overdue(at: datetime) -> ColumnElement[bool]:
    tasks = tables.UserTask
    same_case = tasks.business_key == tables.Case.business_key
    return exists().where(same_case, tasks.state.in_(OPEN_TASK), tasks.due < at).correlate(tables.Case)


def get(session: Session, business_key: str, person: Person, *, at: datetime) -> CaseRow:
    """The case; raises CaseNotFound also if the person may not know of it."""
    _check_readable(session, business_key, person)
    known = readable_facts(session, person)
    for row in _rows(session, tables.Case.business_key == business_key, known, at, 1, 0):
        return row
    raise CaseNotFound(business_key)


def readable_facts(session: Session, person: Person) -> tuple[Fact, ...]:
    """The facts that the person may see, and choose cases by."""
    return case_index.readable(deployments.catalogue(session).facts, person)


def facts(session: Session, business_key: str, person: Person) -> tuple[FactRow, ...]:
    """What is known of the case as a whole, as far as the person may see it; raises CaseNotFound."""
    _check_readable(session, business_key, person)
    return case_index.facts_of(session, [business_key], readable_facts(session, person))[business_key]


def _check_readable(session: Session, business_key: str, person: Person) -> None:
    case = tables.Case
    known = session.execute(select(case.running).where(case.business_key == business_key)).first()
    if known is None or not identity.may_read_case(session, person, business_key):
        raise CaseNotFound(business_key)


def _rows(
    session: Session, where: ColumnElement[bool], known: tuple[Fact, ...], at: datetime, limit: int, offset: int
) -> list[CaseRow]:
    table, tasks = tables.Case, tables.UserTask
    found = (
        session.execute(
            select(table)
            .where(where)
            .order_by(table.changed_at.desc(), table.business_key.desc())
            .limit(limit)
            .offset(offset)
        )
        .scalars()
        .all()
    )
    keys = [row.business_key for row in found]
    overdue = func.count(tasks.id).filter(tasks.due < at)
    counted = session.execute(
        select(tasks.business_key, func.count(tasks.id), overdue)
        .where(tasks.business_key.in_(keys), tasks.state.in_(OPEN_TASK))
        .group_by(tasks.business_key)
    )
    counts = {key: (open_tasks, late) for key, open_tasks, late in counted}
    names = deployments.process_names(session)
    known_of = case_index.facts_of(session, keys, known)
    return [
        CaseRow(
            row.business_key,
            row.process,
            names.get(row.process, row.process),
            row.running,
            *counts.get(row.business_key, (0, 0)),
            row.opened_at,
            row.opened_by,
            row.changed_at,
            known_of[row.business_key],
        )
        for row in found
    ]


def instances(session: Session, business_key: str) -> list[InstanceRow]:
    """Every process of the case, in the order they began."""
    table, definitions = tables.ProcessInstance, tables.ProcessDefinition
    rows = session.execute(
        select(
            table.id,
            table.process,
            definitions.name,
            definitions.version,
            table.state,
            table.business_key,
            table.started_at,
            table.started_by,
            table.ended_at,
        )
        .join(definitions, definitions.id == table.definition_id)
        .where(table.business_key == business_key)
        .order_by(table.id)
    )
    return [InstanceRow(*row) for row in rows]


def variables(session: Session, business_key: str, person: Person) -> dict[str, feel.Value]:
    """What was last written under each name in the case, without what carries a mark the person may not read."""
    redaction = Redaction.for_case(session, business_key, person)
    return redaction.of_variables(history.last_written(session, business_key))


TOLD = ("field", "message", "comment")
"""Kinds of recorded values that people are told: what was answered and written, and why something stopped."""


def timeline(
    session: Session, business_key: str, person: Person, *, limit: int | None = None, before: int | None = None
) -> list[history.Event]:
    """The newest `limit` events of a case, oldest first, with what people are told of them and may read.

    With `before` only those that came before the event with this id. What was refused is told elsewhere.
    """
    redaction = Redaction.for_case(session, business_key, person)
    readable = redaction.of_recorded if redaction.hidden else None
    table = tables.HistoryEvent
    query = select(table.id).where(table.business_key == business_key, table.type != EventType.ATTEMPT_REJECTED)
    if before is not None:
        query = query.where(table.id < before)
    ids = session.execute(query.order_by(table.id.desc()).limit(limit)).scalars().all()
    if not ids:
        return []
    found = history.of_case(session, business_key, readable, TOLD, span=(ids[-1], ids[0]))
    return [event for event in found if event.type is not EventType.ATTEMPT_REJECTED]
