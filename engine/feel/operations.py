"""FEEL's operators: equality, order and arithmetic over all types (DMN 1.5 clauses 10.3.2.7 ff.).

Equality and order answer None where FEEL says null; arithmetic raises FeelFault or decimal's exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Final

from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.temporal import DAY, NANOS, Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from engine.feel.values import CONTEXT, MAX_TEXT, Range, Value, type_name

MAX_COMPARISONS: Final = 1_000_000  # values visited when two lists or contexts are compared
ONE: Final = Decimal(1)
_PLAIN: Final = frozenset({Decimal, str, bool, Date, DaysTimeDuration, YearsMonthsDuration, type(None)})
_ORDERED: Final = frozenset({Decimal, str, Date, DaysTimeDuration, YearsMonthsDuration})


def equal(left: Value, right: Value) -> bool | None:
    """Whether FEEL's `=` holds; None for values of different types. Times are equal to the second."""
    if type(left) in _PLAIN and type(left) is type(right):
        return left == right
    return _Comparison().equal(left, right)


class _Comparison:
    """One comparison of nested values, bounded in work."""

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS

    def equal(self, left: Value, right: Value) -> bool | None:
        self._left -= 1
        if self._left < 0:
            raise FeelLimitExceeded(f"a comparison of more than {MAX_COMPARISONS} values")
        if left is None or right is None:
            return left is right
        if type(left) is not type(right):
            return None
        match left, right:
            case list(), list():
                return len(left) == len(right) and self._all(zip(left, right, strict=True))
            case dict(), dict():
                same = left.keys() == right.keys()
                return same and self._all((value, right[key]) for key, value in left.items())
            case Range(), Range():
                shape = (left.operator, left.start_included, left.end_included)
                same = shape == (right.operator, right.start_included, right.end_included)
                return same and self._all([(left.start, right.start), (left.end, right.end)])
            case Time() | DateTime(), Time() | DateTime():
                return _moment(left) == _moment(right)
        return left == right

    def _all(self, pairs: Iterable[tuple[Value, Value]]) -> bool:
        return all(self.equal(a, b) is True for a, b in pairs)


def _moment(value: Time | DateTime) -> tuple[bool, int]:
    """Whether it has a zone, and its position in whole seconds."""
    if isinstance(value, DateTime):
        return value.offset is not None, value.instant // NANOS
    return value.offset is not None, value.utc_nanos % DAY // NANOS


def identity(value: Value, step: Callable[[], None]) -> Hashable:
    """A key that two values share exactly if FEEL's `=` holds between them; `step` is called for each value."""
    step()
    match value:
        case list():
            return "list", tuple(identity(item, step) for item in value)
        case dict():
            return "context", frozenset((key, identity(item, step)) for key, item in value.items())
        case Range():
            ends = identity(value.start, step), identity(value.end, step)
            return "range", value.operator, value.start_included, value.end_included, ends
        case Time() | DateTime():
            return type(value), _moment(value)
    return type(value), value


def order(left: Value, right: Value) -> int | None:
    """Negative, zero or positive as `left` comes before, with or after `right`; None if they have no order."""
    kind = type(left)
    if kind is type(right):
        if kind in _ORDERED:
            return (left > right) - (left < right)  # type: ignore[operator] # both of one ordered type
        if isinstance(left, DateTime) and isinstance(right, DateTime):
            if (left.time.zone is None) != (right.time.zone is None):
                return None
            return (left.instant > right.instant) - (left.instant < right.instant)
        if isinstance(left, Time) and isinstance(right, Time):
            if (left.zone is None) != (right.zone is None):
                return None
            return (left.utc_nanos > right.utc_nanos) - (left.utc_nanos < right.utc_nanos)
    return None


def less(left: Value, right: Value) -> bool | None:
    if type(left) in _ORDERED and type(left) is type(right):
        return left < right  # type: ignore[operator] # both of one ordered type
    position = order(left, right)
    return None if position is None else position < 0


def less_or_equal(left: Value, right: Value) -> bool | None:
    if type(left) in _ORDERED and type(left) is type(right):
        return left <= right  # type: ignore[operator] # both of one ordered type
    position = order(left, right)
    return None if position is None else position < 0 or equal(left, right)


def greater(left: Value, right: Value) -> bool | None:
    return less(right, left)


def greater_or_equal(left: Value, right: Value) -> bool | None:
    return less_or_equal(right, left)


def unequal(left: Value, right: Value) -> bool | None:
    result = equal(left, right)
    return None if result is None else not result


COMPARISONS: Final[dict[str, Callable[[Value, Value], bool | None]]] = {
    "=": equal,
    "!=": unequal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
}


def includes(within: Range, value: Value) -> bool | None:
    """Whether the range includes the value; None where an end is null or not comparable."""
    if within.operator:
        bound = within.start if within.start is not None else within.end
        return COMPARISONS[within.operator](value, bound)
    above = (less_or_equal if within.start_included else less)(within.start, value)
    below = (less_or_equal if within.end_included else less)(value, within.end)
    if above is None or below is None:
        return None
    return above and below


