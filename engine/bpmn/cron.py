"""Cron expressions of six fields, the second first, as Camunda 8 reads them (Spring's CronExpression); times in Japan.

`L`, `W` and `#` are refused.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.bpmn.errors import ElementFault

JST = ZoneInfo("Asia/Tokyo")
MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
MONTHS = {name: n for n, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
WEEKDAYS = {name: n for n, name in enumerate("SUN MON TUE WED THU FRI SAT".split())}
LONGEST = 40 * 366
"""Days within which every date that exists comes on every weekday, a skipped leap year included."""

_PART = re.compile(r"(?:(?P<all>\*|\?)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d+))?")


@dataclass(frozen=True, slots=True)
class Cron:
    """The seconds at which something is due: day, month and weekday must all fit."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def read(cls, text: str) -> Cron:
        """Raises ElementFault for what is no cron expression, or never comes."""
        fields = MACROS.get(text, text).upper().split()
        if len(fields) != 6:
            raise ElementFault(
                f"「{text}」は、R3/PT1H の形の繰返しでも、六つの欄(秒 分 時 日 月 曜日)の cron でもありません。"
            )
        second, minute, hour, day, month, weekday = fields
        cron = cls(
            tuple(sorted(_numbers(second, 0, 59))),
            tuple(sorted(_numbers(minute, 0, 59))),
            tuple(sorted(_numbers(hour, 0, 23))),
            frozenset(_numbers(day, 1, 31)),
            frozenset(_numbers(month, 1, 12, MONTHS)),
            frozenset(number % 7 for number in _numbers(weekday, 0, 7, WEEKDAYS)),
        )
        if cron.next_after(datetime(2000, 1, 1, tzinfo=JST)) is None:
            raise ElementFault(f"「{text}」の日は、決して来ません。")
        return cron

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time later than `moment`; None if the calendar ends before."""
        local = moment.astimezone(JST)
        for ahead in range(LONGEST):
            try:
                day = local.date() + timedelta(days=ahead)
            except OverflowError:
                return None
            if self._on(day):
                of_day = self._time_after(local.time() if ahead == 0 else None)
                if of_day is not None:
                    return datetime.combine(day, of_day, JST)
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """How often it is due later than `after` and not later than `until`."""
        first, last = after.astimezone(JST), until.astimezone(JST)
        span = (last.date() - first.date()).days
        days = sum(self._on(first.date() + timedelta(days=ahead)) for ahead in range(span))
        whole = days * len(self.hours) * len(self.minutes) * len(self.seconds)
        return whole + self._up_to(last) - self._up_to(first)

    def _on(self, day: date) -> bool:
        return day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays

    def _time_after(self, clock: time | None) -> time | None:
        """The first due time of a day, later than `clock` if it is given."""
        if clock is None:
            return time(self.hours[0], self.minutes[0], self.seconds[0])
        for hour in self.hours[bisect_left(self.hours, clock.hour) :]:
            for minute in self.minutes:
                for second in self.seconds:
                    if (hour, minute, second) > (clock.hour, clock.minute, clock.second):
                        return time(hour, minute, second)
        return None

    def _up_to(self, local: datetime) -> int:
        """How often it is due on this day up to this time, included."""
        if not self._on(local.date()):
            return 0
        count = bisect_left(self.hours, local.hour) * len(self.minutes) * len(self.seconds)
        if local.hour in self.hours:
            count += bisect_left(self.minutes, local.minute) * len(self.seconds)
            if local.minute in self.minutes:
                count += bisect_left(self.seconds, local.second + 1)
        return count


def _numbers(field: str, least: int, most: int, names: dict[str, int] | None = None) -> Iterator[int]:
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None or (found["all"] == "?" and most in (59, 23, 12)):
            raise ElementFault(f"cron の「{part}」は読めません。")
        low = least if found["all"] else _number(found["low"], least, most, names or {})
        high = most if found["all"] or (found["step"] and not found["high"]) else low
        if found["high"]:
            high = _number(found["high"], least, most, names or {})
        if names is WEEKDAYS and low > high:  # a week may begin on Sunday and end on it
            low, high = (0, high) if low == 7 else (low, high + 7 if high == 0 else high)
        step = int(found["step"] or 1)
        if low > high or step == 0:
            raise ElementFault(f"cron の「{part}」は読めません。")
        yield from range(low, high + 1, step)


def _number(text: str, least: int, most: int, names: dict[str, int]) -> int:
    number = names.get(text, int(text) if text.isdecimal() else -1)
    if not least <= number <= most:
        raise ElementFault(f"cron の「{text}」は、{least} から {most} までの数ではありません。")
    return number
