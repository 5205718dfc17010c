"""The 13 fictional cases: what the decisions make of the facts of each, from the first report to the end state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import dmn, feel

FOLDER = Path(__file__).parents[2] / "processes" / "harassment-response"
FILES = tuple(dmn.read(path.read_bytes()) for path in sorted(FOLDER.glob("*.dmn")))
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))


def decide(decision: str, **inputs: object) -> Any:
    (definitions,) = [each for each in FILES if decision in each.decisions]
    values = {name: feel.from_python(value) for name, value in inputs.items()}
    outcome = definitions.evaluate(decision, values, feel.Environment(NOW))
    assert outcome.faults == ()
    return outcome.value


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a case, and what the decisions must say; `done` is what was done outside in the end."""

    id: str
    facts: Mapping[str, object]
    contract_status: str
    judged: Mapping[str, object]
    care_level: str
    refusal_decision: str
    end_state: str
    secondary: tuple[str, ...] = ()
    legal: Mapping[str, object] = field(default_factory=dict)
    done: Mapping[str, object] = field(default_factory=dict)


def facts(channel: str, demand: str, codes: str, **others: object) -> dict[str, object]:
    return {"actor_is_customer": "yes", "channel": channel, "demand_validity": demand, "codes": codes.split()} | others


def effects(distress: str, disruption: str, health: str) -> dict[str, object]:
    return {"avg_worker_distress": distress, "work_disruption": disruption, "health_impact": health}


def judged(means: str, e2: str, e3: str, lane: bool, categories: str, primary: str, dt09: str) -> dict[str, object]:
    return {
        "means": means,
        "significant_nuisance": e2,
        "environment_harmed": e3,
        "legit_lane": lane,
        "categories": categories.split(),
        "primary_category": primary,
        "interaction_result": dt09,
    }


def complaint() -> dict[str, object]:
    found = judged("proper", "no", "no", True, "", "none", "continue")
    return found | {"determination": "not_harassment", "level": 0}


def pending(category: str) -> dict[str, object]:
    found = judged("doubtful", "unknown", "unknown", True, category, category, "continue")
    return found | {"determination": "pending", "level": None, "provisional_level": 2}


def harassment(level: int, means: str, lane: bool, categories: str, primary: str, dt09: str) -> dict[str, object]:
    found = judged(means, "yes", "yes", lane, categories, primary, dt09)
    return found | {"determination": "harassment", "level": level}


def measures(text: str, purpose: str | None = None) -> dict[str, object]:
    return {"measures_done": text.split(), "lawyer_purpose": purpose}


