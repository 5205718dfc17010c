"""History: one event per cause, appended once, never changed.

Values stand apart from the event that speaks of them, with a salt each; the event carries their salted SHA-256.
The events of one chain (an instance, a case, or `system`) name the hash of the event before, over the canonical form
of RFC 8785. `append` is the only INSERT to these tables.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import rfc8785
from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.orm import Session

from engine import bpmn, columns, feel, tables
from engine.errors import EngineError, NotRecordable, ValueNotRecorded
from engine.statements import Statement
from engine.states import EventType

SYSTEM = "system"
"""The chain of events that belong to no case."""
START = "0" * 64
"""What the first event of a chain names as the one before."""
BEFORE = (0, START)
"""The head of a chain that has no event yet."""
REFERENCE = "$value"
"""A JSON object with this one key stands for the value with that number."""


_EVENTS = columns.core(tables.HistoryEvent)
Head = tuple[int, str]
"""The number and the hash of the last event of a chain."""
_HEAD = Statement(
    select(_EVENTS.c.seq, _EVENTS.c.hash)
    .where(_EVENTS.c.chain == bindparam("of_chain"))
    .order_by(_EVENTS.c.seq.desc())
    .limit(1)
)
_APPEND = Statement(insert(_EVENTS).inline())
_EVENT = select(_EVENTS.c.id).where(_EVENTS.c.chain == bindparam("of_chain"), _EVENTS.c.seq == bindparam("of_seq"))
_APPEND_VALUES = Statement(insert(columns.core(tables.HistoryValue)).inline().values(event_id=_EVENT.scalar_subquery()))


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Values:
    """The values that an event speaks of, each under a number, while the event is made up."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []

    def put(self, kind: str, name: str, value: feel.Value) -> dict[str, int]:
        """The value is kept under a number; gives the reference to it."""
        self.rows.append((kind, name, encoded(value)))
        return {REFERENCE: len(self.rows) - 1}

    def put_all(self, kind: str, values: Mapping[str, feel.Value]) -> dict[str, dict[str, int]]:
        return {name: self.put(kind, name, value) for name, value in values.items()}


def encoded(value: feel.Value) -> str:
    """The value as text; a function, which nothing can store, as its FEEL text."""
    try:
        stored = feel.encode(value)
    except feel.FeelFault:
        stored = feel.to_text(value)
    return _ENCODER.encode(stored)


def decoded(text: str | None) -> feel.Value:
    """The value that `encoded` made the text of; null for an erased one."""
    if text is None:
        return None
    return feel.decode(json.loads(text)) if text.startswith(_COMPOSED) else _plain(text)


_COMPOSED = ("{", "[")


