"""A lossless form of values in JSON: what is no JSON value itself becomes `{"$": kind, "v": …}`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Temporal,
    Time,
    YearsMonthsDuration,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from engine.feel.values import MAX_NESTING, Function, Range, Value, number, type_name

Json = Any  # null, booleans, integers, strings, lists and objects

_TAG: Final = "$"


def encode(value: Value) -> Json:
    """The JSON form of the value; FeelFault for a function."""
    return _encoded(value, 0)


def decode(json: Json) -> Value:
    """The value of a JSON form; FeelFault where `encode` could not have written it."""
    return _decoded(json, 0)


def _encoded(value: Value, depth: int) -> Json:
    _check(depth)
    match value:
        case None | bool() | str():
            return value
        case Decimal():
            whole = value.as_tuple().exponent == 0 and str(value) != "-0"
            return int(value) if whole else _tagged("number", str(value))
        case list():
            return [_encoded(item, depth + 1) for item in value]
        case dict():
            entries = {key: _encoded(item, depth + 1) for key, item in value.items()}
            return _tagged("context", entries) if _TAG in value else entries
        case Range():
            ends = [_encoded(value.start, depth + 1), _encoded(value.end, depth + 1)]
            return _tagged("range", [value.operator, value.start_included, *ends, value.end_included])
        case Function():
            raise FeelFault("a function cannot be stored")
    return _tagged(type_name(value), str(value))


def _tagged(kind: str, content: Json) -> Json:
    return {_TAG: kind, "v": content}


def _decoded(json: Json, depth: int) -> Value:
    _check(depth)
    match json:
        case None | bool() | str():
            return json
        case int():
            return number(json)
        case list():
            return [_decoded(item, depth + 1) for item in json]
        case dict() if _TAG not in json:
            return _context(json, depth)
        case {"$": "number", "v": str(text), **rest} if not rest:
            return number(text)
        case {"$": "context", "v": dict(entries), **rest} if not rest:
            return _context(entries, depth)
        case {"$": "range", "v": [str(operator), bool(first), start, end, bool(last)], **rest} if not rest:
            return Range(_decoded(start, depth + 1), _decoded(end, depth + 1), first, last, operator)
        case {"$": str(kind), "v": str(text), **rest} if not rest and kind in _TEMPORAL:
            return _temporal(kind, text)
    raise FeelFault("not the stored form of a FEEL value")


def _context(entries: dict[Any, Json], depth: int) -> Value:
    if not all(isinstance(key, str) for key in entries):
        raise FeelFault("not the stored form of a FEEL value")
    return {key: _decoded(item, depth + 1) for key, item in entries.items()}


def _temporal(kind: str, text: str) -> Value:
    expected, parse = _TEMPORAL[kind]
    value = parse(text)
    if not isinstance(value, expected):
        raise FeelFault(f"not a {kind}: {text[:40]!r}")
    return value


_TEMPORAL: Final[dict[str, tuple[type[Temporal], Callable[[str], Temporal]]]] = {
    "date": (Date, parse_date),
    "time": (Time, parse_time),
    "date and time": (DateTime, parse_date_time),
    "days and time duration": (DaysTimeDuration, parse_duration),
    "years and months duration": (YearsMonthsDuration, parse_duration),
}


def _check(depth: int) -> None:
    if depth > MAX_NESTING:
        raise FeelLimitExceeded(f"a value nested deeper than {MAX_NESTING} levels")
