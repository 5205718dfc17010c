"""The operator's pages: correct and retry, one or many, without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from engine import history, incidents, instances, tables
from engine.states import EventType, JobKind, JobState
from tests.webapp.conftest import APPLICATION, NOW, Page, People


@pytest.fixture
def stopped(signed_in: People, applied: str) -> str:
    """The address of what stopped: nothing said whether the request is granted."""
    chief = signed_in("chief1")
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "again", "why": "値段を聞いてから"})
    return chief.open("/incidents").links()["値を確かめて直す"]


def open_ones(app: Flask) -> int:
    with app.extensions["mamori"].reading() as session:
        return len(incidents.open_ones(session))


def test_the_list_says_what_stopped_where_since_when_and_how_often_it_was_tried(
    signed_in: People, stopped: str, applied: str
) -> None:
    page = signed_in("chief1").open("/incidents")

    for told in ("備品の申込み · よいか", "1 件が停止中", f"事案 {applied}", "試行 1 回", "待っているもの: "):
        assert told in page.text


def test_a_retry_that_stops_again_says_so_and_of_which_case(signed_in: People, stopped: str, applied: str) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open(stopped), "このまま再試行")

    assert f"1 件がまた止まりました: {applied}" in page.text
    assert "試行 2 回" in page.text


def test_a_missing_value_is_added_the_case_goes_on_and_history_says_who_did_it(
    app: Flask, signed_in: People, stopped: str, applied: str
) -> None:
    nurse = signed_in("nurse1")
    page = nurse.open(stopped)
    review = page.control("variable.review").text

    again = nurse.press(page, "直して再試行", {"variable.review": review.replace('"again"', '"ok"')})

    assert "1 件が進みました。" in again.text
    assert "止まっている処理はありません。" in again.text
    assert "助言を書く" in signed_in("chief1").open("/").tasks
    with app.extensions["mamori"].reading() as session:
        kinds = [(e.type, e.actor) for e in history.of_case(session, applied) if e.actor == "nurse1"]
    assert kinds == [(EventType.VARIABLES_CHANGED, "nurse1"), (EventType.INCIDENT_RETRIED, "nurse1")]
    assert "遠藤 詩織さんが、記録された値を直しました。" in nurse.open(f"/cases/{applied}").text


def test_who_may_not_read_health_neither_sees_nor_changes_what_holds_it(
    app: Flask, signed_in: People, stopped: str
) -> None:
    chief = signed_in("chief1")
    page = chief.open(stopped)

    assert page.named("variable.review") == []
    assert "ache" not in page.text
    assert "閲覧できない値を含むため、ここでは変更できません: application、review" in page.text
    refused = chief.press(page, "直して再試行", {"name": "review", "value": '{result: "ok"}'})
    assert refused.status == 422
    assert refused.error_at("name") == "この変数は、ここでは変更できません。"
    assert open_ones(app) == 1


def test_what_is_no_value_is_told_at_its_field_and_kept(app: Flask, signed_in: People, stopped: str) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open(stopped), "直して再試行", {"variable.asker": "青木"})

    assert page.status == 422
    assert "値として読めません" in page.error_at("variable.asker")
    assert page.control("variable.asker").text.strip() == "青木"
    assert open_ones(app) == 1


def test_a_correction_upon_what_has_changed_meanwhile_writes_nothing(
    app: Flask, signed_in: People, stopped: str
) -> None:
    chief = signed_in("chief1")
    page = chief.open(stopped)
    with app.extensions["mamori"].transaction() as session:
        (row,) = incidents.open_ones(session)
        instances.change_variables(session, row.instance, {"asker": "clerk2"}, actor="nurse1", at=NOW)

    late = chief.press(page, "直して再試行", {"variable.asker": '"clerk9"'})

    assert late.status == 409
    assert "clerk9" in late.text  # what was typed is not lost
    with app.extensions["mamori"].reading() as session:
        assert history.last_written(session, row.business_key)["asker"] == "clerk2"


def test_chosen_ones_and_all_of_a_kind_are_tried_again(app: Flask, signed_in: People, stopped: str) -> None:
    chief, clerk = signed_in("chief1"), signed_in("clerk1")
    clerk.press(clerk.press(clerk.open("/"), "申込みを始める"), "この内容で終える", APPLICATION)
    chief.press(chief.open("/tasks/4"), "この内容で終える", {"result": "again", "why": "値段を聞いてから"})
    page = chief.open("/incidents")
    assert "2 件が停止中" in page.text

    nothing = chief.press(page, "選んだものを再試行")
    chosen = chief.press(page, "選んだものを再試行", {"incident": page.named("incident")[0].get("value")})
    everything = chief.press(chosen, "ここで止まった 2 件をすべて再試行")

    assert "再試行するものが選ばれていません。" in nothing.text
    assert "1 件がまた止まりました: 2026-0001" in chosen.text
    assert "2 件がまた止まりました: 2026-0002、2026-0001" in everything.text  # the first one stopped anew, later


def test_what_was_settled_meanwhile_is_told(signed_in: People, stopped: str) -> None:
    chief = signed_in("chief1")
    page = chief.open("/incidents")
    chief.press(page, "ここで止まった 1 件")

    again = chief.press(page, "選んだものを再試行", {"incident": ["1", "x"]})

    assert "1 件は、すでに解決していました。" in again.text


def test_reading_the_values_of_what_stopped_is_on_record(signed_in: People, stopped: str, applied: str) -> None:
    signed_in("chief1").open(stopped)

    assert "止まった処理" in signed_in("auditor1").open(f"/cases/{applied}/readings").text


def test_a_number_that_no_incident_has_leads_nowhere(signed_in: People, stopped: str) -> None:
    pages: list[Page] = [signed_in("chief1").open(f"/incidents/{n}") for n in ("99", "2147483648", "-1", "x")]

    assert {page.status for page in pages} == {404}


def test_work_that_fails_or_waits_for_a_worker_is_told(app: Flask, signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    assert "ワーカーが動いているか" not in chief.open("/incidents").text
    row = {
        "instance_id": 1,
        "business_key": applied,
        "kind": JobKind.SERVICE,
        "type": "webhook",
        "token": 99,
        "element": "somewhere",
        "values": {},
        "state": JobState.WAITING,
        "due": NOW - timedelta(minutes=2),
        "retries": 3,
        "attempts": 2,
        "error": "a.example が応じません",
    }
    with app.extensions["mamori"].transaction() as session:
        session.execute(insert(tables.Job), row)

    page = chief.open("/incidents")

    assert "予定を 1 分以上過ぎた処理が 1 件あります。ワーカーが動いているかご確認ください。" in page.text
    for told in ("失敗し、自動で再試行するもの: 1 件", "somewhere webhook", "a.example が応じません", "試行 2 回"):
        assert told in page.text
