"""Evaluation ends, and nothing but typed errors comes out."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel

DOUBLING = "{a: [1, 1], " + ", ".join(f"{chr(b)}: [{chr(b - 1)}, {chr(b - 1)}]" for b in range(98, 122))


@pytest.mark.parametrize(
    "expression",
    [
        "for i in 1..10**9 return i",
        "count(for i in 1..1000, j in 1..1000, k in 1..1000 return i)",
        "some i in 1..10**30 satisfies i < 0",
        "for i in 1..100000 return for j in 1..100000 return j",
        '{a: "' + "x" * 1000 + '", b: replace(a, "x", a), c: replace(b, "x", a)}',
        '{a: "' + "x" * 40_000 + '", b: a+a+a+a+a+a, c: b+b+b+b+b}',
        'string join(for i in 1..20000 return "' + "x" * 1000 + '")',
        "{f: function(n) f(n + 1), r: f(1)}.r",
        "{f: function(x) f(f), r: f(f)}.r",
        DOUBLING + ", z: flatten(y)}",
        DOUBLING + ", z: distinct values(y)}",
        DOUBLING + ", z: y = [x, [w, w]]}",
        DOUBLING + ", z: string(y)}",
        "sort(for i in 1..100000 return modulo(i * 7919, 100003), function(a, b) a < b)",
    ],
)
def test_work_beyond_the_limits_ends_promptly(environment, expression):
    compiled = feel.parse_expression(expression)
    started = time.process_time()

    with pytest.raises(feel.FeelLimitExceeded):
        compiled.evaluate({}, environment)

    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 5000,
        "[" * 5000 + "]" * 5000,
        "-" * 5000 + "1",
        "+".join(["1"] * 5000),
        "a" + ".a" * 5000,
        "a" + "[1]" * 5000,
        "f(" * 5000,
        "if " * 5000,
        "{a:" * 5000,
        "x instance of " + "list<" * 5000,
        "function(a) " * 5000 + "1",
        "1 in " * 5000 + "1",
        "]1.." * 5000,
        "1" * 200_000,
    ],
)
def test_a_text_too_long_or_deep_is_a_syntax_error(expression):
    with pytest.raises(feel.FeelSyntaxError):
        feel.parse_expression(expression)


@pytest.mark.parametrize("expression", ["(" * 60 + "1" + ")" * 60, "+".join(["1"] * 90), "f(" * 60 + ")" * 60])
def test_a_text_within_the_limits_evaluates(environment, expression):
    feel.parse_expression(expression).evaluate({}, environment)


def test_a_catastrophic_pattern_is_linear(environment):
    expression = feel.parse_expression('matches("' + "a" * 40_000 + '!", "^(a+)+$")')
    started = time.process_time()

    assert expression.evaluate({}, environment) is False
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("expression", "line", "column", "expected"),
    [
        ("1 +", 1, 4, "a value"),
        ("if true then 1", 1, 15, "'else'"),
        ("[1,\n 2,\n ;]", 3, 2, "a name, a value or an operator"),
        ('"open', 1, 1, "a closing quotation mark"),
        ("for i in [1] i", 1, 14, "'return'"),
        ("1 2", 1, 3, "an operator or the end of the text"),
        ("", 1, 1, "a value"),
        ("a ==b", 1, 4, "a value"),
        ("x instance of 5", 1, 15, "a type"),
    ],
)
def test_a_syntax_error_says_where_and_what_was_expected(expression, line, column, expected):
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.parse_expression(expression)

    assert (caught.value.line, caught.value.column, caught.value.expected) == (line, column, expected)


def test_python_is_out_of_reach(text_of):
    for expression in ("a.__class__", '"x".upper', "__import__", "open", 'string("x").__len__', "item.mro"):
        assert text_of(expression, {"a": [1], "item": "x"}) in ("null", "[null]")


PIECES = (
    '1 2.5 -3 0 1e6000 10**99 null true false "a" "あ" @"2026-04-01" @"10:00:00Z" @"P1D" @"P1Y" '
    '@"2026-04-01T00:00:00@Asia/Tokyo" a b x item ? [ ] ( ) { } , : . .. + - * / ** = != < <= > >= and or in '
    "between if then else for some every return satisfies instance of function not( sum( min( max( sort( abs( "
    "string( number( date( time( duration( replace( matches( split( substring( sublist( concatenate( append( "
    "flatten( distinct values( range( decimal( modulo( insert before( remove( context put( get value( "
    "before( overlaps( is( day of week( years and months duration( date and time( round up( list replace( "
    'list<number> [1..3] (<5) [1,2,3] {a:1} function(x) "(a|b)*" "[a-z-[b]]" "\\\\p{L}" "$1" "i"'
).split(" ")


def _says_where(error: feel.FeelSyntaxError) -> bool:
    return error.line >= 1 and error.column >= 1 and bool(error.expected)


def _run(text: str) -> None:
    try:
        expression = feel.parse_expression(text, ["a", "b", "x"])
    except feel.FeelSyntaxError as error:
        assert _says_where(error)  # noqa: PT017 # most texts are FEEL, some are not
        return
    variables = {"a": feel.from_python([1, None, {"a": "x"}]), "b": feel.from_python({"a": 2}), "x": None}
    try:
        value = expression.evaluate(variables, feel.Environment(datetime(2026, 4, 1, tzinfo=UTC)))
        feel.to_text(value)
    except feel.FeelLimitExceeded:
        return


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_row_of_tokens_gives_a_value_or_a_typed_error(pieces):
    _run(" ".join(pieces))


ATOMS = st.sampled_from([piece for piece in PIECES if piece not in "[](){},:..." and not piece.endswith("(")])
CALLS = st.sampled_from([piece for piece in PIECES if piece.endswith("(") and piece != "("])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from("+ - * / ** = != < <= > >= and or in".split())
    return st.one_of(
        st.builds("({} {} {})".format, inner, operators, inner),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("{}.a".format, inner),
        st.builds("[{}..{})".format, inner, inner),
        st.builds("for x in {} return {}".format, inner, inner),
        st.builds("every x in {} satisfies {}".format, inner, inner),
        st.builds("if {} then {} else {}".format, inner, inner, inner),
        st.builds("{{a: {}, b: {}}}".format, inner, inner),
        st.builds(lambda call, arguments: call + ", ".join(arguments) + ")", CALLS, st.lists(inner, max_size=4)),
        st.builds("(function(x) {})({})".format, inner, inner),
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
    )


@settings(max_examples=1000, deadline=None)
@given(st.recursive(ATOMS, _grown, max_leaves=8))
def test_any_expression_gives_a_value_or_a_typed_error(text):
    _run(text)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=40))
def test_any_text_gives_a_value_or_a_typed_error(text):
    _run(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab.*+?|()[]{}^$\\-0123pPLdDwWsSiIcC \n\ud800é", max_size=12), st.text(max_size=6))
def test_any_pattern_gives_a_value_or_null(environment_of_now, pattern, text):
    variables = {"p": pattern, "t": text}
    for expression in ("matches(t, p)", 'replace(t, p, "[$1]", "i")', "split(t, p)", 'matches(t, p, "x")'):
        feel.parse_expression(expression).evaluate(variables, environment_of_now())


@pytest.fixture(scope="module")
def environment_of_now():
    return lambda: feel.Environment(datetime(2026, 4, 1, tzinfo=UTC))
