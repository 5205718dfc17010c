"""How points and ranges lie to each other (DMN 1.5 table 80).

A point counts as the range of that one value, so each relation compares ends only; ends without order give null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.feel.builtins.definition import Library, Overload, Parameter
from engine.feel.errors import FeelFault
from engine.feel.operations import order
from engine.feel.temporal import Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from engine.feel.values import Range, Value, type_name

LIBRARY: Final = Library()
_POINTS: Final = frozenset({Decimal, str, Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration})
_RANGES: Final = frozenset({Range})

Relation = Callable[["Ends", "Ends"], bool]
_ALL: Final = ("point1, point2", "point, range", "range, point", "range1, range2")
_BOTH_RANGES: Final = ("range1, range2",)
_POINT_FIRST: Final = ("point, range", "range1, range2")
_RANGE_FIRST: Final = ("range, point", "range1, range2")


@dataclass(frozen=True, slots=True)
class End:
    """An end of a range; `lean` is 1 if it lies just after the value, -1 if just before it."""

    value: Value
    lean: int

    def compare(self, other: End) -> int:
        position = order(self.value, other.value)
        if position is None:
            raise FeelFault(f"{type_name(self.value)} and {type_name(other.value)} cannot be compared")
        return position or self.lean - other.lean


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a range, or a point as a range of one value, starts and ends."""

    start: End
    end: End

    @classmethod
    def of(cls, value: Value) -> Ends:
        if isinstance(value, Range):
            start = End(value.start, 0 if value.start_included else 1)
            return cls(start, End(value.end, 0 if value.end_included else -1))
        return cls(End(value, 0), End(value, 0))


def _before(one: Ends, two: Ends) -> bool:
    return one.end.compare(two.start) < 0


def _meets(one: Ends, two: Ends) -> bool:
    return one.end.compare(two.start) == 0


def _overlaps(one: Ends, two: Ends) -> bool:
    return not _before(one, two) and not _before(two, one)


def _overlaps_before(one: Ends, two: Ends) -> bool:
    starts_earlier = one.start.compare(two.start) < 0
    return starts_earlier and not _before(one, two) and one.end.compare(two.end) <= 0


def _finishes(one: Ends, two: Ends) -> bool:
    return one.end.compare(two.end) == 0 and one.start.compare(two.start) >= 0


def _includes(one: Ends, two: Ends) -> bool:
    return one.start.compare(two.start) <= 0 and two.end.compare(one.end) <= 0


def _starts(one: Ends, two: Ends) -> bool:
    return one.start.compare(two.start) == 0 and one.end.compare(two.end) <= 0


def _coincides(one: Ends, two: Ends) -> bool:
    return one.start.compare(two.start) == 0 and one.end.compare(two.end) == 0


def _swapped(relation: Relation) -> Relation:
    return lambda one, two: relation(two, one)


def _declare(name: str, relation: Relation, signatures: tuple[str, ...]) -> None:
    def related(one: Value, two: Value) -> Value:
        return relation(Ends.of(one), Ends.of(two))

    for signature in signatures:
        parameters = tuple(
            Parameter(part, _POINTS if part.startswith("point") else _RANGES) for part in signature.split(", ")
        )
        LIBRARY.add(name, Overload(related, parameters))


_declare("before", _before, _ALL)
_declare("after", _swapped(_before), _ALL)
_declare("meets", _meets, _BOTH_RANGES)
_declare("met by", _swapped(_meets), _BOTH_RANGES)
_declare("overlaps", _overlaps, _BOTH_RANGES)
_declare("overlaps before", _overlaps_before, _BOTH_RANGES)
_declare("overlaps after", _swapped(_overlaps_before), _BOTH_RANGES)
_declare("finishes", _finishes, _POINT_FIRST)
_declare("finished by", _swapped(_finishes), _RANGE_FIRST)
_declare("includes", _includes, _RANGE_FIRST)
_declare("during", _swapped(_includes), _POINT_FIRST)
_declare("starts", _starts, _POINT_FIRST)
_declare("started by", _swapped(_starts), _RANGE_FIRST)
_declare("coincides", _coincides, ("point1, point2", "range1, range2"))
