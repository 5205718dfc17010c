"""Diagrams: the drawing of a process as it was deployed, and where an instance stands on it and how it came there."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, KeysView, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import identity, tables
from engine.database import json_part
from engine.errors import InstanceNotFound
from engine.identity import Person
from engine.states import IncidentState


@dataclass(frozen=True, slots=True)
class Diagram:
    """One process of an instance: its own, or one that it called. Elements and flows are those of `xml`.

    `open`: where a token is. `completed`: left at least once by completing, perhaps entered again since; in the order
    of the way. `flows`: taken at least once. `failed`: stopped there, an incident is open.
    """

    process: str
    name: str
    xml: bytes
    open: frozenset[str]
    completed: KeysView[str]
    flows: frozenset[str]
    failed: frozenset[str]


@dataclass(slots=True)
class Way:
    """What the moves so far have left in one process: `tokens` are where it stands, `completed` in order of its way."""

    tokens: dict[int, str] = field(default_factory=dict)
    completed: dict[str, None] = field(default_factory=dict)
    flows: set[str] = field(default_factory=set)

    def follow(self, move: Mapping[str, Any]) -> None:
        token, element, flow = move["token"], move["element"], move["flow"]
        if flow is not None and " " not in flow:  # a jump between link events is no drawn flow, and no id
            self.flows.add(flow)
        if move["kind"] == "entered":
            self.tokens[token] = element
            return
        self.tokens.pop(token, None)
        if move["kind"] == "left":
            self.completed[element] = None


def of_instance(session: Session, instance: int, person: Person) -> tuple[Diagram, ...]:
    """The diagram of the instance's own process, then those of the processes it called, in the order of its way.

    Raises InstanceNotFound, also for a case that the person may not know of.
    """
    runs, definitions = tables.ProcessInstance, tables.ProcessDefinition
    row = session.execute(
        select(runs.business_key, runs.process, definitions.deployment_id)
        .join(definitions, definitions.id == runs.definition_id)
        .where(runs.id == instance)
    ).one_or_none()
    if row is None or not identity.may_read_case(session, person, row.business_key):
        raise InstanceNotFound(instance)
    ways = _ways(session, instance, row.process)
    stopped = _stopped(session, instance)
    drawn = files(session, row.deployment_id, list(ways))
    return tuple(_diagram(process, *drawn[process], way, stopped) for process, way in ways.items())


KEPT = 256
"""Instances whose ways are kept in memory."""


@dataclass(frozen=True, slots=True)
class _Walked:
    """The ways of an instance up to the event `seq`; its hash vouches for all that came before."""

    seq: int
    hash: str
    ways: dict[str, Way]


_kept: OrderedDict[int, _Walked] = OrderedDict()
"""By instance; of another database, or another past, the hash is another."""


def _ways(session: Session, instance: int, process: str) -> Mapping[str, Way]:
    """The ways by process; of what was walked before only the events since are read."""
    walked = _kept.get(instance)
    rows = _moved(session, instance, walked.seq if walked else 1)
    if walked and (not rows or rows[0].hash != walked.hash):
        walked, rows = None, _moved(session, instance, 1)
    ways = deepcopy(walked.ways) if walked else {process: Way()}
    for row in rows[1:] if walked else rows:
        for move in row.moves or ():
            ways.setdefault(move["process"], Way()).follow(move)
    if rows:
        _kept[instance] = _Walked(rows[-1].seq, rows[-1].hash, ways)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return ways


def _moved(session: Session, instance: int, since: int) -> Sequence[Any]:
    """Number, hash and moves of the events of the instance from the number `since` on."""
    table = tables.HistoryEvent
    moves = json_part(session, table.facts, "moves").label("moves")
    query = select(table.seq, table.hash, moves).where(table.chain == str(instance), table.seq >= since)
    return session.execute(query.order_by(table.seq)).all()


def _stopped(session: Session, instance: int) -> set[int]:
    """The tokens with an open incident."""
    table = tables.Incident
    query = select(table.token).where(table.instance_id == instance, table.state == IncidentState.OPEN)
    return set(session.execute(query).scalars())


def files(session: Session, deployment: int, processes: Collection[str] | None = None) -> dict[str, tuple[str, bytes]]:
    """Name and BPMN file of each of the processes, or of every one, as the deployment has them."""
    table, files = tables.ProcessDefinition, tables.Resource
    query = (
        select(table.key, table.name, files.content)
        .join(files, (files.deployment_id == table.deployment_id) & (files.name == table.file))
        .where(table.deployment_id == deployment)
        .order_by(table.id)
    )
    rows = session.execute(query if processes is None else query.where(table.key.in_(processes)))
    return {key: (name, content) for key, name, content in rows}


def _diagram(process: str, name: str, xml: bytes, way: Way, stopped: set[int]) -> Diagram:
    return Diagram(
        process,
        name,
        xml,
        frozenset(way.tokens.values()),
        way.completed.keys(),
        frozenset(way.flows),
        frozenset(element for token, element in way.tokens.items() if token in stopped),
    )
