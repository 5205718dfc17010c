"""What the host gives: time, functions, and what it gets back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from engine import feel

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))


def _add_days(start_date: feel.Date, number_of_days: Decimal = Decimal(1)) -> feel.Date:
    if number_of_days < 0:
        raise feel.FeelFault("only forwards")
    return feel.Date.from_ordinal(start_date.ordinal + int(number_of_days))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('add days(@"2026-04-01", 2)', "2026-04-03"),
        ('add days(@"2026-04-01")', "2026-04-02"),
        ('add days(start date: @"2026-04-01", number of days: 3)', "2026-04-04"),
        ('add days(@"2026-04-01", -1)', "null"),
        ("add days()", "null"),
        ('add days(day: @"2026-04-01")', "null"),
    ],
)
def test_a_host_function_is_called_by_position_or_by_name(call, expected):
    environment = feel.Environment(NOW, {"add days": _add_days})

    value = feel.parse_expression(call).evaluate({}, environment)

    assert feel.to_text(value) == expected
    assert bool(environment.warnings) is (expected == "null")


def test_a_variable_hides_a_host_function_which_hides_a_built_in():
    environment = feel.Environment(NOW, {"abs": lambda n: "mine"})

    assert feel.parse_expression("abs(1)").evaluate({}, environment) == "mine"
    assert feel.parse_expression("abs").evaluate({"abs": "variable"}, environment) == "variable"


def test_what_a_host_function_returns_becomes_a_feel_value():
    environment = feel.Environment(NOW, {"pair": lambda: (1, 2.5)})

    assert feel.to_text(feel.parse_expression("pair()").evaluate({}, environment)) == "[1, 2.5]"


def test_a_function_of_the_host_can_be_called_from_both_sides(environment):
    twice = feel.Function(("value",), lambda arguments, environment: [*arguments, *arguments], "twice")

    assert twice.invoke(["a"], environment) == ["a", "a"]
    assert twice.invoke_named({"value": "b"}, environment) == ["b", "b"]
    assert twice.invoke([], environment) is None
    assert feel.parse_expression('twice(value: "c")').evaluate({"twice": twice}, environment) == ["c", "c"]


def test_the_time_needs_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        feel.Environment(datetime(2026, 4, 1))  # noqa: DTZ001 # the point of the test


def test_warnings_are_bounded(environment):
    feel.parse_expression("for i in 1..1000 return i + null").evaluate({}, environment)

    assert len(environment.warnings) == 100