@lru_cache(maxsize=4096)
def _plain(text: str) -> feel.Value:
    """A value without parts, which nobody can change: the same few come again and again."""
    return feel.decode(json.loads(text))


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to append: `facts` is JSON of text, whole numbers and references into `values`."""

    type: EventType
    at: datetime
    actor: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    values: Values = field(default_factory=Values)
    instance: int | None = None
    business_key: str | None = None
    definition: str | None = None


def append(session: Session, new: NewEvent, head: Head | None = None) -> None:
    """The event stands at the end of its chain, which is `head` where that was read already."""
    chain = chain_of(new.instance, new.business_key)
    seq, previous = head or _head(session, chain)
    salts = [secrets.token_hex(16) for _ in new.values.rows]
    commitments = [
        commitment(salt, kind, name, text, _written_texts)
        for salt, (kind, name, text) in zip(salts, new.values.rows, strict=True)
    ]
    row: dict[str, Any] = {
        "chain": chain,
        "seq": seq + 1,
        "type": new.type,
        "at": new.at,
        "actor": new.actor,
        "instance_id": new.instance,
        "business_key": new.business_key,
        "definition": new.definition,
        "semantics": bpmn.SEMANTICS,
        "facts": new.facts,
        "commitments": commitments,
        "previous": previous,
    }
    row["hash"] = chain_hash(row, _written)
    _APPEND.run(session, row)
    event = {"of_chain": chain, "of_seq": row["seq"]}
    values = [
        {**event, "number": number, "kind": kind, "name": name, "encoded": text, "salt": salt}
        for number, (salt, (kind, name, text)) in enumerate(zip(salts, new.values.rows, strict=True))
    ]
    if values:
        _APPEND_VALUES.run(session, *values)


def chain_of(instance: int | None, business_key: str | None) -> str:
    """The chain of an instance; of a case, for what belongs to none of its instances; else that of the system."""
    if instance is not None:
        return str(instance)
    return SYSTEM if business_key is None else f"case {business_key}"


def _head(session: Session, chain: str) -> Head:
    seq, last = _HEAD.first(session, of_chain=chain) or BEFORE
    return seq, last


Canonical = Callable[[Any], bytes]
"""The canonical form of JSON by RFC 8785."""


_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_NUMBERS = tuple(re.compile(rf"{before}-?[0-9]+(?:[0-9]{{15}}|[.eE])") for before in ("^", '":', ",", r"\["))
"""Numbers with a point or beyond 2^53 (or a text that only looks so), which the standard encoder writes otherwise."""


def _written(said: Any) -> bytes:
    """The canonical form by the standard encoder, ten times as fast, or by rfc8785 where the two may differ.

    Raises NotRecordable for what has no exact canonical form. Verification always asks rfc8785.
    """
    try:
        text = _CANONICAL.encode(said)
        if len(text.encode("utf-16-le")) > 2 * len(text):  # beyond the first plane it orders keys otherwise
            return rfc8785.dumps(said)
        return rfc8785.dumps(said) if any(each.search(text) for each in _NUMBERS) else text.encode()
    except ValueError as fault:
        raise NotRecordable(str(fault)) from fault


def _written_texts(texts: Sequence[str]) -> bytes:
    """The canonical form of a list of texts, in which there is neither a number nor an order of keys to watch."""
    try:
        return _CANONICAL.encode(texts).encode()
    except ValueError as fault:
        raise NotRecordable(str(fault)) from fault


def commitment(salt: str, kind: str, name: str, text: str, canonical: Canonical = rfc8785.dumps) -> str:
    """SHA-256 (hex) over salt, kind, name and encoded value: tells nothing of a value whose salt is gone."""
    return hashlib.sha256(canonical([salt, kind, name, text])).hexdigest()


def chain_hash(row: Mapping[str, Any], canonical: Canonical = rfc8785.dumps) -> str:
    """SHA-256 (hex) over the canonical form of everything the event says, the hash before it included."""
    said = {key: value for key, value in row.items() if key not in ("id", "hash")}
    said["type"] = str(row["type"])
    said["at"] = instant(row["at"])
    return hashlib.sha256(canonical(said)).hexdigest()


def instant(moment: datetime) -> str:
    """The moment in UTC with microseconds, the one text that stands for it in hashes and facts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def reject(
    session: Session,
    *,
    attempt: str,
    error: EngineError,
    actor: str | None,
    at: datetime,
    task: int | None = None,
    business_key: str | None = None,
) -> None:
    """History says that `actor` tried `attempt` and was refused; to be called in a transaction of its own."""
    if business_key is None and task is not None:
        table = tables.UserTask
        business_key = session.execute(select(table.business_key).where(table.id == task)).scalar()
    values = Values()
    facts = {
        "attempt": attempt,
        "error": type(error).__name__,
        "message": values.put("message", "message", str(error)),
        "task_id": task,
    }
    append(session, NewEvent(EventType.ATTEMPT_REJECTED, at, actor, facts, values, business_key=business_key))


