"""What stands behind the dot: entries of contexts, properties of temporal values and ranges (clause 10.3.2.5)."""

from __future__ import annotations

from decimal import Decimal

from engine.feel.errors import FeelFault
from engine.feel.temporal import NANOS, Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration
from engine.feel.values import CONTEXT, Range, Value, type_name


def member(value: Value, name: str) -> Value:
    """The member of that name; of a list the list of its items' members. FeelFault if there is none."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise FeelFault(f"the context has no entry {name!r}")
    if isinstance(value, list):
        return [_member_or_null(item, name) for item in value]
    properties = _properties(value)
    if name not in properties:
        raise FeelFault(f"a {type_name(value)} has no property {name!r}")
    return properties[name]


def _member_or_null(item: Value, name: str) -> Value:
    if isinstance(item, dict):
        return item.get(name)
    return _properties(item).get(name)


def _properties(value: Value) -> dict[str, Value]:
    match value:
        case Date():
            return _of_date(value)
        case DateTime():
            return _of_date(value.date) | _of_time(value.time, value.offset)
        case Time():
            return _of_time(value, value.offset)
        case DaysTimeDuration():
            return _of_days(value)
        case YearsMonthsDuration():
            sign = -1 if value.months < 0 else 1
            years, months = divmod(abs(value.months), 12)
            return {"years": Decimal(sign * years), "months": Decimal(sign * months)}
        case Range():
            return {
                "start": value.start,
                "end": value.end,
                "start included": value.start_included,
                "end included": value.end_included,
            }
    return {}


def _of_date(date: Date) -> dict[str, Value]:
    return {
        "year": Decimal(date.year),
        "month": Decimal(date.month),
        "day": Decimal(date.day),
        "weekday": Decimal(date.weekday),
    }


def _of_time(time: Time, offset: int | None) -> dict[str, Value]:
    return {
        "hour": Decimal(time.hour),
        "minute": Decimal(time.minute),
        "second": _seconds(time.second * NANOS + time.nanosecond),
        "time offset": None if offset is None else DaysTimeDuration(offset * NANOS),
        "timezone": time.zone if isinstance(time.zone, str) else None,
    }


def _of_days(duration: DaysTimeDuration) -> dict[str, Value]:
    sign = -1 if duration.nanos < 0 else 1
    minutes, nanos = divmod(abs(duration.nanos), 60 * NANOS)
    return {
        "days": Decimal(sign * (minutes // 1440)),
        "hours": Decimal(sign * (minutes // 60 % 24)),
        "minutes": Decimal(sign * (minutes % 60)),
        "seconds": _seconds(sign * nanos),
    }


def _seconds(nanos: int) -> Decimal:
    return Decimal(nanos // NANOS) if nanos % NANOS == 0 else Decimal(nanos).scaleb(-9, CONTEXT).normalize(CONTEXT)
