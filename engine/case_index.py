"""The index of cases: what their listed variables say, and what people wrote in them, to choose cases by.

History stays the record. Facts are those of the processes themselves, not locals of their activities; the last
value written wins. Texts carry the visibility mark of the field they were written into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import bpmn, case_grams, columns, feel, forms, tables
from engine.catalogue import Fact
from engine.identity import Person
from engine.statements import Statement
from engine.texts import fold, usable

MAX_WORDS = 10
"""Of a query; further ones are not looked for."""
MAX_VALUE = 200
"""Characters of a value that are kept; PostgreSQL indexes no long ones."""
COMMENT = "comment"
"""The field under which the text of a comment is found."""

_FACTS = columns.core(tables.CaseFact)
_ADD_FACT = Statement(insert(_FACTS).values(ordinal=tables.ORDINAL_OF_CASE))


@dataclass(frozen=True, slots=True)
class FactRow:
    """What a fact is in one case; a list has several values, and each its label."""

    name: str
    label: str
    values: tuple[str, ...]
    labels: tuple[str, ...]
    group: str

    @property
    def text(self) -> str:
        return "、".join(self.labels)


def readable(facts: Iterable[Fact], reader: Person) -> tuple[Fact, ...]:
    """The facts that this person may see and choose cases by."""
    return tuple(fact for fact in facts if fact.visibility in (None, *reader.marks))


# Writing ------------------------------------------------------------------------------------------------


def write_facts(
    session: Session, business_key: str, facts: Iterable[Fact], changes: Iterable[bpmn.VariableChange]
) -> None:
    """The facts are as the variables that were written say; the others stay."""
    written = {change.name: change.value for change in changes if not change.scope}
    table = tables.CaseFact
    for fact in facts:
        variable, _, entry = fact.name.partition(".")
        if variable not in written:
            continue
        session.execute(delete(table).where(table.business_key == business_key, table.name == fact.name))
        texts = dict.fromkeys(_texts(_entry(written[variable], entry)))
        if texts:
            row = {"business_key": business_key, "of_case": business_key, "name": fact.name}
            _ADD_FACT.run(session, *({**row, "value": text} for text in texts))


def _entry(value: feel.Value, entry: str) -> feel.Value:
    if not entry:
        return value
    return value.get(entry) if isinstance(value, dict) else None


def _texts(value: feel.Value) -> Iterator[str]:
    """The value as the texts that `Fact.values` names; of a list one for each element."""
    for item in value if isinstance(value, list) else [value]:
        text = item if isinstance(item, str) else feel.to_text(item)
        if item is not None and text:
            yield usable(text)[:MAX_VALUE]


def write_form(
    session: Session, business_key: str, task: int, form: forms.Form, values: Mapping[str, feel.Value]
) -> None:
    """What was written into the text fields of the form, also in its rows, can be found."""
    rows: list[dict[str, Any]] = [
        {"business_key": business_key, "task_id": task, "field": field, "mark": mark, "text": fold(text)}
        for field, mark, text in _written(form.body, values, None)
    ]
    if rows:
        session.execute(insert(tables.CaseText), rows)
        case_grams.add(session, business_key, [row["text"] for row in rows])


def _written(
    fields: forms.Fields, values: Mapping[str, feel.Value], mark: str | None
) -> Iterator[tuple[str, str | None, str]]:
    for key, value in values.items():
        field = fields.by_key.get(key)
        if field is None:
            continue
        own = field.visibility or mark
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _written(field.fields, item, own)
            elif isinstance(item, str) and item and field.kind in ("text", "textarea"):
                yield key, own, item


def write_comment(session: Session, business_key: str, text: str) -> None:
    """The comment can be found by everybody who may read the case."""
    folded = fold(text)
    session.execute(insert(tables.CaseText).values(business_key=business_key, field=COMMENT, text=folded))
    case_grams.add(session, business_key, [folded])


def write_number(session: Session, business_key: str) -> None:
    """The case, which has just begun, can be found by its number."""
    case_grams.add(session, business_key, [fold(business_key)])


def forget_texts(session: Session, business_key: str) -> None:
    """What people wrote in the case can be found no more, and is not kept here."""
    table = tables.CaseText
    gone = session.execute(delete(table).where(table.business_key == business_key).returning(table.text)).scalars()
    case_grams.take_out(session, business_key, list(gone))


# Choosing -----------------------------------------------------------------------------------------------


def words_of(query: str | None) -> list[str]:
    """The words of a query, folded as the texts are."""
    return list(dict.fromkeys(fold(query or "").split()))[:MAX_WORDS]


def stands(key: InstrumentedAttribute[str], word: str, reader: Person) -> ColumnElement[bool]:
    """A condition on the column of a case number: this word of `words_of` stands in it, or in a text of the case.

    Only in what `reader` may see of a case; that they may read the case is for the caller to ask.
    """
    text = tables.CaseText
    open_to_reader = or_(text.mark.is_(None), text.mark.in_(sorted(reader.marks)))
    written = exists().where(text.business_key == key, open_to_reader, text.text.contains(word, autoescape=True))
    return or_(key.contains(word, autoescape=True), written)


def labelled(word: str, facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """The names and values of facts in whose labels this word of `words_of` stands."""
    return [(fact.name, value) for fact in facts for value, label in fact.values.items() if word in fold(label)]


# Reading ------------------------------------------------------------------------------------------------


def facts_of(session: Session, keys: Sequence[str], facts: Sequence[Fact]) -> dict[str, tuple[FactRow, ...]]:
    """The facts of each of these cases that has any, in their order and each with its values in theirs."""
    table = tables.CaseFact
    stored: dict[tuple[str, str], set[str]] = {}
    names = [fact.name for fact in facts]
    for key, name, value in session.execute(
        select(table.business_key, table.name, table.value).where(table.business_key.in_(keys), table.name.in_(names))
    ):
        stored.setdefault((key, name), set()).add(value)
    return {
        key: tuple(_row(fact, stored[key, fact.name]) for fact in facts if (key, fact.name) in stored) for key in keys
    }


def _row(fact: Fact, values: set[str]) -> FactRow:
    known = [value for value in fact.values if value in values]
    ordered = tuple(known + sorted(values.difference(known)))
    return FactRow(fact.name, fact.label, ordered, tuple(fact.values.get(v, v) for v in ordered), fact.group)


def count_values(session: Session, keys: Sequence[str], facts: Sequence[Fact]) -> dict[str, dict[str, int]]:
    """For each fact with labelled values, how many of these cases have each value."""
    table = tables.CaseFact
    counts = {fact.name: dict.fromkeys(fact.values, 0) for fact in facts if fact.values}
    found = table.business_key.in_(keys)  # and no name: SQLite would look through all facts of that name
    for name, value, number in session.execute(
        select(table.name, table.value, func.count()).where(found).group_by(table.name, table.value)
    ):
        if name in counts:
            counts[name][value] = number
    return counts
