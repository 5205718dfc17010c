"""Values of variables and decisions in words, as the reader may see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from engine import decision_tables, feel
from engine.catalogue import Fact
from engine.forms import Field, Fields, Form
from webapp import answers
from webapp.content import content
from webapp.edge import CASE_NUMBER
from webapp.language import gettext as _
from webapp.names import Names

DIGITS = 6
"""Of a fraction that are said."""


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_SINGLE = (str, bool, Decimal, feel.Date, feel.DateTime)


@dataclass(frozen=True, slots=True)
class Words:
    """Says values of the instances of one deployment.

    A masked reader sees of texts only those that the deployed files hold themselves: any other may be a name.
    """

    names: Names
    forms: Mapping[str, Form]
    fields: Mapping[str, Field]
    facts: Mapping[str, Fact]
    tables: Mapping[str, decision_tables.Table]
    columns: Mapping[str, str]
    options: Mapping[str, str]
    written: frozenset[str]
    nothing: str
    comma: str
    known: dict[tuple[str, type, feel.Value], str] = field(default_factory=dict)
    """What was said before: a long case says the same again and again."""
    parts: dict[str, dict[str, str]] = field(default_factory=dict)
    """Table → its outputs → what they are called."""

    @classmethod
    def of(
        cls,
        names: Names,
        found: Mapping[str, Form],
        facts: Mapping[str, Fact],
        tables: Mapping[str, decision_tables.Table],
    ) -> Words:
        options = [option for form in found.values() for option in _options(form.body)]
        options += [pair for fact in facts.values() for pair in fact.values.items()]
        cells = (text for table in tables.values() for text in decision_tables.literals(table))
        written = frozenset((*(value for value, _label in options), *cells))
        fields = {key: field for form in reversed(list(found.values())) for key, field in form.body.by_key.items()}
        columns = _of_one_meaning(pair for table in tables.values() for pair in _columns(table))
        named = _of_one_meaning(pair for pair in options if _NAME.fullmatch(pair[0]))
        return cls(names, found, fields, facts, tables, columns, named, written, _("nothing"), _(", "))

    def label(self, name: str) -> str:
        """What a variable or a decision is called; its name in the files where nothing else is said of it."""
        if name in self.facts:
            return content(self.facts[name].label)
        if name in self.forms:
            return content(self.forms[name].title) or name
        asked = self.fields.get(name)
        return content(asked.label if asked else self.columns.get(name, "")) or name

    def input(self, expression: str, decision: str) -> str:
        """What an input of the decision is called: as its column, else as the variable that it is."""
        table = self.tables.get(decision)
        column = next((each for each in table.inputs if each.text == expression), None) if table else None
        return content(column.label) if column and column.label != expression else self.label(expression)

    def value(self, name: str, value: feel.Value) -> str:
        """The value of this name in words; the answers of a form as lines."""
        if value is None or value == [] or value == {}:
            return self.nothing
        if isinstance(value, dict):
            return self._context(name, value)
        if isinstance(value, list):
            apart = "\n" if any(isinstance(each, dict) for each in value) else self.comma
            return apart.join([self.value(name, each) for each in value])
        if type(value) not in _SINGLE:
            return answers.plain(value)
        key = name, type(value), value
        said = self.known.get(key)
        if said is None:
            said = self.known[key] = self._single(name, value)
        return said

    def _single(self, name: str, value: feel.Value) -> str:
        if isinstance(value, Decimal):
            short = round(value, DIGITS)
            return answers.plain(value if short == value else short)
        return self._text(name, value) if isinstance(value, str) else answers.plain(value)

    def _context(self, name: str, value: Mapping[str, feel.Value]) -> str:
        if name in self.forms:
            said = answers.lines(self.forms[name], value, self.names)
            return "\n".join(f"{line.label}: {line.text}" for line in said) or self.nothing
        if name not in self.parts:
            outputs = self.tables[name].outputs if name in self.tables else ()
            self.parts[name] = {each.text: content(each.label) for each in outputs if each.label != each.text}
        labels = self.parts[name]
        return "\n".join(
            [f"{labels.get(key) or self.label(key)}: {self.value(key, part)}" for key, part in value.items()]
        )

    def _text(self, name: str, value: str) -> str:
        if name in self.facts and value in self.facts[name].values:
            return content(self.facts[name].values[value])
        asked = self.fields.get(name)
        if asked and isinstance(asked.options, tuple):
            for option in asked.options:
                if option.value == value:
                    return content(option.label)
        if value in self.names.people:
            return self.names.person(value)
        if value in self.names.groups:
            return self.names.groups[value]
        if value in self.options:
            return content(self.options[value])
        if value in self.written or CASE_NUMBER.fullmatch(value):
            return content(value)
        return self.names.short(value)


def _options(fields: Fields) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in fields.by_key.values():
        if isinstance(each.options, tuple):
            found += [(option.value, option.label) for option in each.options]
        found += _options(each.fields)
    return found


def _columns(table: decision_tables.Table) -> Iterator[tuple[str, str]]:
    """The names that the table gives to variables: its own, and those of what goes in and comes out."""
    yield table.decision, table.name
    for column in (*table.outputs, *table.inputs):
        name = column.text.rpartition(".")[2]
        if column.label != column.text and _NAME.fullmatch(name):
            yield name, column.label


def _of_one_meaning(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Name → label, of the names that are called the same wherever they stand."""
    found: dict[str, set[str]] = {}
    for name, label in pairs:
        found.setdefault(name, set()).add(label)
    return {name: min(labels) for name, labels in found.items() if len(labels) == 1}


def lasting(span: timedelta) -> str:
    """A span of time in its two largest units."""
    minutes = int(span.total_seconds() // 60)
    days, hours = minutes // (24 * 60), minutes // 60 % 24
    if days and hours:
        return _("%(days)d d %(hours)d h", days=days, hours=hours)
    if days:
        return _("%(days)d d", days=days)
    if hours:
        return _("%(hours)d h %(minutes)d min", hours=hours, minutes=minutes % 60)
    return _("%(minutes)d min", minutes=minutes) if minutes else _("less than a minute")