SERIOUS = effects("yes", "serious", "distress")
CASES = (
    Case(
        "C-01", facts("phone", "valid", "") | effects("no", "minor", "none"), "active", complaint(), "C0",
        "not_allowed", "ES-01", done={"reply_done": True},
    ),
    Case(
        "C-02", facts("email_chat", "valid", "") | effects("no", "none", "none"), "active", complaint(), "C0",
        "not_allowed", "ES-01", done={"reply_done": True},
    ),
    Case(
        "C-05", facts("face_to_face", "partly_valid", "", duration_min=45, supervisor_present=True)
        | effects("no", "minor", "none"), "active", complaint(), "C0", "not_allowed", "ES-01", done={"reply_done": True},
    ),
    Case(
        "C-07", facts("phone", "unknown", "M01", duration_min=10) | effects("unknown", "minor", "distress"), "active",
        pending("mental_attack"), "C2", "not_allowed", "ES-10",
    ),
    Case(
        "C-08", facts("visit", "partly_valid", "I03", duration_min=40) | effects("unknown", "none", "none"), "active",
        pending("intimidation"), "C1", "not_allowed", "ES-10", done={"reply_done": True},
    ),
    Case(
        "C-11", facts("face_to_face", "partly_valid", "V02 V03", crime_override="yes") | SERIOUS, "active",
        harassment(3, "illegal", True, "violence", "violence", "warn_then_end"), "C2", "legal_review_required",
        "ES-04", ("ES-08",), done=measures("A05 A06 A12 A16 A23"),
    ),
    Case(
        "C-12", facts("visit", "invalid", "V01 V07") | effects("yes", "serious", "injury"), "active",
        harassment(4, "illegal", False, "violence", "violence", "immediate_end"), "C4", "terminate_by_clause",
        "ES-07", ("ES-08", "ES-09"), {"clause": True, "legal_done": True},
        measures("A14 A16 A17 A18 A21", "representation"),
    ),
    Case(
        "C-14", facts("email_chat", "partly_valid", "M04 X03", repeat_count=1, round_trips=2) | SERIOUS, "active",
        harassment(2, "improper", True, "excessive_demand mental_attack", "mental_attack", "re_explain"), "C2",
        "not_allowed", "ES-04", done=measures("A06 A12 A15 A23"),
    ),
    Case(
        "C-15", facts("phone", "invalid", "X01 X02", repeat_count=3) | effects("no", "serious", "none"), "active",
        harassment(2, "improper", False, "excessive_demand", "excessive_demand", "end"), "C1", "not_allowed", "ES-05",
        done=measures("A07 A15"),
    ),
    Case(
        "C-17", facts("visit", "valid", "I02 I03 X05") | SERIOUS, "active",
        harassment(3, "improper", True, "excessive_demand intimidation", "intimidation", "warn_then_end"), "C2",
        "warn_first", "ES-04", done=measures("A06 A12 A15 A23"),
    ),
    Case(
        "C-19", facts("online_meeting", "valid", "S01 S05", planned_min=60, duration_min=55)
        | effects("yes", "minor", "distress"), "active",
        harassment(2, "improper", True, "sexual", "sexual", "warn_then_end"), "C3", "not_allowed", "ES-03",
        done=measures("A12 A15 A23"),
    ),
    Case(
        "C-21", facts("sns", "invalid", "O01 O04") | effects("yes", "serious", "clinic"), "none",
        harassment(3, "improper", False, "online_defamation", "online_defamation", "na"), "C3", "refuse_ok", "ES-09",
        done=measures("A18 A19 A20"),
    ),
    Case(
        "C-22", facts("sns", "invalid", "O05") | SERIOUS, "none",
        harassment(4, "illegal", False, "online_defamation", "online_defamation", "na"), "C4", "refuse_ok", "ES-08",
        ("ES-09",), done=measures("A16 A17 A18 A19"),
    ),
)  # fmt: skip

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@each_case
def test_a_case_is_judged_as_the_domain_says(case: Case) -> None:
    result = decide("judgement", **case.facts)

    assert {name: result[name] for name in case.judged} == case.judged


@each_case
def test_a_case_gives_the_employee_the_care_level_of_the_domain(case: Case) -> None:
    result = decide("judgement", **case.facts)

    found = decide("DT_08_care_level", health_impact=case.facts["health_impact"], **said_of(result))

    assert found == case.care_level


@each_case
def test_a_case_allows_the_refusal_of_the_domain(case: Case) -> None:
    result = decide("judgement", **case.facts)

    found = decide("DT_10_refusal", contract_status=case.contract_status, **said_of(result), **case.legal)

    assert found == case.refusal_decision


@each_case
def test_a_case_ends_in_the_end_state_of_the_domain(case: Case) -> None:
    found = decide(
        "DT_12_end_state",
        determination=case.judged["determination"],
        refusal_decision=case.refusal_decision,
        **case.done,
    )

    assert found == {"end_state": case.end_state, "secondary_end_states": list(case.secondary)}


@each_case
def test_the_level_is_provisional_until_somebody_judged_who_acted(case: Case) -> None:
    known = {name: value for name, value in case.facts.items() if name not in ("actor_is_customer", "demand_validity")}

    reported, whole = decide("quick_judgement", **known), decide("judgement", **known)

    confirmed = case.judged["level"] or case.judged.get("provisional_level")
    assert reported["provisional_level"] == (confirmed or 1)  # a code-free complaint: 1 until it is judged
    assert (whole["determination"], whole["level"]) == (None, None)


def said_of(result: Mapping[str, object]) -> dict[str, object]:
    names = ("determination", "level", "provisional_level", "categories", "emergency", "crime_suspected")
    return {name: result[name] for name in names}
