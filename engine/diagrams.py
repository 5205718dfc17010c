"""Diagrams: the drawing of a process as it was deployed, and where an instance stands on it and how it came there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import identity, tables
from engine.errors import InstanceNotFound
from engine.identity import Person
from engine.states import IncidentState


@dataclass(frozen=True, slots=True)
class Diagram:
    """One process of an instance: its own, or one that it called. Elements and flows are those of `xml`.

    `open`: where a token is. `completed`: left at least once by completing, perhaps entered again since. `flows`:
    taken at least once. `failed`: stopped there, an incident is open.
    """

    process: str
    name: str
    xml: bytes
    open: frozenset[str]
    completed: frozenset[str]
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


def _ways(session: Session, instance: int, process: str) -> dict[str, Way]:
    ways = {process: Way()}
    events = tables.HistoryEvent
    query = select(events.facts).where(events.chain == str(instance)).order_by(events.seq)
    for facts in session.execute(query).scalars():
        for move in facts.get("moves", ()):
            ways.setdefault(move["process"], Way()).follow(move)
    return ways


def _stopped(session: Session, instance: int) -> set[int]:
    """The tokens with an open incident."""
    table = tables.Incident
    query = select(table.token).where(table.instance_id == instance, table.state == IncidentState.OPEN)
    return set(session.execute(query).scalars())


def files(session: Session, deployment: int, processes: Collection[str]) -> dict[str, tuple[str, bytes]]:
    """Name and BPMN file of each of the processes, as the deployment has them."""
    table, files = tables.ProcessDefinition, tables.Resource
    rows = session.execute(
        select(table.key, table.name, files.content)
        .join(files, (files.deployment_id == table.deployment_id) & (files.name == table.file))
        .where(table.deployment_id == deployment, table.key.in_(processes))
    )
    return {key: (name, content) for key, name, content in rows}


def _diagram(process: str, name: str, xml: bytes, way: Way, stopped: set[int]) -> Diagram:
    return Diagram(
        process,
        name,
        xml,
        frozenset(way.tokens.values()),
        frozenset(way.completed),
        frozenset(way.flows),
        frozenset(element for token, element in way.tokens.items() if token in stopped),
    )
