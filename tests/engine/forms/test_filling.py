"""What a page is told to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from engine import feel, forms

Make = Callable[..., forms.Form]


@pytest.fixture
def show(environment: feel.Environment) -> Callable[..., dict[str, forms.FieldView]]:
    """The views by path, those in groups and rows included."""

    def show(form: forms.Form, values: dict[str, object], **variables: Any) -> dict[str, forms.FieldView]:
        visible = {name: feel.from_python(value) for name, value in variables.items()}
        view = forms.fill(form, values, visible, environment)
        return {each.path or each.field.id: each for each in walk(view.fields)}

    return show


def walk(views: tuple[forms.FieldView, ...]) -> Iterator[forms.FieldView]:
    for view in views:
        yield view
        yield from walk(view.fields)
        for row in view.rows:
            yield from walk(row)


Show = Callable[..., dict[str, forms.FieldView]]


def test_a_field_shows_its_value_or_default_and_whether_it_is_needed(make_form: Make, show: Show) -> None:
    form = make_form(
        {"type": "number", "key": "count", "defaultValue": 0, "validate": {"required": True}},
        {"type": "checkbox", "key": "urgent"},
        {"type": "textfield", "key": "why", "validate": {"required": "=urgent"}},
    )

    calm, urgent = show(form, {}), show(form, {"urgent": "on", "count": Decimal(4)})

    assert [(each.value, each.required) for each in calm.values()] == [
        (Decimal(0), True),
        (False, False),
        (None, False),
    ]
    assert [(each.value, each.required) for each in urgent.values()] == [
        (Decimal(4), True),
        (True, False),
        (None, True),
    ]


def test_a_hidden_field_keeps_what_was_entered_but_is_not_shown_or_needed(make_form: Make, show: Show) -> None:
    form = make_form(
        {"type": "textfield", "key": "a", "validate": {"required": True}, "conditional": {"hide": '=channel = "sns"'}}
    )

    hidden = show(form, {"a": "x"}, channel="sns")["a"]

    assert (hidden.visible, hidden.required, hidden.value) == (False, False, "x")
    assert show(form, {"a": "x"}, channel="phone")["a"].visible


def test_groups_and_notes_stand_where_the_file_has_them(make_form: Make, show: Show) -> None:
    form = make_form(
        {"type": "text", "text": "はじめに"},
        {
            "type": "group",
            "conditional": {"hide": "=quiet"},
            "components": [{"type": "text", "text": "中"}, {"type": "textfield", "key": "a"}],
        },
    )

    loud, quiet = show(form, {}, quiet=False), show(form, {}, quiet=True)

    assert [each.field.kind for each in loud.values()] == ["note", "group", "note", "text"]
    assert [each.visible for each in loud.values()] == [True] * 4
    assert [each.visible for each in quiet.values()] == [True, False, False, False]


def test_computed_options_are_shown(make_form: Make, show: Show) -> None:
    form = make_form({"type": "select", "key": "a", "valuesExpression": "=people"})

    people = [{"label": "上長 一", "value": "supervisor1", "groups": []}, {"label": "名前だけ"}, "no option"]

    assert show(form, {}, people=people)["a"].options == (forms.Option("上長 一", "supervisor1"),)
    assert show(form, {})["a"].options == ()


def test_what_could_not_be_read_is_shown_as_it_was_typed(make_form: Make, show: Show) -> None:
    form = make_form(
        {"type": "number", "key": "a"},
        {"type": "dynamiclist", "path": "rows", "components": [{"type": "number", "key": "cell"}]},
    )

    views = show(form, {"a": "三つ", "rows": [{"cell": "4"}, {"cell": "many"}]})

    assert views["a"].value == "三つ"
    assert [views[f"rows[{i}].cell"].value for i in (0, 1)] == [Decimal(4), "many"]


def test_an_emptied_field_stays_empty(make_form: Make, show: Show) -> None:
    form = make_form({"type": "number", "key": "a", "defaultValue": 3})

    assert show(form, {"a": ""})["a"].value is None
    assert show(form, {"a": None})["a"].value == Decimal(3)


def test_a_list_shows_its_rows_and_one_empty_row_more(make_form: Make, show: Show) -> None:
    form = make_form(
        {
            "type": "dynamiclist",
            "path": "rows",
            "components": [
                {"type": "datetime", "subtype": "date", "key": "day", "dateLabel": "日"},
                {
                    "type": "textfield",
                    "key": "why",
                    "conditional": {"hide": "=day = null"},
                    "validate": {"required": True},
                },
            ],
        }
    )

    rows = show(form, {"rows": [{"day": "2026-11-24"}]})["rows"]

    assert [each.path for each in rows.rows[0]] == ["rows[0].day", "rows[0].why"]
    assert [each.visible for each in rows.rows[0]] == [True, True]
    assert rows.rows[0][0].value == feel.from_python(date(2026, 11, 24))
    assert [each.path for each in rows.blank] == ["rows[1].day", "rows[1].why"]
    assert [each.visible for each in rows.blank] == [True, False]


def test_values_of_other_forms_are_left_aside(make_form: Make, show: Show) -> None:
    assert list(show(make_form({"type": "textfield", "key": "a"}), {"a": "x", "channel": "phone"})) == ["a"]
