"""FEEL's temporal values: years -999,999,999 to 999,999,999, nanoseconds, offsets and named time zones.

A value's Python equality is structural (what FEEL's `is()` asks for); FEEL's `=` and `<` compare positions
on the time line and live in `operations`. Ill-formed values raise `FeelFault`.
"""

from __future__ import annotations

import datetime as python
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from engine.feel.errors import FeelFault

MAX_YEAR: Final = 999_999_999
MAX_OFFSET: Final = 18 * 3600  # seconds either side of UTC
MAX_DURATION_SECONDS: Final = MAX_YEAR * 366 * 86_400
MAX_DURATION_MONTHS: Final = MAX_YEAR * 12
NANOS: Final = 1_000_000_000
DAY: Final = 86_400 * NANOS
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # the Gregorian calendar repeats

Zone = int | str | None  # seconds east of UTC, or a name of the tz database, or local time

_DATE = r"(-?(?:\d{4}|[1-9]\d{4,8}))-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z0-9_+\-/]+)?"
_DATE_RE = re.compile(_DATE, re.ASCII)
_TIME_RE = re.compile(_TIME, re.ASCII)
_DATE_TIME_RE = re.compile(f"{_DATE}T{_TIME}", re.ASCII)
_MONTHS_RE = re.compile(r"(-)?P(?=\d)(?:(\d{1,10})Y)?(?:(\d{1,11})M)?", re.ASCII)
_DAYS_RE = re.compile(
    r"(-)?P(?=[\dT])(?:(\d{1,18})D)?(?:T(?=\d)(?:(\d{1,18})H)?(?:(\d{1,18})M)?(?:(\d{1,18})(?:\.(\d*))?S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        if not (-MAX_YEAR <= self.year <= MAX_YEAR and 1 <= self.month <= 12):
            raise FeelFault(f"no such date: {self.year}-{self.month}-{self.day}")
        if not 1 <= self.day <= days_in_month(self.year, self.month):
            raise FeelFault(f"no such date: {self.year}-{self.month}-{self.day}")

    @classmethod
    def from_ordinal(cls, ordinal: int) -> Date:
        """The day `ordinal`, where 0001-01-01 is day 1."""
        cycles, rest = divmod(ordinal - 1, _CYCLE_DAYS)
        day = python.date.fromordinal(rest + 1)
        return cls(day.year + cycles * _CYCLE_YEARS, day.month, day.day)

    @property
    def ordinal(self) -> int:
        cycles, year = divmod(self.year - 1, _CYCLE_YEARS)
        return python.date(year + 1, self.month, self.day).toordinal() + cycles * _CYCLE_DAYS

    @property
    def weekday(self) -> int:
        """1 is Monday, 7 is Sunday."""
        return (self.ordinal - 1) % 7 + 1

    @property
    def day_of_year(self) -> int:
        return self.ordinal - Date(self.year, 1, 1).ordinal + 1

    @property
    def iso_week(self) -> int:
        """The week number of ISO 8601."""
        cycle_year = (self.year - 1) % _CYCLE_YEARS + 1
        return python.date(cycle_year + _CYCLE_YEARS, self.month, self.day).isocalendar().week

    def plus_months(self, months: int) -> Date:
        """The same day `months` later, or the last day of that month."""
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        if abs(year) > MAX_YEAR:
            raise FeelFault("a year beyond nine digits")
        return Date(year, month + 1, min(self.day, days_in_month(year, month + 1)))

    def to_python(self) -> python.date:
        if not 1 <= self.year <= 9999:
            raise FeelFault(f"the year {self.year} does not fit a Python date")
        return python.date(self.year, self.month, self.day)

    def __str__(self) -> str:
        return f"{'-' if self.year < 0 else ''}{abs(self.year):04}-{self.month:02}-{self.day:02}"


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, local, at an offset, or in a named zone."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    zone: Zone = None

    def __post_init__(self) -> None:
        fits = 0 <= self.hour < 24 and 0 <= self.minute < 60 and 0 <= self.second < 60
        if not (fits and 0 <= self.nanosecond < NANOS):
            raise FeelFault(f"no such time: {self.hour}:{self.minute}:{self.second}")
        if isinstance(self.zone, int) and abs(self.zone) > MAX_OFFSET:
            raise FeelFault("an offset of more than 18 hours")
        if isinstance(self.zone, str) and self.zone not in zone_names():
            raise FeelFault(f"no such time zone: {self.zone}")

    @classmethod
    def from_nanos(cls, nanos: int, zone: Zone) -> Time:
        """The time `nanos` nanoseconds after midnight; days are dropped."""
        seconds, nanosecond = divmod(nanos % DAY, NANOS)
        return cls(seconds // 3600, seconds // 60 % 60, seconds % 60, nanosecond, zone)

    @property
    def nanos(self) -> int:
        """Nanoseconds since midnight."""
        return (self.hour * 3600 + self.minute * 60 + self.second) * NANOS + self.nanosecond

    @property
    def offset(self) -> int | None:
        """Seconds east of UTC; for a named zone its standard time, since no date is known."""
        return _standard_offset(self.zone) if isinstance(self.zone, str) else self.zone

    @property
    def utc_nanos(self) -> int:
        return self.nanos - (self.offset or 0) * NANOS

    def to_python(self) -> python.time:
        """Drops what is finer than a microsecond."""
        zone = python_zone(self.zone)
        return python.time(self.hour, self.minute, self.second, self.nanosecond // 1000, tzinfo=zone)

    def __str__(self) -> str:
        fraction = f".{self.nanosecond:09}".rstrip("0") if self.nanosecond else ""
        return f"{self.hour:02}:{self.minute:02}:{self.second:02}{fraction}{_zone_text(self.zone)}"


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date with a time, and the time's zone."""

    date: Date
    time: Time

    @classmethod
    def from_instant(cls, nanos: int, zone: Zone) -> DateTime:
        """The local date and time in `zone`, `nanos` after 0001-01-01T00:00 (UTC unless `zone` is None)."""
        offset = _zone_offset_at_instant(zone, nanos) if isinstance(zone, str) else zone or 0
        days, rest = divmod(nanos + offset * NANOS, DAY)
        return cls(Date.from_ordinal(days + 1), Time.from_nanos(rest, zone))

    @property
    def offset(self) -> int | None:
        """Seconds east of UTC on that date, None for a local date and time."""
        zone = self.time.zone
        return _zone_offset(zone, self) if isinstance(zone, str) else zone

    @property
    def instant(self) -> int:
        """Nanoseconds since 0001-01-01T00:00 UTC; a local one counts as UTC."""
        return (self.date.ordinal - 1) * DAY + self.time.nanos - (self.offset or 0) * NANOS

    def to_python(self) -> python.datetime:
        """Drops what is finer than a microsecond."""
        return python.datetime.combine(self.date.to_python(), self.time.to_python())

    def __str__(self) -> str:
        return f"{self.date}T{self.time}"


@dataclass(frozen=True, slots=True, order=True)
class DaysTimeDuration:
    """A length of time of a fixed number of nanoseconds."""

    nanos: int

    def __post_init__(self) -> None:
        if abs(self.nanos) > MAX_DURATION_SECONDS * NANOS:
            raise FeelFault("a duration too long")

    def to_python(self) -> python.timedelta:
        """Drops what is finer than a microsecond."""
        try:
            return python.timedelta(microseconds=self.nanos // 1000)
        except OverflowError as error:
            raise FeelFault("the duration does not fit a Python timedelta") from error

    def __str__(self) -> str:
        seconds, nanosecond = divmod(abs(self.nanos), NANOS)
        days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
        fraction = f".{nanosecond:09}".rstrip("0") if nanosecond else ""
        clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
        if seconds % 60 or fraction or not (days or clock):
            clock += f"{seconds % 60}{fraction}S"
        return f"{'-' if self.nanos < 0 else ''}P{f'{days}D' * bool(days)}{f'T{clock}' * bool(clock)}"


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A length of time of a number of calendar months."""

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) > MAX_DURATION_MONTHS:
            raise FeelFault("a duration too long")

    def __str__(self) -> str:
        years, months = divmod(abs(self.months), 12)
        text = f"{years}Y" * bool(years) + f"{months}M" * bool(months or not years)
        return f"{'-' if self.months < 0 else ''}P{text}"


Duration = DaysTimeDuration | YearsMonthsDuration
Temporal = Date | Time | DateTime | DaysTimeDuration | YearsMonthsDuration


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def parse_date(text: str) -> Date:
    """The date an ISO 8601 text such as `2026-04-01` stands for, else FeelFault."""
    match = _DATE_RE.fullmatch(text)
    if match is None:
        raise FeelFault(f"not a date: {text[:40]!r}")
    return Date(int(match[1]), int(match[2]), int(match[3]))


def parse_time(text: str) -> Time:
    """The time a text such as `09:00:00+09:00` stands for, else FeelFault."""
    match = _TIME_RE.fullmatch(text)
    if match is None:
        raise FeelFault(f"not a time: {text[:40]!r}")
    return _clock(match.groups())[1]


def parse_date_time(text: str) -> DateTime:
    """The date and time `2026-04-01T09:00:00@Asia/Tokyo` stands for; a date alone means its midnight."""
    if _DATE_RE.fullmatch(text):
        return DateTime(parse_date(text), Time(0, 0, 0))
    match = _DATE_TIME_RE.fullmatch(text)
    if match is None:
        raise FeelFault(f"not a date and time: {text[:60]!r}")
    days, time = _clock(match.groups()[3:])
    date = Date(int(match[1]), int(match[2]), int(match[3]))
    return DateTime(Date.from_ordinal(date.ordinal + days) if days else date, time)


def parse_duration(text: str) -> Duration:
    """The duration an ISO 8601 text stands for: of years and months, or of days and time, never both."""
    if match := _MONTHS_RE.fullmatch(text):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonthsDuration(-months if match[1] else months)
    if match := _DAYS_RE.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:5])
        fraction = int((match[6] or "").ljust(9, "0")[:9])
        nanos = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * NANOS + fraction
        return DaysTimeDuration(-nanos if match[1] else nanos)
    raise FeelFault(f"not a duration: {text[:40]!r}")


def parse_temporal(text: str) -> Temporal:
    """The value of the literal `@"…"`, else FeelFault."""
    if text.startswith(("P", "-P")):
        return parse_duration(text)
    if _DATE_RE.fullmatch(text):
        return parse_date(text)
    return parse_time(text) if _TIME_RE.fullmatch(text) else parse_date_time(text)


def python_zone(zone: Zone) -> python.tzinfo | None:
    if isinstance(zone, str):
        return ZoneInfo(zone)
    return None if zone is None else python.timezone(python.timedelta(seconds=zone))


def _clock(parts: tuple[str | None, ...]) -> tuple[int, Time]:
    """Days to carry (1 for 24:00:00, the end of a day) and the time."""
    hour, minute, second = (int(part or 0) for part in parts[:3])
    nanosecond = int((parts[3] or "").ljust(9, "0"))
    zone = _parse_zone(parts[4])
    if (hour, minute, second, nanosecond) == (24, 0, 0, 0):
        return 1, Time(0, 0, 0, 0, zone)
    return 0, Time(hour, minute, second, nanosecond, zone)


def _parse_zone(text: str | None) -> Zone:
    if text is None or text.startswith("@"):
        return text[1:] if text else None
    if text == "Z":
        return 0
    hours, minutes, *seconds = (int(part) for part in text[1:].split(":"))
    if minutes > 59 or (seconds and seconds[0] > 59):
        raise FeelFault(f"no such offset: {text}")
    total = hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)
    return -total if text[0] == "-" else total


def _zone_text(zone: Zone) -> str:
    if isinstance(zone, str):
        return f"@{zone}"
    if not zone:
        return "" if zone is None else "Z"
    size = abs(zone)
    seconds = f":{size % 60:02}" if size % 60 else ""
    return f"{'-' if zone < 0 else '+'}{size // 3600:02}:{size // 60 % 60:02}{seconds}"


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of the tz database."""
    return frozenset(available_timezones())


@lru_cache(maxsize=256)
def _standard_offset(zone: str) -> int:
    moment = python.datetime(2000, 1, 1, tzinfo=ZoneInfo(zone))
    return _seconds(moment.utcoffset()) - _seconds(moment.dst())


def _zone_offset(zone: str, local: DateTime) -> int:
    date, time = local.date, local.time
    moment = python.datetime(
        _proxy_year(date.year), date.month, date.day, time.hour, time.minute, time.second, tzinfo=ZoneInfo(zone)
    )
    return _seconds(moment.utcoffset())


def _zone_offset_at_instant(zone: str, nanos: int) -> int:
    days, rest = divmod(nanos, DAY)
    date = Date.from_ordinal(days + 1)
    seconds = rest // NANOS
    moment = python.datetime(_proxy_year(date.year), date.month, date.day, tzinfo=python.UTC)
    moment += python.timedelta(seconds=seconds)
    return _seconds(moment.astimezone(ZoneInfo(zone)).utcoffset())


def _proxy_year(year: int) -> int:
    """A year of Python's range with the same calendar and the rules of the zone's first or last years."""
    if 1 < year < 9999:
        return year
    return year % _CYCLE_YEARS + (_CYCLE_YEARS if year <= 1 else 24 * _CYCLE_YEARS - _CYCLE_YEARS)


def _seconds(delta: python.timedelta | None) -> int:
    return 0 if delta is None else round(delta.total_seconds())
