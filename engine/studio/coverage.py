"""Coverage: which elements and flows of the processes, and which rules of the decision tables, scenarios reached.

A scenario that does not go as described counts up to where it stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import decision_tables, dmn, tables, units

_ACTIVITIES = ("Task", "task", "Event", "Gateway", "subProcess", "adHocSubProcess", "transaction", "callActivity")
"""How the names of what a token can enter end."""
_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"


@dataclass(frozen=True, slots=True)
class Reached:
    """`parts`: process → the elements entered and the flows taken; `rules`: decision → its rules that held, from 1."""

    parts: Mapping[str, frozenset[str]]
    rules: Mapping[str, frozenset[int]]

    def facts(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "parts": {process: sorted(found) for process, found in self.parts.items()},
            "rules": {decision: sorted(found) for decision, found in self.rules.items()},
        }


@dataclass(frozen=True, slots=True)
class Part:
    """An element or a flow of a diagram; `text` tells its kind and name."""

    id: str
    text: str
    is_flow: bool
    reached: bool


@dataclass(frozen=True, slots=True)
class TableCoverage:
    """A decision table, and its rules that held at least once."""

    table: decision_tables.Table
    held: frozenset[int]

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(row.index for row in self.table.rows if row.index not in self.held)


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """A diagram has parts, a file of decisions has tables."""

    file: str
    parts: tuple[Part, ...] = ()
    tables: tuple[TableCoverage, ...] = ()

    @property
    def elements(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not part.is_flow)

    @property
    def flows(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.is_flow)

    @property
    def rules(self) -> int:
        """How many rules the tables have."""
        return sum(len(each.table.rows) for each in self.tables)

    @property
    def missing_rules(self) -> int:
        return sum(len(each.missing) for each in self.tables)

    @property
    def missing(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not part.reached)

    @property
    def complete(self) -> bool:
        return not self.missing and not self.missing_rules


def of_history(session: Session) -> Reached:
    """What everything in this history reached."""
    parts: dict[str, set[str]] = defaultdict(set)
    rules: dict[str, set[int]] = defaultdict(set)
    for facts in session.execute(select(tables.HistoryEvent.facts)).scalars():
        for move in facts.get("moves", ()):
            parts[move["process"]].update(id_ for id_ in (move["element"], move["flow"]) if id_ is not None)
        for decided in facts.get("decisions", ()):
            for each in decided["evaluations"]:
                rules[each["decision"]].update(rule["index"] for rule in each["rules"])
    return _frozen(parts, rules)


def together(runs: Iterable[Mapping[str, Any]]) -> Reached:
    """What at least one of the runs reached, each as `Reached.facts` gives it."""
    parts: dict[str, set[str]] = defaultdict(set)
    rules: dict[str, set[int]] = defaultdict(set)
    for facts in runs:
        for process, ids in facts["parts"].items():
            parts[process].update(ids)
        for decision, held in facts["rules"].items():
            rules[decision].update(held)
    return _frozen(parts, rules)


def _frozen(parts: Mapping[str, set[str]], rules: Mapping[str, set[int]]) -> Reached:
    return Reached(
        {process: frozenset(found) for process, found in parts.items()},
        {decision: frozenset(found) for decision, found in rules.items()},
    )


def of_files(files: Mapping[str, bytes], reached: Reached) -> tuple[FileCoverage, ...]:
    """Every file that has something to reach, in order of name. They are files that can be executed."""
    found = []
    for name, content in sorted(files.items()):
        if name.endswith(".bpmn"):
            found.append(FileCoverage(name, parts=tuple(_parts(dmn.parse_xml(content), reached))))
        elif name.endswith(".dmn"):
            read = decision_tables.read(content)
            held = (TableCoverage(table, reached.rules.get(table.decision, frozenset())) for table in read)
            found.append(FileCoverage(name, tables=tuple(held)))
    return tuple(one for one in found if one.parts or one.rules)


def _parts(root: etree._Element, reached: Reached) -> Iterator[Part]:
    names = units.names(root)
    for process in root.iterchildren(f"{{{_BPMN}}}process"):
        been = reached.parts.get(process.get("id", ""), frozenset())
        for element in process.iter(f"{{{_BPMN}}}*"):
            id_, kind = element.get("id"), units.local(element)
            is_flow = kind == "sequenceFlow"
            if id_ is not None and (is_flow or kind.endswith(_ACTIVITIES)):
                yield Part(id_, str(units.called(element, names)), is_flow, id_ in been)
