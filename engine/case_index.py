"""The index of cases: what their listed variables say, and what people wrote in them, to choose cases by.

History stays the record. Facts are those of the processes themselves, not locals of their activities; the last
value written wins. Texts carry the visibility mark of the field they were written into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import CTE, ColumnElement, and_, delete, exists, false, func, insert, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import bpmn, feel, forms, tables
from engine.catalogue import Fact
from engine.identity import Person
from engine.texts import fold, usable

MAX_WORDS = 10
"""Of a query; further ones are not looked for."""
MAX_VALUE = 200
"""Characters of a value that are kept; PostgreSQL indexes no long ones."""
COMMENT = "comment"
"""The field under which the text of a comment is found."""

Wanted = Mapping[str, str]


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
            rows = [{"business_key": business_key, "name": fact.name, "value": text} for text in texts]
            session.execute(insert(table), rows)


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
    rows = [
        {"business_key": business_key, "task_id": task, "field": field, "mark": mark, "text": fold(text)}
        for field, mark, text in _written(form.body, values, None)
    ]
    if rows:
        session.execute(insert(tables.CaseText), rows)


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
    session.execute(insert(tables.CaseText).values(business_key=business_key, field=COMMENT, text=fold(text)))


# Choosing -----------------------------------------------------------------------------------------------


def words_of(query: str | None) -> list[str]:
    """The words of a query, folded as the texts are."""
    return list(dict.fromkeys(fold(query or "").split()))[:MAX_WORDS]


def with_words(
    key: InstrumentedAttribute[str], query: str | None, facts: Sequence[Fact], reader: Person
) -> list[ColumnElement[bool]]:
    """Conditions on the column of a case number: every word stands in the number, a label of a fact or a text.

    Only in what `reader` may see of a case; that they may read the case is for the caller to ask. `facts` are
    those that they may read.
    """
    return [with_word(key, word, facts, reader) for word in words_of(query)]


def with_word(key: InstrumentedAttribute[str], word: str, facts: Sequence[Fact], reader: Person) -> ColumnElement[bool]:
    """The condition for one word of `words_of`; as `with_words` says."""
    found, text = tables.CaseFact, tables.CaseText
    open_to_reader = or_(text.mark.is_(None), text.mark.in_(sorted(reader.marks)))
    written = exists().where(text.business_key == key, open_to_reader, text.text.contains(word, autoescape=True))
    labelled = [
        and_(found.name == fact.name, found.value.in_(values))
        for fact in facts
        if (values := [value for value, label in fact.values.items() if word in fold(label)])
    ]
    said = exists().where(found.business_key == key, or_(false(), *labelled))
    return or_(key.contains(word, autoescape=True), said.correlate(key.class_), written.correlate(key.class_))


def with_facts(
    key: InstrumentedAttribute[str], wanted: Wanted | None, facts: Sequence[Fact]
) -> list[ColumnElement[bool]]:
    """Conditions on the column of a case number: each of these facts has this value. Empty ones do not count.

    A fact that the reader may not see does not count either, so that nothing can be learnt by asking for it.
    """
    table, names = tables.CaseFact, {fact.name for fact in facts}
    return [
        key.in_(select(table.business_key).where(table.name == name, table.value == usable(value)[:MAX_VALUE]))
        for name, value in (wanted or {}).items()
        if value and name in names
    ]


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


def count(
    session: Session, found: CTE, facts: Sequence[Fact]
) -> tuple[tuple[int, int, int], dict[str, dict[str, int]]]:
    """The numbers of the cases `found`, of those that go on and of those that are late; and for each fact with
    labelled values, how many of the cases have each value. `found` has the columns business_key, running, overdue.
    """
    table = tables.CaseFact
    labelled = {fact.name: fact.values for fact in facts if fact.values}
    counts = {name: dict.fromkeys(values, 0) for name, values in labelled.items()}
    going, late = func.count().filter(found.c.running > 0), func.count().filter(found.c.overdue)
    whole = select(literal(""), literal(""), func.count(), going, late).select_from(found)
    values = (
        select(table.name, table.value, func.count(), literal(0), literal(0))
        .join(found, found.c.business_key == table.business_key)
        .where(table.name.in_(labelled))
        .group_by(table.name, table.value)
    )
    total = (0, 0, 0)
    for name, value, *numbers in session.execute(union_all(whole, values)):
        if name:
            counts[name][value] = numbers[0]
        else:
            total = (numbers[0], numbers[1], numbers[2])
    return total, counts
