"""The replay of a case: one moment, complete without a script; its steps for the script; its twin as text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory

from engine import history
from tests.webapp.company import NUMBER
from tests.webapp.conftest import NOW, Browser, Page, People, serve

REPLAY = "/cases/2026-0001/replay"


def said(page: Page) -> str:
    return page.document.xpath("//*[@data-head]/p[@class='said']")[0].text


def values(page: Page) -> dict[str, list[str]]:
    """Label → value and, where something else stood there before, that; of what the step changed."""
    rows = page.document.xpath("//*[@data-values]//tr[@class='changed']")
    return {row[0].text.strip(): [part.text for part in row[1]] for row in rows}


def answers(page: Page) -> dict[str, str]:
    return dict(
        zip(
            (dt.text for dt in page.document.xpath("//*[@data-stands]//dt")),
            (dd.text for dd in page.document.xpath("//*[@data-stands]//dd")),
            strict=True,
        )
    )


def steps(browser: Browser, **query: int) -> dict[str, Any]:
    address = f"{REPLAY}/steps" + "".join(f"?{name}={value}" for name, value in query.items())
    return dict(json.loads(browser.client.get(address).text))


def test_each_moment_says_who_did_what_and_where_the_case_then_stood(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")

    first = clerk.open(REPLAY)
    second = clerk.open(first.links()["次へ"])

    assert said(first) == "青木 一郎さんが「備品の申込み」を始めました。"
    assert answers(first) == {"いまここ": "申込みを書く"}
    assert said(second) == "青木 一郎さんが「申込みを書く」を終えました。"
    assert answers(second) == {"いまここ": "申込みを確かめる", "ここまでの流れ": "申込みを書く"}
    assert "受付係として" in second.text
    assert "第1版" in second.text
    assert "時点 2 / 2" in second.text


def test_first_and_last_lead_to_the_ends_and_the_link_of_a_moment_to_itself(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")
    chief = signed_in("chief1")
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})

    last = clerk.open(clerk.open(REPLAY).links()["最後"])
    here = clerk.open(last.links()["この時点へのリンク"])

    assert said(last) == said(here) == "上野 三津さんが「申込みを確かめる」を終えました。"
    assert said(clerk.open(last.links()["前へ"])) == "青木 一郎さんが「申込みを書く」を終えました。"
    assert "時点 1 / 3" in clerk.open(last.links()["最初"]).text
    assert said(clerk.open(f"{REPLAY}?step=2")) == "青木 一郎さんが「申込みを書く」を終えました。"


def test_how_long_a_step_was_open_stands_beside_it(
    signed_in: People, applied: str, clock: FrozenDateTimeFactory
) -> None:
    clock.move_to(NOW + timedelta(days=1, hours=3, minutes=20))
    chief = signed_in("chief1")
    chief.press(chief.open("/tasks/2"), "この内容で終える", {"result": "ok"})

    page = chief.open(f"{REPLAY}?step=3")

    assert "1日3時間" in page.text
    assert "2026年11月25日(水) 13:20" in page.text


def test_the_values_of_the_moment_show_what_the_step_changed_and_what_stood_before(
    signed_in: People, applied: str
) -> None:
    nurse = signed_in("nurse1")

    changed = values(nurse.open(f"{REPLAY}?step=2"))

    assert changed["asker"] == ["青木 一郎"]
    assert "品名: いす" in changed["申込み"][0]
    assert "体調: 腰が痛い" in changed["申込み"][0]
    assert "business_key" not in changed
    assert "2026-0001" in nurse.open(f"{REPLAY}?step=2").text


def test_the_form_is_there_as_it_was_filled_in(signed_in: People, applied: str) -> None:
    page = signed_in("nurse1").open(f"{REPLAY}?step=2")

    form = page.document.find_class("seen")[0]
    assert form.get("disabled") is not None
    assert page.control("item").value == "いす"
    assert [each.get("value") for each in page.named("kind") if each.get("checked") is not None] == ["new"]


def test_a_decision_shows_what_it_saw_and_what_it_gave(signed_in: People, applied: str) -> None:
    page = signed_in("clerk1").open(f"{REPLAY}?step=2")

    (decision,) = page.document.xpath("//*[@data-step]//details[summary[starts-with(., 'deadline')]]")
    told = dict(
        zip(*([each.text_content() for each in decision.xpath(f".//{tag}")] for tag in ("dt", "dd")), strict=True)
    )
    assert told["event"] == "check"
    assert told["opened_at"] == "2026年11月24日(火) 10:00"
    assert "due_reason: 2日以内に確かめる決まりのため" in told["結果"]


@pytest.mark.parametrize(
    "place", [REPLAY, f"{REPLAY}?step=2", f"{REPLAY}/text", f"{REPLAY}/steps", f"{REPLAY}/form?step=2"]
)
@pytest.mark.parametrize("person", ["chief1", "adviser1", "auditor1"])
def test_health_is_in_no_answer_for_those_it_is_not_for(
    signed_in: People, applied: str, place: str, person: str
) -> None:
    text = signed_in(person).client.get(place).text

    assert [secret for secret in ("腰が痛い", "ache", "体調", "condition") if secret in text] == []


@pytest.mark.parametrize("place", [f"{REPLAY}?step=2", f"{REPLAY}/text", f"{REPLAY}/steps", f"{REPLAY}/form?step=2"])
def test_a_masked_reader_meets_no_name_in_any_answer(signed_in: People, asking: Page, place: str) -> None:
    clerk = signed_in("clerk1")
    fields = {
        "item": "池田さんのいす",
        "reason": "池田 二葉さんと青木さん、clerk2 の席",
        "kind": "new",
        "condition": "ache",
    }
    clerk.press(asking, "この内容で終える", {**fields, "friend": "adviser1"})
    clerk.press(clerk.open("/cases/2026-0001"), "コメントを載せる", {"text": "@chief1 池田さんへ", "to": ""})

    answer = signed_in("auditor1").client.get(place)

    main = answer.text.partition("<main")[2].partition("</main>")[0] if "<main" in answer.text else answer.text
    names = ("青木", "一郎", "池田", "二葉", "大山", "clerk1", "clerk2", "adviser1", "chief1")
    assert [name for name in names if name in main] == []
    assert answer.status_code == 200


def test_what_was_refused_is_replayed_only_to_those_who_read_every_case(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")
    token = clerk.open("/").form("サインアウト")[0].fields["csrf_token"]
    assert clerk.post("/tasks/2", [("csrf_token", token), ("_do", "complete"), ("result", "ok")]).status == 403

    told = "受付係 1さんの操作は受け付けられませんでした(この操作をする役割ではないため)。"
    assert told in signed_in("auditor1").open(f"{REPLAY}/text").text
    assert "受け付けられませんでした" not in clerk.open(f"{REPLAY}/text").text


def test_the_text_tells_every_step_in_order(signed_in: People, applied: str) -> None:
    page = signed_in("clerk1").open(f"{REPLAY}/text")

    heads = [head.text for head in page.document.xpath("//main//h2")]
    assert heads == [
        "1. 青木 一郎さんが「備品の申込み」を始めました。",
        "2. 青木 一郎さんが「申込みを書く」を終えました。",
    ]
    assert "進んだところ: 申込みを確かめる。" in page.text
    assert "「deadline」の結果: due: 2026年11月26日(木) 10:00" in page.text


def test_a_search_finds_moments_by_person_step_field_and_word(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")

    found = {
        query: [
            link.text.split(".")[0] for link in clerk.open(f"{REPLAY}?q={query}").document.xpath("//*[@data-found]//a")
        ]
        for query in ("青木", "申込みを確かめる", "品名", "いす 受付係", "見当たらない")
    }

    assert found == {
        "青木": ["1", "2"],
        "申込みを確かめる": ["2"],
        "品名": ["2"],
        "いす 受付係": ["2"],
        "見当たらない": [],
    }


def test_the_script_gets_every_step_with_its_moves_and_values(app: Flask, signed_in: People, applied: str) -> None:
    found = steps(signed_in("clerk1"))["steps"]

    with app.extensions["mamori"].reading() as session:
        recorded = history.of_case(session, applied)
    assert [step["id"] for step in found] == [event.id for event in recorded]
    assert [[kind, place, element, flow] for kind, place, _, element, flow in found[0]["moves"]] == [
        ["e", "1 request", "start", None],
        ["l", "1 request", "start", None],
        ["e", "1 request", "ask", "to_ask"],
    ]
    assert ["asker", "asker", "青木 一郎"] in found[1]["values"]
    assert steps(signed_in("clerk1"), **{"from": 2})["steps"] == found[1:]
    assert steps(signed_in("clerk1"), **{"from": 3})["steps"] == []


@pytest.mark.parametrize("query", ["at=0", "at=x", "at=99999999999999999999", "at=-1"])
def test_an_event_that_is_not_of_the_case_leads_nowhere(signed_in: People, applied: str, query: str) -> None:
    assert signed_in("clerk1").open(f"{REPLAY}?{query}").status == 404


@pytest.mark.parametrize("query", ["step=0", "step=x", "step=999999999999999999999", "q=%00", "q=" + "あ" * 3000])
def test_any_number_and_any_search_gets_a_page(signed_in: People, applied: str, query: str) -> None:
    assert signed_in("clerk1").open(f"{REPLAY}?{query}").status == 200


class TestTheBundledCase:
    """C-11 up to the first judge: several processes, decisions by tables, and one that reads what few may see."""

    @pytest.fixture
    def app(self, company_that_judges: Path, tmp_path: Path) -> Iterator[Flask]:
        served = serve(Path(shutil.copy(company_that_judges, tmp_path / "mamori.db")))
        yield served
        served.extensions["mamori"].close()

    def decisions(self, browser: Browser, name: str) -> list[Any]:
        """The first evaluation of the decision that a moment shows."""
        for step in range(1, 60):
            page = browser.open(f"/cases/{NUMBER}/replay?step={step}")
            found = page.document.xpath(f"//*[@data-step]//details[summary[starts-with(., '{name}')]]")
            if found:
                return list(found)
        raise AssertionError(f"{name} was never decided")

    def test_the_row_that_held_is_marked_in_its_table(self, app: Flask, signed_in: People) -> None:
        """C-11 answers the conduct V02 and V03."""
        decision, *_ = self.decisions(signed_in("auditor1"), "行為コード表")

        fired = decision.xpath(".//tr[@class='fired']/td[1]")
        assert [cell.text for cell in fired] == ["「V02 資料や物を投げつける」を含む", "「V03 机や壁をたたく」を含む"]

    def test_the_text_calls_inputs_and_values_by_the_labels_of_tables_and_forms(self, signed_in: People) -> None:
        """`conduct_codes` and `escalate_to` have columns, `violence` is an option of a form, `desk` is a group."""
        text = " ".join(signed_in("auditor1").open(f"/cases/{NUMBER}/replay/text").text.split())

        assert "使った入力: 行為コード = V02 資料や物を投げつける、V03 机や壁をたたく" in text
        assert "類型: 暴力行為" in text
        assert "超えたときの引継ぎ先: 対策責任者" in text
        names = ("conduct_codes", "escalate_to", "violence", "max_base", "time_ratio", "crime_suspected")
        assert [name for name in names if name in text] == []
        assert re.search(r"以上、時点は全部で\d+件です。", text)

    def test_rows_stay_hidden_where_they_would_tell_what_one_may_not_read(self, app: Flask, signed_in: People) -> None:
        """DT-08 reads how the employee is, which is for the people of HR and the physician."""
        hidden, *_ = self.decisions(signed_in("auditor1"), "ケアレベル")

        assert "あなたの役割では見られない情報" in hidden.text_content()
        assert hidden.xpath(".//tr[@class='fired']") == []
        assert "health_impact" not in " ".join(cell.text_content() for cell in hidden.xpath(".//dt"))
        shown, *_ = self.decisions(signed_in("hr1"), "ケアレベル")
        assert len(shown.xpath(".//tr[@class='fired']")) == 1
