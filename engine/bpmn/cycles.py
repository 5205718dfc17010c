"""Timers that repeat, on a schedule that does not drift: `R3/PT1H`, `R3/2026-12-01T09:00:00+09:00/PT1H` or cron.

An occurrence is counted from where the schedule began, never from when the one before was served. Those that went
by while nobody served them are one firing, and told.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from engine import feel
from engine.bpmn.cron import Cron
from engine.bpmn.errors import ElementFault
from engine.bpmn.moments import TIMELESS, read_text, to_moment

ENDLESS = -1

_LONGEST = timedelta.max // timedelta(microseconds=1)
_REPETITION = re.compile(r"R(\d{0,9})/(?:([^P/][^/]*)/)?(P[^/]+)")


@dataclass(frozen=True, slots=True)
class Repetition:
    """`times` occurrences; the first at `start`, or one `step` (a timedelta or a number of months) after arming."""

    times: int
    start: datetime | None
    step: timedelta | int

    def occurrence(self, anchor: datetime, number: int) -> datetime | None:
        """`number` steps after the anchor; None beyond the calendar."""
        try:
            if isinstance(self.step, timedelta):
                return anchor + number * self.step
            years, month = divmod(anchor.month - 1 + number * self.step, 12)
            year = anchor.year + years
            return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))
        except (OverflowError, ValueError):
            return None

    def first_after(self, anchor: datetime, moment: datetime) -> int:
        """The number of the first occurrence later than `moment`."""
        if isinstance(self.step, timedelta):
            return (moment - anchor) // self.step + 1
        local = moment.astimezone(anchor.tzinfo)
        number = ((local.year - anchor.year) * 12 + local.month - anchor.month) // self.step
        occurrence = self.occurrence(anchor, number)
        return number + (occurrence is not None and occurrence <= moment)


@lru_cache(maxsize=1024)
def read_cycle(text: str) -> Repetition | Cron:
    """Raises ElementFault."""
    if not text.startswith("R"):
        return Cron.read(text)
    found = _REPETITION.fullmatch(text)
    if found is None:
        raise ElementFault(
            f"繰返しタイマー「{text}」は R3/PT1H か R3/2026-12-01T09:00:00+09:00/PT1H の形で書いてください。"
        )
    times = int(found[1]) if found[1] else ENDLESS
    start = None if found[2] is None else to_moment(read_text(found[2]), TIMELESS, found[2])
    return Repetition(_positive(times, text) if found[1] else times, start, _step(found[3]))


def _positive(times: int, text: str) -> int:
    if times < 1:
        raise ElementFault(f"繰返しタイマー「{text}」は、一度も来ません。")
    return times


def _step(text: str) -> timedelta | int:
    value = read_text(text)
    if isinstance(value, feel.YearsMonthsDuration) and value.months > 0:
        return value.months
    if isinstance(value, feel.DaysTimeDuration) and value.nanos >= 1000:
        return timedelta(microseconds=min(value.nanos // 1000, _LONGEST))
    raise ElementFault(f"繰返しの間隔「{text}」が正の期間ではありません。")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where a repeating timer stands: `number` steps after `anchor` it is due next, and then `left` times more."""

    cycle: str
    anchor: datetime
    number: int
    left: int

    @classmethod
    def begin(cls, cycle: str, now: datetime, remaining: int | None = None) -> Schedule:
        """`remaining`: of a timer that an earlier release armed, how often it may still fire. Raises ElementFault."""
        read = read_cycle(cycle)
        if isinstance(read, Cron):
            due = read.next_after(now)
            if due is None:
                raise ElementFault(f"「{cycle}」の日は、もう来ません。")
            return cls(cycle, due, 0, ENDLESS)
        times = read.times if remaining is None else remaining
        number = 1 if read.start is None else 0
        found = cls(cycle, read.start or now, number, times - 1 if times > 0 else ENDLESS)
        if read.occurrence(found.anchor, number) is None:
            raise ElementFault(f"「{cycle}」の日は、もう来ません。")
        return found

    @property
    def due(self) -> datetime:
        read = read_cycle(self.cycle)
        due = self.anchor if isinstance(read, Cron) else read.occurrence(self.anchor, self.number)
        assert due is not None  # noqa: S101 - made sure of where the schedule was made
        return due

    def fired(self, now: datetime) -> tuple[Schedule | None, int]:
        """After the firing at `now`: the schedule as it is due next, None if it is over; and how many were missed."""
        read = read_cycle(self.cycle)
        if isinstance(read, Cron):
            following = read.next_after(max(now, self.anchor))
            missed = read.count(self.anchor, now) if now > self.anchor else 0
            return None if following is None else replace(self, anchor=following), missed
        number = max(self.number + 1, read.first_after(self.anchor, now))
        passed = number - self.number
        if self.left != ENDLESS and passed > self.left:
            return None, self.left
        left = ENDLESS if self.left == ENDLESS else self.left - passed
        following = read.occurrence(self.anchor, number)
        return None if following is None else replace(self, number=number, left=left), passed - 1

    def stored(self) -> list[Any]:
        """As JSON; `restored` gives it back."""
        return [self.cycle, self.anchor.isoformat(), self.number, self.left]

    @classmethod
    def restored(cls, stored: list[Any]) -> Schedule:
        cycle, anchor, number, left = stored
        return cls(cycle, datetime.fromisoformat(anchor), number, left)
