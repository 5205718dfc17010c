"""Arithmetic, comparison, logic, paths, filters, ranges (DMN 1.5 clause 10.3.2)."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("2 ** 3 ** 2", "64"),  # all binary operators associate to the left
        ("-3 ** 2", "9"),  # negation binds tighter than the exponent
        ("2 ** -1", "0.5"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0.3333333333333333333333333333333333"),
        ("2 / 3", "0.6666666666666666666666666666666667"),
        ("1 / 0", "null"),
        ("-12345678901234567890123456789012345", "-12345678901234567890123456789012340"),  # half even at 34 digits
        ('"a" + "b"', "ab"),
        ('"a" + 1', "null"),
        ("1 + null", "null"),
        ("-true", "null"),
        ("9e6144 * 10", "null"),
    ],
)
def test_arithmetic(text_of, expression, expected):
    assert text_of(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1.0 = 1", "true"),
        ('1 = "1"', "null"),
        ("1 = null", "false"),
        ("null = null", "true"),
        ("null != 1", "true"),
        ("[1, 2] = [1, 2]", "true"),
        ("[1, 2] = [2, 1]", "false"),
        ("{a: 1, b: 2} = {b: 2, a: 1}", "true"),
        ("[1..2] = [1..2]", "true"),
        ("(< 10) = (null..10)", "false"),
        ("1 < 2", "true"),
        ('"a" < "b"', "true"),
        ("1 < null", "null"),
        ("true < false", "null"),
        ("2 between 1 and 3 and true", "true"),
        ("2 between null and 3", "null"),
        ("1 in [1..3)", "true"),
        ("3 in [1..3)", "false"),
        ("1 in (< 1, >= 5)", "false"),
        ("5 in (< 1, >= 5)", "true"),
        ("2 in [1, 2]", "true"),
        ("2 in [[1..3], [5..6]]", "true"),
        ("null in [1..3]", "null"),
        ("1 in !=1", "false"),
    ],
)
def test_comparison(text_of, expression, expected):
    assert text_of(expression) == expected


VALUES = ("true", "false", "null", '"x"')


@pytest.mark.parametrize("left", VALUES)
@pytest.mark.parametrize("right", VALUES)
def test_logic_has_three_values(text_of, left, right):
    both = "false" if "false" in (left, right) else "true" if left == right == "true" else "null"
    either = "true" if "true" in (left, right) else "false" if left == right == "false" else "null"

    assert text_of(f"{left} and {right}") == both
    assert text_of(f"{left} or {right}") == either


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("{a: {b: 1}}.a.b", "1"),
        ("{a: 1}.b", "null"),
        ("[{a: 1}, {b: 2}].a", "[1, null]"),
        ("[10, 20, 30][2]", "20"),
        ("[10, 20, 30][-1]", "30"),
        ("[10, 20, 30][0]", "null"),
        ("[10, 20, 30][1.5]", "null"),
        ("[10, 20, 30][item > 10]", "[20, 30]"),
        ("[10, 20, 30][item > 10][1]", "20"),
        ("[{x: 1, y: 2}, {x: null, y: 3}][x < 2]", "[{x: 1, y: 2}]"),
        ("[{date of birth: 3}][date of birth > 2].date of birth", "[3]"),
        ("[{item: 5}][item = 5]", "[{item: 5}]"),
        ("5[1]", "5"),
        ("5[item > 6]", "[]"),
        ("null[1]", "null"),
        ("[][item > 1]", "[]"),
        ("[1, 2][true]", "[1, 2]"),
        ("(1..5].start included", "false"),
        ("[1..5].end", "5"),
        ("(>= 5).end", "null"),
    ],
)
def test_paths_and_filters(text_of, expression, expected):
    assert text_of(expression) == expected


def test_a_filter_sees_the_items_around_it(text_of):
    assert text_of("[1, 2, 3][item > limit]", {"limit": 1}) == "[2, 3]"
    assert text_of("[1, 2, 3][position]", {"position": 3}) == "3"


def test_an_ill_typed_operation_is_null_and_warns(text_of, environment):
    assert text_of('1 + "a"') == "null"

    assert environment.warnings == ["+ is not defined for number and string"]


@pytest.mark.parametrize("literal", ["[1..10[", "]1..10[", "[1..10)", "(1..10]"])
def test_an_interval_reads_the_same_at_the_end_and_before_more(text_of, literal):
    assert text_of(f"{literal} = {literal}") == "true"
    assert text_of(f"[{literal}, {literal}][1].end") == "10"
    assert text_of(f"5 in {literal} and true") == "true"
