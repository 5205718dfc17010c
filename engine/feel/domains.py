"""What `for`, `some` and `every` go over: lists, ranges, single values (DMN 1.5 clause 10.3.2.14)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from engine.feel.errors import FeelFault
from engine.feel.temporal import Date
from engine.feel.values import CONTEXT, Range, Value, type_name


class NoDomain(FeelFault):
    """What an iteration goes over is not a list or a range."""


def items_of(value: Value) -> Iterable[Value]:
    if isinstance(value, list):
        return value
    if value is None:
        raise NoDomain("null cannot be iterated over")
    if not isinstance(value, Range):
        return [value]
    within = between_ends(value.start, value.end)
    return (
        item
        for item in within
        if (value.start_included or item != value.start) and (value.end_included or item != value.end)
    )


def between_ends(start: Value, end: Value) -> Iterable[Value]:
    """From `start` to `end`, both included, by whole numbers or days, upwards or downwards."""
    if isinstance(start, Decimal) and isinstance(end, Decimal) and _countable(start) and _countable(end):
        return map(CONTEXT.create_decimal, _whole(int(start), int(end)))
    if isinstance(start, Date) and isinstance(end, Date):
        return map(Date.from_ordinal, _whole(start.ordinal, end.ordinal))
    raise NoDomain(f"{type_name(start)} to {type_name(end)} cannot be iterated over; whole numbers and dates can")


def _countable(value: Decimal) -> bool:
    """Whether it is a whole number with all digits up to the ones."""
    return value.adjusted() < CONTEXT.prec and value == int(value)


def _whole(start: int, end: int) -> range:
    return range(start, end + 1) if start <= end else range(start, end - 1, -1)
