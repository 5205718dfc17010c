"""Cells of decision tables (DMN 1.5 clause 10.3.1.2 rules 12-17)."""

from __future__ import annotations

import pytest

from engine import feel


@pytest.mark.parametrize(
    ("tests", "value", "expected"),
    [
        ("-", 1, True),
        ("-", None, True),
        ("1", 1, True),
        ("1, 2", 2, True),
        ("1, 2", 3, False),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ("not(> 5)", None, False),
        ("< 5", 4, True),
        ("< 5", None, False),
        ("!= 5", 4, True),
        ("[1..5]", 5, True),
        ("]1..5[", 5, False),
        ("[1..5], > 10", 11, True),
        ('"a","b"', "b", True),
        ("? > 3 and ? < 6", 5, True),
        ('contains(?, "x")', "axb", True),
        ('starts with(?, "x")', "axb", False),
        ('list contains(?, "x")', None, False),
        ("limit", 7, True),
        ("> limit", 8, True),
        ("allowed", 2, True),
        ("allowed", 9, False),
        ("limit > 5", "anything", True),
        ("true", False, False),
        ("false", False, True),
        ("null", None, True),
        ("null", 1, False),
        ('date("2026-04-01")', "2026-04-01", False),
        ("not(true)", False, True),
        ("not(limit > 5)", 3, False),
        ("not([5..10))", 5, False),
        ("not([5..10))", 10, True),
        ("not((5..10], 12)", 12, False),
    ],
)
def test_a_value_passes(environment, tests, value, expected):
    variables = {"limit": feel.from_python(7), "allowed": feel.from_python([1, 2, 3])}

    passed = feel.parse_unary_tests(tests, variables).evaluate(feel.from_python(value), variables, environment)

    assert passed is expected


@pytest.mark.parametrize("text", ["", ",", "1,", "not(1", "- 1 -", "1 2"])
def test_a_cell_that_is_no_unary_test_is_refused(text):
    with pytest.raises(feel.FeelSyntaxError):
        feel.parse_unary_tests(text)
