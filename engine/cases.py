"""Cases as people see them: what they may start, send and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from engine import (
    bundles,
    case_index,
    case_search,
    concealments,
    deployments,
    feel,
    history,
    identity,
    submissions,
    tables,
    tasklist,
)
from engine import instances as runs
from engine.audit.redaction import Redaction
from engine.case_index import FactRow
from engine.catalogue import Fact, MessageOffer, Start
from engine.errors import CaseNotFound, MessageNotFound, MessageNotYours, StartNotFound, StartNotYours
from engine.identity import Person
from engine.states import OPEN_TASK, EventType, InstanceState
from engine.tasklist import TaskRow
from engine.texts import usable

COUNTED = 1_000
"""Cases that are counted; a list that is longer does not take longer."""


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
    """How many cases the criteria find, and how many of them have each labelled value of each fact.

    One more than COUNTED stands for all that are more, and then the facts are not counted.
    """

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
    return Started(instance, business_key, tasklist.doable(session, actor, business_key))


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
    return Sent(tuple(taken), tasklist.doable(session, actor, business_key))


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
    before: str | None = None,
    after: str | None = None,
) -> list[CaseRow]:
    """The cases that the person may read and the criteria find, those that began last first.

    `query`: words that all stand in the number, a fact or a text of the case. `facts`: each has this value.
    `running`, `overdue`: only those that go on, or have an open task past its due date, or do not. `before`,
    `after`: only those that began before this case, or the next after it; without effect if the person may not
    read it.
    """
    known = readable_facts(session, person)
    wanted = case_search.criteria(
        session, person, known, at, query=query, facts=facts, running=running, overdue=overdue
    )
    place = {"before": _ordinal(session, before, person), "after": _ordinal(session, after, person)}
    return _rows(session, person, case_search.find(session, wanted, limit, **place), known, at)


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
    """How many cases `list_cases` would give with the same criteria, as far as they are counted."""
    known = readable_facts(session, person)
    wanted = case_search.criteria(
        session, person, known, at, query=query, facts=facts, running=running, overdue=overdue
    )

    table = tables.Case
    found = case_search.find(session, wanted, COUNTED + 1)
    rows = session.execute(select(table.business_key, table.running).where(table.ordinal.in_(found))).all()
    if len(rows) > COUNTED:
        going = _of_these(session, wanted, case_search.in_state(True), running)
        late = _of_these(session, wanted, case_search.late(at), overdue)
        return CaseCounts(len(rows), going, late, {})
    keys = [row.business_key for row in rows]
    of_these = case_search.late_keys(at).where(tables.UserTask.business_key.in_(keys)).distinct()
    late = len(session.execute(of_these).all())
    values = case_index.count_values(session, keys, known)
    return CaseCounts(len(keys), sum(row.running > 0 for row in rows), late, values)


def _of_these(
    session: Session, wanted: Sequence[case_search.Criterion], more: case_search.Criterion, asked: bool | None
) -> int:
    """How many of the very many cases fit one more criterion, which may have been asked for or ruled out already."""
    if asked is not None:
        return COUNTED + 1 if asked else 0
    found = case_search.find(session, [*wanted, more], COUNTED + 1).subquery()
    return session.execute(select(func.count()).select_from(found)).scalar_one()


def _ordinal(session: Session, business_key: str | None, person: Person) -> int | None:
    """The place of the case among all; None for one that the person may not know of."""
    if business_key is None:
        return None
    table, key = tables.Case, usable(business_key)
    query = select(table.ordinal).where(table.business_key == key, identity.reads(person, table.business_key))
    return session.execute(query).scalar()


def get(session: Session, business_key: str, person: Person, *, at: datetime) -> CaseRow:
    """The case; raises CaseNotFound also if the person may not know of it."""
    _check_readable(session, business_key, person)
    known = readable_facts(session, person)
    for row in _rows(
        session, person, select(tables.Case.ordinal).where(tables.Case.business_key == business_key), known, at
    ):
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
    session: Session, person: Person, ordinals: Select[Any], known: tuple[Fact, ...], at: datetime
) -> list[CaseRow]:
    table, tasks, wanted = tables.Case, tables.UserTask, ordinals.subquery()
    query = select(table).join(wanted, wanted.c.ordinal == table.ordinal).order_by(table.ordinal.desc())
    found = session.execute(query).scalars().all()
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
    concealed = concealments.from_reader(session, person, keys)
    return [
        CaseRow(
            row.business_key,
            row.process,
            names.get(row.process, row.process),
            row.running,
            *counts.get(row.business_key, (0, 0)),
            row.opened_at,
            concealed.name(row.business_key, row.opened_by, row.opened_at),
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
    readable = redaction.of_recorded if redaction.withholds else None
    table = tables.HistoryEvent
    query = select(table.id).where(table.business_key == business_key, table.type != EventType.ATTEMPT_REJECTED)
    if before is not None:
        query = query.where(table.id < before)
    ids = session.execute(query.order_by(table.id.desc()).limit(limit)).scalars().all()
    if not ids:
        return []
    found = history.of_case(session, business_key, readable, TOLD, span=(ids[-1], ids[0]))
    return [redaction.concealed.event(event) for event in found if event.type is not EventType.ATTEMPT_REJECTED]