def erase(
    session: Session,
    chain: str,
    places: Collection[tuple[int, int]],
    *,
    reason: str,
    actor: str | None,
    at: datetime,
) -> None:
    """The values at these (seq, number) of the chain are gone, text and salt, and its next event says so.

    The chain holds: it is over commitments. Raises ValueNotRecorded for what is not there, or is erased already.
    """
    events, values = tables.HistoryEvent, tables.HistoryValue
    erased: list[dict[str, Any]] = []
    instance: int | None = None
    business_key: str | None = None
    for seq, number in sorted(set(places)):
        query = (
            select(events.id, events.instance_id, events.business_key, values.kind, values.name)
            .join(values, values.event_id == events.id)
            .where(events.chain == chain, events.seq == seq, values.number == number, values.salt.is_not(None))
        )
        found = session.execute(query).one_or_none()
        if found is None:
            raise ValueNotRecorded(chain, seq, number)
        instance, business_key = found.instance_id, None if chain == SYSTEM else found.business_key
        erased.append({"seq": seq, "number": number, "kind": found.kind, "name": found.name})
        place = (values.event_id == found.id, values.number == number)
        session.execute(update(values).where(*place).values(value=None, salt=None))
    told = Values()
    facts = {"erased": erased, "reason": told.put("message", "reason", reason)}
    append(session, NewEvent(EventType.VALUES_ERASED, at, actor, facts, told, instance, business_key))


# Reading ------------------------------------------------------------------------------------------------

Readable = Callable[[str, str, feel.Value, str | None], feel.Value]
"""What of a value a person may see, by its kind, its name, and the form of the task that the event is about."""


@dataclass(frozen=True, slots=True)
class Move:
    element: str
    token: int
    process: str
    scope: str


@dataclass(frozen=True, slots=True)
class Written:
    """A variable was set; `scope` is empty for the process."""

    name: str
    value: feel.Value
    scope: str


@dataclass(frozen=True, slots=True)
class Rule:
    index: int
    id: str
    annotation: str
    outputs: Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision was evaluated with these inputs, and these of its rules held."""

    decision: str
    name: str
    inputs: Mapping[str, feel.Value]
    value: feel.Value
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class TaskFact:
    id: int
    element: str
    name: str
    form_id: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One event as read: references in `facts` are replaced by the values, erased ones by null."""

    id: int
    chain: str
    seq: int
    type: EventType
    at: datetime
    actor: str | None
    instance: int | None
    business_key: str | None
    definition: str | None
    facts: Mapping[str, Any]

    @property
    def task(self) -> TaskFact | None:
        found = self.facts.get("task")
        return None if found is None else TaskFact(found["id"], found["element"], found["name"], found["form_id"])

    @property
    def message(self) -> str | None:
        """The name of the message or signal that was published or taken."""
        return self.facts.get("message_name")

    @property
    def entered(self) -> tuple[Move, ...]:
        return self._moves("entered")

    @property
    def left(self) -> tuple[Move, ...]:
        return self._moves("left")

    @property
    def cancelled(self) -> tuple[Move, ...]:
        return self._moves("cancelled")

    def _moves(self, kind: str) -> tuple[Move, ...]:
        moves = self.facts.get("moves", ())
        return tuple(Move(m["element"], m["token"], m["process"], m["scope"]) for m in moves if m["kind"] == kind)

    @property
    def variables(self) -> tuple[Written, ...]:
        return tuple(Written(v["name"], v["value"], v["scope"]) for v in self.facts.get("variables", ()))

    @property
    def decisions(self) -> tuple[Decided, ...]:
        return tuple(
            Decided(
                each["decision"],
                each["name"],
                each["inputs"],
                each["value"],
                tuple(Rule(r["index"], r["id"], r["annotation"], r["outputs"]) for r in each["rules"]),
            )
            for evaluated in self.facts.get("decisions", ())
            for each in evaluated["evaluations"]
        )

    @property
    def submitted(self) -> Mapping[str, feel.Value]:
        """The fields of the form that was completed."""
        cause = self.facts.get("cause", {})
        return cause.get("values", {}) if cause.get("kind") == "CompleteTask" else {}

    @property
    def error(self) -> str | None:
        """Why a job failed, an instance was cancelled, an element stopped or an attempt was refused."""
        text = self.facts.get("message")
        return text if isinstance(text, str) else None

    @property
    def faults(self) -> tuple[tuple[str, str], ...]:
        """(element, reason) of each element that stopped."""
        return tuple((fault["element"], str(fault["message"])) for fault in self.facts.get("faults", ()))

    @property
    def missed(self) -> int:
        """How many later firings of a repeating timer had gone by when it fired, and are this one."""
        return sum(missed["count"] for missed in self.facts.get("missed_timers", ()))

    @property
    def escalated_to(self) -> tuple[str, ...]:
        return tuple(self.facts.get("escalated_to", ()))

    @property
    def assignee(self) -> str | None:
        return self.facts.get("assignee")


