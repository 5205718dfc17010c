"""Replay: the recorded causes folded again through the recorded definitions, compared with what was recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import bpmn, bundles, history, records, tables
from engine.errors import InstanceNotFound
from engine.tables import JST


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first place where the fold differs: the event, and what was recorded and what came out there."""

    instance: int
    seq: int
    what: str
    recorded: Any
    folded: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """`events`: how many causes were folded. `erased`: a cause cannot be folded, its values were erased."""

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
    for recorded in _recorded(session, instance):
        if recorded.erased:
            return Replay(instance, count, None, erased=True)
        seq, count = recorded.seq, count + 1
        try:
            at = recorded.at.astimezone(JST)
            step = bpmn.advance(bundle, snapshot, recorded.cause, at, recorded.semantics)
        except bpmn.BpmnError as refused:
            return Replay(instance, count, Divergence(instance, seq, "refused", recorded.facts["cause"], str(refused)))
        difference = _difference(recorded, step)
        if difference is not None:
            return Replay(instance, count, Divergence(instance, seq, *difference))
        snapshot = json.loads(json.dumps(step.snapshot))
    same = snapshot == stored.snapshot
    return Replay(instance, count, None if same else Divergence(instance, seq, "snapshot", stored.snapshot, snapshot))


@dataclass(frozen=True, slots=True)
class _Recorded:
    seq: int
    at: datetime
    semantics: int
    facts: dict[str, Any]
    texts: list[str | None]

    @property
    def erased(self) -> bool:
        return None in self.texts

    @property
    def cause(self) -> bpmn.Cause:
        values = {number: history.decoded(text) for number, text in enumerate(self.texts)}
        return records.cause_of(history.resolve(self.facts["cause"], values))


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
    columns = (events.id, events.seq, events.at, events.semantics, events.facts)
    rows = session.execute(select(*columns).where(own).order_by(events.seq))
    return [
        _Recorded(row.seq, row.at, row.semantics, row.facts, texts.get(row.id, []))
        for row in rows
        if "cause" in row.facts
    ]


def _difference(recorded: _Recorded, step: bpmn.Advance) -> tuple[str, Any, Any] | None:
    """The first kind of fact in which the step differs from the record, then the first value."""
    folded = history.Values()
    facts = records.facts_of(recorded.cause, step, folded)
    for name in records.NAMES:
        if recorded.facts.get(name) != facts.get(name):
            return name, recorded.facts.get(name), facts.get(name)
    for (kind, name, text), before in zip(folded.rows, recorded.texts, strict=False):
        if text != before:
            return f"{kind} {name}", before, text
    return None if len(folded.rows) == len(recorded.texts) else ("values", len(recorded.texts), len(folded.rows))
