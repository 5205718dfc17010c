"""Scenario files: run with a virtual clock, and the first difference in words."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine import deployments, scenario_files, scenarios
from engine.errors import FileUnreadable

Difference = Callable[..., str | None]

REVIEW = """
id: S-1
title: 一度で済む審査
start: {process: review, by: anna, at: 2026-11-24T10:00:00+09:00, variables: {amount: 30}}
answers:
  review_form: {by: ben, verdict: good}
  second_look: {note: 見ました}
expect: {amount: 30, reviewers: [ben], completed_steps: [RV-01, RV-02, RV-03]}
"""


@pytest.fixture
def files(bundle_files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The office without the job type that only tests know."""
    return {name: content for name, content in bundle_files.items() if name != "charge.bpmn"}


@pytest.fixture
def difference(files: dict[str, bytes], tmp_path: Path) -> Difference:
    def run(text: str, *changes: tuple[str, str]) -> str | None:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "scenario.yaml"
        path.write_text(textwrap.dedent(text), "utf-8")
        return scenarios.run(path, files).difference

    return run


def test_a_scenario_that_comes_as_expected_has_no_difference(difference: Difference) -> None:
    assert difference(REVIEW) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("amount: 30, reviewers", "amount: 31, reviewers"), "amount: 31 のはずが 30 でした。"),
        (("reviewers: [ben]", "reviewers: [anna]"), 'reviewers: ["anna"] のはずが ["ben"] でした。'),
        (("expect: {", "expect: {nothing: null, "), None),
        (("expect: {", "expect: {nothing: [], "), None),
        (("expect: {", "expect: {nothing: 1, "), "nothing: 1 のはずが null でした。"),
        (("RV-01, RV-02, RV-03", "RV-03, RV-01, RV-02"), None),
        (("RV-02, RV-03", "RV-02"), "completed_steps: RV-03 まで行われました。"),
        (("RV-03]", "RV-03, RV-04]"), "completed_steps: RV-04 が行われていません(行われたのは RV-01、RV-02、RV-03)。"),
        (("verdict: good", "verdict: mend"), "「理由」"),
        (("verdict: good", "verdict: good, colour: red"), "項目 colour"),
        (("verdict: good", "verdict: good, reason: 隠れた項目の答え"), None),
        (
            ("  second_look: {note: 見ました}\n", ""),
            "フォーム second_look の答えがありません(まず項目「note」が要ります)",
        ),
        (
            ("second_look: {note: 見ました}", "second_look: []"),
            "RV-02「もう一度見る」: フォーム second_look の答えがありません",
        ),
        (
            ("  second_look:", "  second_lok: {}\n  second_look:"),
            "フォーム second_lok は、配備したファイルの中にありません。",
        ),
        (("by: ben", "by: carla"), "別の担当の方"),
        (("by: ben", "by: nobody"), "「nobody」さんは bundle.yaml の people にいません"),
        (("by: anna", "by: nobody"), "start.by"),
        (("process: review", "process: nowhere"), "「nowhere」は配備されていません"),
        (("{by: ben, verdict: good}", '{by: ben, verdict: "=1 +"}'), "式 =1 + を計算できません"),
    ],
)
def test_the_first_difference_is_told(difference: Difference, change: tuple[str, str], told: str | None) -> None:
    found = difference(REVIEW, change)

    assert found is None if told is None else told in (found or "")


def test_without_by_the_first_candidate_who_is_not_excluded_answers(difference: Difference) -> None:
    assert difference(REVIEW, ("by: ben, ", ""), ("reviewers: [ben]", "reviewers: [anna]")) is None


def test_values_that_begin_with_equals_are_computed_at_any_depth(difference: Difference) -> None:
    found = difference(
        REVIEW,
        ("variables: {amount: 30}", 'variables: {amount: 30, list: [{day: "=today() + duration(\\"P7D\\")"}]}'),
        ("verdict: good", 'verdict: good, visit: "=add business days(today(), 1)", amount: "=amount + 1"'),
        ("amount: 30, reviewers", "list: [{day: 2026-12-01}], reviewers"),
    )

    assert found is None


def test_answers_in_a_list_are_given_in_order_and_running_out_is_told(difference: Difference) -> None:
    twice = """
    id: S-2
    start: {process: twice, by: anna, at: 2026-11-24T10:00:00+09:00}
    answers: {second_look: [{note: 一}, {note: 二}]}
    expect: {notes: [一, 二]}
    """
    assert difference(twice) is None
    assert "second_look の 2 回目の答えがありません" in (difference(twice, (", {note: 二}", "")) or "")
    assert difference(twice, (", {note: 二}", ""), ("[一, 二]}", "[一]}\n    leave_open: [second_look]")) is None


