from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import feel

zones = st.sampled_from([None, 0, 9 * 3600, -12_345, "Asia/Tokyo", "Europe/Paris"])
dates = st.integers(-300_000_000_000, 300_000_000_000).map(feel.Date.from_ordinal)
times = st.builds(
    feel.Time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999_999_999), zones
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(-(10**33), 10**33).map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False).map(feel.CONTEXT.create_decimal),
    dates,
    times,
    st.builds(feel.DateTime, dates, times),
    st.integers(-(10**20), 10**20).map(feel.DaysTimeDuration),
    st.integers(-(10**9), 10**9).map(feel.YearsMonthsDuration),
)
ranges = st.builds(feel.Range, scalars, scalars, st.booleans(), st.booleans(), st.sampled_from(["", "<", "!="]))
keys = st.one_of(st.text(), st.sampled_from(["$", "v"]))
values = st.recursive(
    scalars | ranges, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


@given(values)
def test_decoding_gives_back_the_same_value_type_and_text(value):
    stored = json.dumps(feel.encode(value))

    back = feel.decode(json.loads(stored))

    assert (back, type(back), feel.to_text(back)) == (value, type(value), feel.to_text(value))
    assert repr(back) == repr(value)  # 1.0 is not 1.00


def test_what_json_knows_is_stored_as_it_is():
    value = feel.from_python({"a": [1, "x", None, True]})

    assert feel.encode(value) == {"a": [1, "x", None, True]}


def test_a_function_cannot_be_stored(environment):
    function = feel.parse_expression("function(x) x").evaluate({}, environment)

    with pytest.raises(feel.FeelFault):
        feel.encode([function])


@pytest.mark.parametrize(
    "json_value",
    [
        1.5,
        {"$": "date", "v": "2026-02-30"},
        {"$": "date", "v": 1},
        {"$": "days and time duration", "v": "P1Y"},
        {"$": "nothing", "v": "x"},
        {"$": "number", "v": "NaN"},
        {"$": "number", "v": "1", "w": 2},
        {"$": "range", "v": []},
        {"$": "range"},
        {"$": "context", "v": []},
        {1: 2},
        {"$": ["date"], "v": "x"},
        b"x",
    ],
)
def test_what_was_never_written_is_refused(json_value):
    with pytest.raises(feel.FeelFault):
        feel.decode(json_value)


def test_a_stored_form_nested_too_deep_is_refused():
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]

    with pytest.raises(feel.FeelLimitExceeded):
        feel.decode(deep)
    with pytest.raises(feel.FeelLimitExceeded):
        feel.encode(deep)  # type: ignore[arg-type] # lists of lists
