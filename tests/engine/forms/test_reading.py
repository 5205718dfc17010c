"""A form file is read whole or refused with every reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from engine import forms

Make = Callable[..., forms.Form]


def findings(source: bytes) -> list[tuple[str, str]]:
    with pytest.raises(forms.FormInvalid) as invalid:
        forms.read(source)
    return [(finding.component_id, finding.message) for finding in invalid.value.findings]


def form_source(*components: Any, **root: Any) -> bytes:
    return json.dumps({"type": "default", "id": "sample", "components": list(components), **root}).encode()


def text(**more: Any) -> dict[str, Any]:
    return {"id": "Field_1", "type": "textfield", "key": "a", "label": "A", **more}


@pytest.mark.parametrize(
    ("component", "kind"),
    [
        ({"type": "textfield"}, "text"),
        ({"type": "textarea"}, "textarea"),
        ({"type": "number"}, "number"),
        ({"type": "checkbox"}, "bool"),
        ({"type": "radio", "values": [{"label": "L", "value": "v"}]}, "enum"),
        ({"type": "select", "valuesExpression": "=people"}, "enum"),
        ({"type": "checklist", "values": [{"label": "L", "value": "v"}]}, "multi"),
        ({"type": "taglist", "valuesExpression": "=people"}, "multi"),
        ({"type": "datetime", "subtype": "date", "dateLabel": "日"}, "date"),
        ({"type": "datetime", "subtype": "time", "timeLabel": "時"}, "time"),
        ({"type": "datetime", "subtype": "datetime", "dateLabel": "日"}, "datetime"),
    ],
)
def test_every_component_type_has_its_kind(make_form: Make, component: dict[str, Any], kind: str) -> None:
    form = make_form({"key": "a", **component})

    assert [(field.key, field.kind, field.component) for field in form.fields] == [("a", kind, component["type"])]


def test_groups_notes_and_lists_keep_their_place_in_the_tree(make_form: Make) -> None:
    form = make_form(
        {"type": "text", "text": "はじめに"},
        {"type": "group", "components": [{"type": "textfield", "key": "inside"}]},
        {"type": "dynamiclist", "path": "rows", "components": [{"type": "textfield", "key": "cell"}]},
    )

    note, group, rows = form.fields
    assert (note.kind, note.help) == ("note", "はじめに")
    assert [field.key for field in group.fields.tree] == ["inside"]
    assert (rows.key, [field.key for field in rows.fields.tree]) == ("rows", ["cell"])
    assert list(form.body.by_key) == ["inside", "rows"]


@pytest.mark.parametrize(
    "source",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"type": "default"', b'{"a": NaN}', b"[" * 100_000],
)
def test_what_is_not_a_form_is_refused(source: bytes) -> None:
    assert len(findings(source)) == 1


def test_a_name_twice_in_one_object_is_refused() -> None:
    assert findings(b'{"type": "default", "id": "a", "id": "b", "components": []}') == [
        ("", "同じ名前「id」が1つのオブジェクトに2度あります。")
    ]


def test_a_file_over_the_limit_is_refused_unread() -> None:
    assert "大きすぎます" in findings(b" " * (1024 * 1024 + 1))[0][1]


@pytest.mark.parametrize(
    "component",
    [
        {"id": "Field_1", "type": "script", "key": "a", "label": "A"},
        text(key=""),
        text(key="a.b"),
        text(label=""),
        text(conditional={"hide": "=1 +"}),
        text(conditional={"hide": "true"}),
        text(conditional=[]),
        text(validate={"required": "=("}),
        text(validate={"required": "yes"}),
        text(validate={"pattern": "("}),
        text(validate={"minLength": "3"}),
        text(properties={"check": "=a = 1"}),
        text(properties={"checkMessage": "なぜ"}),
        text(properties={"visibility": 1}),
        text(label="=secret"),
        text(description="{{secret}}"),
        text(disabled=True),
        text(readonly="=true"),
        text(disallowPassedDates=True),
        text(validate={"validationType": "email"}),
        text(validate={"multipleOf": 3}),
        text(type="number", defaultValue="abc"),
        text(type="number", decimalDigits=-1),
        text(type="datetime", subtype="week"),
        text(type="select"),
        text(type="select", values=[{"label": "x", "value": "x"}], valuesExpression="=people"),
        text(type="select", values=[{"label": "x", "value": "x"}, {"label": "y", "value": "x"}]),
        text(type="select", values=[{"label": "x"}]),
        text(type="dynamiclist"),
        {"id": "Field_1", "type": "group", "path": "nested", "components": []},
        {"id": "Field_1", "type": "group", "components": "none"},
    ],
)
def test_a_fault_is_told_with_the_id_of_its_component(component: dict[str, Any]) -> None:
    assert {at for at, _ in findings(form_source(component))} == {"Field_1"}


def test_every_fault_of_a_file_is_told_at_once() -> None:
    source = form_source(
        text(id="One", label=""), text(id="Two"), {"id": "Three", "type": "chart"}, text(id="One", key="c")
    )

    assert {at for at, _ in findings(source)} == {"One", "Two", "Three"}


def test_conditions_that_depend_on_each_other_in_a_circle_are_refused() -> None:
    source = form_source(
        text(id="One", key="a", conditional={"hide": "=b = null"}),
        text(id="Two", key="b", conditional={"hide": "=a = null"}),
    )

    assert "互いに参照" in findings(source)[0][1]


def test_a_list_inside_a_list_is_refused() -> None:
    inner = {"id": "Inner", "type": "dynamiclist", "path": "inner", "label": "内", "components": []}
    source = form_source({"id": "Outer", "type": "dynamiclist", "path": "outer", "label": "外", "components": [inner]})

    assert findings(source) == [("Inner", "一覧の中に一覧は置けません。")]


def test_only_a_checkbox_of_the_form_itself_can_conceal_who_completes_it() -> None:
    concealing = {"conceals": "few"}
    box = {"id": "Box", "type": "checkbox", "key": "quiet", "label": "静かに", "properties": concealing}
    rows = {"id": "Rows", "type": "dynamiclist", "path": "rows", "label": "行", "components": [box]}
    told = "conceals は、一覧の外にあるチェックボックスにだけ書けます。"

    assert findings(form_source(text(id="Words", properties=concealing))) == [("Words", told)]
    assert findings(form_source(rows)) == [("Box", told)]
    form = forms.read(form_source(box))
    asked = [{"quiet": True}, {"quiet": False}, {}]
    assert [forms.concealed_under(form, values) for values in asked] == ["few", None, None]


def test_components_nested_without_end_are_refused() -> None:
    component = text()
    for depth in range(30):
        component = {"id": f"Group_{depth}", "type": "group", "components": [component]}

    assert "深すぎます" in findings(form_source(component))[0][1]


def test_a_host_function_with_a_name_of_several_words_can_be_used() -> None:
    source = form_source(text(conditional={"hide": "=is business day(today())"}))

    form = forms.read(source, ["is business day"])

    assert form.fields[0].hide is not None


def test_a_fault_is_told_in_the_words_of_the_page_and_the_editor() -> None:
    source = form_source(text(id="Field_9x", label=" 通訳の要否 ", conditional={"hide": "=subject !="}))

    with pytest.raises(forms.FormInvalid) as invalid:
        forms.read(source)

    (fault,) = invalid.value.findings
    assert (fault.label, fault.component_id) == ("通訳の要否", "Field_9x")
    assert str(fault).startswith("通訳の要否: 隠す条件(hide) の式を読めません")
