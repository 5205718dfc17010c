"""What a browser posts becomes what submit takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import feel, forms


@pytest.fixture(scope="module")
def form(make_form: Callable[..., forms.Form]) -> forms.Form:
    options = [{"label": "い", "value": "a"}, {"label": "ろ", "value": "b"}]
    return make_form(
        {"type": "textfield", "key": "name"},
        {"type": "checkbox", "key": "urgent"},
        {"type": "checklist", "key": "signs", "values": options},
        {
            "type": "dynamiclist",
            "path": "rows",
            "components": [{"type": "textfield", "key": "cell"}, {"type": "checkbox", "key": "done"}],
        },
    )


def test_names_become_fields_choices_and_rows(form: forms.Form) -> None:
    pairs = [
        ("name", "山田"),
        ("urgent", "on"),
        ("signs", "b"),
        ("signs", "a"),
        ("rows[0].cell", "一"),
        ("rows[1].cell", "二"),
        ("rows[1].done", "on"),
    ]

    assert forms.from_pairs(form, pairs) == {
        "name": "山田",
        "urgent": "on",
        "signs": ["b", "a"],
        "rows": [{"cell": "一", "done": False}, {"cell": "二", "done": "on"}],
    }


def test_what_the_browser_does_not_send_was_not_ticked(form: forms.Form, environment: feel.Environment) -> None:
    posted = forms.from_pairs(form, [("name", "山田")])
    prefill: dict[str, Any] = {"urgent": True, "signs": ["a"]}

    taken = forms.submit(form, posted, prefill=prefill, variables={}, environment=environment)

    assert taken.values == {"name": "山田", "urgent": False, "signs": [], "rows": []}


def test_an_empty_text_before_a_box_does_not_tick_it(form: forms.Form) -> None:
    pairs = [("urgent", ""), ("signs", ""), ("signs", "a")]

    posted = forms.from_pairs(form, pairs)

    assert (posted["urgent"], posted["signs"]) == ("", ["a"])


def test_rows_come_in_the_order_of_their_numbers_without_the_empty_ones(form: forms.Form) -> None:
    pairs = [("rows[10].cell", "十"), ("rows[2].cell", "二"), ("rows[3].cell", " "), ("rows[999999].cell", "後")]

    rows = forms.from_pairs(form, pairs)["rows"]

    assert [row["cell"] for row in rows] == ["二", "十", "後"]  # type: ignore[attr-defined]  # a list of dicts


@pytest.mark.parametrize("name", ["other", "rows[x].cell", "rows[0]", "name[0].cell", "rows[-1].cell", "rows[0].a.b"])
def test_a_name_that_is_no_field_is_kept_and_refused(
    form: forms.Form, environment: feel.Environment, name: str
) -> None:
    posted = forms.from_pairs(form, [(name, "x")])

    with pytest.raises(forms.SubmissionRejected) as rejected:
        forms.submit(form, posted, prefill={}, variables={}, environment=environment)

    assert list(rejected.value.errors) == [name]


def test_an_unknown_column_is_refused(form: forms.Form, environment: feel.Environment) -> None:
    posted = forms.from_pairs(form, [("rows[0].other", "x")])

    with pytest.raises(forms.SubmissionRejected) as rejected:
        forms.submit(form, posted, prefill={}, variables={}, environment=environment)

    assert list(rejected.value.errors) == ["rows[0].other"]
