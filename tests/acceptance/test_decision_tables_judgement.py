"""DT-00 to DT-04, DT-09 and DT-11 against the domain's rows, read here a second time in plain Python."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import dmn, feel

FILE = Path(__file__).parents[2] / "processes" / "harassment-response" / "judgement.dmn"
JUDGEMENT = dmn.read(FILE.read_bytes())
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))

# code, category, means floor, base, crime, emergency, suspected offences
CATALOGUE = """
V01 violence improper 4 yes yes assault
V02 violence improper 3 no no assault property_damage
V03 violence improper 2 no no obstruction_force
V04 violence improper 3 yes no assault
V05 violence improper 3 yes no property_damage
V06 violence improper 4 yes yes intimidation_crime nuisance_ordinance
V07 violence improper 4 yes yes confinement
M01 mental_attack doubtful 2 no no obstruction_force
M02 mental_attack improper 2 no no insult
M03 mental_attack improper 2 no no insult
M04 mental_attack doubtful 2 no no
M05 mental_attack improper 3 no no intimidation_crime
X01 excessive_demand none 1 no no
X02 excessive_demand none 1 no no
X03 excessive_demand none 1 no no
X04 excessive_demand none 2 no no extortion
X05 excessive_demand doubtful 2 no no coercion
X06 excessive_demand doubtful 2 no no
I01 intimidation none 2 no no obstruction_force
I02 intimidation improper 3 no no coercion
I03 intimidation doubtful 2 no no
I04 intimidation doubtful 2 no no unlawful_stay obstruction_force
I05 intimidation improper 4 yes no intimidation_crime
I06 intimidation improper 2 no no coercion intimidation_crime
I07 intimidation improper 2 no no obstruction_force
I08 intimidation improper 3 no no intimidation_crime extortion
I09 intimidation improper 3 yes no nuisance_ordinance
S01 sexual improper 2 no no
S02 sexual improper 2 no no
S03 sexual improper 3 yes no indecency
S04 sexual improper 4 yes no indecency
S05 sexual improper 2 no no stalking
S06 sexual improper 3 yes no stalking
O01 online_defamation improper 3 no no defamation credit_damage
O02 online_defamation doubtful 2 no no credit_damage
O03 online_defamation improper 3 no no insult defamation
O04 online_defamation improper 3 no no civil_tort defamation
O05 online_defamation improper 4 yes yes intimidation_crime obstruction_fraud
Z01 other doubtful 1 no no
"""
CODES: Mapping[str, list[str]] = {
    code: rest for code, *rest in (line.split() for line in CATALOGUE.strip().splitlines())
}
MEANS = ("proper", "doubtful", "improper", "illegal")
# A set of codes for every means floor without suspicion of a crime, and the actor's means by DT-03b.
OF_FLOOR: Mapping[str, list[str]] = {"none": ["X01"], "doubtful": ["M04"], "improper": ["M02"]}
OF_MEANS: Mapping[str, list[str]] = {"proper": ["X01"], "doubtful": ["M04"], "improper": ["M02"], "illegal": ["V04"]}


def outcome(decision: str, inputs: Mapping[str, object]) -> dmn.Outcome:
    values = {name: feel.from_python(value) for name, value in inputs.items()}
    found = JUDGEMENT.evaluate(decision, values, feel.Environment(NOW))
    assert found.faults == ()
    return found


def decide(decision: str, **inputs: object) -> Any:
    return outcome(decision, inputs).value


def rules_used(decision: str, all_inputs: Iterator[dict[str, object]]) -> set[int]:
    return {
        rule.index
        for inputs in all_inputs
        for evaluation in outcome(decision, inputs).evaluations
        if evaluation.decision_id == decision
        for rule in evaluation.rules
    }


def grid(**choices: tuple[object, ...]) -> Iterator[dict[str, object]]:
    return (dict(zip(choices, combination, strict=True)) for combination in product(*choices.values()))


# --- DT-00


@pytest.mark.parametrize("code", CODES)
def test_a_conduct_code_says_what_the_catalogue_says(code: str) -> None:
    category, floor, base, crime, emergency, *offences = CODES[code]

    found = decide("quick_judgement", codes=[code])

    assert (found["categories"], found["primary_category"]) == ([category], category)
    assert (found["max_floor"], found["max_base"]) == (floor, int(base))
    assert (found["crime_suspected"], found["emergency"]) == (crime == "yes", emergency == "yes")
    assert sorted(found["offences"]) == sorted(offences)


@pytest.mark.parametrize("codes", [[], None])
def test_no_codes_give_the_mildest_of_everything(codes: list[str] | None) -> None:
    found = decide("quick_judgement", codes=codes)

    assert (found["max_floor"], found["max_base"], found["offences"]) == ("none", 0, [])
    assert (found["crime_suspected"], found["emergency"]) == (False, False)
    assert (found["categories"], found["primary_category"]) == ([], "none")


def test_several_codes_give_the_gravest_of_each_column() -> None:
    found = decide("quick_judgement", codes=["X01", "M04", "I02"])

    assert (found["max_floor"], found["max_base"]) == ("improper", 3)


def test_an_unknown_code_is_a_fault_and_not_overlooked() -> None:
    values: dict[str, feel.Value] = {"codes": ["M01", "V99"]}

    assert JUDGEMENT.evaluate("quick_judgement", values, feel.Environment(NOW)).faults


def test_striking_somebody_who_was_injured_is_injury_instead_of_assault() -> None:
    found = decide("quick_judgement", codes=["V01", "V07"], health_impact="injury")

    assert sorted(found["offences"]) == ["confinement", "injury"]


@pytest.mark.parametrize("value", ["yes", "no"])
@pytest.mark.parametrize("code", ["V01", "M04"])
def test_a_person_can_correct_crime_and_emergency_both_ways(code: str, value: str) -> None:
    found = decide("quick_judgement", codes=[code], crime_override=value, emergency_override=value)

    assert (found["crime_suspected"], found["emergency"]) == (value == "yes", value == "yes")


# --- DT-09b, DT-09


@pytest.mark.parametrize(
    ("inputs", "ratio", "over"),
    [
        ({"channel": "phone", "duration_min": 30}, 1, False),
        ({"channel": "phone", "duration_min": 33}, "1.1", True),
        ({"channel": "phone", "duration_min": 6, "daily_total_min": 66}, "1.1", True),
        ({"channel": "phone"}, 0, False),
        ({"channel": "face_to_face", "duration_min": 45}, "1.5", True),
        ({"channel": "face_to_face", "duration_min": 45, "supervisor_present": True}, "0.75", False),
        ({"channel": "visit", "duration_min": 48}, "0.8", False),
        ({"channel": "online_meeting", "duration_min": 90, "planned_min": 60}, "1.2", True),
        ({"channel": "email_chat", "round_trips": 3}, 1, False),
        ({"channel": "email_chat", "round_trips": 6}, 2, True),
        ({"channel": "sns", "duration_min": 500}, 0, False),
        ({"channel": "other", "duration_min": 500}, 0, False),
        ({"channel": "phone", "duration_min": 33, "time_over_override": "no"}, "1.1", False),
        ({"channel": "sns", "time_over_override": "yes"}, 0, True),
    ],
)
def test_the_time_spent_is_measured_by_the_guide_of_the_channel(
    inputs: dict[str, object], ratio: int | str, over: bool
) -> None:
    found = decide("quick_judgement", **inputs)

    assert feel.to_text(found["time_ratio"]) == str(ratio)
    assert found["time_over"] is over


INTERACTIONS = tuple(
    grid(
        channel=("phone", "sns"),
        accommodation_lane=(True, None),
        emergency_override=("yes", "no"),
        codes=([], ["V01"], ["V06"], ["V07"], ["S04"], ["M02"], ["M04"]),
        repeat_count=(0, 1, 2, 3, 4),
        duration_min=(23, 24, 30, 31),
    )
)


def expected_interaction(given: Mapping[str, Any]) -> str:
    codes, repeat, minutes = given["codes"], given["repeat_count"], given["duration_min"]
    limit = given["channel"] == "phone"
    if given["channel"] == "sns":
        return "na"
    if given["emergency_override"] == "yes" or {"V01", "V06", "V07", "S04"} & set(codes):
        return "immediate_end"
    if codes == ["M02"]:
        return "warn_then_end"
    if given["accommodation_lane"]:
        return "na"  # exception E9: nobody waits with leaving for an accommodation that was asked for
    if repeat >= 3:
        return "end"
    if limit and minutes > 30:
        return "end_with_notice"
    if repeat == 2:
        return "final_notice"
    if limit and minutes >= 24:
        return "time_notice"
    return "re_explain" if repeat == 1 else "continue"


def test_a_conversation_goes_on_or_ends_as_dt_09_says() -> None:
    for given in INTERACTIONS:
        assert decide("DT_09_interaction", **given) == expected_interaction(given), given


# --- DT-03b, DT-11, DT-03


def expected_means(crime: bool, floor: str, repeat: int, over: bool) -> str:
    if crime:
        return "illegal"
    if floor == "improper":
        return "improper"
    if floor == "doubtful":
        return "improper" if repeat >= 1 or over else "doubtful"
    if repeat >= 3:
        return "improper"
    return "doubtful" if repeat >= 1 or over else "proper"


MEANS_GRID = tuple(
    grid(
        crime_override=("yes", "no"), codes=tuple(OF_FLOOR.values()), repeat_count=(0, 1, 2, 3, 4),
        time_over_override=("yes", "no"),
    )
)  # fmt: skip


def test_the_means_follow_from_crime_floor_repetition_and_time() -> None:
    for given in MEANS_GRID:
        floor = next(floor for floor, codes in OF_FLOOR.items() if codes == given["codes"])
        repeat, crime = given["repeat_count"], given["crime_override"] == "yes"
        assert isinstance(repeat, int)

        expected = expected_means(crime, floor, repeat, given["time_over_override"] == "yes")

        assert decide("DT_03b_means", **given) == expected, given


ACCOMMODATIONS = tuple(
    grid(
        circumstances=("none", "accommodation", "influence", "support", "unknown", None),
        undue_burden=("no", "under_review", "yes", None),
        codes=tuple(OF_MEANS.values()),
        means_override=("up", "down", None),
    )
)


def expected_accommodation(circumstances: object, burden: object, means: str) -> str:
    if circumstances == "accommodation" and means == "proper":
        return "accommodation_lane"
    if circumstances == "accommodation" and burden == "yes":
        return "alternative_dialogue"
    if circumstances == "influence":
        return "supporter" if means == "illegal" else "lower_means"
    return "supporter" if circumstances == "support" else "normal"


def test_circumstances_are_considered_before_the_means_are_judged() -> None:
    for given in ACCOMMODATIONS:
        raw = next(means for means, codes in OF_MEANS.items() if codes == given["codes"])
        accommodation = expected_accommodation(given["circumstances"], given["undue_burden"], raw)
        step = max(0, MEANS.index(raw) - (accommodation == "lower_means"))
        step += {"up": 1, "down": -1}.get(str(given["means_override"]), 0)

        found = decide("judgement", **given)

        assert (found["means_raw"], found["accommodation"]) == (raw, accommodation), given
        assert found["means"] == MEANS[min(3, max(0, step))], given


# demand validity: significant_nuisance for proper, doubtful, improper, illegal; legit_lane
NUISANCE = {
    "valid": (("no", "no", "yes", "yes"), True),
    "partly_valid": (("no", "unknown", "yes", "yes"), True),
    "invalid": (("no", "unknown", "yes", "yes"), False),
    "grossly_excessive": (("unknown", "yes", "yes", "yes"), False),
    "unknown": (("no", "unknown", "yes", "yes"), True),
}


@pytest.mark.parametrize("means", MEANS)
@pytest.mark.parametrize("validity", NUISANCE)
def test_demand_and_means_together_say_whether_the_nuisance_is_significant(validity: str, means: str) -> None:
    nuisance, lane = NUISANCE[validity]

    found = decide("judgement", codes=OF_MEANS[means], demand_validity=validity)

    assert found["means"] == means
    assert (found["significant_nuisance"], found["legit_lane"]) == (nuisance[MEANS.index(means)], lane)
    assert found["treatment"]


def test_a_demand_nobody_checked_yet_is_unknown() -> None:
    assert decide("DT_03_nuisance", codes=["M04"]) == decide("DT_03_nuisance", codes=["M04"], demand_validity="unknown")


# --- DT-01b, DT-01


def test_the_effect_on_the_workplace_follows_from_crime_distress_and_disruption() -> None:
    for given in grid(
        crime_override=("yes", "no"),
        avg_worker_distress=("yes", "no", "unknown"),
        work_disruption=("none", "minor", "serious"),
    ):
        harmed = given["crime_override"] == "yes" or given["avg_worker_distress"] == "yes"
        expected = "yes" if harmed or given["work_disruption"] == "serious" else given["avg_worker_distress"]
        assert decide("DT_01b_environment", **given) == expected, given


ANY = ("yes", "no", "unknown")
OPEN = ("yes", "unknown")
DETERMINATION = (
    (("yes",), ("yes",), ("yes",), "harassment", "ST-12 対応方針"),
    (("no",), ANY, ANY, "not_harassment", "別制度へ(社内ハラスメント窓口/警察/一般の防犯)"),
    (OPEN, ("no",), ANY, "not_harassment", "ST-05 苦情レーン"),
    (OPEN, OPEN, ("no",), "not_harassment", "ST-17 経過観察+ST-05"),
    (("unknown",), OPEN, OPEN, "pending", "行為者の特定を期日付きで"),
    (("yes",), ("unknown",), OPEN, "pending", "要求と態様の追加確認"),
    (("yes",), ("yes",), ("unknown",), "pending", "就業環境への影響の聞取り"),
)
# inputs that make each of the two computed elements what it shall be
NUISANCE_BY = {
    "yes": {"demand_validity": "grossly_excessive"},
    "no": {"demand_validity": "valid"},
    "unknown": {"demand_validity": "invalid"},
}
HARM_BY = {value: {"avg_worker_distress": value, "work_disruption": "none"} for value in ANY}


@pytest.mark.parametrize("combination", tuple(product(ANY, ANY, ANY)), ids="-".join)
def test_the_three_elements_determine_exactly_one_result(combination: tuple[str, str, str]) -> None:
    actor, nuisance, harm = combination
    ((expected, next_step),) = [
        row[3:] for row in DETERMINATION if all(value in row[i] for i, value in enumerate(combination))
    ]

    found = decide(
        "judgement", codes=["M04"], actor_is_customer=actor, **NUISANCE_BY[nuisance], **HARM_BY[harm]
    )  # fmt: skip

    assert (found["significant_nuisance"], found["environment_harmed"]) == (nuisance, harm)
    assert (found["determination"], found["next_step"]) == (expected, next_step)
    assert found["level"] == {"harassment": 2, "not_harassment": 0, "pending": None}[expected]
    assert found["provisional_level"] == (0 if expected == "not_harassment" else 2)


def test_an_effect_nobody_asked_about_leaves_the_case_pending() -> None:
    found = decide("judgement", codes=["M02"], actor_is_customer="yes", avg_worker_distress="no")

    assert found["determination"] == "pending"


# --- DT-02


@pytest.mark.parametrize(
    ("codes", "categories", "primary"),
    [
        (["M04", "X03"], ["excessive_demand", "mental_attack"], "mental_attack"),
        (["X05", "I03", "M01", "S01", "V03", "O02"], None, "violence"),
        (["X05", "I03", "M01", "S01", "O02"], None, "sexual"),
        (["X05", "I03", "M01", "O02"], None, "intimidation"),
        (["X05", "M01", "O02"], None, "online_defamation"),
        (["X05", "M01"], ["excessive_demand", "mental_attack"], "mental_attack"),
        (["X01", "Z01"], ["excessive_demand", "other"], "excessive_demand"),
        (["V03", "O01"], ["online_defamation", "violence"], "online_defamation"),
        (["Z01", "Z01"], ["other"], "other"),
    ],
)
def test_the_primary_category_has_the_highest_base_then_the_order_of_dt_02(
    codes: list[str], categories: list[str] | None, primary: str
) -> None:
    found = decide("quick_judgement", codes=codes)

    assert found["primary_category"] == primary
    assert found["categories"] == (categories or sorted({CODES[code][0] for code in codes}))


def test_a_person_can_choose_another_primary_category() -> None:
    found = decide("quick_judgement", codes=["V01"], primary_category_override="sexual")

    assert (found["categories"], found["primary_category"]) == (["violence"], "sexual")


# --- DT-04

LEVELS = tuple(
    grid(
        emergency_override=("yes", "no"),
        health_impact=("none", "distress", "clinic", "leave", "injury", None),
        codes=([], ["X01"], ["M04"], ["V02"], ["I05"]),
        crime_override=("yes", "no"),
        prior_warning=(True, False, None),
        repeat_count=(0, 2, 3, None),
    )
)


def expected_level(given: Mapping[str, Any]) -> int:
    base = max((int(CODES[code][2]) for code in given["codes"]), default=0)
    crime, warned = given["crime_override"] == "yes", given["prior_warning"] is True
    repeated, health = (given["repeat_count"] or 0) >= 3, given["health_impact"]
    if given["emergency_override"] == "yes" or health == "injury" or base == 4:
        return 4
    if crime and warned:
        return 4
    if base == 3 and (warned or repeated or health == "leave"):
        return 4
    if crime or base == 3:
        return 3
    if base == 2:
        return 3 if warned or repeated or health in ("clinic", "leave") else 2
    return 2 if warned or repeated else 1


def test_the_level_follows_from_emergency_health_conduct_crime_warning_and_repetition() -> None:
    for given in LEVELS:
        assert decide("quick_judgement", **given)["provisional_level"] == expected_level(given), given


def test_a_person_can_set_the_level_but_not_of_what_is_no_harassment() -> None:
    known = {"codes": ["M02"], "demand_validity": "invalid", "avg_worker_distress": "yes", "level_override": 4}

    found = {actor: decide("judgement", actor_is_customer=actor, **known) for actor in ("yes", "unknown", "no")}

    assert [found[actor]["level"] for actor in ("yes", "unknown", "no")] == [4, None, 0]
    assert [found[actor]["provisional_level"] for actor in ("yes", "unknown", "no")] == [4, 4, 0]


# --- every rule can be reached


def judged() -> Iterator[dict[str, object]]:
    """Everything that DT-01 tells apart."""
    for actor, nuisance, harm in product(ANY, NUISANCE_BY.values(), HARM_BY.values()):
        yield {"codes": ["M04"], "actor_is_customer": actor, **nuisance, **harm}


REACHED: Mapping[str, tuple[dict[str, object], ...]] = {
    "DT_00_catalogue": tuple({"codes": [code]} for code in CODES),
    "DT_09b_limit": tuple(
        grid(
            channel=("phone", "face_to_face", "visit", "online_meeting", "email_chat", "sns"),
            supervisor_present=(True, False),
        )
    ),
    "DT_09_interaction": INTERACTIONS,
    "DT_03b_means": MEANS_GRID,
    "DT_11_accommodation": ACCOMMODATIONS,
    "DT_03_nuisance": tuple(grid(demand_validity=tuple(NUISANCE), codes=tuple(OF_MEANS.values()))),
    "DT_01b_environment": tuple(
        grid(crime_override=("yes", "no"), avg_worker_distress=ANY, work_disruption=("none", "serious"))
    ),
    "DT_01_determination": tuple(judged()),
    "DT_04_level": (*LEVELS, *judged()),
}


@pytest.mark.parametrize("decision", REACHED)
def test_every_rule_can_be_reached(decision: str) -> None:
    table = JUDGEMENT.decisions[decision].logic
    assert isinstance(table, dmn.DecisionTable)

    used = rules_used(decision, iter(REACHED[decision]))

    assert used == {rule.index for rule in table.rules}
