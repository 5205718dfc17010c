"""Trying a decision: what goes in as people type it, what comes out, and which rules held."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from engine import business_days, decision_tables, dmn, feel
from engine.errors import FileUnreadable

_ZONE = ZoneInfo("Asia/Tokyo")  # of a moment that names none
_TEXT = re.compile(r'"([^"\\]+)"')
_DATED = re.compile(r"\d{4}-\d\d-\d\d([T ].+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Input:
    """`label` is what the diagram calls it; `values` are the texts that the rules of the file ask for."""

    name: str
    label: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision that can be tried, and all that it rests on, also indirectly."""

    id: str
    name: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One decision on the way: `rules` that held, by number from 1 with their annotation."""

    id: str
    name: str
    value: str
    rules: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    value: str
    steps: tuple[Step, ...]
    faults: tuple[str, ...]


def choices(source: bytes) -> tuple[Choice, ...]:
    """The decisions of a file; raises FileUnreadable."""
    definitions = _read(source)
    labels = {each.output_name: each.name for each in definitions.elements.values() if isinstance(each, dmn.InputData)}
    asked = _asked(source)

    def inputs(decision: dmn.Decision) -> tuple[Input, ...]:
        return tuple(Input(name, labels.get(name, name), tuple(asked[name])) for name in decision.required_inputs)

    return tuple(Choice(key, decision.name, inputs(decision)) for key, decision in definitions.decisions.items())


def _asked(source: bytes) -> Mapping[str, Mapping[str, None]]:
    """Expression of a column → the texts in its cells, each once, in their order."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for table in decision_tables.read(source):
        for row in table.rows:
            for column, cell in zip(table.inputs, row.conditions, strict=False):
                found[column.text] |= dict.fromkeys(_TEXT.findall(cell))
    return found


def run(source: bytes, decision: str, typed: Mapping[str, str], at: datetime) -> Trial:
    """The decision with these inputs, by name; raises FileUnreadable, also for work beyond all limits."""
    definitions = _read(source)
    environment = feel.Environment(now=at, functions=business_days.FUNCTIONS)
    try:
        inputs = {name: _value(text, environment) for name, text in typed.items() if text.strip()}
        outcome = definitions.evaluate(decision, inputs, environment)
    except (feel.FeelError, dmn.DmnError) as fault:
        raise FileUnreadable(str(fault)) from fault
    steps = tuple(
        Step(
            each.decision_id,
            each.decision_name,
            feel.to_text(each.value),
            tuple((rule.index, rule.annotation) for rule in each.rules),
        )
        for each in outcome.evaluations
    )
    return Trial(feel.to_text(outcome.value), steps, outcome.faults)


def _read(source: bytes) -> dmn.Definitions:
    try:
        return dmn.read(source)
    except (dmn.DmnError, feel.FeelError) as fault:
        raise FileUnreadable(str(fault)) from fault


def _value(text: str, environment: feel.Environment) -> feel.Value:
    """What was typed: FEEL if it is, a date or a moment if it is one, else the text itself."""
    text = text.strip()
    if _DATED.fullmatch(text):
        try:
            return feel.from_python(_dated(text))
        except ValueError:
            return text
    try:
        found = feel.parse_expression(text, tuple(business_days.FUNCTIONS)).evaluate({}, environment)
    except feel.FeelSyntaxError:
        return text
    return text if found is None and text != "null" else found


def _dated(text: str) -> date:
    if len(text) == len("2026-11-24"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_ZONE)
