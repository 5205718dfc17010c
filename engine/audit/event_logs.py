"""Event logs for process mining: history as CSV, XES (IEEE 1849) and OCEL 2.0 (JSON).

One log event for each history event of a case, with who, when, on which rules, and its hash; no value that anybody
entered. Times are UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import concealments, spreadsheets, tables
from engine.concealments import Concealed
from engine.errors import CaseNotFound
from engine.history import instant
from engine.identity import Person
from engine.states import EventType
from engine.texts import usable

LIFECYCLE: Mapping[EventType, str] = {
    EventType.TASK_CLAIMED: "assign",
    EventType.TASK_ASSIGNED: "reassign",
    EventType.TASK_RELEASED: "suspend",
    EventType.TASK_COMPLETED: "complete",
    EventType.INSTANCE_STARTED: "start",
    EventType.INSTANCE_CANCELLED: "ate_abort",
}
"""The transition of XES's standard life cycle; what is done at once is complete."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """`activity` is the name of the task or decision point, else the kind of event; `rules` names those that held."""

    case: str
    event: int
    activity: str
    lifecycle: str
    time: str
    resource: str | None
    kind: str
    process: str | None
    instance: int | None
    element: str | None
    task: int | None
    rules: str
    definition: str | None
    semantics: int
    chain: str
    seq: int
    hash: str


def read(session: Session, business_key: str | None = None, *, reader: Person | None = None) -> list[LogEvent]:
    """The events of a case, or of all cases, oldest first, with the names that the reader may know, or that anybody
    may; raises CaseNotFound.
    """
    table, instances = tables.HistoryEvent, tables.ProcessInstance
    own = table.business_key.is_not(None) if business_key is None else table.business_key == business_key
    processes = dict(session.execute(select(instances.id, instances.process)).all())
    columns = [column for column in table.__table__.columns if column.name not in ("commitments", "previous")]
    concealed = concealments.from_reader(session, reader, None if business_key is None else [business_key])
    rows = session.execute(select(*columns).where(own).order_by(table.id))
    found = [_event(row, processes, concealed) for row in rows]
    if business_key is not None and not found:
        raise CaseNotFound(business_key)
    return found


def _event(row: Any, processes: Mapping[int, str], concealed: Concealed) -> LogEvent:
    task = row.facts.get("task") or {}
    element = task.get("element") or row.facts.get("element")
    named = task.get("name") or (f"{row.type} {element}" if element else str(row.type))
    decided = [each for decided in row.facts.get("decisions", ()) for each in decided["evaluations"]]
    rules = [f"{each['decision']}:{rule['index']}" for each in decided for rule in each["rules"]]
    return LogEvent(
        case=row.business_key,
        event=row.id,
        activity=usable(named),
        lifecycle=LIFECYCLE.get(row.type, "complete"),
        time=instant(row.at),
        resource=concealed.name(row.business_key, row.actor, row.at),
        kind=str(row.type),
        process=processes.get(row.instance_id),
        instance=row.instance_id,
        element=element,
        task=task.get("id"),
        rules=" ".join(rules),
        definition=row.definition,
        semantics=row.semantics,
        chain=row.chain,
        seq=row.seq,
        hash=row.hash,
    )


# CSV ----------------------------------------------------------------------------------------------------


def as_csv(events: Iterable[LogEvent]) -> bytes:
    """One line for each event under a line of names."""
    names = [field.name for field in fields(LogEvent)]
    return spreadsheets.as_csv([names, *([getattr(event, name) for name in names] for event in events)])


# XES ----------------------------------------------------------------------------------------------------

