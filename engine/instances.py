"""Process instances: start, advance, correlate, cancel.

`apply` is the only writer of an instance: its snapshot upon the version that was read, the rows that a step
opened and closed, and the history event, in one transaction. Messages and signals that a step throws are
delivered in the same transaction, in order, until nothing is left to deliver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from engine import bpmn, bundles, case_index, columns, feel, history, identity, messages, openings, records, tables
from engine.columns import JST
from engine.errors import InstanceEnded, InstanceNotFound, StaleInstance, TooManySteps
from engine.statements import Statement
from engine.states import EventType, InstanceState

MAX_DELIVERIES = 1_000
"""Messages, signals and starts that one command may bring about."""

Values = Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class Running:
    """An instance as it was read: what a step needs, the version that it may replace, and its last event."""

    id: int
    process: str
    business_key: str
    version: int
    snapshot: Mapping[str, Any]
    compiled: bundles.Compiled
    head: history.Head


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and by whom something happens, and what history says of it beside the cause."""

    type: EventType
    actor: str | None
    at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Delivery:
    """What a command still has to deliver, and what it has touched so far."""

    at: datetime
    pending: deque[bpmn.ThrownMessage | bpmn.ThrownSignal] = field(default_factory=deque)
    arrivals: deque[int] = field(default_factory=deque)
    """Subscriptions that were opened just now: a message may be waiting for them."""
    steps: int = 0
    taken_by: list[int] = field(default_factory=list)

    def count(self) -> None:
        self.steps += 1
        if self.steps > MAX_DELIVERIES:
            raise TooManySteps(MAX_DELIVERIES)


