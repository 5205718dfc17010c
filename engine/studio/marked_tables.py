"""Decision tables with what changed in them: rules added and taken out, and the cells that are others now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine import decision_tables, dmn
from engine.decision_tables import Column, Row, Table

Kind = Literal["", "added", "removed", "changed"]
AROUND = 1
"""Unchanged rules shown on both sides of one that changed."""


@dataclass(frozen=True, slots=True)
class MarkedRow:
    """A rule as it is now, or as it was if it is taken out.

    `before`: number of the column, from 1 over conditions, results and remark → what stood there, where that changed.
    """

    row: Row
    kind: Kind
    before: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class MarkedTable:
    """The table as it is now, and its rules with those that were taken out at the place where they stood."""

    table: Table
    rows: tuple[MarkedRow, ...]

    @property
    def shown(self) -> tuple[MarkedRow, ...]:
        """What changed, and a little around it."""
        marked = [place for place, each in enumerate(self.rows) if each.kind]
        near = {place + step for place in marked for step in range(-AROUND, AROUND + 1)}
        return tuple(each for place, each in enumerate(self.rows) if place in near)


def between(old: bytes, new: bytes) -> tuple[MarkedTable, ...]:
    """The tables of two DMN files in which a rule or a cell differs, as the new one orders them; none if one is no XML.

    Rules are the same by their id, columns by label and text; a table that only one of the files has is left out.
    """
    try:
        before, after = ({table.decision: table for table in decision_tables.read(one)} for one in (old, new))
    except dmn.XmlRefused:
        return ()
    both = ((before[decision], table) for decision, table in after.items() if decision in before)
    found = (MarkedTable(now, tuple(_rows(was, now))) for was, now in both)
    return tuple(each for each in found if each.shown)


def _rows(was: Table, now: Table) -> Iterator[MarkedRow]:
    old, new = _by_id(was), _by_id(now)
    places = _places(_columns(was), _columns(now))
    gone: dict[str, list[MarkedRow]] = {}
    last = ""
    for id_, row in old.items():
        if id_ in new:
            last = id_
        else:
            gone.setdefault(last, []).append(MarkedRow(_moved(_cells(row, was), row, places, now), "removed", {}))
    yield from gone.get("", ())
    for id_, row in new.items():
        if id_ in old:
            cells = _cells(old[id_], was)
            turned = {
                number: cells[place]
                for number, (place, cell) in enumerate(zip(places, _cells(row, now), strict=True), start=1)
                if place is not None and _plain(cells[place]) != _plain(cell)
            }
            yield MarkedRow(row, "changed" if turned else "", turned)
        else:
            yield MarkedRow(row, "added", {})
        yield from gone.get(id_, ())


def _by_id(table: Table) -> dict[str, Row]:
    return {row.id or f"#{row.index}": row for row in table.rows}


def _columns(table: Table) -> tuple[tuple[bool, Column], ...]:
    return (*((False, column) for column in table.inputs), *((True, column) for column in table.outputs))


def _places(old: Sequence[object], new: Sequence[object]) -> list[int | None]:
    """For each new column, and the remark at the end, the place that it had; None for a new one."""
    free = list(range(len(old)))
    found: list[int | None] = []
    for column in new:
        place = next((place for place in free if old[place] == column), None)
        if place is not None:
            free.remove(place)
        found.append(place)
    return [*found, len(old)]


def _cells(row: Row, table: Table) -> tuple[str, ...]:
    """One for each column, and the remark, also of a rule that is not written to its end."""
    conditions = [*row.conditions, *[""] * len(table.inputs)][: len(table.inputs)]
    results = [*row.results, *[""] * len(table.outputs)][: len(table.outputs)]
    return (*conditions, *results, row.remark)


def _plain(cell: str) -> str:
    return " ".join(cell.split())


def _moved(cells: Sequence[str], row: Row, places: Sequence[int | None], now: Table) -> Row:
    """The old rule under the columns of the new table."""
    under = ["" if place is None else cells[place] for place in places[:-1]]
    split = len(now.inputs)
    return Row(row.index, row.id, tuple(under[:split]), tuple(under[split:]), row.remark)
