"""Literals, names and what Python values become (DMN 1.5 clauses 10.3.1 and 10.3.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from engine import feel


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("null", "null"),
        ("true", "true"),
        ("12.50", "12.50"),
        (".5", "0.5"),
        ("1.23e3", "1230"),
        ("-0", "0"),
        (r'"a\"b\\c\n"', 'a"b\\c\n'),
        (r'"\u3042\U01F40E"', "あ🐎"),
        (r'"\ud83d\udc0e"', "🐎"),
        (r'"\d"', r"\d"),
        ("// one\n1 /* two */ + 1", "2"),
        ('@"2026-04-01"', "2026-04-01"),
        ('@"no date"', "null"),
        ('[1, "a", [null]]', '[1, "a", [null]]'),
        ('{a: 1, "b c": "x"}', '{a: 1, b c: "x"}'),
        ("]1..3]", "(1..3]"),
        ("[1..3[", "[1..3)"),
        ("(< 3)", "(< 3)"),
    ],
)
def test_a_literal_is_its_value(text_of, expression, expected):
    assert text_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "variables", "expected"),
    [
        ("被害者の人数 + 1", {"被害者の人数": 2}, "3"),
        ("full name", {"full name": "Aoi"}, "Aoi"),
        ("full   name", {"full name": "Aoi"}, "Aoi"),
        ("order and return", {"order and return": 1}, "1"),
        ("a-b", {"a-b": 1, "a": 5, "b": 3}, "1"),
        ("a - b", {"a-b": 1, "a": 5, "b": 3}, "2"),
        ("Person's age", {"Person's age": 40}, "40"),
        ("step 2.1 done", {"step 2.1 done": True}, "true"),
        ("カテゴリ（大）", {"カテゴリ（大）": "x"}, "x"),
        ("case.time limit", {"case": {"time limit": 3}}, "3"),
        ("{first name: 1, b: first name + 1}.b", {}, "2"),
        ("date", {"date": 7}, "7"),
        ('date and time("2026-04-01T00:00:00").year', {}, "2026"),
        ("nobody knows", {}, "null"),
    ],
)
def test_a_name_may_hold_spaces_symbols_keywords_and_japanese(text_of, expression, variables, expected):
    assert text_of(expression, variables) == expected


def test_free_names_are_those_read_from_outside():
    expression = feel.parse_expression(
        "if a.b > 1 then sum(for x in xs return x + y z) else {k: 1, m: k}.m", ["y z", "unused"]
    )

    assert expression.names == {"a", "xs", "y z"}


def test_free_names_of_unary_tests_leave_out_the_input():
    assert feel.parse_unary_tests("> limit, contains(?, word)").names == {"limit", "word"}


def test_members_seen_by_a_filter_are_not_free_but_known_names_are():
    assert feel.parse_expression("people[age > minimum]", ["people", "minimum"]).names == {"people", "minimum"}


@pytest.mark.parametrize(
    ("python", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.50"),
        ([1, ("a", None)], '[1, ["a", null]]'),
        ({2, 1}, "[1, 2]"),
        ({"a": {"b": 1}}, "{a: {b: 1}}"),
        (date(2026, 4, 1), "2026-04-01"),
        (time(9, 30, 0, 250_000), "09:30:00.25"),
        (datetime(2026, 4, 1, 9, tzinfo=UTC), "2026-04-01T09:00:00Z"),
        (datetime(2026, 4, 1, 9, tzinfo=ZoneInfo("Asia/Tokyo")), "2026-04-01T09:00:00@Asia/Tokyo"),
        (timedelta(days=1, hours=2), "P1DT2H"),
        (timedelta(seconds=-1), "-PT1S"),
    ],
)
def test_a_python_value_becomes_the_feel_value(python, expected):
    assert feel.to_text(feel.from_python(python)) == expected


@pytest.mark.parametrize("python", [object(), {1: 2}, float("nan"), Decimal("Infinity"), b"bytes"])
def test_a_python_value_that_feel_lacks_is_refused(python):
    with pytest.raises(feel.FeelFault):
        feel.from_python(python)


def test_an_integer_beyond_decimal128_is_refused():
    with pytest.raises(feel.FeelFault):
        feel.from_python(10**7000)


def test_temporal_values_go_back_to_python_where_they_fit():
    moment = datetime(2026, 4, 1, 9, 30, 15, 250, tzinfo=ZoneInfo("Asia/Tokyo"))

    assert feel.from_python(moment).to_python() == moment
    assert feel.parse_duration("-PT1H30M").to_python() == timedelta(hours=-1, minutes=-30)
    with pytest.raises(feel.FeelFault):
        feel.parse_date("-0001-01-01").to_python()
