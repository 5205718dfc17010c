"""The bundled content through the pages: a whole case by its roles, and hard rules that no post gets around."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory

from engine import tasklist
from tests.webapp.company import NUMBER, Company, answers, begin
from tests.webapp.conftest import serve


@pytest.fixture
def app(request: pytest.FixtureRequest, prepared_company: Path, tmp_path: Path) -> Iterator[Flask]:
    judging = "judging" in request.fixturenames
    source = request.getfixturevalue("company_that_judges") if judging else prepared_company
    served = serve(Path(shutil.copy(source, tmp_path / "mamori.db")))
    yield served
    served.extensions["mamori"].close()


@pytest.fixture
def company(app: Flask, clock: FrozenDateTimeFactory) -> Callable[[str], Company]:
    return lambda scenario: Company(app, clock, {}, answers(scenario))


def test_a_legitimate_complaint_goes_from_report_to_closure_by_its_roles(company: Callable[[str], Company]) -> None:
    """C-01 of the domain: handler, supervisor, head and desk, each from their own inbox."""
    at_work = company("C-01")
    begin(at_work)

    for name, form in (
        ("handler1", "contact_record"),
        ("handler1", "emergency_check"),
        ("handler1", "demand_check"),
        ("supervisor1", "complaint_reply"),
        ("head1", "case_review"),
        ("desk1", "closure"),
    ):
        task = at_work.task(form)
        assert f"/tasks/{task.id}" in at_work.at(name).open("/").links().values(), (name, form)
        assert at_work.send(name, task, at_work.fields(form)).status == 200

    page = at_work.at("desk1").open(f"/cases/{NUMBER}")
    assert "終結" in page.document.find(".//h1").text_content()
    assert at_work.open_tasks() == []
    found = at_work.variables()
    assert (found["determination"], found["level"], found["care_level"]) == ("not_harassment", 0, "C0")
    assert (found["refusal_decision"], found["end_state"]) == ("not_allowed", "ES-01")
    told = [line.text_content().split(" ", 2)[-1].strip() for line in page.document.xpath("//ol[@class='history']/li")]
    assert [line.split("さんが")[0] for line in told] == ["青山 ひかり"] * 4 + ["上田 美咲", "菊池 陽子", "大野 さくら"]


def test_the_quick_report_is_one_press_away_on_every_page_for_everyone(company: Callable[[str], Company]) -> None:
    at_work = company("C-22")

    for name in ("handler1", "trainer1", "legal1", "executive1"):
        browser = at_work.at(name)
        for path in ("/", "/cases", "/nowhere"):
            assert "速報を書く(1分)" in browser.open(path).buttons(), (name, path)
    assert "速報を書く(1分)" not in at_work.at("auditor1").open("/").buttons()


def test_in_danger_the_next_page_is_the_emergency_without_anybodys_approval(company: Callable[[str], Company]) -> None:
    at_work = company("C-12")
    begin(at_work)
    at_work.play_until("emergency_check")
    task = at_work.task("emergency_check")

    page = at_work.send("handler1", task, {"safe_now": "no", "danger_signs": ["confinement"], "conduct_state": "clear"})

    assert page.status == 200
    assert page.address == f"/tasks/{at_work.task('emergency_record').id}"
    assert [call.get("href") for call in page.document.find_class("call")] == ["tel:110", "tel:119"]
    assert "おつかれさま" not in page.text


@pytest.mark.parametrize("conduct", ["clear", "unsure"])
def test_whoever_begins_a_quick_report_writes_it_right_after_they_are_safe(
    company: Callable[[str], Company], conduct: str
) -> None:
    at_work = company("C-22")
    handler = at_work.at("handler2")
    handler.press(handler.open("/"), "速報を書く(1分)")
    safe = {"safe_now": "yes", "danger_signs": ["none"], "conduct_state": conduct}

    page = at_work.send("handler2", at_work.task("emergency_check"), safe)

    assert page.address == f"/tasks/{at_work.task('incident_quick_report').id}"
    assert page.title == "速報"


def test_danger_that_arises_later_leads_to_the_emergency_from_the_case_page(company: Callable[[str], Company]) -> None:
    at_work = company("C-11")
    begin(at_work)
    at_work.play_until("handover")
    handler = at_work.at("handler1")

    case = handler.open(f"/cases/{NUMBER}")
    assert case.form("危険が起きた")[1].get("class") == "warn"

    page = handler.press(case, "危険が起きた")

    assert page.address == f"/tasks/{at_work.task('emergency_record').id}"
    assert "青山 ひかりさんが「危険が起きた」と知らせました。" in handler.open(f"/cases/{NUMBER}").text


def test_whoever_reported_what_happened_is_thanked_and_told_who_goes_on(company: Callable[[str], Company]) -> None:
    at_work = company("C-11")
    begin(at_work)
    at_work.play_until("incident_quick_report")

    page = at_work.send("handler1", at_work.task("incident_quick_report"), at_work.fields("incident_quick_report"))

    told = [line.text_content() for line in page.document.xpath("//*[@role='status']")]
    assert told[:3] == [
        "「速報」を終えました。おつかれさまです。",
        "つらい中で知らせてくださり、ありがとうございました。",
        "ここからは上長と相談窓口が引き継ぎ、本人に声をかけます。",
    ]


Judging = tuple[Company, tasklist.TaskRow]


@pytest.fixture
def judging(company: Callable[[str], Company]) -> Judging:
    """The company when the first judge is asked, and the task."""
    at_work = company("C-11")
    return at_work, at_work.task("determination_form")


def test_a_victim_is_no_judge_whatever_is_posted(judging: Judging) -> None:
    at_work, task = judging
    victim = at_work.at("supervisor2")

    assert f"/tasks/{task.id}" not in victim.open("/").links().values()
    assert victim.open(f"/tasks/{task.id}").status == 404
    token = victim.open("/").form("サインアウト")[0].fields["csrf_token"]
    pairs = [(key, text) for key, texts in at_work.fields("determination_form").items() for text in as_list(texts)]
    posted = victim.post(f"/tasks/{task.id}", [("csrf_token", token), ("_do", "complete"), *pairs])

    assert posted.status == 404
    assert at_work.task("determination_form").id == task.id


def test_the_role_that_does_not_judge_cannot(judging: Judging) -> None:
    at_work, task = judging

    for name in ("handler1", "desk1", "hr1", "trainer1", "auditor1"):
        assert at_work.at(name).open(f"/tasks/{task.id}").status in (403, 404), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level", "1"),
        ("determination", "not_harassment"),
        ("means", "proper"),
        ("care_level", "C0"),
        ("significant_nuisance", "no"),
        ("primary_category", "other"),
        ("judges", "desk1"),
        ("refusal_decision", "refuse_ok"),
    ],
)
def test_decided_values_cannot_be_smuggled_in(judging: Judging, name: str, value: str) -> None:
    at_work, task = judging
    before = at_work.variables()

    page = at_work.send("supervisor1", task, {**at_work.fields("determination_form"), name: value})

    assert page.status == 422
    assert f"「{name}」という項目はこの様式にありません" in page.text
    assert at_work.variables() == before


@pytest.mark.parametrize("missing", ["actor_reason", "nuisance_reason", "environment_reason"])
def test_no_finding_without_a_reason_for_each_of_the_three_elements(judging: Judging, missing: str) -> None:
    at_work, task = judging

    page = at_work.send("supervisor1", task, at_work.fields("determination_form", **{missing: " "}))

    assert page.status == 422
    assert page.error_at(missing)
    assert page.control("conflict_declared") is not None


def test_who_declares_a_conflict_cannot_judge_and_loses_nothing(
    judging: Judging,
) -> None:
    at_work, task = judging
    fields = at_work.fields("determination_form", conflict_declared="yes")

    page = at_work.send("supervisor1", task, fields)

    assert page.status == 422
    assert page.error_at("conflict_declared")
    assert page.control("nuisance_reason").text_content().strip() == fields["nuisance_reason"]


def test_an_override_needs_its_reason(judging: Judging) -> None:
    at_work, task = judging
    fields = at_work.fields("determination_form", level_override="1", level_override_reason="")

    page = at_work.send("supervisor1", task, fields)

    assert page.status == 422
    assert page.error_at("level_override_reason")


def test_health_is_written_by_who_reports_and_read_by_hr_alone(
    judging: Judging,
) -> None:
    at_work, _ = judging

    texts = {name: at_work.at(name).open(f"/cases/{NUMBER}").text for name in ("handler1", "desk1", "head1", "hr1")}

    assert {name for name, text in texts.items() if "苦痛・不安・不眠など" in text} == {"hr1"}


def test_a_supervisor_cannot_decide_measures_that_need_the_head(company: Callable[[str], Company]) -> None:
    """A06 (written warning) is for the head to decide; the same plan goes through from the head (C-14)."""
    at_work = company("C-14")
    begin(at_work)
    task = at_work.play_until("response_plan")
    assert task.candidate_groups == ("supervisor", "head")

    refused = at_work.send("supervisor1", task, at_work.fields("response_plan"))
    assert refused.status == 422
    assert refused.error_at("measures")

    assert at_work.send("head1", task, at_work.fields("response_plan")).status == 200


def as_list(texts: str | list[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else texts
