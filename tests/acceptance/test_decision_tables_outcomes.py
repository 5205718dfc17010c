"""DT-05, DT-06, DT-08, DT-10 and DT-12 against the domain's rows, read here a second time in plain Python."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import dmn, feel

FOLDER = Path(__file__).parents[2] / "processes" / "harassment-response"
FILES = tuple(dmn.read(path.read_bytes()) for path in sorted(FOLDER.glob("*.dmn")))
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
LEVELS = (0, 1, 2, 3, 4)
CHANNELS = ("face_to_face", "phone", "email_chat", "sns", "visit", "online_meeting", "other")


def file_of(decision: str) -> dmn.Definitions:
    (definitions,) = [each for each in FILES if decision in each.decisions]
    return definitions


def outcome(decision: str, inputs: Mapping[str, object]) -> dmn.Outcome:
    values = {name: feel.from_python(value) for name, value in inputs.items()}
    found = file_of(decision).evaluate(decision, values, feel.Environment(NOW))
    assert found.faults == ()
    return found


def decide(decision: str, **inputs: object) -> Any:
    return outcome(decision, inputs).value


def grid(**choices: tuple[object, ...]) -> Iterator[dict[str, object]]:
    return (dict(zip(choices, combination, strict=True)) for combination in product(*choices.values()))


# --- DT-08, DT-08b

CARE = tuple(
    grid(
        emergency=(True, False, None),
        health_impact=("none", "distress", "clinic", "leave", "injury", None),
        self_harm_risk=("yes", "no", None),
        categories=([], ["violence"], ["mental_attack", "sexual"], None),
        determination=("harassment", "not_harassment", "pending", None),
        level=(0, 1, 2, 3, 4, None),
        wants_support=(True, None),
    )
)


def expected_care(given: Mapping[str, Any]) -> str:
    health, level = given["health_impact"], given["level"] or 0
    if given["emergency"] or health in ("injury", "leave") or given["self_harm_risk"] == "yes":
        return "C4"
    sexual = "sexual" in (given["categories"] or []) and given["determination"] != "not_harassment"
    if health == "clinic" or sexual or level == 4:
        return "C3"
    if level == 3 or (level == 2 and health == "distress"):
        return "C2"
    return "C1" if level in (1, 2) or health == "distress" or given["wants_support"] else "C0"


def test_the_care_level_follows_from_danger_health_kind_and_level() -> None:
    for given in CARE:
        assert decide("DT_08_care_level", **given) == expected_care(given), given


def test_care_does_not_wait_for_the_confirmed_level() -> None:
    assert decide("DT_08_care_level", provisional_level=3) == "C2"
    assert decide("DT_08_care_level", level=0, provisional_level=3) == "C0"


CARE_STEPS = tuple(
    grid(
        care_level=("C0", "C1", "C2", "C3", "C4", None),
        level=LEVELS,
        health_impact=("none", "distress", "clinic", "leave", "injury", None),
        conduct_codes=([], ["M01"], None),
        work_support_needed=(True, False, None),
    )
)


def expected_steps(given: Mapping[str, Any]) -> dict[str, bool]:
    care, health = given["care_level"] or "C0", given["health_impact"] or "none"
    hurt = health != "none" and bool(given["conduct_codes"])
    return {
        "ct_01": care >= "C2" or hurt,
        "ct_02": care >= "C1",
        "ct_03": care >= "C1",
        "ct_04": care >= "C3" or given["level"] >= 3,
        "ct_05": health in ("leave", "injury") or given["work_support_needed"] is True,
        "ct_06": care >= "C1",
        "ct_07": care >= "C2",
        "ct_08": care >= "C2",
    }


def test_the_steps_of_care_follow_from_care_level_level_and_health() -> None:
    for given in CARE_STEPS:
        assert decide("DT_08b_care_steps", **given) == expected_steps(given), given


def test_a_provisional_level_of_three_brings_in_a_professional() -> None:
    assert decide("DT_08b_care_steps", care_level="C2", provisional_level=3)["ct_04"] is True
    assert decide("DT_08b_care_steps", care_level="C2", level=2, provisional_level=3)["ct_04"] is False


# --- DT-10

REFUSALS = tuple(
    grid(
        contract_status=("none", "active", "expired"),
        level=(*LEVELS, None),
        determination=("harassment", "pending"),
        prior_warning=(True, False, None),
        crime_suspected=(True, False),
        clause=(True, False, None),
        legal_done=(True, False, None),
    )
)


def expected_refusal(given: Mapping[str, Any]) -> str:
    level = 0 if given["determination"] == "pending" else given["level"] or 0
    contract = given["contract_status"]
    if level <= 1:
        return "not_allowed"
    if contract == "none":
        return "refuse_ok"
    if contract == "expired":
        return "refuse_renewal" if given["legal_done"] else "legal_review_required"
    if level == 2:
        return "not_allowed"
    if level == 3 and not given["prior_warning"] and not given["crime_suspected"]:
        return "warn_first"
    if not given["legal_done"]:
        return "legal_review_required"
    return "terminate_by_clause" if given["clause"] else "terminate_or_agree"


def test_a_refusal_depends_on_contract_level_warning_and_legal_review() -> None:
    for given in REFUSALS:
        assert decide("DT_10_refusal", **given) == expected_refusal(given), given


@pytest.mark.parametrize("level", [2, 3, 4])
def test_a_contract_nobody_knows_needs_a_legal_review(level: int) -> None:
    assert decide("DT_10_refusal", level=level) == "legal_review_required"


# --- DT-05: one code per row of the domain's cell; "?" marks what is only to be considered

OF_LEVEL = {
    0: "A01 A27?",
    1: "A01 A04 A05 A27",
    2: "A02 A03 A04 A05 A12",
    3: "A02 A03 A06 A07 A12 A13? A16? A18",
    4: "A24 A16 A18 A07 A13 A21 A22",
}
OF_CHANNEL = {
    "face_to_face": ("", "A08", "A08 A17?", "A24 A17 A21"),
    "phone": ("A04", "A03 A09", "A09 A12", "A09 A26"),
    "email_chat": ("", "A10", "A10 A26", "A10 A26"),
    "sns": ("", "A19", "A19 A20?", "A19 A20 A22"),
    "visit": ("", "A25", "A25 A08", "A24 A25 A17"),
    "online_meeting": ("", "A03 A11", "A11 A26", "A11 A26 A21"),
    "other": ("A01", "A06", "A07", "A16 A18"),
}
MEASURES = (
    *grid(
        determination=("harassment",),
        level=LEVELS,
        channel=("other",),
        repeat_count=(0, 1, 3, None),
        contract_status=("none", "active", "expired"),
        refusal_decision=("refuse_ok", "warn_first", None),
        legit_lane=(True, False),
        actor_relation=("partner_employee", "partner_owner", None),
        emergency=(True, False),
    ),
    *grid(determination=("harassment",), level=LEVELS, channel=CHANNELS),
    *grid(determination=("pending",), level=(*LEVELS, None), channel=CHANNELS),
)


def expected_measures(given: Mapping[str, Any]) -> list[str]:
    """The codes with their marks, once for every row that names them."""
    level, repeat = given["level"], given.get("repeat_count") or 0
    if given["determination"] == "pending":
        return ["A01", "A02", "A03"]
    found = OF_LEVEL[level].split()
    if level == 2:
        found.append("A06" if repeat >= 1 else "A06?")
        found += ["A07"] * (repeat >= 3)
        found += ["A13?"] * (given.get("contract_status") == "none" and given.get("refusal_decision") == "refuse_ok")
    if level >= 3 and given.get("contract_status") in ("active", "expired"):
        found.append("A14")
    found += ["A17"] * (level == 4 and given.get("emergency") is True)
    found += ["A23"] * (level >= 1 and given.get("legit_lane") is True)
    found += ["A15"] * (level >= 2 and given.get("actor_relation") == "partner_employee")
    return found + (OF_CHANNEL[given["channel"]][level - 1].split() if level else [])


def test_the_candidates_are_the_codes_of_every_row_that_fits() -> None:
    for given in MEASURES:
        rows = decide("DT_05_measures", **given)

        found = [row["measure"] + "?" * row["optional"] for row in rows if row["measure"]]

        assert Counter(found) == Counter(expected_measures(given)), given


def test_the_recommendation_has_each_code_once_and_apart_from_those_to_consider() -> None:
    for given in MEASURES[::11]:
        marked = expected_measures(given)
        firm = sorted({code for code in marked if not code.endswith("?")})
        considered = sorted({code.rstrip("?") for code in marked} - set(firm))

        found = decide("recommended_measures", **given)

        assert (found["measures"], found["optional"]) == (firm, considered), given


def test_every_channel_has_advice_at_the_first_level_where_no_code_fits() -> None:
    for channel, (codes, *_) in OF_CHANNEL.items():
        advice = decide("recommended_measures", level=1, channel=channel, determination="harassment")["advice"]

        assert bool(advice) is (codes == ""), channel


def test_nothing_is_recommended_while_nothing_is_known() -> None:
    found = decide("recommended_measures")

    assert (found["measures"], found["advice"], found["optional"]) == ([], [], [])


APPROVERS = {
    "handler": "A01 A03 A04 A09 A11 A24",
    "supervisor": "A02 A05 A07 A08 A10 A12 A23 A25 A27",
    "head": "A06 A13 A15 A16 A18 A21 A26",
    "head legal": "A14",
    "everyone": "A17",
    "desk legal": "A19",
    "lawyer": "A20",
    "executive": "A22",
}


def test_every_measure_has_a_name_and_its_least_approvers() -> None:
    expected = {code: groups.split() for groups, codes in APPROVERS.items() for code in codes.split()}

    catalogue = decide("measure_catalogue")

    assert {row["code"]: row["approvers"] for row in catalogue} == expected
    assert len(catalogue) == 27
    assert all(row["name"] for row in catalogue)


@pytest.mark.parametrize(("level", "more"), [(2, []), (3, ["A07"])])
def test_the_recommendation_tells_what_a_head_and_what_the_executive_decide(level: int, more: list[str]) -> None:
    found = decide("recommended_measures", level=level, determination="harassment")

    heads = [
        code
        for groups, codes in APPROVERS.items()
        if {"head", "executive"} & set(groups.split())
        for code in codes.split()
    ]
    assert found["for_head"] == sorted([*heads, *more])
    assert found["for_executive"] == APPROVERS["executive"].split()


def test_a_measure_can_be_looked_up_by_its_code() -> None:
    catalogue = decide("measure_catalogue")

    assert [decide("measure_catalogue", measure=row["code"]) for row in catalogue] == [[row] for row in catalogue]


@pytest.mark.parametrize(("level", "approver"), [(2, "supervisor"), (3, "head"), (4, "head")])
def test_ending_the_conversation_needs_the_head_from_level_three(level: int, approver: str) -> None:
    (row,) = decide("measure_catalogue", measure="A07", level=level)

    assert (row["code"], row["approvers"]) == ("A07", [approver])


# --- DT-06

OFFENCES = {
    "assault": ("暴行", "2年以下", False, "高"),
    "injury": ("傷害", "15年以下", False, "最高"),
    "intimidation_crime": ("脅迫", "2年以下", False, "高"),
    "coercion": ("強要", "3年以下", False, "中〜高"),
    "unlawful_stay": ("不退去", "3年以下", False, "高"),
    "obstruction_force": ("威力業務妨害", "3年以下", False, "中"),
    "obstruction_fraud": ("偽計業務妨害", "3年以下", False, "中"),
    "credit_damage": ("信用毀損", "3年以下", False, "中"),
    "defamation": ("名誉毀損", "3年以下", True, "中"),
    "insult": ("侮辱", "1年以下", True, "中"),
    "extortion": ("恐喝", "10年以下", False, "高"),
    "property_damage": ("器物損壊", "3年以下", True, "中"),
    "confinement": ("逮捕・監禁", "3月以上7年以下", False, "最高"),
    "indecency": ("不同意わいせつ", "6月以上10年以下", False, "最高"),
    "stalking": ("ストーカー規制法", "警告・禁止命令・罰則", None, "高"),
    "nuisance_ordinance": ("東京都迷惑防止条例", "条例・法", None, "中"),
    "civil_tort": ("民法709", "損害賠償", None, "低"),
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_suspected_offence_says_penalty_complaint_contact_and_urgency(offence: str) -> None:
    name, penalty, needs_complaint, urgency = OFFENCES[offence]

    (found,) = decide("DT_06_offence", offences=[offence])

    assert found["offence"] == offence
    assert found["name"].startswith(name)
    assert found["penalty"].startswith(penalty)
    assert (found["needs_complaint"], found["urgency"]) == (needs_complaint, urgency)
    assert found["contact"]


def test_several_offences_are_all_listed() -> None:
    assert [row["offence"] for row in decide("DT_06_offence", offences=list(OFFENCES))] == list(OFFENCES)


# --- DT-12

END_STATES = tuple(
    grid(
        determination=("harassment", "not_harassment", "pending", None),
        misreport=(True, None),
        reply_done=(True, None),
        measures_done=(
            [], ["A05"], ["A06"], ["A07"], ["A10"], ["A13"], ["A14"], ["A16", "A06"], ["A17"], ["A18"],
            ["A19"], ["A20", "A16"], ["A22", "A07"], None,
        ),
        refusal_decision=("refuse_ok", "refuse_renewal", "terminate_by_clause", "terminate_or_agree", "not_allowed"),
        lawyer_purpose=(None, "opinion", "drafting", "representation", "disclosure", "injunction", "litigation"),
    )
)  # fmt: skip


def expected_end(given: Mapping[str, Any]) -> tuple[str, list[str]]:
    done = set(given["measures_done"] or [])
    police = bool(done & {"A16", "A17"})
    legal = bool(done & {"A19", "A20", "A22"}) or given["lawyer_purpose"] not in (None, "opinion", "drafting")
    primary = primary_end(given, done, police, legal)
    secondary = ["ES-08"] * police + ["ES-09"] * legal
    return primary, [state for state in secondary if state != primary]


def primary_end(given: Mapping[str, Any], done: set[str], police: bool, legal: bool) -> str:
    refusal = str(given["refusal_decision"])
    ways = (
        (given["determination"] == "pending", "ES-10"),
        (given["misreport"], "ES-11"),
        (given["determination"] == "not_harassment", "ES-01" if given["reply_done"] else "ES-02"),
        ("A14" in done and refusal.startswith("terminate_"), "ES-07"),
        ("A13" in done and refusal.startswith("refuse_"), "ES-06"),
        (done & {"A07", "A10"}, "ES-05"),
        ("A06" in done, "ES-04"),
        (police, "ES-08"),
        (legal, "ES-09"),
    )
    return next((state for holds, state in ways if holds), "ES-03")


def test_the_end_state_follows_from_the_result_and_what_was_done() -> None:
    for given in END_STATES:
        found = decide("DT_12_end_state", **given)

        assert (found["end_state"], found["secondary_end_states"]) == expected_end(given), given


# --- every rule can be reached

REACHED: Mapping[str, Iterable[dict[str, object]]] = {
    "DT_08_care_level": CARE[::7],
    "DT_08b_care_steps": CARE_STEPS,
    "DT_10_refusal": REFUSALS,
    "DT_05_measures": MEASURES,
    "measure_catalogue": tuple(grid(level=(2, 3))),
    "DT_06_offence": ({"offences": list(OFFENCES)},),
    "DT_12_primary": END_STATES,
}


@pytest.mark.parametrize("decision", REACHED)
def test_every_rule_can_be_reached(decision: str) -> None:
    table = file_of(decision).decisions[decision].logic
    assert isinstance(table, dmn.DecisionTable)

    used = {
        rule.index
        for given in REACHED[decision]
        for evaluation in outcome(decision, given).evaluations
        if evaluation.decision_id == decision
        for rule in evaluation.rules
    }

    assert used == {rule.index for rule in table.rules}