_INSTANCES, _CASES = columns.core(tables.ProcessInstance), columns.core(tables.Case)
_COUNTERS, _EVENTS = columns.core(tables.Counter), columns.core(tables.HistoryEvent)
_DEFINITIONS, _DEPLOYMENTS = columns.core(tables.ProcessDefinition), columns.core(tables.Deployment)
_CHAIN = _EVENTS.alias()
_LAST = (
    select(_CHAIN.c.seq)
    .where(_CHAIN.c.chain == bindparam("of_chain"))
    .order_by(_CHAIN.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_STORED = Statement(
    select(
        _INSTANCES.c.process,
        _INSTANCES.c.business_key,
        _INSTANCES.c.version,
        _INSTANCES.c.snapshot,
        _INSTANCES.c.state,
        _EVENTS.c.seq,
        _EVENTS.c.hash,
        _DEFINITIONS.c.deployment_id,
        _DEPLOYMENTS.c.digest,
        _DEPLOYMENTS.c.job_types,
    )
    .join(_DEFINITIONS, _DEFINITIONS.c.id == _INSTANCES.c.definition_id)
    .join(_DEPLOYMENTS, _DEPLOYMENTS.c.id == _DEFINITIONS.c.deployment_id)
    .outerjoin(_EVENTS, and_(_EVENTS.c.chain == bindparam("of_chain"), _EVENTS.c.seq == _LAST))
    .where(_INSTANCES.c.id == bindparam("instance"))
)
_BEGIN = Statement(insert(_INSTANCES).returning(_INSTANCES.c.id))
_REPLACE = Statement(
    update(_INSTANCES)
    .where(
        _INSTANCES.c.id == bindparam("instance"),
        _INSTANCES.c.version == bindparam("read_version"),
        _INSTANCES.c.state == InstanceState.ACTIVE,
    )
    .values(
        snapshot=bindparam("snapshot"),
        version=bindparam("version"),
        state=bindparam("state"),
        ended_at=bindparam("ended_at"),
    )
)
_COUNT_RUNNING = Statement(
    update(_CASES)
    .where(_CASES.c.business_key == bindparam("of_case"))
    .values(running=_CASES.c.running + 1)
    .returning(_CASES.c.running)
)
_NEXT_ORDINAL = select(func.coalesce(func.max(_CASES.c.ordinal), 0) + 1).scalar_subquery()
_OPEN_CASE = Statement(insert(_CASES).values(ordinal=_NEXT_ORDINAL))
_NEXT_NUMBER = Statement(
    update(_COUNTERS)
    .where(_COUNTERS.c.name == "case", _COUNTERS.c.year == bindparam("of_year"))
    .values(value=_COUNTERS.c.value + 1)
    .returning(_COUNTERS.c.value)
)
_TOUCH_CASE = Statement(
    update(_CASES)
    .where(_CASES.c.business_key == bindparam("of_case"))
    .values(changed_at=bindparam("at"), running=_CASES.c.running - bindparam("ended"))
)


def load(session: Session, instance: int) -> Running:
    """The running instance; raises InstanceNotFound, InstanceEnded."""
    row = _STORED.first(session, instance=instance, of_chain=history.chain_of(instance, None))
    if row is None:
        raise InstanceNotFound(instance)
    process, business_key, version, snapshot, state, seq, last, *deployment = row
    if state is not InstanceState.ACTIVE:
        raise InstanceEnded(instance)
    compiled = bundles.stored(session, *deployment)
    head = history.BEFORE if seq is None else (seq, last)
    return Running(instance, process, business_key, version, snapshot, compiled, head)


# Commands -----------------------------------------------------------------------------------------------


def start(
    session: Session,
    process: str,
    variables: Values,
    *,
    actor: str | None,
    at: datetime,
    business_key: str | None = None,
) -> tuple[int, str]:
    """A new instance of the newest version runs; gives its id and business key (a new case number if None).

    Raises ProcessNotFound, and bpmn.BpmnError for a process that cannot be started this way.
    """
    key = new_case_number(session, at) if business_key is None else business_key
    delivery = Delivery(at)
    occasion = Occasion(EventType.INSTANCE_STARTED, actor, at)
    instance = _start(session, bpmn.Start(process, key, variables), occasion, delivery)
    _deliver(session, delivery)
    return instance, key


def advance(session: Session, running: Running, cause: bpmn.Cause, occasion: Occasion) -> bpmn.Advance:
    """The instance has taken the step, and everything that it threw is delivered.

    Raises StaleInstance, bpmn.TokenGone, bpmn.ActorExcluded, TooManySteps.
    """
    delivery = Delivery(occasion.at)
    taken = _step(session, running, cause, occasion, delivery)
    _deliver(session, delivery)
    return taken


def publish(
    session: Session,
    name: str,
    key: str,
    values: Values,
    *,
    actor: str | None,
    at: datetime,
    time_to_live: timedelta = timedelta(0),
) -> tuple[int, ...]:
    """The message is taken once per process, and kept while it lives; gives the instances that took it."""
    recorded = history.Values()
    facts = {"message_name": name, "values": recorded.put_all("payload", values)}
    event = history.NewEvent(EventType.MESSAGE_PUBLISHED, at, actor, facts, recorded, business_key=key)
    history.append(session, event)
    delivery = Delivery(at)
    delivery.pending.append(bpmn.ThrownMessage(name, key, values, time_to_live))
    _deliver(session, delivery)
    return tuple(delivery.taken_by)


def broadcast(session: Session, name: str, values: Values, *, actor: str | None, at: datetime) -> tuple[int, ...]:
    """Everything that waits for the signal has it; gives the instances."""
    recorded = history.Values()
    facts = {"message_name": name, "values": recorded.put_all("payload", values)}
    history.append(session, history.NewEvent(EventType.MESSAGE_PUBLISHED, at, actor, facts, recorded))
    delivery = Delivery(at)
    delivery.pending.append(bpmn.ThrownSignal(name, values))
    _deliver(session, delivery)
    return tuple(delivery.taken_by)


def cancel(session: Session, instance: int, *, reason: str, actor: str, at: datetime) -> None:
    """The instance has ended; what was open in it is cancelled."""
    occasion = Occasion(EventType.INSTANCE_CANCELLED, actor, at)
    advance(session, load(session, instance), bpmn.Cancel(reason), occasion)


def change_variables(
    session: Session, instance: int, values: Values, *, actor: str, at: datetime, token: int | None = None
) -> None:
    """The variables, seen from `token` or of the process, have these values."""
    occasion = Occasion(EventType.VARIABLES_CHANGED, actor, at)
    advance(session, load(session, instance), bpmn.ChangeVariables(values, token), occasion)


def retry(session: Session, instance: int, token: int, *, actor: str, at: datetime) -> None:
    """The element that stopped was tried again; it may have stopped again, which is a new incident."""
    occasion = Occasion(EventType.INCIDENT_RETRIED, actor, at)
    advance(session, load(session, instance), bpmn.Retry(token), occasion)


def new_case_number(session: Session, at: datetime) -> str:
    """The next number of the year in Japan, such as 2026-0001."""
    year = at.astimezone(JST).year
    next_number = _NEXT_NUMBER.first(session, of_year=year)
    (value,) = next_number or (1,)
    if next_number is None:
        session.execute(insert(_COUNTERS).values(name="case", year=year, value=value))
    return f"{year}-{value:04}"


# Delivering ---------------------------------------------------------------------------------------------


def _deliver(session: Session, delivery: Delivery) -> None:
    """Deliver until nothing is pending: new subscriptions first, because their message came before."""
    while delivery.arrivals or delivery.pending:
        delivery.count()
        if delivery.arrivals:
            _take_living(session, delivery.arrivals.popleft(), delivery)
            continue
        thrown = delivery.pending.popleft()
        if isinstance(thrown, bpmn.ThrownMessage):
            _correlate(session, thrown, delivery)
        else:
            _broadcast(session, thrown, delivery)


def _correlate(session: Session, message: bpmn.ThrownMessage, delivery: Delivery) -> None:
    """Once per process key: the oldest subscription takes the message, else a start event of that name."""
    kept = messages.keep(session, message, at=delivery.at)
    taken: set[str] = set()
    for waiting in messages.waiting(session, "message", message.name, message.key):
        if waiting.process not in taken:
            taken.add(waiting.process)
            messages.mark_taken(session, kept, waiting.process)
            _receive(session, waiting.id, message.values, EventType.MESSAGE_RECEIVED, delivery)
    for definition in bundles.newest_of_all(session):
        bundle = bundles.of_deployment(session, definition.deployment).processes
        if definition.key not in taken and message.name in bundle.processes[definition.key].start_messages:
            messages.mark_taken(session, kept, definition.key)
            cause = bpmn.Start(definition.key, message.key, message.values, message.name)
            facts = {"message_name": message.name}
            occasion = Occasion(EventType.INSTANCE_STARTED, None, delivery.at, facts)
            delivery.taken_by.append(_start(session, cause, occasion, delivery))


def _take_living(session: Session, subscription: int, delivery: Delivery) -> None:
    """The new subscription takes the message that came before it, if there is one."""
    living = messages.living_for(session, subscription, at=delivery.at)
    if living is not None:
        messages.mark_taken(session, living.id, living.process)
        _receive(session, subscription, living.values, EventType.MESSAGE_RECEIVED, delivery)


def _broadcast(session: Session, signal: bpmn.ThrownSignal, delivery: Delivery) -> None:
    for waiting in messages.waiting(session, "signal", signal.name):
        _receive(session, waiting.id, signal.values, EventType.SIGNAL_RECEIVED, delivery)


def _receive(session: Session, subscription: int, values: Values, kind: EventType, delivery: Delivery) -> None:
    """The subscription takes the payload, unless an earlier delivery closed it."""
    waiting = messages.subscription(session, subscription)
    if waiting is None:
        return
    delivery.count()
    occasion = Occasion(kind, None, delivery.at, {"message_name": waiting.name})
    delivery.taken_by.append(waiting.instance)
    _step(session, load(session, waiting.instance), bpmn.Receive(waiting.token, values), occasion, delivery)


# One step -----------------------------------------------------------------------------------------------


def _start(session: Session, cause: bpmn.Start, occasion: Occasion, delivery: Delivery) -> int:
    definition = bundles.newest(session, cause.process)
    compiled = bundles.of_deployment(session, definition.deployment)
    taken = bpmn.advance(compiled.processes, None, cause, occasion.at.astimezone(JST))
    row = {
        "definition_id": definition.id,
        "process": cause.process,
        "business_key": cause.business_key,
        "state": InstanceState.ACTIVE,
        "version": 0,
        "snapshot": {},
        "started_at": occasion.at,
        "started_by": occasion.actor,
        "ended_at": None,
    }
    ((instance,),) = _BEGIN.rows(session, **row)
    _open_case(session, cause, occasion)
    running = Running(instance, cause.process, cause.business_key, 0, {}, compiled, history.BEFORE)
    apply(session, running, cause, taken, occasion, delivery)
    return int(instance)


def _open_case(session: Session, start: bpmn.Start, occasion: Occasion) -> None:
    """The case counts one more running instance; the first one gives it its name."""
    if _COUNT_RUNNING.first(session, of_case=start.business_key) is None:
        row = {"business_key": start.business_key, "process": start.process, "running": 1}
        _OPEN_CASE.run(
            session, row | {"opened_at": occasion.at, "opened_by": occasion.actor, "changed_at": occasion.at}
        )
        case_index.write_number(session, start.business_key)
    if occasion.actor is not None:
        identity.take_part(session, start.business_key, occasion.actor, occasion.at)


def _step(
    session: Session, running: Running, cause: bpmn.Cause, occasion: Occasion, delivery: Delivery
) -> bpmn.Advance:
    taken = bpmn.advance(running.compiled.processes, running.snapshot, cause, occasion.at.astimezone(JST))
    apply(session, running, cause, taken, occasion, delivery)
    return taken


def apply(
    session: Session,
    running: Running,
    cause: bpmn.Cause,
    taken: bpmn.Advance,
    occasion: Occasion,
    delivery: Delivery,
) -> None:
    """Everything the step changed is written, upon the version that was read.

    Raises StaleInstance, on a server perhaps not before the transaction reads again or ends.
    """
    _write_snapshot(session, running, taken, occasion)
    step = openings.Step(running.id, running.process, running.business_key, occasion.actor, occasion.at)
    delivery.arrivals.extend(openings.write(session, step, taken))
    case_index.write_facts(session, running.business_key, running.compiled.catalogue.facts, taken.variables)
    values = history.Values()
    facts = {**occasion.facts, **records.facts_of(cause, taken, values)}
    event = history.NewEvent(
        occasion.type,
        occasion.at,
        occasion.actor,
        facts,
        values,
        instance=running.id,
        business_key=running.business_key,
        definition=running.compiled.digest,
    )
    history.append(session, event, running.head)
    delivery.pending.extend(taken.messages)
    delivery.pending.extend(taken.signals)


def _write_snapshot(session: Session, running: Running, taken: bpmn.Advance, occasion: Occasion) -> None:
    state, ended_at = InstanceState.ACTIVE, None
    if taken.ended:
        cancelled = occasion.type is EventType.INSTANCE_CANCELLED
        state, ended_at = InstanceState.CANCELLED if cancelled else InstanceState.COMPLETED, occasion.at
    changes = {
        "instance": running.id,
        "read_version": running.version,
        "version": running.version + 1,
        "snapshot": taken.snapshot,
        "state": state,
        "ended_at": ended_at,
    }
    _REPLACE.change(session, changes, StaleInstance(running.id))
    _TOUCH_CASE.run(session, {"of_case": running.business_key, "at": occasion.at, "ended": int(taken.ended)})
