"""Moments: a case as it stood right after each of its events, from the record alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import business_days, feel, forms, history, identity, tables
from engine.audit.redaction import Redaction
from engine.columns import JST
from engine.database import json_part
from engine.diagrams import Way
from engine.errors import CaseNotFound
from engine.history import Decided, Event, Written
from engine.identity import Person
from engine.states import EventType

Place = tuple[int, str]
"""An instance, and the process of it that a diagram shows: its own, or one that it called."""
Variable = tuple[str, str]
"""The path of the scope, empty for the process, and the name."""


TOLD = ("field", "variable", "decision", "decision_input", "message", "comment", "purpose")
"""Kinds of recorded values that a step tells; what only folding needs is left where it is."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An evaluation as the person may see it; of one that read what they may not, neither inputs nor rules are told."""

    decided: Decided
    withheld: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One event with everything that people may be told of it.

    `number` counts from 1. `place`: where on the diagrams it happened, None for what belongs to no process.
    `waited_since`: when the task that it completed was opened. `roles`: the groups for which its actor acted.
    `written`: the variables that it set, of those that the person may know.
    """

    number: int
    event: Event
    place: Place | None
    waited_since: datetime | None
    roles: tuple[str, ...]
    written: tuple[Written, ...]
    decisions: tuple[Decision, ...]


@dataclass(slots=True)
class Standing:
    """Where one instance stands: its ways by process, the tokens that have stopped, and where each value is kept."""

    process: str
    ways: dict[str, Way] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    values: dict[Variable, tuple[int, int]] = field(default_factory=dict)
    """Variable → the event that wrote it last, and the number of the value there."""
    replaced: dict[Variable, tuple[int, int]] = field(default_factory=dict)
    """The same of what the last event wrote over."""

    def follow(self, event: int, facts: Mapping[str, Any]) -> None:
        """It stands as the event left it."""
        for move in facts.get("moves") or ():
            self.ways.setdefault(move["process"], Way()).follow(move)
        self.stopped |= {fault["token"] for fault in facts.get("faults") or ()}
        self.stopped -= set(facts.get("resolved_faults") or ())
        self.replaced = {}
        for written in facts.get("variables") or ():
            variable = written["scope"], written["name"]
            if variable in self.values and self.values[variable][0] != event:
                self.replaced[variable] = self.values[variable]
            self.values[variable] = event, written["value"][history.REFERENCE]

    def open(self, process: str) -> list[str]:
        """The elements where a token of the process is, in the order of the tokens."""
        return list(dict.fromkeys(self.ways[process].tokens.values())) if process in self.ways else []

    def failed(self, process: str) -> list[str]:
        """The elements where a token has stopped."""
        tokens = self.ways[process].tokens if process in self.ways else {}
        return list(dict.fromkeys(element for token, element in tokens.items() if token in self.stopped))


@dataclass(frozen=True, slots=True)
class Known:
    """A variable at a moment; `changed`: its event wrote it, and `before` is what stood there until then."""

    scope: str
    name: str
    value: feel.Value
    changed: bool
    before: feel.Value


@dataclass(frozen=True, slots=True)
class Moment:
    """The case right after a step.

    `place` is the one of the step, or of the last step before it that had one; `known` are the values of its
    instance, and `standings` that of every instance that had begun.
    """

    step: Step
    place: Place | None
    standings: Mapping[int, Standing]
    known: tuple[Known, ...]


def events(session: Session, business_key: str, person: Person) -> list[int]:
    """The ids of the events that the person may follow, oldest first; raises CaseNotFound.

    What was refused to somebody is told to those only who read every case.
    """
    known = session.execute(select(tables.Case.running).where(tables.Case.business_key == business_key)).first()
    if known is None or not identity.may_read_case(session, person, business_key):
        raise CaseNotFound(business_key)
    table = tables.HistoryEvent
    query = select(table.id).where(*_followed(business_key, person)).order_by(table.id)
    return list(session.execute(query).scalars())


def _followed(business_key: str, person: Person) -> list[ColumnElement[bool]]:
    table = tables.HistoryEvent
    own = [table.business_key == business_key]
    return own if person.cases == "all" else [*own, table.type != EventType.ATTEMPT_REJECTED]


def steps(session: Session, business_key: str, person: Person, ids: list[int], first: int, count: int) -> list[Step]:
    """The `count` steps from the one with the number `first` on; `ids` are what `events` gave."""
    wanted = ids[first - 1 : first - 1 + count]
    if not wanted:
        return []
    redaction = Redaction.for_case(session, business_key, person)
    readable = redaction.of_recorded if redaction.withholds else None
    span = wanted[0], wanted[-1]
    kept = set(wanted)
    read = history.of_case(session, business_key, readable, TOLD, span)
    found = [redaction.concealed.event(each) for each in read if each.id in kept]
    about = _Tasks.of(session, found)
    processes = _processes(session, business_key)
    groups = {one.name: one.groups for one in identity.people(session)}
    return [
        Step(
            number,
            event,
            about.place(event, processes),
            about.opened_at(event),
            about.roles(event, groups),
            tuple(each for each in event.variables if not redaction.hides("variable", each.name)),
            tuple(_as_readable(each, redaction) for each in event.decisions),
        )
        for number, event in enumerate(found, start=first)
    ]


def moment(session: Session, business_key: str, person: Person, ids: list[int], number: int) -> Moment:
    """The case after the step with this number; `ids` are what `events` gave."""
    (step,) = steps(session, business_key, person, ids, number, 1)
    table = tables.HistoryEvent
    processes = _processes(session, business_key)
    standings: dict[int, Standing] = {}
    place: Place | None = None
    query = (
        select(table.id, table.instance_id, *(json_part(session, table.facts, name) for name in _FOLDED))
        .where(table.business_key == business_key, table.instance_id.is_not(None), table.id <= step.event.id)
        .order_by(table.id)
    )
    for event, instance, *parts in session.execute(query):
        if instance not in standings:
            standings[instance] = Standing(processes[instance], {processes[instance]: Way()})
        facts = dict(zip(_FOLDED, parts, strict=True))
        standings[instance].follow(event, facts)
        place = _moved(instance, facts) or place
    place = step.place or place
    known = _known(session, business_key, person, standings[place[0]], step) if place else ()
    return Moment(step, place, standings, known)


_FOLDED = ("moves", "faults", "resolved_faults", "variables")
"""The facts that say where an instance stands: a fifth of what an event says."""


def form_seen(step: Step, known: Iterable[Known], form: forms.Form) -> forms.FormView:
    """The form of the completed task with what was answered, as its conditions showed it then.

    From what the reader may see alone: what an answer they may not read made visible is there only if it was
    answered itself.
    """
    variables = {each.name: each.value for each in sorted(known, key=lambda each: len(each.scope))}
    environment = feel.Environment(now=step.event.at.astimezone(JST), functions=business_days.FUNCTIONS)
    return forms.fill(form, dict(step.event.submitted), {"people": [], **variables}, environment)


def deployments(session: Session, business_key: str) -> dict[int, int]:
    """Instance → the deployment that it runs on, of every instance of the case."""
    table, definitions = tables.ProcessInstance, tables.ProcessDefinition
    rows = session.execute(
        select(table.id, definitions.deployment_id)
        .join(definitions, definitions.id == table.definition_id)
        .where(table.business_key == business_key)
    )
    return dict(rows.all())


def _processes(session: Session, business_key: str) -> dict[int, str]:
    table = tables.ProcessInstance
    rows = session.execute(select(table.id, table.process).where(table.business_key == business_key))
    return dict(rows.all())


def _moved(instance: int, facts: Mapping[str, Any]) -> Place | None:
    moves = facts.get("moves")
    return (instance, moves[0]["process"]) if moves else None


def _as_readable(decided: Decided, redaction: Redaction) -> Decision:
    """The rule that fired tells the input that it tested."""
    if not any(redaction.hides("decision_input", name) for name in decided.inputs):
        return Decision(decided, False)
    return Decision(Decided(decided.decision, decided.name, {}, decided.value, ()), True)


@dataclass(frozen=True, slots=True)
class _Tasks:
    """The tasks that some events are about: when each was opened, on which diagram, and for which groups."""

    opened: Mapping[int, tuple[datetime, str]]
    candidates: Mapping[int, list[str]]

    @classmethod
    def of(cls, session: Session, events: Iterable[Event]) -> _Tasks:
        ids = [event.task.id for event in events if event.task]
        table, candidate = tables.UserTask, tables.Candidate
        query = select(table.id, table.opened_at, table.process).where(table.id.in_(ids))
        opened = {task: (at, process) for task, at, process in session.execute(query)}
        groups: dict[int, list[str]] = {}
        asked = select(candidate.task_id, candidate.name).where(candidate.task_id.in_(ids), candidate.kind == "group")
        for task, group in session.execute(asked.order_by(candidate.position)):
            groups.setdefault(task, []).append(group)
        return cls(opened, groups)

    def place(self, event: Event, processes: Mapping[int, str]) -> Place | None:
        if event.instance is None:
            return None
        if event.task and event.task.id in self.opened:
            return event.instance, self.opened[event.task.id][1]
        return _moved(event.instance, event.facts) or (event.instance, processes[event.instance])

    def opened_at(self, event: Event) -> datetime | None:
        done = event.type is EventType.TASK_COMPLETED and event.task is not None and event.task.id in self.opened
        return self.opened[event.task.id][0] if done and event.task else None

    def roles(self, event: Event, groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The actor's groups; of those the ones that the task is for, where it is for one of them."""
        own = groups.get(event.actor or "", ())
        asked = self.candidates.get(event.task.id, ()) if event.task else ()
        return tuple(group for group in own if group in asked) or own


def _known(session: Session, business_key: str, person: Person, standing: Standing, step: Step) -> tuple[Known, ...]:
    """The values of the instance, in the order in which they first came."""
    redaction = Redaction.for_case(session, business_key, person)
    table = tables.HistoryValue
    wanted = {event for event, _ in (*standing.values.values(), *standing.replaced.values())}
    query = select(table.event_id, table.number, table.value).where(
        table.event_id.in_(wanted), table.kind == "variable"
    )
    texts = {(event, number): text for event, number, text in session.execute(query)}

    def value(name: str, kept: tuple[int, int] | None) -> feel.Value:
        text = None if kept is None else texts.get(kept)
        return redaction.of_recorded("variable", name, history.decoded(text), None)

    return tuple(
        Known(
            scope,
            name,
            value(name, kept),
            kept[0] == step.event.id,
            value(name, standing.replaced.get((scope, name)) if kept[0] == step.event.id else None),
        )
        for (scope, name), kept in standing.values.items()
        if not redaction.hides("variable", name)
    )
