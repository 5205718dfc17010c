"""Nothing typed is lost: drafts, a step that somebody else finished, and handing a step on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from freezegun.api import FrozenDateTimeFactory
from lxml import html
from werkzeug.test import TestResponse

from tests.webapp.conftest import APPLICATION, NOW, Browser, Page, People

TYPED = {"item": "いす", "reason": "座面が割れた", "kind": "repair", "count": "二", "places[0].room": "会議室"}


def autosave(browser: Browser, page: Page, pairs: Sequence[tuple[str, str]], **headers: str) -> TestResponse:
    """What the script of the form sends after a pause."""
    form, _ = page.form("この内容で終える")
    token = form.fields["csrf_token"]
    data = {"csrf_token": token, "_do": "save", **dict(pairs)}
    return browser.client.post(form.get("data-draft"), data=data, headers=headers)


def test_a_saved_draft_is_there_the_next_time(signed_in: People, asking: Page, clock: FrozenDateTimeFactory) -> None:
    clerk = signed_in("clerk1")
    clock.move_to(NOW + timedelta(minutes=32))

    saved = clerk.press(asking, "下書きを保存", TYPED)
    again = clerk.open("/tasks/1")

    for page in (saved, again):
        assert page.status == 200
        assert "下書きを保存しました: 2026年11月24日(火) 10:32" in page.text
        assert page.control("reason").text_content().strip() == "座面が割れた"
        assert page.control("count").get("value") == "二"
        assert page.control("places[0].room").get("value") == "会議室"
        assert page.control("broken_at").get("type") == "datetime-local"
        assert not page.document.find_class("error")


def test_a_draft_is_its_writers_alone(signed_in: People, asking: Page) -> None:
    signed_in("clerk1").press(asking, "下書きを保存", TYPED)

    other = signed_in("clerk2").open("/tasks/1")

    assert other.control("reason").text_content().strip() == ""
    assert "下書き" not in other.document.get_element_by_id("draft").text_content()


def test_a_draft_can_be_discarded(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    page = clerk.press(clerk.press(asking, "下書きを保存", TYPED), "下書きを消す")

    assert page.address == "/tasks/1"
    assert page.control("reason").text_content().strip() == ""


def test_the_script_gets_the_fields_that_matter_now_and_nothing_else(signed_in: People, asking: Page) -> None:
    answer = autosave(signed_in("clerk1"), asking, [("kind", "repair"), ("count", "x")], **{"HX-Request": "true"})

    fragment = html.document_fromstring(answer.text)
    assert answer.status_code == 200
    assert {"HX-Request", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    assert "<header" not in answer.text
    assert fragment.xpath("//*[@id='fields']//*[@name='broken_at']/@type") == ["datetime-local"]
    assert "下書きを保存しました" in fragment.get_element_by_id("draft").text_content()
    assert not fragment.find_class("error")


def test_without_a_script_the_same_address_leads_back_to_the_page(signed_in: People, asking: Page) -> None:
    answer = autosave(signed_in("clerk1"), asking, [("reason", "途中")])

    assert (answer.status_code, answer.location) == (303, "/tasks/1")
    assert signed_in("clerk1").open("/tasks/1").control("reason").text_content().strip() == "途中"


def test_a_rejected_form_is_kept_as_a_draft(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    assert clerk.press(asking, "この内容で終える", {"reason": "まだ途中"}).status == 422

    assert clerk.open("/tasks/1").control("reason").text_content().strip() == "まだ途中"


def test_nobody_keeps_a_draft_of_a_step_that_is_not_theirs(signed_in: People, applied: str) -> None:
    excluded = signed_in("clerk1")
    token = excluded.open("/").form("サインアウト")[0].fields["csrf_token"]

    page = excluded.post("/tasks/2/draft", [("csrf_token", token), ("why", "x")])

    assert page.status == 403


def test_who_was_late_reads_everything_they_typed_with_its_labels(signed_in: People, asking: Page) -> None:
    second = signed_in("clerk2")
    theirs = second.open("/tasks/1")
    signed_in("clerk1").press(asking, "この内容で終える", APPLICATION)

    late = second.press(theirs, "この内容で終える", TYPED)
    later = second.open("/tasks/1")

    assert (late.status, later.status) == (409, 200)
    for page in (late, later):
        assert page.title == "「申込みを書く」は、すでに済んでいます。"
        assert "青木 一郎さんが 2026年11月24日(火) 10:00 に済ませています。" in page.text
        labels = (label.text for label in page.document.xpath("//section[@aria-labelledby='typed']//dt"))
        typed = dict(zip(labels, (text.text for text in page.document.find_class("typed")), strict=True))
        assert typed == {
            "品名": "いす",
            "理由": "座面が割れた",
            "種類": "直す",
            "個数": "二",
            "置き場所 1: 部屋": "会議室",
        }


def test_the_copy_of_what_came_late_can_be_put_away(signed_in: People, asking: Page) -> None:
    second = signed_in("clerk2")
    theirs = second.open("/tasks/1")
    signed_in("clerk1").press(asking, "この内容で終える", APPLICATION)
    late = second.press(theirs, "この内容で終える", TYPED)

    page = second.press(late, "この控えを消す")

    assert page.address == "/cases/2026-0001"
    assert page.document.find_class("typed") == []


def test_a_draft_is_gone_once_the_step_is_done(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")
    clerk.press(asking, "下書きを保存", TYPED)

    clerk.press(clerk.open("/tasks/1"), "この内容で終える", {**APPLICATION, "count": "2"})

    assert clerk.open("/tasks/1").address == "/cases/2026-0001"


def test_a_step_is_handed_to_somebody_who_may_do_it(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    page = chief.open("/tasks/2")
    assert [option.get("value") for option in page.control("person").iter("option")] == ["", "clerk2"]

    asked = chief.press(page, "頼む", {"person": "clerk2"})

    assert "「申込みを確かめる」を池田 二葉さんに頼みました。" in asked.text
    assert asked.tasks == []
    assert "あなたが担当しています" in signed_in("clerk2").open("/tasks/2").text


@pytest.mark.parametrize(("person", "status"), [("clerk1", 403), ("nobody", 404), ("", 404)])
def test_a_step_is_handed_to_nobody_else(signed_in: People, applied: str, person: str, status: int) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open("/tasks/2"), "頼む", {"person": person})

    assert page.status == status
    assert "まだ担当が決まっていません" in chief.open("/tasks/2").text


def test_the_card_of_the_step_stands_beside_the_form(signed_in: People, asking: Page) -> None:
    card = asking.document.find_class("guidance")[0]

    assert "ほしい物を伝えます。" in asking.text
    assert [item.text for item in card.iter("li")] == [
        "ふだんの言葉で書きましょう。",
        "急がなくて大丈夫です。",
        "「これが要ります。」",
    ]
    assert "電話" not in card.text_content()


def test_where_people_talk_the_card_has_the_rules_of_each_channel(signed_in: People, applied: str) -> None:
    page = signed_in("chief1").open("/tasks/2")

    channels = [found.findtext("summary") for found in page.document.xpath("//aside//details//details")]
    assert channels == ["電話", "メール"]
    assert "目安は10分です。" in page.text