XES = "http://www.xes-standard.org/"
EXTENSIONS = (
    ("Concept", "concept"),
    ("Time", "time"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
)
_KEYS = {
    "activity": "concept:name",
    "time": "time:timestamp",
    "lifecycle": "lifecycle:transition",
    "resource": "org:resource",
}
"""The fields for which XES has a name of its own; the others have that of the field."""


def as_xes(events: Sequence[LogEvent]) -> bytes:
    """A trace for each case; an attribute for each field of an event that has a value."""
    log = etree.Element(f"{{{XES}}}log", {"xes.version": "1849.2016", "xes.features": ""}, nsmap={None: XES})
    for name, prefix in EXTENSIONS:
        uri = f"{XES}{prefix}.xesext"
        etree.SubElement(log, f"{{{XES}}}extension", {"name": name, "prefix": prefix, "uri": uri})
    of_traces = etree.SubElement(log, f"{{{XES}}}global", scope="trace")
    _attribute(of_traces, "concept:name", "")
    of_events = etree.SubElement(log, f"{{{XES}}}global", scope="event")
    _attribute(of_events, "concept:name", "")
    _attribute(of_events, "time:timestamp", "1970-01-01T00:00:00.000000Z", "date")
    _attribute(of_events, "lifecycle:transition", "complete")
    etree.SubElement(log, f"{{{XES}}}classifier", {"name": "Activity", "keys": "concept:name"})
    _attribute(log, "lifecycle:model", "standard")
    for case, of_case in _by_case(events).items():
        trace = etree.SubElement(log, f"{{{XES}}}trace")
        _attribute(trace, "concept:name", case)
        for event in of_case:
            element = etree.SubElement(trace, f"{{{XES}}}event")
            for name, value in asdict(event).items():
                if name != "case" and value not in (None, ""):
                    kind = "date" if name == "time" else "int" if isinstance(value, int) else "string"
                    _attribute(element, _KEYS.get(name, name), str(value), kind)
    return etree.tostring(log, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _attribute(parent: etree._Element, key: str, value: str, kind: str = "string") -> None:
    etree.SubElement(parent, f"{{{XES}}}{kind}", {"key": key, "value": value})


def _by_case(events: Iterable[LogEvent]) -> dict[str, list[LogEvent]]:
    found: dict[str, list[LogEvent]] = {}
    for event in events:
        found.setdefault(event.case, []).append(event)
    return found


# OCEL ---------------------------------------------------------------------------------------------------

OBJECT_TYPES: Mapping[str, tuple[str, ...]] = {
    "case": (),
    "instance": ("process",),
    "task": ("name", "element"),
    "person": (),
}
"""The types of objects, and their attributes."""
_EVENT_ATTRIBUTES = ("lifecycle", "kind", "rules", "definition", "chain", "hash")


def as_ocel(events: Sequence[LogEvent]) -> bytes:
    """Events related to the case, instance, task and person that they are about; an instance is of a case."""
    objects: dict[str, dict[str, Any]] = {}
    told = []
    for event in events:
        related = _objects(event, objects)
        attributes = [
            {"name": name, "value": getattr(event, name)} for name in _EVENT_ATTRIBUTES if getattr(event, name)
        ]
        attributes.append({"name": "seq", "value": event.seq})
        told.append(
            {
                "id": str(event.event),
                "type": event.activity,
                "time": event.time,
                "attributes": attributes,
                "relationships": related,
            }
        )
    of_events = [{"name": name, "type": "string"} for name in _EVENT_ATTRIBUTES] + [{"name": "seq", "type": "integer"}]
    log = {
        "objectTypes": [
            {"name": name, "attributes": [{"name": attribute, "type": "string"} for attribute in attributes]}
            for name, attributes in OBJECT_TYPES.items()
        ],
        "eventTypes": [{"name": name, "attributes": of_events} for name in sorted({e.activity for e in events})],
        "objects": list(objects.values()),
        "events": told,
    }
    return json.dumps(log, ensure_ascii=False, indent=1).encode()


_Related = tuple[str, str, Mapping[str, str], Sequence[tuple[str, str]]]
"""Type, id, attributes, and (id, qualifier) of what it belongs to."""


def _objects(event: LogEvent, objects: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """The objects of the event are in `objects`; gives its relationships to them."""
    case = f"case {event.case}"
    related: list[_Related] = [("case", case, {}, ())]
    if event.instance is not None:
        told = {} if event.process is None else {"process": event.process}
        related.append(("instance", f"instance {event.instance}", told, ((case, "part of"),)))
    if event.task is not None:
        told = {"name": event.activity, "element": event.element or ""}
        related.append(("task", f"task {event.task}", told, ((f"instance {event.instance}", "part of"),)))
    if event.resource is not None:
        related.append(("person", f"person {event.resource}", {}, ()))
    for kind, identity, attributes, of in related:
        objects.setdefault(
            identity,
            {
                "id": identity,
                "type": kind,
                "attributes": [
                    {"name": name, "value": value, "time": event.time} for name, value in attributes.items()
                ],
                "relationships": [{"objectId": other, "qualifier": qualifier} for other, qualifier in of],
            },
        )
    return [{"objectId": identity, "qualifier": kind} for kind, identity, _, _ in related]


FORMATS: Mapping[str, Callable[[Sequence[LogEvent]], bytes]] = {"csv": as_csv, "xes": as_xes, "ocel": as_ocel}
