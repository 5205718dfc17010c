"""The auditor's record: who read which case and when, who was refused, who signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory

from engine import history
from engine.audit import evidence_report
from engine.audit.losses import Loss, LostEvents, Restore
from engine.states import EventType
from tests.webapp.conftest import NOW, Browser, Page, People

READINGS = "/cases/2026-0001/readings"


def rows(page: Page) -> list[list[str]]:
    """The cells of each line but for the time."""
    return [[cell.text_content().strip() for cell in row[1:]] for row in page.document.xpath("//tbody/tr")]


def refused(page: Page) -> list[str]:
    return [" ".join(line.text_content().split()) for line in page.document.xpath("//ol[@class='history']/li")]


def test_who_opened_a_case_stands_in_its_record_with_page_and_time(
    signed_in: People, applied: str, clock: FrozenDateTimeFactory
) -> None:
    clock.move_to(NOW + timedelta(hours=1))
    signed_in("nurse1").open(f"/cases/{applied}")
    clock.move_to(NOW + timedelta(hours=2))
    signed_in("chief1").open("/tasks/2")
    signed_in("chief1").open(f"/cases/{applied}/replay/text")

    page = signed_in("auditor1").open(READINGS)

    assert rows(page) == [
        ["監査 1", "閲覧の記録"],
        ["係長 1", "経過の文章"],
        ["係長 1", "事案の工程"],
        ["保健係 1", "事案のページ"],
        ["受付係 1", "事案の工程"],
    ]
    assert {opened for _who, opened in rows(page)} <= set(evidence_report.PAGES.values())
    times = [cell.text for cell in page.document.xpath("//tbody//time")]
    assert times[1:4] == ["2026年11月24日(火) 12:00"] * 2 + ["2026年11月24日(火) 11:00"]


def test_the_same_page_within_five_minutes_is_one_reading_and_later_another(
    signed_in: People, applied: str, clock: FrozenDateTimeFactory
) -> None:
    nurse, auditor = signed_in("nurse1"), signed_in("auditor1")
    for minutes in (0, 4, 6, 20):
        clock.move_to(NOW + timedelta(hours=1, minutes=minutes))
        nurse.open(f"/cases/{applied}")

    assert rows(auditor.open(READINGS)).count(["保健係 1", "事案のページ"]) == 3


@pytest.mark.parametrize("place", ["replay/steps", "replay/form?step=2", "replay"])
def test_whoever_asks_for_the_steps_alone_has_read_the_replay(signed_in: People, applied: str, place: str) -> None:
    signed_in("nurse1").client.get(f"/cases/{applied}/{place}")

    assert ["保健係 1", "経過の再生"] in rows(signed_in("auditor1").open(READINGS))


def test_who_may_not_read_a_case_is_in_its_record_as_refused(signed_in: People, applied: str) -> None:
    assert signed_in("adviser2").open(f"/cases/{applied}").status == 404
    assert signed_in("adviser2").open("/tasks/2").status == 404

    page = signed_in("auditor1").open(READINGS)

    told = "社外の助言者 2さんの操作は受け付けられませんでした(その人に見える対象がないため)。"
    assert [line.endswith(told) for line in refused(page)] == [True, True]
    assert all("社外の助言者 2" not in row for row in rows(page))


def test_an_invalid_input_a_missing_right_and_a_lost_race_are_each_told_as_such(
    signed_in: People, applied: str
) -> None:
    chief, clerk, other = signed_in("chief1"), signed_in("clerk1"), signed_in("clerk2")
    page = other.open("/tasks/2")
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": ""})
    token = clerk.open("/").form("サインアウト")[0].fields["csrf_token"]
    clerk.post("/tasks/2/claim", [("csrf_token", token)])
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})
    other.press(page, "この内容で終える", {"result": "ok"})

    lines = refused(signed_in("auditor1").open(READINGS))

    assert [line.partition(" 10:00 ")[2] for line in lines] == [
        "受付係 2さんの操作は受け付けられませんでした(ほかの人が先に進めていたため)。",
        "受付係 1さんの操作は受け付けられませんでした(この操作をする役割ではないため)。",
        "係長 1さんの操作は受け付けられませんでした(入力に不備があったため)。",
    ]


def test_sign_ins_stand_in_the_record_the_latest_first(app: Flask, signed_in: People) -> None:
    clerk = signed_in("clerk1")
    clerk.press(clerk.open("/"), "サインアウト")
    Browser(app).sign_in("clerk2", "wrong")
    Browser(app).sign_in("three blue parcels", "clerk2")

    lines = [row[0] for row in rows(signed_in("auditor1").open("/record"))]

    assert lines[:5] == [
        "監査 1さんがサインインしました。",
        "登録のないユーザー名でのサインインは受け付けられませんでした。",
        "受付係 2さんの名前でのサインインは受け付けられませんでした。",
        "受付係 1さんがサインアウトしました。",
        "受付係 1さんがサインインしました。",
    ]


def test_what_was_typed_as_a_name_that_nobody_has_is_not_kept(app: Flask) -> None:
    """It may be a password in the wrong field."""
    Browser(app).sign_in("three blue parcels", "clerk2")

    with app.extensions["mamori"].reading() as session:
        (event,) = [each for each in history.of_system(session) if each.type is EventType.SIGN_IN_REFUSED]
    assert (event.actor, event.facts) == (None, {})


@pytest.mark.parametrize("page", ["0", "x", "2", "99999999999999999999"])
def test_any_page_number_gets_a_page(signed_in: People, applied: str, page: str) -> None:
    assert signed_in("auditor1").open(f"/record?page={page}").status == 200
    assert signed_in("auditor1").open(f"{READINGS}?page={page}").status == 200


def test_a_recorded_restore_is_told_with_who_why_and_everything_that_is_lost(
    app: Flask, signed_in: People, applied: str
) -> None:
    restore = Restore(
        NOW,
        "clerk1",
        "ディスクの故障。受付係 1 が気づいた",
        2,
        {"1": LostEvents(2, 3, 5, "0" * 64, applied), "system": LostEvents(8, 8, 9, "0" * 64, None)},
        {"2026-0099": Loss(0, 0, 4)},
    )
    values = history.Values()
    facts = {**restore.facts(), "checkpoint": 4, "reason": values.put("reason", "reason", restore.reason)}
    with app.extensions["mamori"].transaction() as session:
        history.append(session, history.NewEvent(EventType.RESTORED, NOW, "clerk1", facts, values))
    auditor = signed_in("auditor1")
    told = (
        "受付係 1さんが、データベースをバックアップから復元したことを記録しました。それまでに封印されていた出来事3件"
        "(事案1件)と、閲覧の記録4件が失われました。理由: ディスクの故障。受付係 1 が気づいた"
    )
    of_case = "履歴「1」: 封印されていた3番目から5番目のうち、2件が失われました。ほかに1件は残っていますが、封印からは確かめられません。"

    (cell,) = [cell for cell in auditor.open("/record").document.xpath("//tbody//td") if cell.xpath(".//details")]

    assert " ".join(cell.text_content().split()).startswith(told)
    assert [item.text_content() for item in cell.xpath(".//li")] == [
        f"事案 {applied}: {of_case}",
        "事案に属さないもの: 履歴「system」: 封印されていた9番目から9番目のうち、1件が失われました。",
        "事案 2026-0099: 閲覧の記録: 封印されていた1番目から4番目のうち、4件が失われました。",
    ]
    page = auditor.open(READINGS)
    assert told in page.text
    assert [item.text for item in page.document.xpath("//h2[.='データベースの復元で失われたもの']/following::li")] == [
        of_case
    ]


def test_a_case_that_lost_nothing_has_no_word_of_restores(signed_in: People, applied: str) -> None:
    assert "復元" not in signed_in("auditor1").open(READINGS).text
