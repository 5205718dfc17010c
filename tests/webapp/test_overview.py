"""The overview: where cases wait, as a table; deadlines; changes of judgement."""

from __future__ import annotations

import json
from datetime import timedelta

from flask import Flask
from freezegun.api import FrozenDateTimeFactory
from lxml import etree
from sqlalchemy import update

from engine import identity, instances, tables, tasklist
from tests.webapp.conftest import NOW, Page, People


def rows(page: Page, section: str) -> list[list[str]]:
    found = page.document.xpath("//section[@aria-labelledby=$section]//tbody/tr", section=section)
    return [[" ".join(cell.text_content().split()) for cell in row] for row in found]


def complete_the_check(signed_in: People, clock: FrozenDateTimeFactory, later: timedelta) -> None:
    clock.move_to(NOW + later)
    chief = signed_in("chief1")
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})


def test_each_step_tells_how_often_how_long_and_whether_in_time(
    signed_in: People, applied: str, clock: FrozenDateTimeFactory
) -> None:
    complete_the_check(signed_in, clock, timedelta(days=1, hours=2))

    page = signed_in("auditor1").open("/overview")

    assert page.title == "全体"
    assert rows(page, "waits") == [
        ["申込みを確かめる", "1", "1日2時間", "", "1", "0"],
        ["申込みを書く", "1", "1分未満", "", "1", "0"],
        ["助言を書く", "1", "", "1", "", ""],
    ]


def test_a_missed_deadline_is_counted(signed_in: People, applied: str, clock: FrozenDateTimeFactory) -> None:
    complete_the_check(signed_in, clock, timedelta(days=4))

    found = {row[0]: row[-2:] for row in rows(signed_in("auditor1").open("/overview"), "waits")}

    assert found["申込みを確かめる"] == ["0", "1"]


def test_what_is_due_at_once_is_told_so_and_not_counted_as_late(
    app: Flask, signed_in: People, applied: str, clock: FrozenDateTimeFactory
) -> None:
    with app.extensions["mamori"].transaction() as session:
        session.execute(update(tables.UserTask).where(tables.UserTask.id == 2).values(due=tables.UserTask.opened_at))
    complete_the_check(signed_in, clock, timedelta(minutes=5))

    page = signed_in("auditor1").open("/overview")

    assert ["申込みを確かめる", "1", "5分", "", "いますぐ"] in rows(page, "waits")
    assert "どちらにも数えません" in page.text


def test_the_picture_has_the_same_by_element(app: Flask, signed_in: People, applied: str) -> None:
    app.config["SCRIPTS"] = True
    auditor = signed_in("auditor1")

    (place,) = auditor.open("/overview").document.find_class("diagram")

    heat = json.loads(place.get("data-heat"))
    assert heat["ask"] == {"level": 1, "text": "1回・1分未満"}
    assert heat["check"] == {"level": 0, "text": "1回"}
    drawn = auditor.client.get(place.get("data-diagram"))
    assert etree.fromstring(drawn.data).xpath("//*[@id='check']/@name") == ["申込みを確かめる"]


def test_a_changed_judgement_is_counted_and_leads_to_its_moment(app: Flask, signed_in: People, applied: str) -> None:
    database = app.extensions["mamori"]
    with database.transaction() as session:
        task = tasklist.of_case(session, applied)[0]
        changed = {"application": {"item": "いす", "kind": "repair", "condition": "well"}}
        instances.change_variables(session, task.instance, changed, actor="chief1", at=NOW)
        assert identity.person(session, "auditor1").audits

    page = signed_in("auditor1").open("/overview")

    assert rows(page, "turns") == [["種類", "新しく買う", "直す", "1"]]
    link = page.links()["事案 2026-0001"]
    assert "記録された値を" in signed_in("auditor1").open(link).text
    assert ["体調", "腰が痛い", "よい", "1"] in rows(signed_in("nurse1").open("/overview"), "turns")


def test_other_choices_get_a_page(signed_in: People, applied: str) -> None:
    auditor = signed_in("auditor1")

    for query in ("days=all", "days=x", "process=1&days=30", "process=99", "process=x"):
        assert auditor.open(f"/overview?{query}").status == 200, query


def test_before_anything_ran_the_page_says_so(signed_in: People) -> None:
    assert "まだ動いた手続はありません。" in signed_in("auditor1").open("/overview").text
