"""Inbox, case list and case page: what is open, until when and why, and what happened."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory
from lxml import etree
from sqlalchemy import update

from engine import history, tables, worker
from engine.states import EventType
from tests.webapp.conftest import NOW, Browser, Page, People


def test_the_history_says_in_plain_sentences_who_did_what_when(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    chief.press(chief.open("/"), "引き受ける")
    chief.press(chief.open("/"), "担当を戻す")

    page = chief.open(f"/cases/{applied}")

    lines = [line.text_content() for line in page.document.xpath("//ol[@class='history']/li")]
    moment = "2026年11月24日(火) 10:00"
    assert [" ".join(line.split()) for line in lines] == [
        f"{moment} 青木 一郎さんが「備品の申込み」を始めました。",
        f"{moment} 青木 一郎さんが「申込みを書く」を終えました。",
        f"{moment} 上野 三津さんが「申込みを確かめる」を引き受けました。",
        f"{moment} 上野 三津さんが「申込みを確かめる」を戻しました。",
    ]


def test_a_long_history_shows_its_newest_part_and_leads_to_all_that_came_before(
    app: Flask, signed_in: People, applied: str
) -> None:
    with app.extensions["mamori"].transaction() as session:
        for number in range(250):
            event = history.NewEvent(EventType.COMMENTED, NOW, f"person{number}", business_key=applied)
            history.append(session, event)
    clerk = signed_in("clerk1")

    pages = [clerk.open(f"/cases/{applied}")]
    while "これより前のできごと" in pages[0].links():
        pages.insert(0, clerk.open(pages[0].links()["これより前のできごと"]))

    told = [line.text_content() for page in pages for line in page.document.xpath("//ol[@class='history']/li")]
    who = [re.findall(r"person\d+", line) for line in told]
    assert who == [[], [], *([f"person{number}"] for number in range(250))]
    assert len(pages) == 3
    assert "申込みを書く" in pages[0].document.xpath("//section[@aria-labelledby='decided']//summary")[0].text
    assert pages[2].document.xpath("//section[@aria-labelledby='decided']//summary") == []
    assert "これより前のできごと" in signed_in("chief1").open("/tasks/2").links()


@pytest.mark.parametrize("before", ["0", "-1", "x", "99999999999999999999999"])
def test_any_place_in_the_history_gets_a_page(signed_in: People, applied: str, before: str) -> None:
    assert signed_in("clerk1").open(f"/cases/{applied}/history?before={before}").status == 200


def test_the_case_page_says_who_has_each_open_step_and_until_when_and_why(signed_in: People, applied: str) -> None:
    page = signed_in("clerk1").open(f"/cases/{applied}")

    step = " ".join(page.document.xpath("//section[@aria-labelledby='open']//li")[0].text_content().split())
    assert step == "申込みを確かめる 受付係・係長 期限 2026年11月26日(木) 10:00 2日以内に確かめる決まりのため"
    assert "申込みを確かめる" not in page.links()
    assert "申込みを確かめる" in signed_in("clerk2").open(f"/cases/{applied}").links()


def test_what_is_told_to_a_case_opens_the_step_for_it(signed_in: People, applied: str) -> None:
    adviser = signed_in("adviser1")

    page = adviser.press(adviser.open(f"/cases/{applied}"), "急ぐことになった")

    assert page.title == "急ぎの連絡をする"
    assert "大山 五月さんが「急ぐことになった」と知らせました。" in adviser.open(f"/cases/{applied}").text


def test_a_case_runs_to_its_end_through_the_pages(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    next_step = chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})
    assert next_step.title == "助言を書く"
    chief.press(next_step, "この内容で終える", {"note": "直して使いましょう"})

    page = chief.open(f"/cases/{applied}")

    assert page.title == f"事案 {applied}"
    assert "終結" in page.document.find(".//h1").text_content()
    assert "いま行う工程はありません。" in page.text
    assert "終結" in chief.open("/cases").text


def test_what_is_overdue_stands_first_and_is_marked(
    app: Flask, signed_in: People, clock: FrozenDateTimeFactory
) -> None:
    clerk = signed_in("clerk1")
    clerk.press(clerk.open("/"), "申込みを始める")
    clock.move_to(NOW + timedelta(hours=5))
    clerk.press(clerk.open("/"), "申込みを始める")

    page = clerk.open("/")

    cards = [(card.get("class"), card.text_content()) for card in page.document.xpath("//ul[@class='cards']/li")]
    assert [kind for kind, _ in cards] == ["overdue", None]
    assert "期限超過" in cards[0][1]
    assert "2026-0001" in cards[0][1]
    assert "いますぐ・期限超過 1" in clerk.open("/cases").text


def test_a_missed_deadline_opens_the_step_to_the_next_group_and_tells_them(
    app: Flask, signed_in: People, asking: Page, clock: FrozenDateTimeFactory
) -> None:
    chief = signed_in("chief1")
    assert chief.open("/").tasks == []
    later = NOW + timedelta(hours=5)
    clock.move_to(later)

    worker.run_due(app.extensions["mamori"], at=later)

    inbox = chief.open("/")
    assert "申込みを書く" in inbox.links()
    assert "お知らせ" in inbox.text
    assert (
        "「申込みを書く」の期限が過ぎたため、係長も引き受けられるようにしました。"
        in chief.open("/cases/2026-0001").text
    )
    assert "お知らせ" not in chief.press(inbox, "確認しました").text


def test_a_step_that_stopped_is_told_on_the_case_and_shown_to_operators(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    assert "止まっている処理はありません。" in chief.open("/incidents").text

    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "again", "why": "値段を聞いてから"})

    incidents = chief.open("/incidents")
    assert "備品の申込み" in incidents.text
    assert "route" in incidents.text
    assert f"事案 {applied}" in incidents.links()
    told = "上野 三津さんが「申込みを確かめる」を終えました。 処理が止まりました。運用担当が確認します。"
    assert told in chief.open(f"/cases/{applied}").text


@pytest.mark.parametrize("number", ["", "2026-0009", "-1", "%00", "999999999999999999999", "%F0%90%80"])
@pytest.mark.parametrize("place", ["before", "after", "page"])
def test_the_list_of_cases_begins_at_its_head_where_no_case_is_named(
    signed_in: People, applied: str, place: str, number: str
) -> None:
    assert f"事案 {applied}" in signed_in("clerk1").open(f"/cases?{place}={number}").links()


@pytest.mark.parametrize("path", ["/nowhere", "/tasks/x", "/tasks/99999999999999999999", "/cases/%00", "/cases/../x"])
def test_an_address_that_leads_nowhere_gets_a_calm_page(signed_in: People, path: str) -> None:
    page = signed_in("clerk1").open(path)

    assert page.status == 404
    assert page.title == "ここに見られるものはありません"


def test_pages_are_in_english_where_the_browser_asks_for_it(signed_in: People, stranger: Browser) -> None:
    assert stranger.open("/sign-in").title == "サインイン"
    assert stranger.open("/sign-in", **{"Accept-Language": "en-GB,en;q=0.9"}).title == "Sign in"
    assert stranger.open("/sign-in", **{"Accept-Language": "fr,ja;q=0.5"}).title == "サインイン"


def test_the_switch_of_language_lasts_and_stays_on_the_page(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")

    page = clerk.press(clerk.open(f"/cases/{applied}"), "English")

    assert page.address == f"/cases/{applied}"
    assert page.title == f"Case {applied}"
    assert page.document.get("lang") == "en"
    assert "青木 一郎 completed “Write the request”." in page.text
    assert clerk.open("/").title == "Inbox"
    assert clerk.press(clerk.open("/"), "日本語").title == "受信箱"


def test_what_is_known_of_the_case_stands_at_its_head(signed_in: People, applied: str) -> None:
    known = {
        name: dict(
            zip(
                (dt.text for dt in page.document.xpath("//dl[@class='known']//dt")),
                (dd.text for dd in page.document.xpath("//dl[@class='known']//dd")),
                strict=True,
            )
        )
        for name in ("chief1", "nurse1", "auditor1")
        for page in [signed_in(name).open(f"/cases/{applied}")]
    }

    assert known == {
        "chief1": {"品名": "いす", "種類": "新しく買う"},
        "nurse1": {"品名": "いす", "種類": "新しく買う", "体調": "腰が痛い"},
        "auditor1": {"品名": "●●●", "種類": "新しく買う"},
    }


def test_where_a_process_stands_and_the_way_it_came_are_told_in_words(signed_in: People, applied: str) -> None:
    page = signed_in("clerk1").open(f"/cases/{applied}")

    answers = page.document.xpath("//section[@aria-labelledby='processes']//dl/*/text()")
    assert answers == ["いまここ", "申込みを確かめる", "ここまでの流れ", "申込みを書く"]


def test_a_step_that_stopped_is_told_in_words_as_well(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "again", "why": "値段を聞いてから"})

    page = chief.open(f"/cases/{applied}")
    answers = page.document.xpath("//section[@aria-labelledby='processes']//dl/*/text()")
    assert answers[:2] == ["止まっています", "よいか"]


def test_the_picture_is_drawn_from_the_file_of_the_process_and_the_way(
    app: Flask, signed_in: People, applied: str
) -> None:
    app.config["SCRIPTS"] = True
    clerk = signed_in("clerk1")

    place = clerk.open(f"/cases/{applied}").document.find_class("diagram")[0]

    marks = json.loads(place.get("data-trace"))
    assert marks == {
        "open": ["check"],
        "completed": ["ask", "start"],
        "flows": ["to_ask", "to_check"],
        "failed": [],
    }
    drawn = clerk.client.get(place.get("data-diagram"))
    assert drawn.content_type == "application/xml; charset=utf-8"
    picture = etree.fromstring(drawn.data)
    assert picture.xpath("//*[@id='check']/@name") == ["申込みを確かめる"]
    assert picture.xpath("//*[local-name() = 'extensionElements']") == []  # what is not drawn does not travel


def test_a_step_that_must_be_done_at_once_reproaches_nobody(app: Flask, signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    with app.extensions["mamori"].transaction() as session:
        task = tables.UserTask
        session.execute(update(task).where(task.id == 2).values(due=task.opened_at))

    inbox, page = chief.open("/"), chief.open("/tasks/2")

    card = inbox.document.xpath("//ul[@class='cards']/li")[0].text_content()
    assert "いますぐ" in card
    assert "期限超過" not in card
    (guidance,) = page.document.find_class("guidance")
    assert guidance.xpath("./details/@open") != []
    assert guidance.xpath(".//details[@class='rest'][not(@open)]//h3/text()") == [
        "控えたほうがよいこと",
        "こう言えます",
    ]
