"""Values of variables and decisions in words, as the reader may see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from flask_babel import lazy_gettext

from engine import concealments, decision_tables, feel
from engine.catalogue import Fact, Label
from engine.forms import Field, Fields, Form
from webapp import answers
from webapp.content import content
from webapp.edge import CASE_NUMBER
from webapp.language import gettext as _
from webapp.names import Names

DIGITS = 6
"""Of a fraction that are said."""


_LITERAL = re.compile(r'"([^"\\]*)"')
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORD = re.compile(f"{_LITERAL.pattern}|{_NAME.pattern}", re.ASCII)
_TEXT = r'"[^"\\]*"'
_TEXTS = re.compile(rf"\[?{_TEXT}(?:\s*,\s*{_TEXT})*\]?")
_OTHERS = re.compile(rf"not\({_TEXT}(?:\s*,\s*{_TEXT})*\)")
_HAS = re.compile(rf"list contains\(\?,\s*{_TEXT}\)(?:\s*,\s*list contains\(\?,\s*{_TEXT}\))*")
_KEYWORDS = frozenset({"if", "then", "else"})
_BOOLEANS = {"true": True, "false": False}
_POLICIES = {
    "UNIQUE": lazy_gettext("exactly one holds"),
    "ANY": lazy_gettext("all that hold give the same"),
    "FIRST": lazy_gettext("the first that holds"),
    "RULE ORDER": lazy_gettext("all that hold, in their order"),
    "COLLECT": lazy_gettext("all that hold"),
    "COLLECT SUM": lazy_gettext("the sum of all that hold"),
    "COLLECT COUNT": lazy_gettext("how many hold"),
    "COLLECT MIN": lazy_gettext("the least of all that hold"),
    "COLLECT MAX": lazy_gettext("the greatest of all that hold"),
}
_SINGLE = (str, bool, Decimal, feel.Date, feel.DateTime)


@dataclass(frozen=True, slots=True)
class Words:
    """Says values of the instances of one deployment.

    `results` is what the result of each decision is called in expressions, by the decision's id. A masked reader sees
    of texts only those that the deployed files hold themselves: any other may be a name.
    """

    names: Names
    forms: Mapping[str, Form]
    fields: Mapping[str, Field]
    facts: Mapping[str, Fact]
    labels: Mapping[str, Label]
    tables: Mapping[str, decision_tables.Table]
    results: Mapping[str, str]
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
        labels: Mapping[str, Label],
        tables: Mapping[str, decision_tables.Table],
        variables: Sequence[decision_tables.Variable],
    ) -> Words:
        options = [option for form in found.values() for option in _options(form.body)]
        labelled: list[Fact | Label] = [*facts.values(), *labels.values()]
        options += [pair for each in labelled for pair in each.values.items()]
        cells = (text for table in tables.values() for text in decision_tables.literals(table))
        written = frozenset((*(value for value, _label in options), *cells))
        fields = {key: field for form in reversed(list(found.values())) for key, field in form.body.by_key.items()}
        columns = _of_one_meaning((each.name, each.label) for each in variables)
        columns |= _of_one_meaning(pair for table in tables.values() for pair in _columns(table))
        results = {each.decision: each.name for each in variables}
        chosen = _of_one_meaning(pair for pair in options if _NAME.fullmatch(pair[0]))
        nothing, comma = _("nothing"), _(", ")
        return cls(names, found, fields, facts, labels, tables, results, columns, chosen, written, nothing, comma)

    def label(self, name: str) -> str:
        """What a variable or a decision is called; its name in the files where nothing else is said of it."""
        named = self.facts.get(name) or self.labels.get(name)
        if named is not None:
            return content(named.label)
        if name in self.forms:
            return content(self.forms[name].title) or name
        asked = self.fields.get(name)
        return content(asked.label if asked else self.columns.get(name, "")) or name

    def input(self, expression: str, decision: str) -> str:
        """What an input of the decision is called: as its column, else as the variable that it is."""
        table = self.tables.get(decision)
        column = next((each for each in table.inputs if each.text == expression), None) if table else None
        return content(column.label) if column and column.label != expression else self.label(expression)

    def seen(self, expression: str, value: feel.Value) -> str:
        """What an input of a decision was: a text as its variable calls it; a number may be another than of it."""
        chosen = value if isinstance(value, list) else [value]
        of_variable = all(isinstance(each, str) for each in chosen)
        return self.value(decision_tables.subject(expression) if of_variable else expression, value)

    def result(self, decision: str, value: feel.Value) -> str:
        """What the decision gave: outputs by their columns, a single value by what expressions call it."""
        rows = value if isinstance(value, list) else [value]
        of_columns = any(isinstance(row, dict) for row in rows)
        return self.value(decision if of_columns else self.results.get(decision, decision), value)

    def table(self, table: decision_tables.Table) -> decision_tables.Table:
        """The table as people read it: what holds, and with what the texts in its cells are called."""
        inputs, outputs = ([each.text for each in columns] for columns in (table.inputs, table.outputs))
        rows = (
            replace(row, conditions=self._cells(inputs, row.conditions), results=self._cells(outputs, row.results))
            for row in table.rows
        )
        policy = str(_POLICIES.get(table.hit_policy, table.hit_policy))
        return replace(table, hit_policy=policy, rows=tuple(rows))

    def _cells(self, names: Iterable[str], cells: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._cell(name, text) for name, text in zip(names, cells, strict=True))

    def _cell(self, name: str, text: str) -> str:
        """The cell in words; what is more than some values stays an expression."""
        if text == "null":
            return self.nothing
        if text in _BOOLEANS:
            return answers.plain(_BOOLEANS[text])
        texts = self.comma.join([self.seen(name, each) for each in _LITERAL.findall(text)])
        if _TEXTS.fullmatch(text):
            return texts
        if _OTHERS.fullmatch(text):
            return _("other than %(texts)s", texts=texts)
        return _("has %(texts)s", texts=texts) if _HAS.fullmatch(text) else self._expression(name, text)

    def _expression(self, name: str, text: str) -> str:
        """The expression with what its variables are called, and its texts as of the variable before them."""
        about = name

        def said(found: re.Match[str]) -> str:
            nonlocal about
            if found[1] is not None:
                return f'"{self.seen(about, found[1])}"'
            about = name if found[0] in _KEYWORDS else found[0]
            return self.label(found[0])

        return _WORD.sub(said, text)

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
        said = self._labelled(name, feel.to_text(value))
        if said is not None:
            return content(said)
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

    def _labelled(self, name: str, text: str) -> str | None:
        for named in (self.facts.get(name), self.labels.get(name)):
            if named is not None and text in named.values:
                return named.values[text]
        return None

    def _text(self, name: str, value: str) -> str:
        asked = self.fields.get(name)
        if asked and isinstance(asked.options, tuple):
            for option in asked.options:
                if option.value == value:
                    return content(option.label)
        if value == concealments.WITHHELD or value in self.names.people:
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
