"""Finding cases, the newest first: those that every criterion finds, read off an index and no further than asked.

A criterion is one or more sources, each the rows of an index with the ordinals of cases in order. One criterion is
followed, the one that seems to find the fewest cases; of each case that it comes to, the others are asked. So what
a page costs does not grow with the cases there are, but for criteria that each find many cases and together few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, literal_column, or_, select, true, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from engine import case_grams, case_index, identity, tables
from engine.catalogue import Fact
from engine.identity import Person
from engine.states import OPEN_TASK
from engine.texts import usable

WEIGHED = 2_000
"""Rows of a source that are counted to see which one finds the fewest."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of one index: `which` is read off it, `where` is asked of each row."""

    ordinal: InstrumentedAttribute[int]
    which: ColumnElement[bool]
    where: ColumnElement[bool] = field(default_factory=true)

    def names(self, ordinal: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whether the case of this ordinal is among them."""
        return exists().where(self.ordinal == ordinal, self.which, self.where)


Criterion: TypeAlias = Sequence[Source]
"""One of the sources names the case."""


def criteria(
    session: Session,
    reader: Person,
    known: Sequence[Fact],
    at: datetime,
    *,
    query: str | None,
    facts: Mapping[str, str] | None,
    running: bool | None,
    overdue: bool | None,
) -> list[Criterion]:
    """What the cases must fit that this person looks for and may read; `known` are the facts that they may read.

    A fact that the reader may not see does not count, so that nothing can be learnt by asking for it.
    """
    found: list[Criterion] = []
    if reader.cases != "all":
        found.append(_readable(reader))
    if running is not None:
        found.append(in_state(running))
    if overdue is not None:
        found.append(late(at, overdue))
    names = {fact.name for fact in known}
    found += [[_valued(name, value)] for name, value in (facts or {}).items() if value and name in names]
    return found + [_said(session, word, known, reader) for word in case_index.words_of(query)]


def find(
    session: Session,
    wanted: Sequence[Criterion],
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
) -> Select[Any]:
    """A query of the ordinals of the newest cases that fit all criteria; before an ordinal, or the next after one."""
    followed, others = _weighed(session, wanted)
    parts = [_part(source, others, before, after).limit(limit).subquery() for source in followed]
    rows = union(*(select(part.c.ordinal) for part in parts)).subquery()
    order = rows.c.ordinal.desc() if after is None else rows.c.ordinal
    return select(rows.c.ordinal).order_by(order).limit(limit)


def _part(source: Source, others: Iterable[Criterion], before: int | None, after: int | None) -> Select[Any]:
    ordinal = source.ordinal
    query = select(ordinal.label("ordinal")).where(source.which, source.where)
    query = query.where(*(or_(false(), *(each.names(ordinal) for each in other)) for other in others))
    if before is not None:
        query = query.where(ordinal < before)
    if after is not None:
        query = query.where(ordinal > after)
    return query.order_by(ordinal.desc() if after is None else ordinal)


def _weighed(session: Session, wanted: Sequence[Criterion]) -> tuple[Criterion, list[Criterion]]:
    """The criterion to follow, and the others; without any, all cases are followed."""
    if not wanted:
        case = aliased(tables.Case)
        return [Source(case.ordinal, true())], []
    if len(wanted) == 1:
        return wanted[0], []
    weights = [sum(_weight(session, source.ordinal, source.which) for source in sources) for sources in wanted]
    first = weights.index(min(weights))
    return wanted[first], [sources for index, sources in enumerate(wanted) if index != first]


def _weight(session: Session, ordinal: InstrumentedAttribute[int], which: ColumnElement[bool]) -> int:
    """How many rows there are, as far as they are counted."""
    some = select(ordinal).where(which).limit(WEIGHED).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()


# Sources ------------------------------------------------------------------------------------------------


def _readable(reader: Person) -> Criterion:
    """The cases of somebody who may not read all: they took part, were let in, or may take an open task."""
    part, case, task = aliased(tables.Participant), aliased(tables.Case), tables.UserTask
    if reader.cases == "none" or not reader.active:
        return [Source(case.ordinal, false())]
    may_take = exists().where(
        task.business_key == case.business_key, task.state.in_(OPEN_TASK), identity.may_do(reader)
    )
    return [Source(part.ordinal, part.person == reader.name), Source(case.ordinal, _goes_on(case, True), may_take)]


def in_state(running: bool) -> Criterion:
    """The cases that go on, or do not."""
    case = aliased(tables.Case)
    return [Source(case.ordinal, _goes_on(case, running))]


def _goes_on(case: type[tables.Case], running: bool) -> ColumnElement[bool]:
    """Written as the indexes of running and of closed cases have it: a parameter would keep them from being used."""
    nothing: ColumnElement[int] = literal_column("0")
    return case.running > nothing if running else case.running == nothing


def late(at: datetime, late: bool = True) -> Criterion:
    """The cases with an open task past its due date, or the others."""
    case = aliased(tables.Case)
    found = case.business_key.in_(late_keys(at))
    return [Source(case.ordinal, found) if late else Source(case.ordinal, true(), ~found)]


def late_keys(at: datetime) -> Select[str]:
    """A query of the business keys with an open task past its due date."""
    task = tables.UserTask
    return select(task.business_key).where(task.state.in_(OPEN_TASK), task.due < at)


def _valued(name: str, value: str) -> Source:
    fact = aliased(tables.CaseFact)
    return Source(fact.ordinal, and_(fact.name == name, fact.value == usable(value)[: case_index.MAX_VALUE]))


def _said(session: Session, word: str, known: Sequence[Fact], reader: Person) -> Criterion:
    """The word stands in the number or a text of the case, or in the label of a fact."""
    labelled = [_valued(name, value) for name, value in case_index.labelled(word, known)]
    return [_written(session, word, reader), *labelled]


def _written(session: Session, word: str, reader: Person) -> Source:
    gram, case, codes = aliased(tables.CaseGram), aliased(tables.Case), case_grams.of_word(word)
    if len(codes) > 1:
        codes.sort(key=lambda code: _weight(session, gram.ordinal, gram.gram == code))
    others = [_has(code, gram.ordinal) for code in codes[1:]]
    stands = exists().where(case.ordinal == gram.ordinal, case_index.stands(case.business_key, word, reader))
    return Source(gram.ordinal, gram.gram == codes[0], and_(*others, stands))


def _has(code: int, ordinal: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    other = aliased(tables.CaseGram)
    return exists().where(other.gram == code, other.ordinal == ordinal)
