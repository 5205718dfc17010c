"""What of a form reaches the browser, and what a post says."""

from __future__ import annotations

import json

import pytest

from engine import feel, forms
from tests.webapp.conftest import NOW
from webapp.forms_html import Posted, entered, withhold, without_empty

HEALTH = {"visibility": "health"}
FORM = forms.read(
    json.dumps(
        {
            "id": "visit",
            "type": "default",
            "components": [
                {"id": "a", "type": "textfield", "key": "name", "label": "名前"},
                {"id": "b", "type": "textarea", "key": "sleep", "label": "睡眠", "properties": HEALTH},
                {
                    "id": "c",
                    "type": "group",
                    "label": "体",
                    "components": [
                        {
                            "id": "d",
                            "type": "textfield",
                            "key": "pain",
                            "label": "痛み",
                            "properties": HEALTH,
                            "conditional": {"hide": '=name != "x"'},
                        }
                    ],
                },
                {
                    "id": "e",
                    "type": "dynamiclist",
                    "path": "talks",
                    "label": "面談",
                    "components": [
                        {"id": "f", "type": "textfield", "key": "said", "label": "話", "properties": HEALTH},
                        {"id": "g", "type": "textfield", "key": "room", "label": "部屋"},
                    ],
                },
                {"id": "h", "type": "number", "key": "worry", "label": "不安", "defaultValue": 1, "properties": HEALTH},
            ],
        }
    ).encode()
)
RECORDED = {"name": "n", "sleep": "浅い", "pain": "肩", "talks": [{"said": "つらい", "room": "2階"}]}


def texts(view: forms.FormView) -> list[str]:
    """Everything that the controls of the form would hold, hidden ones included."""

    def below(parts: tuple[forms.FieldView, ...]) -> list[str]:
        return [
            text
            for part in parts
            for text in (*entered(part), *below(part.fields), *(each for row in part.rows for each in below(row)))
        ]

    return below(view.fields)


def filled(values: dict[str, object]) -> forms.FormView:
    return forms.fill(FORM, values, {}, feel.Environment(now=NOW))


def test_a_recorded_value_with_a_mark_reaches_no_control_of_who_may_not_read_it() -> None:
    view, paths = withhold(filled(RECORDED), {"identity"}, ())

    assert texts(view) == ["n", "2階", "1"]
    assert paths == {"sleep", "pain", "talks[0].said"}


def test_who_may_read_the_mark_sees_every_recorded_value() -> None:
    view, paths = withhold(filled(RECORDED), {"health"}, ())

    assert texts(view) == ["n", "浅い", "肩", "つらい", "2階", "1"]
    assert paths == set()


def test_what_somebody_entered_they_see_again() -> None:
    view, paths = withhold(filled({**RECORDED, "sleep": "深い"}), (), {"sleep"})

    assert "深い" in texts(view)
    assert "sleep" not in paths


@pytest.mark.parametrize("left", [None, "", [], False])
def test_a_field_left_alone_says_nothing_about_what_is_recorded_there(left: object) -> None:
    assert without_empty({"name": "", "sleep": left}, {"sleep", "pain"}) == {"name": ""}


def test_a_post_is_the_button_and_the_pairs_of_the_form() -> None:
    posted = Posted.read([("csrf_token", "t"), ("_key", "k"), ("name", "n"), ("_x", "y"), ("_do", "complete")])

    assert (posted.action, posted.pairs, posted.entered) == ("complete", (("name", "n"), ("_x", "y")), {"name", "_x"})


def test_a_removed_row_is_gone_and_only_that_row() -> None:
    pairs = [("talks[1].room", "a"), ("talks[11].room", "b"), ("talks[1].said", "c"), ("_do", "remove:talks[1]")]

    assert Posted.read(pairs).pairs == (("talks[11].room", "b"),)


@pytest.mark.parametrize("action", ["", "remove", "remove:", "remove:[", "add", "add:nothing", "?", "complete:x"])
def test_a_button_that_no_page_has_does_no_harm(action: str) -> None:
    assert Posted.read([("name", "n"), ("_do", action)]).pairs == (("name", "n"),)
