"""A column's index gives the rules that its entries give one by one, and is used where it can be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from engine import feel
from engine.dmn.conditions import Conditions
from engine.feel import Environment, Value

NUMBERS = ("-2.5", "0", "1", "1.0", "2", "3.14", "100", "9007199254740993", "1e40")
STRINGS = ('""', '"a"', '"b"', '"1"', '"true"')
number = st.sampled_from(NUMBERS)
plain = st.one_of(
    number,
    st.sampled_from(STRINGS),
    st.sampled_from(("true", "false", "null")),
    st.builds("{} {}".format, st.sampled_from(("<", "<=", ">", ">=")), st.one_of(number, st.sampled_from(STRINGS))),
    st.builds("{}{}..{}{}".format, st.sampled_from("[("), number, number, st.sampled_from("])")),
    st.sampled_from(('date("2026-11-24")', "[1, 2]", '["a", "b"]', "? > 1", "limit", "> limit", "1 + 1")),
)
tests = st.lists(plain, min_size=1, max_size=3).map(", ".join)
entry = st.one_of(st.just("-"), tests, tests.map("not({})".format))
values = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([Decimal(text) for text in NUMBERS]),
    st.decimals(-5, 150, places=2),
    st.sampled_from(["", "a", "b", "c", "1", "true", "aab1true-"]),
    st.lists(st.sampled_from(["a", Decimal(1)])),
    st.just(feel.Date(2026, 11, 24)),
)
SCOPE = {"limit": Decimal(2)}


@given(st.lists(entry, min_size=1, max_size=8), values)
@example(["< 1", "1", "> 1", "not(1)", "-"], Decimal("1.00"))
@example(['not("a", "b")', '"a"', "not(1)"], "a")
@example(['"a"', 'not("a")', "not(1)"], "c")
def test_the_rules_are_those_whose_entry_the_value_passes(column: list[str], value: Value) -> None:
    entries = [None if text == "-" else feel.parse_unary_tests(text, SCOPE) for text in column]
    environment = Environment(datetime(2026, 11, 24, tzinfo=UTC))
    alone = [each is None or each.evaluate(value, SCOPE, environment) for each in entries]
    all_rules = (1 << len(entries)) - 1

    passed = Conditions.of(entries).passed(value, all_rules, SCOPE, environment)

    assert [bool(passed >> place & 1) for place in range(len(entries))] == alone


def test_only_what_cannot_be_tried_beforehand_is_left_to_evaluate() -> None:
    column = ["< 3", "[3..5)", "not(1, 2)", '"a", "b"', "true", '< "m"', "> limit", "null"]
    entries = [feel.parse_unary_tests(text, SCOPE) for text in column]

    conditions = Conditions.of(entries)

    assert [tests.text for tests, _ in conditions.others] == ['< "m"', "> limit", "null"]
    assert set(conditions.indexes) == {Decimal, str, bool}


def test_numbers_without_room_between_them_are_compared_one_by_one() -> None:
    close = Decimal("1.000000000000000000000000000000001")
    entries = [feel.parse_unary_tests("> 1"), feel.parse_unary_tests(f">= {close}")]
    environment = Environment(datetime(2026, 11, 24, tzinfo=UTC))

    conditions = Conditions.of(entries)

    assert Decimal not in conditions.indexes
    assert conditions.passed(close, 3, {}, environment) == 3
    assert conditions.passed(Decimal(1), 3, {}, environment) == 0
