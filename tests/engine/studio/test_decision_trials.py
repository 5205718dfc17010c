"""A decision tried by what people type: words, numbers, moments and FEEL."""

from __future__ import annotations

from datetime import datetime

import pytest

from engine import deployments
from engine.errors import FileUnreadable
from engine.studio import decision_trials

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")


@pytest.fixture(scope="module")
def deadlines() -> bytes:
    return deployments.read_folder(*deployments.BUNDLED)["harassment-response/deadlines.dmn"]


def test_the_rule_that_fires_is_told_with_its_number_and_what_comes_out(deadlines: bytes) -> None:
    typed = {"event": "legal_review", "level": "2", "opened_at": "2026-11-24T10:00"}

    trial = decision_trials.run(deadlines, "DT_07_deadline", typed, NOW)

    rules = {step.id: step.rules for step in trial.steps}
    assert [number for number, _ in rules["DT_07_limit"]] == [17]  # 行14: 通常
    assert "契約を確かめるため3営業日以内" in trial.value
    assert "2026-11-27" in trial.value  # three business days after Tuesday the 24th


def test_every_decision_is_offered_with_all_that_it_rests_on(deadlines: bytes) -> None:
    found = {choice.id: [one.name for one in choice.inputs] for choice in decision_trials.choices(deadlines)}

    assert set(found["deadline_level"]) == {"level", "provisional_level"}
    assert {"event", "opened_at", "level"} <= set(found["DT_07_deadline"])


def test_an_input_is_offered_with_the_words_that_the_rules_ask_for(deadlines: bytes) -> None:
    (limit,) = (choice for choice in decision_trials.choices(deadlines) if choice.id == "DT_07_limit")

    values = {one.name: one.values for one in limit.inputs}
    assert values["event"][:3] == ("emergency_call", "first_response", "supervisor_report")  # DT-07, rows 1 to 3
    assert len(values["event"]) == len(set(values["event"])) == 32
    assert values["level"] == ()


@pytest.mark.parametrize("text", ['"legal_review"', "legal_review", ' "legal_" + "review" '])
def test_a_word_is_understood_with_and_without_marks(deadlines: bytes, text: str) -> None:
    trial = decision_trials.run(deadlines, "DT_07_limit", {"event": text, "level": "4"}, NOW)

    assert [number for number, _ in trial.steps[-1].rules] == [18]


def test_what_cannot_be_read_or_found_is_told(deadlines: bytes) -> None:
    with pytest.raises(FileUnreadable):
        decision_trials.choices(b"<x/>")
    with pytest.raises(FileUnreadable, match="nothing"):
        decision_trials.run(deadlines, "nothing", {}, NOW)
