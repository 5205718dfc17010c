"""if, for, some, every, functions, contexts, instance of (DMN 1.5 clauses 10.3.2.13 ff.)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine import feel


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("if 1 < 2 then 1 else 2", "1"),
        ("if null then 1 else 2", "2"),
        ('if "true" then 1 else 2', "2"),
        ("for i in [1, 2, 3] return i * i", "[1, 4, 9]"),
        ("for i in 1..3, j in 1..i return i * j", "[1, 2, 4, 3, 6, 9]"),
        ("for i in 3..1 return i", "[3, 2, 1]"),
        ("for i in [1..4) return i", "[1, 2, 3]"),
        ("for i in 0..4 return if i = 0 then 1 else i * partial[-1]", "[1, 1, 2, 6, 24]"),
        ('for d in @"2026-02-27"..@"2026-03-01" return string(d)', '["2026-02-27", "2026-02-28", "2026-03-01"]'),
        ("for x in null return x", "null"),
        ("for x in 1.5..3 return x", "null"),
        ("some x in [1, 2], y in [2, 3] satisfies x = y", "true"),
        ("some x in [1, 2] satisfies x > 2", "false"),
        ("some x in [1, null] satisfies x > 2", "null"),
        ("every x in [1, 2] satisfies x > 0", "true"),
        ("every x in [1, null] satisfies x > 1", "false"),
        ("every x in [] satisfies x", "true"),
        ("{a: 1, b: a + 1}", "{a: 1, b: 2}"),
        ("{a: 1, a: 2}", "null"),
        ("{f: function(x, y) x - y, r: f(5, 3)}.r", "2"),
        ("{f: function(x, y) x - y, r: f(y: 5, x: 3)}.r", "-2"),
        ("(function(x) x)(1, 2)", "null"),
        ("(function(x) x)(y: 1)", "null"),
        ('(function(x: number) x)("a")', "null"),
        ("(function(x: number) x)([1])", "1"),
        ("(function(x: list<number>) x)(1)", "[1]"),
        ('(function(x: date and time) x)(@"2026-04-01")', "2026-04-01T00:00:00Z"),
        ("{n: 1, f: function(x) x + n, g: function(n) f(n)}.g(5)", "6"),  # f sees the n where it was written
        ("1(2)", "null"),
        ("{f: function(n) if n <= 1 then 1 else n * f(n - 1)}.f(10)", "3628800"),
        ("for f in (for i in 1..3 return function() i) return f()", "[1, 2, 3]"),
    ],
)
def test_control(text_of, expression, expected):
    assert text_of(expression) == expected


@pytest.mark.parametrize(
    ("value", "type_", "expected"),
    [
        ("null", "Any", "false"),
        ("1", "Any", "true"),
        ("1", "number", "true"),
        ("1", "string", "false"),
        ('@"P1D"', "days and time duration", "true"),
        ('@"P1D"', "years and months duration", "false"),
        ('@"2026-04-01T00:00:00"', "date and time", "true"),
        ("[1, null]", "list<number>", "true"),
        ('[1, "a"]', "list<number>", "false"),
        ("[1..2]", "range<number>", "true"),
        ('["a".."b"]', "range<number>", "false"),
        ('{a: "x", b: 1}', "context<a: string>", "true"),
        ("{a: 1}", "context<a: string>", "false"),
        ("{a: null}", "context<a: string>", "true"),
        ("{b: {c: 1}}", "context<b: context<c: number>>", "true"),
        ("abs", "function<number> -> Any", "true"),
        ('(function(a: string) "x")', "function<string> -> string", "true"),
        ('(function(a: string) "x")', "function<number> -> string", "false"),
        ('(function(a: string) "x")', "function<> -> Any", "false"),
    ],
)
def test_instance_of(text_of, value, type_, expected):
    assert text_of(f"{value} instance of {type_}") == expected


def test_types_of_the_host_are_predicates(environment):
    types = {"t Grade": lambda value, environment: value in ("A", "B")}

    def holds(text: str) -> feel.Value:
        return feel.parse_expression(text, (), types).evaluate({}, environment)

    assert holds('"A" instance of t Grade') is True
    assert holds('["A", "C"] instance of list<t Grade>') is False
    assert holds('(function(g: t Grade) g)("C")') is None


def test_an_expression_may_be_evaluated_by_many_environments_at_once():
    expression = feel.parse_expression("for i in 1..3 return i + n")
    first, second = (feel.Environment(datetime(2026, 4, 1, tzinfo=UTC)) for _ in range(2))

    results = [expression.evaluate({"n": feel.from_python(n)}, env) for n, env in ((1, first), (2, second))]

    assert [feel.to_text(result) for result in results] == ["[2, 3, 4]", "[3, 4, 5]"]