def of_case(
    session: Session,
    business_key: str,
    readable: Readable | None = None,
    kinds: Collection[str] | None = None,
    span: tuple[int, int] | None = None,
) -> list[Event]:
    """Every event of a case, oldest first; `readable` gives what of each value may be seen.

    With `kinds` only values of these kinds are read; the others are null. With `span` only the events with ids
    from its first to its second.
    """
    condition = tables.HistoryEvent.business_key == business_key
    if span is not None:
        condition &= tables.HistoryEvent.id.between(*span)
    return list(_read(session, condition, readable, kinds))


def of_instance(session: Session, instance: int) -> list[Event]:
    return list(_read(session, tables.HistoryEvent.chain == str(instance)))


def of_system(session: Session) -> list[Event]:
    return list(_read(session, tables.HistoryEvent.chain == SYSTEM))


def newest_of_no_instance(
    session: Session, types: Collection[EventType], *, limit: int, offset: int = 0, business_key: str | None = None
) -> list[Event]:
    """Events of these types that belong to no instance, the latest first, with no value but purpose and reason."""
    table = tables.HistoryEvent
    query = select(table.id).where(table.instance_id.is_(None), table.type.in_(types))
    if business_key is not None:
        query = query.where(table.business_key == business_key)
    wanted = session.execute(query.order_by(table.id.desc()).limit(limit).offset(offset)).scalars().all()
    return list(_read(session, table.id.in_(wanted), kinds=("purpose", "reason")))[::-1]


def _read(
    session: Session,
    condition: ColumnElement[bool],
    readable: Readable | None = None,
    kinds: Collection[str] | None = None,
) -> Iterator[Event]:
    events, values = tables.HistoryEvent, tables.HistoryValue
    ids = select(events.id).where(condition)
    wanted = [values.event_id.in_(ids)] if kinds is None else [values.event_id.in_(ids), values.kind.in_(kinds)]
    stored: dict[int, list[tuple[int, str, str, str | None]]] = {}
    columns = (values.event_id, values.number, values.kind, values.name, values.value)
    for event, number, kind, name, text in session.execute(select(*columns).where(*wanted)):
        stored.setdefault(event, []).append((number, kind, name, text))
    said = (events.id, events.chain, events.seq, events.type, events.at, events.actor)
    about = (events.instance_id, events.business_key, events.definition, events.facts)
    for row in session.execute(select(*said, *about).where(condition).order_by(events.id)):
        facts = row.facts
        found = stored.pop(row.id, ())
        if readable is None:
            known = {number: decoded(text) for number, _kind, _name, text in found}
        else:
            form = (facts.get("task") or {}).get("form_id")
            known = {number: readable(kind, name, decoded(text), form) for number, kind, name, text in found}
        yield Event(
            row.id,
            row.chain,
            row.seq,
            row.type,
            row.at,
            row.actor,
            row.instance_id,
            row.business_key,
            row.definition,
            {name: part if name == "moves" else resolve(part, known) for name, part in facts.items()},
        )


def resolve(facts: Any, values: Mapping[int, feel.Value]) -> Any:
    """`facts` with every reference replaced by its value."""
    if isinstance(facts, dict):
        if REFERENCE in facts and len(facts) == 1:
            return values.get(facts[REFERENCE])
        return {key: resolve(part, values) if isinstance(part, _PARTS) else part for key, part in facts.items()}
    if isinstance(facts, list):
        return [resolve(part, values) if isinstance(part, _PARTS) else part for part in facts]
    return facts


_PARTS = (dict, list)


def last_written(session: Session, business_key: str) -> dict[str, feel.Value]:
    """Of each variable name the value last written in any instance and scope of the case."""
    events, values = tables.HistoryEvent, tables.HistoryValue
    rows = session.execute(
        select(values.name, values.value)
        .join(events, events.id == values.event_id)
        .where(events.business_key == business_key, values.kind == "variable")
        .order_by(events.id, values.number)
    )
    texts = dict(rows.all())
    return {name: decoded(text) for name, text in texts.items()}
