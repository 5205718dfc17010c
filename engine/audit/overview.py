"""The overview: where cases of a process wait, which deadlines were kept, and which judgements changed."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from engine import feel, history, tables
from engine.catalogue import Fact
from engine.database import json_part
from engine.states import OPEN_TASK, TaskState


@dataclass(frozen=True, slots=True)
class Definition:
    """A version of a process by which something runs or ran."""

    id: int
    deployment: int
    key: str
    version: int
    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one element: how often it was entered, the median time until it was left, and how many are in it now.

    `kept` and `missed`: its tasks that had time until a due date and were done by then or later, or are open past it.
    `at_once`: those that were due when they were opened, which nobody can be early for.
    """

    count: int = 0
    median: timedelta | None = None
    open: int = 0
    kept: int = 0
    missed: int = 0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of a case had one of its labelled values and then another; `event` is the one that changed it."""

    fact: str
    before: str
    after: str
    business_key: str
    event: int


def definitions(session: Session) -> list[Definition]:
    """Every version of a process whose deployment some instance runs on: the newest first, of these the most used."""
    table, runs = tables.ProcessDefinition, tables.ProcessInstance
    used = select(table.deployment_id).join(runs, runs.definition_id == table.id)
    own = select(func.count(runs.id)).where(runs.definition_id == table.id).scalar_subquery()
    rows = session.execute(
        select(table.id, table.deployment_id, table.key, table.version, table.name, table.file)
        .where(table.deployment_id.in_(used))
        .order_by(table.deployment_id.desc(), own.desc(), table.id)
    )
    return [Definition(*row) for row in rows]


def source(session: Session, definition: Definition) -> bytes:
    """The BPMN file of the process."""
    file = tables.Resource
    found = session.execute(
        select(file.content).where(file.deployment_id == definition.deployment, file.name == definition.file)
    )
    return bytes(found.scalar_one())


def figures(session: Session, definition: Definition, *, since: datetime, at: datetime) -> dict[str, Figures]:
    """Element id → its figures, of the instances that began since then; also where the process was called."""
    found = _waits(session, definition, since)
    for element, kept, missed, at_once in _deadlines(session, definition, since, at):
        found[element] = replace(found.get(element, Figures()), kept=kept, missed=missed, at_once=at_once)
    return found


KEPT = 20_000
"""Instances, the newest, whose stays are kept in memory: about 2 KiB each."""
AT_ONCE = 500
"""Instances whose events are read by one query."""

_Stay = tuple[str, timedelta | None]
"""An element, and how long until it was left; None where it was cancelled."""


@dataclass(frozen=True, slots=True)
class _Stays:
    """What an instance did, by process, up to the event with this hash: stays that ended, and elements it stands in."""

    hash: str
    ended: Mapping[str, Sequence[_Stay]]
    standing: Mapping[str, Sequence[str]]


_kept: dict[int, _Stays] = {}
"""By instance; of another database, or another past, the hash is another."""


def _waits(session: Session, definition: Definition, since: datetime) -> dict[str, Figures]:
    counts: Counter[str] = Counter()
    standing: Counter[str] = Counter()
    waits: dict[str, list[timedelta]] = {}
    for stays in _stays(session, _heads(session, definition, since)):
        for element, waited in stays.ended.get(definition.key, ()):
            counts[element] += 1
            if waited is not None:
                waits.setdefault(element, []).append(waited)
        standing.update(stays.standing.get(definition.key, ()))
    counts.update(standing)
    return {
        element: Figures(count, _median(waits.get(element, ())), standing[element]) for element, count in counts.items()
    }


def _median(waits: Sequence[timedelta]) -> timedelta | None:
    if not waits:
        return None
    return timedelta(seconds=statistics.median(wait.total_seconds() for wait in waits))


def _heads(session: Session, definition: Definition, since: datetime) -> dict[int, str]:
    """Instance → hash of its last event, of those that began since then on the deployment."""
    events, runs, table = tables.HistoryEvent, tables.ProcessInstance, tables.ProcessDefinition
    chain = cast(runs.id, String)
    last = select(func.max(events.seq)).where(events.chain == chain).correlate(runs).scalar_subquery()
    rows = session.execute(
        select(runs.id, events.hash)
        .join(table, table.id == runs.definition_id)
        .join(events, (events.chain == chain) & (events.seq == last))
        .where(table.deployment_id == definition.deployment, runs.started_at >= since)
    )
    return dict(rows.all())


def _stays(session: Session, heads: Mapping[int, str]) -> Iterator[_Stays]:
    """Of each of the instances; read are only those to which something happened since they were read last."""
    oldest = max(heads, default=0) - KEPT
    changed = []
    for instance, last in heads.items():
        kept = _kept.get(instance)
        if kept and kept.hash == last:
            yield kept
        else:
            changed.append(instance)
    for start in range(0, len(changed), AT_ONCE):
        for instance, stays in _walked(session, changed[start : start + AT_ONCE]):
            if instance > oldest:
                _kept[instance] = stays
            yield stays
    if len(_kept) > KEPT:
        for instance in [each for each in list(_kept) if each <= oldest]:
            _kept.pop(instance, None)


def _walked(session: Session, instances: Collection[int]) -> Iterator[tuple[int, _Stays]]:
    """Instance and its stays, from all its events."""
    events = tables.HistoryEvent
    rows = session.execute(
        select(events.instance_id, events.at, events.hash, json_part(session, events.facts, "moves"))
        .where(events.chain.in_([str(each) for each in instances]))
        .order_by(events.chain, events.seq)
    )
    for instance, own in groupby(rows, key=lambda row: row[0]):
        ended: dict[str, list[_Stay]] = {}
        standing: dict[int, tuple[str, str, datetime]] = {}
        head = ""
        for _instance, at, head, moves in own:  # noqa: B007 - that of the last one is asked for
            for move in moves or ():
                token, kind = move["token"], move["kind"]
                if kind == "entered":  # a join counts each of its flows, but waits from the first on
                    standing.setdefault(token, (move["process"], move["element"], at))
                elif (entered := standing.pop(token, None)) is not None:
                    process, element, since = entered
                    ended.setdefault(process, []).append((element, at - since if kind == "left" else None))
        open_in: dict[str, list[str]] = {}
        for process, element, _since in standing.values():
            open_in.setdefault(process, []).append(element)
        yield instance, _Stays(head, ended, open_in)


def _deadlines(
    session: Session, definition: Definition, since: datetime, at: datetime
) -> Iterable[tuple[str, int, int, int]]:
    task, runs, table = tables.UserTask, tables.ProcessInstance, tables.ProcessDefinition
    done, timed = task.state == TaskState.COMPLETED, task.due > task.opened_at
    late = (done & (task.closed_at > task.due)) | (task.state.in_(OPEN_TASK) & (task.due < at))
    rows = session.execute(
        select(
            task.element,
            func.count(task.id).filter(timed & done & (task.closed_at <= task.due)),
            func.count(task.id).filter(timed & late),
            func.count(task.id).filter(~timed),
        )
        .join(runs, runs.id == task.instance_id)
        .join(table, table.id == runs.definition_id)
        .where(table.deployment_id == definition.deployment, task.process == definition.key)
        .where(task.due.is_not(None), runs.started_at >= since)
        .group_by(task.element)
    )
    return [(element, kept, missed, at_once) for element, kept, missed, at_once in rows]


# Changes of judgement -----------------------------------------------------------------------------------


def changes(session: Session, facts: Iterable[Fact], *, since: datetime) -> list[Change]:
    """Where a fact with labelled values changed in a case that began since then, the latest first.

    A process that hears of a change from another one changes nothing by itself.
    """
    labelled = [fact for fact in facts if fact.values]
    found: list[Change] = []
    last: dict[tuple[int, str], str] = {}
    told: dict[tuple[str, str, str, str], int] = {}
    for business_key, instance, event, name, value in _written(session, labelled, since):
        for fact in labelled:
            variable, _, entry = fact.name.partition(".")
            after = _text(value, entry) if variable == name else None
            if after is None:
                continue
            before = last.get((instance, fact.name))
            last[instance, fact.name] = after
            if before is None or before == after:
                continue
            if told.setdefault((business_key, fact.name, before, after), instance) == instance:
                found.append(Change(fact.name, before, after, business_key, event))
    return found[::-1]


def _written(
    session: Session, facts: Iterable[Fact], since: datetime
) -> Iterator[tuple[str, int, int, str, feel.Value]]:
    """Case, instance, event, name and value of everything written to the variables of these facts, oldest first."""
    events, values, runs = tables.HistoryEvent, tables.HistoryValue, tables.ProcessInstance
    names = {fact.name.partition(".")[0] for fact in facts}
    rows = session.execute(
        select(
            events.id,
            events.business_key,
            events.instance_id,
            values.number,
            values.name,
            values.value,
            json_part(session, events.facts, "variables"),
        )
        .join(events, events.id == values.event_id)
        .join(runs, runs.id == events.instance_id)
        .where(values.kind == "variable", values.name.in_(names), runs.started_at >= since)
        .order_by(events.id, values.number)
    )
    for event, business_key, instance, number, name, text, variables in rows:
        scopes = {written["value"][history.REFERENCE]: written["scope"] for written in variables or ()}
        if not scopes.get(number):  # of the process itself, not a local of an activity
            yield business_key, instance, event, name, history.decoded(text)


def _text(value: feel.Value, entry: str) -> str | None:
    """The value as `Fact.values` names it; None where there is no single one."""
    if entry:
        value = value.get(entry) if isinstance(value, dict) else None
    if value is None or isinstance(value, list | dict):
        return None
    return value if isinstance(value, str) else feel.to_text(value)
