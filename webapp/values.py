"""Values of variables and decisions in words, as the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    written: frozenset[str]
    nothing: str
    comma: str

    @classmethod
    def of(
        cls,
        names: Names,
        found: Mapping[str, Form],
        facts: Mapping[str, Fact],
        tables: Mapping[str, decision_tables.Table],
    ) -> Words:
        options = (option for form in found.values() for option in _options(form.body))
        cells = (text for table in tables.values() for text in decision_tables.literals(table))
        labelled = (value for fact in facts.values() for value in fact.values)
        written = frozenset((*options, *cells, *labelled))
        fields = {key: field for form in reversed(list(found.values())) for key, field in form.body.by_key.items()}
        columns = {column.text: column.label for table in tables.values() for column in (*table.inputs, *table.outputs)}
        return cls(names, found, fields, facts, tables, columns, written, _("nothing"), _(", "))

    def label(self, name: str) -> str:
        """What a variable or a decision is called; its name in the files where nothing else is said of it."""
        if name in self.facts:
            return content(self.facts[name].label)
        if name in self.forms:
            return content(self.forms[name].title) or name
        field = self.fields.get(name)
        return content(field.label if field else self.columns.get(name, "")) or name

    def value(self, name: str, value: feel.Value) -> str:
        """The value of this name in words; the answers of a form as lines."""
        if value is None or value == [] or value == {}:
            return self.nothing
        if isinstance(value, dict):
            return self._context(name, value)
        if isinstance(value, list):
            apart = "\n" if any(isinstance(each, dict) for each in value) else self.comma
            return apart.join(self.value(name, each) for each in value)
        if isinstance(value, Decimal):
            short = round(value, DIGITS)
            return answers.plain(value if short == value else short)
        return self._text(name, value) if isinstance(value, str) else answers.plain(value)

    def _context(self, name: str, value: Mapping[str, feel.Value]) -> str:
        if name in self.forms:
            said = answers.lines(self.forms[name], value, self.names)
            return "\n".join(f"{line.label}: {line.text}" for line in said) or self.nothing
        return "\n".join(f"{self.label(key)}: {self.value(key, each)}" for key, each in value.items())

    def _text(self, name: str, value: str) -> str:
        if name in self.facts and value in self.facts[name].values:
            return content(self.facts[name].values[value])
        field = self.fields.get(name)
        if field and isinstance(field.options, tuple):
            for option in field.options:
                if option.value == value:
                    return content(option.label)
        if value in self.names.people:
            return self.names.person(value)
        if value in self.names.groups:
            return self.names.groups[value]
        if value in self.written or CASE_NUMBER.fullmatch(value):
            return content(value)
        return self.names.short(value)


def _options(fields: Fields) -> list[str]:
    found: list[str] = []
    for field in fields.by_key.values():
        if isinstance(field.options, tuple):
            found += [option.value for option in field.options]
        found += _options(field.fields)
    return found


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