def test_the_clock_moves_to_the_next_due_job_until_the_limit(difference: Difference) -> None:
    pause = """
    id: S-3
    start: {process: pause, by: anna, at: 2026-11-24T10:00:00+09:00}
    until: P1D
    expect: {completed_steps: []}
    """
    assert difference(pause) is None
    assert difference(pause, ("until: P1D", "until: P2D"), ("[]", "[PS-01]")) is None
    assert difference(pause, ("until: P1D\n    ", ""), ("[]", "[PS-01]")) is None


def test_a_delayed_answer_comes_when_its_time_has_come(difference: Difference) -> None:
    delayed = """
    id: S-4
    start: {process: twice, by: anna, at: 2026-11-24T10:00:00+09:00}
    answers: {second_look: {note: "=string(now())"}}
    delays: {second_look: PT3H}
    expect: {notes: ["2026-11-24T13:00:00@Asia/Tokyo", "2026-11-24T16:00:00@Asia/Tokyo"]}
    """
    assert difference(delayed) is None


def test_an_event_comes_after_its_form_and_wait_and_prefills_the_form_it_opens(difference: Difference) -> None:
    event = """
    id: S-5
    start: {process: hearing, by: anna, at: 2026-11-24T10:00:00+09:00}
    answers: {review_form: {verdict: mend}, second_look: {note: はじめ}}
    events: [{after: second_look, wait: P10D, message: heard, values: {reason: 申し出から, amount: 5}}]
    expect: {completed_steps: [HE-01, HE-02], at: "2026-12-04T10:00:00@Asia/Tokyo", given: 申し出から}
    """
    assert difference(event) is None
    assert "「理由」" in (difference(event, ("reason: 申し出から, ", "")) or "")


def test_an_incident_is_told_with_its_element(difference: Difference) -> None:
    choice = """
    id: S-6
    start: {process: choice, at: 2026-11-24T10:00:00+09:00, variables: {amount: たくさん}}
    """
    assert "which で止まりました" in (difference(choice) or "")


def test_a_case_that_goes_round_for_ever_is_stopped(difference: Difference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MAX_MOVES", 2)

    assert "2 回進めても終わりません" in (difference(REVIEW) or "")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title:", "titel:", "titel"),
        ("expect:", "expects:", "expects"),
        ("by: anna", "who: anna", "start who"),
        ("id: S-1", "id: 1", "id"),
        ("at: 2026-11-24T10:00:00+09:00", "at: tomorrow", "start.at"),
        ("answers:", "until: soon\nanswers:", "until"),
        ("answers:", "delays: {review_form: 3}\nanswers:", "delays.review_form"),
        ("answers:", "events: [{message: m}]\nanswers:", r"events\[0\].after"),
        ("answers:", "events: {a: 1}\nanswers:", "events"),
        ("review_form: {", "review_form: 3\n  other: {", "answers.review_form"),
        ("answers:", "answers: {}\nanswers:", "YAML"),
    ],
)
def test_a_file_that_is_not_as_the_format_says_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in REVIEW
    path = tmp_path / "scenario.yaml"
    path.write_text(REVIEW.replace(old, new, 1), "utf-8")

    with pytest.raises(FileUnreadable, match=told):
        scenario_files.read(path)


def test_quoted_and_bare_times_are_the_same_and_japanese_without_offset(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    moments = []
    for written in (
        "2026-11-24T10:00:00+09:00",
        '"2026-11-24T10:00:00+09:00"',
        "2026-11-24T10:00:00",
        "2026-11-24 01:00:00Z",
    ):
        path.write_text(REVIEW.replace("2026-11-24T10:00:00+09:00", written), "utf-8")
        moments.append(scenario_files.read(path).at.isoformat())

    assert moments == ["2026-11-24T10:00:00+09:00"] * 4


def test_files_and_folders_are_found_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/2.yaml", "a/1.yml", "a/note.md", "3.yaml"):
        (tmp_path / name).write_text("id: x\nstart: {}", "utf-8")
    (tmp_path / "a" / "bundle.yaml").write_text("title: x\nstarts: []", "utf-8")

    found = scenario_files.find([tmp_path / "3.yaml", tmp_path / "a"])

    assert [path.name for path in found] == ["3.yaml", "1.yml", "2.yaml"]
    with pytest.raises(FileUnreadable):
        scenario_files.find([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileUnreadable):
        scenario_files.find([tmp_path / "empty"])


def test_the_bundled_folders_are_those_of_the_repository() -> None:
    assert [folder.name for folder in deployments.BUNDLED] == ["processes", "forms"]