def contains(container: Value, value: Value) -> bool | None:
    """Whether `value in container` holds: an equal value, a range or list that includes it."""
    if isinstance(container, Range) and not isinstance(value, Range):
        return includes(container, value)
    if isinstance(container, list):
        return (
            any(
                (equal(item, value) if not isinstance(item, Range) else contains(item, value)) is True
                for item in container
            )
            or equal(container, value) is True
        )
    return equal(container, value)


def add(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.add(left, right)
        case str(), str():
            if len(left) + len(right) > MAX_TEXT:
                raise FeelLimitExceeded(f"a string longer than {MAX_TEXT} characters")
            return left + right
        case DaysTimeDuration(), DaysTimeDuration():
            return DaysTimeDuration(left.nanos + right.nanos)
        case YearsMonthsDuration(), YearsMonthsDuration():
            return YearsMonthsDuration(left.months + right.months)
        case Date() | Time() | DateTime(), DaysTimeDuration():
            return _later(left, right.nanos)
        case Date() | DateTime(), YearsMonthsDuration():
            return _months_later(left, right.months)
        case DaysTimeDuration() | YearsMonthsDuration(), Date() | Time() | DateTime():
            return add(right, left)
    raise _undefined("+", left, right)


def subtract(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.subtract(left, right)
        case Date() | DateTime(), Date() | DateTime():
            return _between(left, right)
        case Time(), Time():
            if (left.zone is None) != (right.zone is None):
                raise FeelFault("a time with a zone and one without have no difference")
            return DaysTimeDuration(left.utc_nanos - right.utc_nanos)
        case DaysTimeDuration(), DaysTimeDuration():
            return DaysTimeDuration(left.nanos - right.nanos)
        case YearsMonthsDuration(), YearsMonthsDuration():
            return YearsMonthsDuration(left.months - right.months)
        case Date() | Time() | DateTime(), DaysTimeDuration():
            return _later(left, -right.nanos)
        case Date() | DateTime(), YearsMonthsDuration():
            return _months_later(left, -right.months)
    raise _undefined("-", left, right)


def multiply(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.multiply(left, right)
        case DaysTimeDuration(), Decimal():
            return DaysTimeDuration(_truncated(_scaled(left.nanos, right)))
        case YearsMonthsDuration(), Decimal():
            return YearsMonthsDuration(_truncated(_scaled(left.months, right)))
        case Decimal(), DaysTimeDuration() | YearsMonthsDuration():
            return multiply(right, left)
    raise _undefined("*", left, right)


def divide(left: Value, right: Value) -> Value:
    match left, right:
        case Decimal(), Decimal():
            return CONTEXT.divide(left, right)
        case DaysTimeDuration(), Decimal():
            return DaysTimeDuration(_truncated(CONTEXT.divide(Decimal(left.nanos), right)))
        case YearsMonthsDuration(), Decimal():
            return YearsMonthsDuration(_truncated(CONTEXT.divide(Decimal(left.months), right)))
        case DaysTimeDuration(), DaysTimeDuration():
            return CONTEXT.divide(Decimal(left.nanos), Decimal(right.nanos))
        case YearsMonthsDuration(), YearsMonthsDuration():
            return CONTEXT.divide(Decimal(left.months), Decimal(right.months))
    raise _undefined("/", left, right)


def power(left: Value, right: Value) -> Value:
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return CONTEXT.power(left, right) if right else ONE
    raise _undefined("**", left, right)


def negate(value: Value) -> Value:
    match value:
        case Decimal():
            return CONTEXT.minus(value)
        case DaysTimeDuration():
            return DaysTimeDuration(-value.nanos)
        case YearsMonthsDuration():
            return YearsMonthsDuration(-value.months)
    raise FeelFault(f"- is not defined for {type_name(value)}")


ARITHMETIC: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "**": power,
}


def _undefined(operator: str, left: Value, right: Value) -> FeelFault:
    return FeelFault(f"{operator} is not defined for {type_name(left)} and {type_name(right)}")


def _scaled(amount: int, factor: Decimal) -> Decimal:
    return CONTEXT.multiply(Decimal(amount), factor)


def _truncated(value: Decimal) -> int:
    if value.adjusted() > 40:
        raise FeelFault("a duration too long")
    return int(value)


def _later(value: Date | Time | DateTime, nanos: int) -> Value:
    match value:
        case Time():
            return Time.from_nanos(value.nanos + nanos, value.zone)
        case Date():
            return Date.from_ordinal(value.ordinal + nanos // DAY)
    return DateTime.from_instant(value.instant + nanos, value.time.zone)


def _months_later(value: Date | DateTime, months: int) -> Value:
    if isinstance(value, Date):
        return value.plus_months(months)
    return DateTime(value.date.plus_months(months), value.time)


def at_midnight_utc(date: Date) -> DateTime:
    """The date and time a date stands for where one is needed (DMN 1.5 clause 10.3.2.9.4)."""
    return DateTime(date, Time(0, 0, 0, 0, 0))


def _between(left: Date | DateTime, right: Date | DateTime) -> Value:
    start = at_midnight_utc(right) if isinstance(right, Date) else right
    end = at_midnight_utc(left) if isinstance(left, Date) else left
    if (start.time.zone is None) != (end.time.zone is None):
        raise FeelFault("a date and time with a zone and one without have no difference")
    return DaysTimeDuration(end.instant - start.instant)
