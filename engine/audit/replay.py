"""Replay: the recorded causes folded again through the recorded definitions, compared with what was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import bpmn, bundles, history, records, tables
from engine.columns import JST
from engine.errors import InstanceNotFound
from engine.states import EventType


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where the fold differs: the event, and what was recorded and what came out there.

    `semantics` is the version of the engine's that recorded the event; None where the stored state is compared.
    """

    instance: int
    seq: int
    what: str
    recorded: Any
    folded: Any
    type: EventType | None = None
    at: datetime | None = None
    actor: str | None = None
    semantics: int | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """`events`: how many causes were folded. `erased`: values were erased, so that not all could be compared; where a
    cause needs one, the fold ends.
    """

    instance: int
    events: int
    divergence: Divergence | None
    erased: bool = False


def instances_of(session: Session, business_key: str | None = None) -> list[int]:
    """The instances of a case, or all, in the order they began."""
    table = tables.ProcessInstance
    query = select(table.id).order_by(table.id)
    if business_key is not None:
        query = query.where(table.business_key == business_key)
    return list(session.execute(query).scalars())


def fold(session: Session, instance: int) -> Replay:
    """The instance's history gives, or does not give, what is stored of it. Raises InstanceNotFound."""
    table, definitions = tables.ProcessInstance, tables.ProcessDefinition
    stored = session.execute(
        select(table.snapshot, definitions.deployment_id)
        .join(definitions, definitions.id == table.definition_id)
        .where(table.id == instance)
    ).one_or_none()
    if stored is None:
        raise InstanceNotFound(instance)
    bundle = bundles.of_deployment(session, stored.deployment_id).processes
    snapshot: Any = None
    seq = count = 0
    erased = False
    for recorded in _recorded(session, instance):
        erased = erased or None in recorded.texts
        cause = recorded.cause()
        if cause is None:
            return Replay(instance, count, None, erased)
        seq, count = recorded.seq, count + 1
        try:
            step = bpmn.advance(bundle, snapshot, cause, recorded.at.astimezone(JST), recorded.semantics)
        except bpmn.BpmnError as refused:
            told = ("refused", recorded.facts["cause"], str(refused))
            return Replay(instance, count, recorded.divergence(instance, *told), erased)
        difference = _difference(recorded, cause, step)
        if difference is not None:
            return Replay(instance, count, recorded.divergence(instance, *difference), erased)
        snapshot = json.loads(json.dumps(step.snapshot))
    same = erased or snapshot == stored.snapshot  # what was erased may be gone from the state too
    divergence = None if same else Divergence(instance, seq, "snapshot", stored.snapshot, snapshot)
    return Replay(instance, count, divergence, erased)


@dataclass(frozen=True, slots=True)
class _Recorded:
    seq: int
    type: EventType
    at: datetime
    actor: str | None
    semantics: int
    facts: dict[str, Any]
    texts: list[str | None]

    def cause(self) -> bpmn.Cause | None:
        """The cause of the step; None if a value that it needs was erased."""
        needed = sorted(_references(self.facts["cause"]))
        if any(self.texts[number] is None for number in needed):
            return None
        values = {number: history.decoded(self.texts[number]) for number in needed}
        return records.cause_of(history.resolve(self.facts["cause"], values))

    def divergence(self, instance: int, what: str, recorded: Any, folded: Any) -> Divergence:
        return Divergence(instance, self.seq, what, recorded, folded, self.type, self.at, self.actor, self.semantics)


def _references(facts: Any) -> Iterator[int]:
    """The numbers of the values of which the facts speak."""
    if isinstance(facts, dict):
        if facts.keys() == {history.REFERENCE}:
            yield facts[history.REFERENCE]
        else:
            for fact in facts.values():
                yield from _references(fact)
    elif isinstance(facts, list):
        for fact in facts:
            yield from _references(fact)


def _recorded(session: Session, instance: int) -> list[_Recorded]:
    """The events of the instance that hold a cause, with the texts of their values."""
    events, values = tables.HistoryEvent, tables.HistoryValue
    own = events.chain == str(instance)
    texts: dict[int, list[str | None]] = {}
    for event, text in session.execute(
        select(values.event_id, values.value)
        .join(events, events.id == values.event_id)
        .where(own)
        .order_by(values.event_id, values.number)
    ):
        texts.setdefault(event, []).append(text)
    columns = (events.id, events.seq, events.type, events.at, events.actor, events.semantics, events.facts)
    rows = session.execute(select(*columns).where(own).order_by(events.seq))
    return [
        _Recorded(row.seq, row.type, row.at, row.actor, row.semantics, row.facts, texts.get(row.id, []))
        for row in rows
        if "cause" in row.facts
    ]


def _difference(recorded: _Recorded, cause: bpmn.Cause, step: bpmn.Advance) -> tuple[str, Any, Any] | None:
    """The first kind of fact in which the step differs from the record, then the first value."""
    folded = history.Values()
    facts = records.facts_of(cause, step, folded)
    for name in records.NAMES:
        if recorded.facts.get(name) != facts.get(name):
            return name, recorded.facts.get(name), facts.get(name)
    for (kind, name, text), before in zip(folded.rows, recorded.texts, strict=False):
        if before not in (text, None):
            return f"{kind} {name}", before, text
    return None if len(folded.rows) == len(recorded.texts) else ("values", len(recorded.texts), len(folded.rows))
