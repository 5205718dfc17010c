"""Business days in Japan as FEEL host functions: weekends and public holidays are none (library `holidays`)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

import holidays

from engine import feel

LIMIT = 10_000
"""Most business days that one call may count; beyond it the expression is wrong or hostile."""


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year))


def _open(day: date) -> bool:
    return day.weekday() < 5 and day not in _holidays(day.year)


def _day(value: feel.Value) -> date:
    if isinstance(value, feel.Date | feel.DateTime):
        moment = value.to_python()
        return moment.date() if isinstance(moment, datetime) else moment
    raise feel.FeelFault("営業日の計算には、日付か日時を渡してください。")


def _moved(value: feel.Value, days: timedelta) -> feel.Value:
    """The value shifted in its own type, so that time of day and zone stay as they are."""
    if not isinstance(value, feel.Date | feel.DateTime):
        raise feel.FeelFault("営業日の計算には、日付か日時を渡してください。")
    return feel.from_python(value.to_python() + days)


def is_business_day(date: feel.Value) -> feel.Value:
    return _open(_day(date))


def next_business_day(date: feel.Value) -> feel.Value:
    return add_business_days(date, feel.from_python(1))


def add_business_days(from_: feel.Value, n: feel.Value) -> feel.Value:
    """The n-th business day after (n < 0: before) `from`; n = 0 gives `from` itself or the next open day."""
    start, count = _day(from_), _count(n)
    step = timedelta(days=-1 if count < 0 else 1)
    day, left = start, abs(count)
    while left > 0:
        day += step
        left -= _open(day)
    while not _open(day):
        day += step
    return _moved(from_, day - start)


def _count(n: feel.Value) -> int:
    if not isinstance(n, Decimal) or n != int(n):
        raise feel.FeelFault("営業日数は整数で渡してください。")
    if abs(int(n)) > LIMIT:
        raise feel.FeelFault(f"営業日数は {LIMIT} 日までにしてください。")
    return int(n)


FUNCTIONS: dict[str, feel.Function] = {
    name: feel.host_function(name, call)
    for name, call in (
        ("add business days", add_business_days),
        ("is business day", is_business_day),
        ("next business day", next_business_day),
    )
}
