"""The published shape of a form, and what is taken out before somebody reads it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import forms

OPTIONS = [{"label": "い", "value": "a"}, {"label": "ろ", "value": "b"}]


@pytest.fixture(scope="module")
def form(make_form: Callable[..., forms.Form]) -> forms.Form:
    health: dict[str, Any] = {"properties": {"visibility": "health"}}
    return make_form(
        {"type": "textfield", "key": "name", "label": "名前", "description": "ふりがなも"},
        {"type": "number", "key": "minutes", "label": "分", "decimalDigits": 0},
        {"type": "checkbox", "key": "urgent", "label": "急ぎ"},
        {"type": "select", "key": "who", "label": "だれ", "valuesExpression": "=people"},
        {
            "type": "group",
            "components": [{"type": "radio", "key": "state", "label": "様子", "values": OPTIONS, **health}],
        },
        {
            "type": "dynamiclist",
            "path": "rows",
            "label": "行",
            "components": [
                {"type": "datetime", "subtype": "datetime", "key": "at", "dateLabel": "日時"},
                {"type": "checklist", "key": "signs", "label": "しるし", "values": OPTIONS, **health},
            ],
        },
    )


def test_the_schema_names_every_field_with_its_type(form: forms.Form) -> None:
    choice = {"type": "string", "enum": ["a", "b"]}
    row = {
        "type": "object",
        "properties": {
            "at": {"title": "日時", "type": "string", "format": "date-time"},
            "signs": {"title": "しるし", "type": "array", "items": choice, "uniqueItems": True},
        },
        "additionalProperties": False,
    }
    assert forms.json_schema(form) == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "sample.schema.json",
        "title": "sample",
        "type": "object",
        "properties": {
            "name": {"title": "名前", "description": "ふりがなも", "type": "string"},
            "minutes": {"title": "分", "type": "integer"},
            "urgent": {"title": "急ぎ", "type": "boolean"},
            "who": {"title": "だれ", "type": "string"},
            "state": {"title": "様子", **choice},
            "rows": {"title": "行", "type": "array", "items": row},
        },
        "additionalProperties": False,
    }


def test_marked_fields_are_taken_out_for_those_who_may_not_read_them(form: forms.Form) -> None:
    values: Any = {"name": "山田", "state": "a", "rows": [{"at": None, "signs": ["b"]}]}

    assert forms.redact(form, values, []) == {"name": "山田", "rows": [{"at": None}]}
    assert forms.redact(form, values, {"identity"}) == {"name": "山田", "rows": [{"at": None}]}
    assert forms.redact(form, values, {"health"}) == values


def test_redaction_leaves_the_stored_values_alone(form: forms.Form) -> None:
    values: Any = {"state": "a", "rows": [{"signs": ["b"]}]}

    forms.redact(form, values, [])

    assert values == {"state": "a", "rows": [{"signs": ["b"]}]}
