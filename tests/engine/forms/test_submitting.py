"""What a form takes, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import feel, forms

Make = Callable[..., forms.Form]
Take = Callable[..., dict[str, Any]]
Refuse = Callable[..., Mapping[str, str]]

JST = timezone(timedelta(hours=9))
YES_NO = [{"label": "はい", "value": "yes"}, {"label": "いいえ", "value": "no"}]


def field(type_: str, key: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": type_, "key": key, "label": "項目", **more}


@pytest.mark.parametrize(
    ("component", "entered", "expected"),
    [
        (field("textfield"), "  山田 ", "山田"),
        (field("textfield"), "", None),
        (field("textfield"), 12345, "12345"),
        (field("textarea"), "一行目\r\n二行目\r\n", "一行目\n二行目"),
        (field("number"), "\uff13", Decimal(3)),
        (field("number"), "30", Decimal(30)),
        (field("number"), "-1.50", Decimal("-1.50")),
        (field("number", decimalDigits=0), 3, Decimal(3)),
        (field("number", decimalDigits=0), "3.0", Decimal(3)),
        (field("number"), Decimal("1E+3"), Decimal(1000)),
        (
            field("number", decimalDigits=15),
            "123456789012345.123456789012345",
            Decimal("123456789012345.123456789012345"),
        ),
        (field("number"), 1.5, Decimal("1.5")),
        (field("number"), None, None),
        (field("checkbox"), "on", True),
        (field("checkbox"), "true", True),
        (field("checkbox"), False, False),
        (field("checkbox"), None, False),
        (field("radio", values=YES_NO), "yes", "yes"),
        (field("checklist", values=YES_NO), ["no", "yes", "no"], ["no", "yes"]),
        (field("checklist", values=YES_NO), "no", ["no"]),
        (field("checklist", values=YES_NO), [], []),
    ],
)
def test_an_entry_becomes_the_value_of_its_type(
    make_form: Make, take: Take, component: dict[str, Any], entered: object, expected: object
) -> None:
    value = take(make_form(component), {"a": entered})["a"]

    assert value == expected
    assert type(value) is type(expected)


TEN = datetime(2026, 11, 24, 10, 0, tzinfo=JST)


@pytest.mark.parametrize(
    "entered",
    [
        "2026-11-24T10:00",
        "2026-11-24 10:00:00",
        "2026-11-24T10:00:00+09:00",
        "2026-11-24T01:00:00Z",
        datetime(2026, 11, 24, 10, 0),  # noqa: DTZ001 - a moment without zone is the case under test
        datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
        feel.from_python(TEN),
    ],
)
def test_a_date_and_time_without_offset_is_in_japan(make_form: Make, take: Take, entered: object) -> None:
    form = make_form(field("datetime", subtype="datetime"))

    moment = take(form, {"a": entered})["a"]

    assert isinstance(moment, feel.DateTime)
    assert moment.to_python() == TEN


@pytest.mark.parametrize(
    "entered",
    ["2026-11-24", date(2026, 11, 24), feel.from_python(date(2026, 11, 24)), "2026-11-23T15:30:00Z"],
)
def test_a_date_is_the_day_in_japan(make_form: Make, take: Take, entered: object) -> None:
    form = make_form(field("datetime", subtype="date"))

    assert take(form, {"a": entered})["a"] == feel.from_python(date(2026, 11, 24))


def test_a_time_is_taken(make_form: Make, take: Take) -> None:
    form = make_form(field("datetime", subtype="time"))

    assert str(take(form, {"a": "09:30"})["a"]) == "09:30:00"


@pytest.mark.parametrize(
    ("component", "entered"),
    [
        (field("textfield"), ["山田"]),
        (field("textfield"), True),
        (field("textfield"), "a\x00b"),
        (field("textfield"), "\ud800"),
        (field("number"), "三十"),
        (field("number"), "1e9"),
        (field("number"), "9" * 40),
        (field("number"), True),
        pytest.param(field("number"), 10**5000, id="thousands of digits"),
        (field("number"), float("nan")),
        (field("number"), Decimal("Infinity")),
        (field("number", decimalDigits=0), "2.5"),
        (field("number", decimalDigits=2), "2.555"),
        (field("checkbox"), "perhaps"),
        (field("checkbox"), 1),
        (field("radio", values=YES_NO), "maybe"),
        (field("radio", values=YES_NO), True),
        (field("checklist", values=YES_NO), ["yes", "maybe"]),
        (field("checklist", values=YES_NO), {"yes": True}),
        (field("checklist", values=YES_NO), [["yes"]]),
        (field("datetime", subtype="date"), "2026-02-30"),
        (field("datetime", subtype="date"), "24/11/2026"),
        (field("datetime", subtype="date"), 20261124),
        (field("datetime", subtype="date"), "9999-12-31T23:00:00-12:00"),
        ({"type": "dynamiclist", "path": "a", "label": "項目", "components": []}, "text"),
        ({"type": "dynamiclist", "path": "a", "label": "項目", "components": []}, [["text"]]),
        (field("datetime", subtype="datetime"), "2026-11-24"),
        (field("datetime", subtype="datetime"), "2026-11-24T25:00"),
        (field("datetime", subtype="time"), "noon"),
        (field("number", validate={"min": 1}), 0),
        (field("number", validate={"max": 4}), 5),
        (field("number", validate={"max": "=limit"}), 31),
        (field("textfield", validate={"minLength": 3}), "ab"),
        (field("textfield", validate={"maxLength": 3}), "abcd"),
        (field("textfield", validate={"maxLength": 1}), "𠮷"),
        (field("textfield", validate={"pattern": "^[0-9]{4}-[0-9]{4,}$"}), "26-1"),
    ],
)
def test_an_entry_that_does_not_fit_is_told_in_japanese_by_its_label(
    make_form: Make, refuse: Refuse, component: dict[str, Any], entered: object
) -> None:
    errors = refuse(make_form(component), {"a": entered}, limit=30)

    assert list(errors) == ["a"]
    assert errors["a"].startswith("「項目」")
    assert errors["a"].endswith("。")


@pytest.mark.parametrize(
    ("component", "sentence"),
    [
        (field("textfield"), "「項目」を入れてください。"),
        (field("number"), "「項目」を入れてください。"),
        (field("radio", values=YES_NO), "「項目」を選んでください。"),
        (field("checklist", values=YES_NO), "「項目」を選んでください。"),
        (field("checkbox"), "「項目」を確かめて、印を付けてください。"),
        ({"type": "dynamiclist", "path": "a", "label": "項目", "components": []}, "「項目」を1件以上入れてください。"),
    ],
)
def test_what_is_required_is_asked_for(
    make_form: Make, refuse: Refuse, component: dict[str, Any], sentence: str
) -> None:
    form = make_form({**component, "validate": {"required": True}})

    assert refuse(form, {}) == {"a": sentence}


def test_zero_is_an_answer_to_a_required_number(make_form: Make, take: Take) -> None:
    form = make_form(field("number", validate={"required": True}))

    assert take(form, {"a": "0"}) == {"a": Decimal(0)}


def test_required_may_depend_on_another_answer(make_form: Make, take: Take, refuse: Refuse) -> None:
    form = make_form(field("checkbox", "b"), field("textfield", validate={"required": "=b"}))

    assert take(form, {"b": False}) == {"b": False, "a": None}
    assert list(refuse(form, {"b": True})) == ["a"]


def test_a_name_that_the_form_does_not_have_is_an_error(make_form: Make, refuse: Refuse) -> None:
    form = make_form(
        field("textfield"), {"type": "dynamiclist", "path": "rows", "components": [field("textfield", "cell")]}
    )

    errors = refuse(form, {"secret": "x", "rows": [{"cell": "y"}, {"other": "z"}]})

    assert list(errors) == ["secret", "rows[1].other"]


def test_a_hidden_field_is_dropped_with_whatever_was_entered(make_form: Make, take: Take) -> None:
    form = make_form(
        field("radio", "b", values=YES_NO),
        field("number", validate={"required": True, "min": 1}, conditional={"hide": '=b != "yes"'}),
    )

    assert take(form, {"b": "no", "a": "not a number"}) == {"b": "no"}
    assert take(form, {"b": "yes", "a": "2"}) == {"b": "yes", "a": Decimal(2)}


def test_hiding_goes_on_until_nothing_changes_whatever_the_order_of_the_fields(make_form: Make, take: Take) -> None:
    form = make_form(
        field("textfield", "third", conditional={"hide": "=second = null"}),
        field("textfield", "second", conditional={"hide": '=first != "yes"'}),
        field("textfield", "fourth", conditional={"hide": "=third != null"}),
        field("textfield", "first"),
    )
    entered = {"second": "2", "third": "3", "fourth": "4"}

    assert take(form, {**entered, "first": "no"}) == {"fourth": "4", "first": "no"}
    assert take(form, {**entered, "first": "yes"}) == {"third": "3", "second": "2", "first": "yes"}


def test_a_hidden_group_hides_what_stands_in_it(make_form: Make, take: Take) -> None:
    form = make_form(
        {
            "type": "group",
            "conditional": {"hide": "=quiet"},
            "components": [field("textfield", validate={"required": True})],
        },
        field("textfield", "b", conditional={"hide": "=a != null"}),
    )

    assert take(form, {"a": "x", "b": "y"}, quiet=True) == {"b": "y"}
    assert take(form, {"a": "x", "b": "y"}, quiet=False) == {"a": "x"}


def test_a_condition_reads_the_variables_of_the_task_but_own_fields_win(make_form: Make, take: Take) -> None:
    form = make_form(
        field("textfield", "own"),
        field("textfield", "a", conditional={"hide": '=channel != "phone"'}),
        field("textfield", "b", conditional={"hide": "=own = null"}),
    )

    assert take(form, {"a": "x", "b": "y"}, channel="phone", own="a variable") == {"own": None, "a": "x"}


def test_a_condition_that_finds_no_answer_hides_nothing(make_form: Make, take: Take) -> None:
    form = make_form(field("textfield", conditional={"hide": "=nobody > 3"}))

    assert take(form, {"a": "x"}) == {"a": "x"}


def test_submitted_values_stand_over_the_prefill_and_that_over_the_default(make_form: Make, take: Take) -> None:
    form = make_form(field("number", defaultValue=1))

    assert take(form, {}) == {"a": Decimal(1)}
    assert take(form, {}, prefill={"a": None}) == {"a": Decimal(1)}
    assert take(form, {}, prefill={"a": 2}) == {"a": Decimal(2)}
    assert take(form, {"a": "3"}, prefill={"a": 2}) == {"a": Decimal(3)}
    assert take(form, {"a": ""}, prefill={"a": 2}) == {"a": None}


def test_a_prefill_for_another_form_is_left_aside(make_form: Make, take: Take) -> None:
    assert take(make_form(field("textfield")), {"a": "x"}, prefill={"channel": "phone"}) == {"a": "x"}


def test_a_read_only_field_keeps_its_prefill(make_form: Make, take: Take) -> None:
    form = make_form(field("textfield", readonly=True))

    assert take(form, {"a": "mine"}, prefill={"a": "given"}) == {"a": "given"}


def test_a_check_must_hold_while_its_field_is_visible(make_form: Make, take: Take, refuse: Refuse) -> None:
    form = make_form(
        field("checkbox", "b"),
        field(
            "textfield",
            conditional={"hide": "=b"},
            properties={"check": "=a != other", "checkMessage": "別の人にしてください。"},
        ),
    )

    assert refuse(form, {"a": "x"}, other="x") == {"a": "別の人にしてください。"}
    assert take(form, {"a": "x"}, other="y")["a"] == "x"
    assert take(form, {"a": "x", "b": True}, other="x") == {"b": True}


def test_a_check_that_finds_no_answer_does_not_hold(make_form: Make, refuse: Refuse) -> None:
    form = make_form(field("number", properties={"check": "=a > limit", "checkMessage": "多くしてください。"}))

    assert refuse(form, {"a": 1}) == {"a": "多くしてください。"}


def test_the_sentence_of_a_check_can_depend_on_the_values(make_form: Make, refuse: Refuse) -> None:
    message = '=if a = "x" then "xは使えません。" else "yも使えません。"'
    form = make_form(field("textfield", properties={"check": "=false", "checkMessage": message}))

    assert refuse(form, {"a": "x"}) == {"a": "xは使えません。"}
    assert refuse(form, {"a": "y"}) == {"a": "yも使えません。"}


def test_options_can_come_from_the_variables(make_form: Make, take: Take, refuse: Refuse) -> None:
    form = make_form(field("select", valuesExpression='=people[list contains(item.groups, "supervisor")]'))

    assert take(form, {"a": "supervisor2"}) == {"a": "supervisor2"}
    assert list(refuse(form, {"a": "handler1"})) == ["a"]


ROWS = {
    "type": "dynamiclist",
    "path": "rows",
    "label": "一覧",
    "components": [
        field("textfield", "name", validate={"required": True}),
        field("datetime", "from", subtype="date"),
        field("datetime", "until", subtype="date", properties={"default": '=from + duration("P30D")'}),
        field(
            "checkbox",
            "checked",
            properties={"check": "=if level >= 3 then checked else true", "checkMessage": "確認が要ります。"},
        ),
        field("number", "extra", validate={"required": True}, conditional={"hide": "=not(checked) or quiet"}),
    ],
}


def test_the_rows_of_a_list_have_conditions_defaults_and_errors_of_their_own(
    make_form: Make, take: Take, refuse: Refuse
) -> None:
    form = make_form(ROWS, field("checkbox", "quiet"))
    rows = [{"name": "一", "from": "2026-11-24"}, {"name": "二", "checked": "on", "extra": "2"}]

    taken = take(form, {"rows": rows}, level=2)["rows"]
    errors = refuse(form, {"rows": [*rows, {"from": "x"}]}, level=3)

    day, month_later = feel.from_python(date(2026, 11, 24)), feel.from_python(date(2026, 12, 24))
    assert taken == [
        {"name": "一", "from": day, "until": month_later, "checked": False},
        {"name": "二", "from": None, "until": None, "checked": True, "extra": Decimal(2)},
    ]
    assert list(errors) == ["rows[0].checked", "rows[2].name", "rows[2].from", "rows[2].checked"]


def test_a_field_outside_a_list_hides_columns_in_it(make_form: Make, take: Take) -> None:
    form = make_form(ROWS, field("checkbox", "quiet"))

    taken = take(form, {"rows": [{"name": "一", "checked": True}], "quiet": True}, level=1)

    assert "extra" not in taken["rows"][0]


def test_more_rows_than_the_limit_are_refused(make_form: Make, refuse: Refuse) -> None:
    assert refuse(make_form(ROWS), {"rows": [{}] * 201}) == {"rows": "「一覧」は200件までにしてください。"}


def test_an_expression_that_never_ends_is_a_fault_of_the_form(make_form: Make, take: Take) -> None:
    form = make_form(field("textfield", conditional={"hide": "=count(for i in 1..10**9 return i) = 0"}))

    with pytest.raises(forms.FormFault):
        take(form, {"a": "x"})


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "from", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "f", "rows", "?"]), JSON_LIKE))
def test_whatever_is_submitted_is_taken_or_rejected(make_form: Make, submitted: dict[str, object]) -> None:
    form = make_form(
        field("textfield"),
        field("number", "b"),
        field("checkbox", "c"),
        field("datetime", "d", subtype="datetime"),
        field("checklist", "e", values=YES_NO),
        field("select", "f", values=YES_NO),
        ROWS,
    )
    environment = feel.Environment(TEN)
    errors: Mapping[str, str] = {}
    taken: dict[str, feel.Value] = {}

    try:
        taken = forms.submit(form, submitted, prefill={}, variables={}, environment=environment).values
    except forms.SubmissionRejected as rejected:
        errors = rejected.errors

    assert bool(errors) != bool(taken)
    assert feel.decode(feel.encode(taken)) == taken
