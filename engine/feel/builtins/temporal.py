"""Dates and times: parts of the calendar, now and today, identity (DMN 1.5 tables 77, 78 and 83)."""

from decimal import Decimal
from typing import Final

from engine.feel.builtins.definition import Library
from engine.feel.environment import Environment
from engine.feel.operations import equal
from engine.feel.temporal import Date, DateTime, Time
from engine.feel.values import Value

LIBRARY: Final = Library()

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@LIBRARY.declare("now", "")
def now(environment: Environment) -> Value:
    return environment.now


@LIBRARY.declare("today", "")
def today(environment: Environment) -> Value:
    return environment.now.date


@LIBRARY.declare("day of year", "date")
def day_of_year(date: Date | DateTime) -> Value:
    return Decimal(_date(date).day_of_year)


@LIBRARY.declare("day of week", "date")
def day_of_week(date: Date | DateTime) -> Value:
    return DAYS[_date(date).weekday - 1]


@LIBRARY.declare("month of year", "date")
def month_of_year(date: Date | DateTime) -> Value:
    return MONTHS[_date(date).month - 1]


@LIBRARY.declare("week of year", "date")
def week_of_year(date: Date | DateTime) -> Value:
    """The number of the week by ISO 8601."""
    return Decimal(_date(date).iso_week)


@LIBRARY.declare("is", "value1, value2")
def is_same(one: Value, two: Value) -> Value:
    """Whether the two are the same element of FEEL's domain: other zones are other values."""
    if isinstance(one, Time | DateTime):
        return one == two
    return equal(one, two) is True
