"""Conversion between types, and negation (DMN 1.5 tables 72 and 73)."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.feel.builtins.definition import Library, whole
from engine.feel.errors import FeelFault, FeelSyntaxError
from engine.feel.lexer import Token, tokens, unescaped
from engine.feel.operations import order
from engine.feel.temporal import (
    NANOS,
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    Zone,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_temporal,
    parse_time,
)
from engine.feel.values import CONTEXT, Range, Value, number, to_text

LIBRARY: Final = Library()

_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?", re.ASCII)


@LIBRARY.declare("not", "negand")
def negated(negand: Value) -> Value:
    return not negand if isinstance(negand, bool) else None


@LIBRARY.declare("string", "from")
def string(value: Value) -> Value:
    return None if value is None else to_text(value)


@LIBRARY.declare("number", "from")
def number_of(text: str) -> Value:
    if not _NUMBER.fullmatch(text):
        raise FeelFault(f"not a number: {text[:40]!r}")
    return number(text)


@LIBRARY.declare("number", "from, grouping separator, decimal separator")
def separated_number(text: str, grouping: str | None, point: str | None) -> Value:
    if grouping not in (None, " ", ",", ".") or point not in (None, ",", "."):
        raise FeelFault("the grouping separator is a space, comma or period, the decimal one a comma or period")
    if grouping == point and grouping is not None:
        raise FeelFault("the two separators differ")
    ungrouped = text.replace(grouping, "") if grouping else text
    return number_of(ungrouped.replace(point, ".") if point else ungrouped)


@LIBRARY.declare("date", "from")
def date_of(value: str | Date | DateTime) -> Value:
    match value:
        case str():
            return parse_date(value)
        case DateTime():
            return value.date
    return value


@LIBRARY.declare("date", "year, month, day")
def date_of_parts(year: Decimal, month: Decimal, day: Decimal) -> Value:
    return Date(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))


@LIBRARY.declare("time", "from")
def time_of(value: str | Time | Date | DateTime) -> Value:
    match value:
        case str():
            return parse_time(value)
        case Date():
            return Time(0, 0, 0, 0, 0)
        case DateTime():
            return value.time
    return value


@LIBRARY.declare("time", "hour, minute, second, offset")
def time_of_parts(hour: Decimal, minute: Decimal, second: Decimal, offset: DaysTimeDuration | None = None) -> Value:
    return _time(hour, minute, second, None if offset is None else _seconds(offset))


def _time(hour: Decimal, minute: Decimal, second: Decimal, zone: Zone) -> Time:
    whole_second = whole(second, "the second")
    nanosecond = int(CONTEXT.multiply(CONTEXT.subtract(second, Decimal(whole_second)), Decimal(NANOS)))
    return Time(whole(hour, "the hour"), whole(minute, "the minute"), whole_second, nanosecond, zone)


def _seconds(offset: DaysTimeDuration) -> int:
    return offset.nanos // NANOS


@LIBRARY.declare("date and time", "from")
def date_time_of(value: str | DateTime) -> Value:
    return parse_date_time(value) if isinstance(value, str) else value


@LIBRARY.declare("date and time", "date, time")
def date_time_of_two(date: Date | DateTime, time: Time) -> Value:
    return DateTime(date.date if isinstance(date, DateTime) else date, time)


@LIBRARY.declare("date and time", "year, month, day, hour, minute, second")
def date_time_of_parts(
    year: Decimal, month: Decimal, day: Decimal, hour: Decimal, minute: Decimal, second: Decimal
) -> Value:
    date = Date(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))
    return DateTime(date, _time(hour, minute, second, None))


@LIBRARY.declare("date and time", "year, month, day, hour, minute, second, offset")
def date_time_at_offset(
    year: Decimal,
    month: Decimal,
    day: Decimal,
    hour: Decimal,
    minute: Decimal,
    second: Decimal,
    offset: DaysTimeDuration | None,
) -> Value:
    date = Date(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))
    return DateTime(date, _time(hour, minute, second, None if offset is None else _seconds(offset)))


@LIBRARY.declare("date and time", "year, month, day, hour, minute, second, timezone")
def date_time_in_zone(
    year: Decimal, month: Decimal, day: Decimal, hour: Decimal, minute: Decimal, second: Decimal, timezone: str
) -> Value:
    date = Date(whole(year, "the year"), whole(month, "the month"), whole(day, "the day"))
    return DateTime(date, _time(hour, minute, second, timezone))


@LIBRARY.declare("duration", "from")
def duration_of(text: str) -> Value:
    return parse_duration(text)


@LIBRARY.declare("years and months duration", "from, to")
def years_and_months_duration(start: Date | DateTime, end: Date | DateTime) -> Value:
    """The whole months from one date to another, below zero if it is earlier."""
    first = start.date if isinstance(start, DateTime) else start
    last = end.date if isinstance(end, DateTime) else end
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return YearsMonthsDuration(months)


@LIBRARY.declare("range", "from")
def range_of(text: str) -> Value:
    """The range a text such as `[1..3]` stands for; its ends are literals of one type, in order."""
    try:
        pieces = tokens(text)[:-1]
    except FeelSyntaxError as error:
        raise FeelFault(f"not a range: {text[:40]!r}") from error
    dots = next((index for index, piece in enumerate(pieces) if piece.text == ".."), 0)
    if dots < 2 or pieces[0].text not in ("[", "(", "]") or pieces[-1].text not in ("]", ")", "["):
        raise FeelFault(f"not a range: {text[:40]!r}")
    start, end = _end(pieces[1:dots]), _end(pieces[dots + 1 : -1])
    position = order(start, end)
    if position is None or position > 0:
        raise FeelFault(f"the ends of a range are of one type and in order: {text[:40]!r}")
    return Range(start, end, pieces[0].text == "[", pieces[-1].text == "]")


_CONSTRUCTORS: Final[dict[str, Callable[[str], Value]]] = {
    "@": parse_temporal,
    "date(": parse_date,
    "time(": parse_time,
    "dateandtime(": parse_date_time,
    "duration(": parse_duration,
}


def _end(pieces: list[Token]) -> Value:
    """The value of a literal that ends a range."""
    kinds = [piece.kind for piece in pieces]
    if kinds == ["number"]:
        return number(pieces[0].text)
    if kinds == ["symbol", "number"] and pieces[0].text == "-":
        return number(pieces[1].text).copy_negate()
    if kinds == ["string"]:
        return unescaped(pieces[0].text)
    words = [piece for piece in pieces if piece.text != ")"]
    constructor = _CONSTRUCTORS.get("".join(piece.text for piece in words[:-1]))
    if constructor is None or words[-1].kind != "string":
        raise FeelFault("the ends of a range are literals")
    return constructor(unescaped(words[-1].text))
