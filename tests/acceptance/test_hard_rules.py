"""The hard rules hold whoever tries what, through the functions of the engine, the command line and the pages.

Rules and numbers: data dictionary §3 (checks), §5 (groups, exclusions, gateways) and policy R-07, R-14, R-21, R-30 to R-33.
Each row: at this moment this attempt is refused for this reason, nothing has changed, history knows it; then the
allowed way is open, at the same edge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from engine import user_tasks, worker
from engine.errors import (
    CannotBeAssigned,
    EngineError,
    MessageNotFound,
    SubmissionInvalid,
    TaskAlreadyClaimed,
    TaskNotYours,
)
from tests.acceptance.company import (
    LOOKS_ONLY,
    NOW,
    TWO_ROLES,
    Api,
    Case,
    Claim,
    Complete,
    Edge,
    Moment,
    Send,
)

CaseAt: TypeAlias = Callable[[Moment], Case]
Answers: TypeAlias = Mapping[str, Any]

# Moments. C-11: paper thrown, level 3, contract active. C-15: demands go on, level 2, contract active.
# C-12: injury and confinement, level 4, immediate end. C-01: a justified complaint.

JUDGING = Moment(
    "C-11",
    "determination_form",
    {"handover": {"by": "supervisor2"}, "incident_quick_report": {"victims": ["handler1", "supervisor2"]}},
)
SECOND = Moment(
    "C-11",
    "determination_review",
    {"determination_form": {"by": TWO_ROLES}, "incident_quick_report": {"victims": ["handler1", "desk2"]}},
)
SECOND_AT_2 = Moment("C-15", "determination_review")
CONFIRMING = Moment("C-11", "determination_confirm", {"determination_form": {"by": TWO_ROLES}})
CONFIRMING_AFTER_A_HEAD = Moment("C-11", "determination_confirm", {"determination_review": {"by": TWO_ROLES}})
PLANNING_AT_2 = Moment(
    "C-15",
    "response_plan",
    {"handover": {"by": "supervisor2"}, "incident_quick_report": {"victims": ["handler1", "supervisor2"]}},
)
PLANNING_AT_3 = Moment("C-11", "response_plan", {"incident_quick_report": {"victims": ["handler1", "head2"]}})
PLANNING_AT_4 = Moment("C-12", "response_plan")
APPROVING = Moment("C-12", "plan_approval")
REVIEWING = Moment("C-12", "legal_review")
ACTING = Moment("C-12", "notice_issue")
ACTING_AT_1 = Moment(
    "C-15",
    "notice_issue",
    {
        "determination_form": {
            "contract_status": "none",
            "level_override": 1,
            "level_override_reason": "注意で足りる。",
        },
        "response_plan": {"measures": ["A05", "A13"]},
    },
)
ACTED = Moment("C-12", "effect_check")
CONTACTING = Moment("C-11", "care_first_contact")
CONTACTING_AT_1 = Moment(
    "C-15",
    "care_first_contact",
    {"determination_form": {"level_override": 1, "level_override_reason": "注意で足りる。"}},
)
ANSWERING = Moment("C-11", "complaint_reply", {"handover": {"by": TWO_ROLES}})
CHECKING_DANGER = Moment("C-12", "emergency_check")
IN_DANGER = Moment("C-12", "emergency_record")
CARING = Moment("C-11", "care_plan", until="P8D")
CARING_AFTER_A_COMPLAINT = Moment(
    "C-01",
    "care_plan",
    {
        "demand_check": {"health_impact": "distress"},
        "care_first_contact": {"first_contact_at": "=now()", "preferences": "電話を休みたい。", "self_harm_risk": "no"},
        "care_plan": {"referrals": ["none"], "f1": '=today() + duration("P7D")'},
    },
)


@dataclass(frozen=True)
class Refused:
    attempt: Complete
    error: type[EngineError]
    field: str | None = None


@dataclass(frozen=True)
class Rule:
    """At this moment each of these attempts is refused, and after all of them the allowed one is made."""

    text: str
    moment: Moment
    refused: Sequence[Refused]
    allowed: Complete


def not_for(text: str, moment: Moment, *who: str, allowed: str, **answers: Any) -> Rule:
    """These people cannot do it, though they answer as the allowed one does."""
    attempts = [Complete(one, moment.waiting, answers) for one in who]
    right = Complete(allowed, moment.waiting, answers)
    return Rule(text, moment, [Refused(attempt, TaskNotYours) for attempt in attempts], right)


def not_so(text: str, moment: Moment, who: str, *wrong: tuple[str, Answers], **right: Any) -> Rule:
    """Each of these answers, put among the right ones, is refused at the field it is named with."""
    refused = [
        Refused(Complete(who, moment.waiting, {**right, **answers}), SubmissionInvalid, field)
        for field, answers in wrong
    ]
    return Rule(text, moment, refused, Complete(who, moment.waiting, right))


ELEMENTS = (
    "actor_is_customer actor_reason actor_evidence nuisance_reason nuisance_evidence"
    " avg_worker_distress work_disruption environment_reason environment_evidence"
).split()
DECIDED = (
    "determination level provisional_level care_level means legit_lane categories primary_category refusal_decision"
    " significant_nuisance environment_harmed crime_suspected emergency interaction_result judges end_state"
).split()
OVERRIDES = [
    ("crime_override", "no", "crime_override_reason"),
    ("emergency_override", "yes", "emergency_override_reason"),
    ("means_override", "down", "means_override_reason"),
    ("primary_category_override", "other", "primary_category_reason"),
    ("level_override", 1, "level_override_reason"),
]
CONFLICT: list[tuple[str, Answers]] = [
    ("conflict_declared", {"conflict_declared": "yes"}),
    ("conflict_declared", {"conflict_declared": None}),
]
FOR_HEAD = "A06 A13 A14 A15 A16 A18 A21 A22 A26".split()  # decision-tables.md §5.1: head or above
TALKED = {"measures": ["A05", "A07"], "dialogue_attempts": 3}
EMERGENCY = {"emergency_call": ["police_110"], "injured": "yes", "action_at": "=now()"}

RULES = [
    not_so(
        "no finding without the three elements, each with its reason",
        JUDGING,
        "supervisor1",
        *((name, {name: [] if name.endswith("evidence") else " \u3000"}) for name in ELEMENTS),
    ),
    not_for(
        "the first judge is a supervisor and no victim",
        JUDGING,
        *("supervisor2", "desk1", "head1", "executive1"),
        allowed="supervisor1",
    ),
    not_for(
        "the second judge is of the desk, not the first judge and no victim",
        SECOND,
        *(TWO_ROLES, "desk2", "supervisor1", "head1"),
        allowed="desk1",
    ),
    not_so("who declares a conflict does not judge", JUDGING, "supervisor1", *CONFLICT),
    not_so("who declares a conflict does not judge", SECOND, "desk1", *CONFLICT),
    not_so("who declares a conflict does not confirm", CONFIRMING, "head1", *CONFLICT),
    not_for(
        "a head confirms from level 3 on, and not the first judge",
        CONFIRMING,
        *("supervisor1", "desk1", "executive1", TWO_ROLES),
        allowed="head1",
    ),
    not_for("a head confirms as the third person", CONFIRMING_AFTER_A_HEAD, TWO_ROLES, allowed="head1"),
    not_for(
        "a head decides from level 3 on, and no victim",
        PLANNING_AT_3,
        *("supervisor1", "desk1", "executive1", "head2"),
        allowed="head1",
    ),
    not_for("no victim decides", PLANNING_AT_2, "supervisor2", "desk1", allowed="supervisor1", **TALKED),
    not_so(
        "measures for the head are decided by a head",
        PLANNING_AT_2,
        "supervisor1",
        *(("measures", {"measures": ["A07", code]}) for code in FOR_HEAD),
        **TALKED,
    ),
    not_so(
        "nothing is ended without a recorded attempt at dialogue",
        PLANNING_AT_2,
        "supervisor1",
        *(
            ("dialogue_attempts", {"measures": [code], "dialogue_attempts": n})
            for code in ("A07", "A10")
            for n in (None, 0)
        ),
        **TALKED,
    ),
    not_so(
        "nothing is ended without a recorded attempt at dialogue",
        PLANNING_AT_3,
        "head1",
        *(
            ("dialogue_attempts", {"measures": ["A06", code], "dialogue_attempts": None})
            for code in ("A07", "A10", "A13", "A14")
        ),
        measures=["A06", "A14"],
        dialogue_attempts=1,
    ),
    Rule("an immediate end needs no dialogue", PLANNING_AT_4, [], Complete("head1", "response_plan")),
    not_so(
        "no refusal under an active contract before its time",
        PLANNING_AT_2,
        "head1",
        *(("measures", {"measures": ["A07", code]}) for code in ("A13", "A14")),
        **TALKED,
    ),
    not_for("the legal review is for legal", REVIEWING, "head1", "executive1", "supervisor1", allowed="legal1"),
    not_so(
        "only what was approved is done",
        ACTING,
        "head1",
        *(("measures_done", {"measures_done": ["A16", code]}) for code in ("A07", "A13")),
    ),
    not_so(
        "nothing is refused that the tables do not allow",
        ACTING_AT_1,
        "head1",
        ("measures_done", {"measures_done": ["A05", "A13"]}),
        measures_done=["A05"],
    ),
    not_for("level 4 needs the executive", APPROVING, "head1", "supervisor1", "desk1", allowed="executive1"),
    not_for("victims do not care for themselves", CONTACTING, "handler1", allowed="desk1"),
    not_for(
        "the legitimate part is answered by who neither met the customer nor judged",
        ANSWERING,
        *("supervisor1", TWO_ROLES, "desk1"),
        allowed="supervisor2",
    ),
    not_so("answers do not set decided values", JUDGING, "supervisor1", *((name, {name: "no"}) for name in DECIDED)),
    not_so(
        "answers do not set decided values",
        PLANNING_AT_3,
        "head1",
        ("refusal_decision", {"refusal_decision": "terminate_by_clause"}),
        ("level", {"level": 1}),
    ),
    not_so(
        "the care level goes up only",
        CARING,
        "desk1",
        *(("care_level", {"care_level": level}) for level in ("C0", "C1")),
    ),
    not_so(
        "an override needs its reason",
        JUDGING,
        "supervisor1",
        *((reason, {name: value, reason: " "}) for name, value, reason in OVERRIDES),
    ),
    *(
        not_for("who may only look does nothing", moment, "auditor1", LOOKS_ONLY, allowed=allowed)
        for moment, allowed in (
            (IN_DANGER, "trainer1"),
            (JUDGING, "supervisor1"),
            (CONFIRMING, "head1"),
            (APPROVING, "executive1"),
            (REVIEWING, "legal1"),
            (CARING, "hr1"),
        )
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.text} ({rule.moment.waiting})")
def test_what_breaks_a_rule_is_refused_and_recorded_and_the_allowed_way_is_open(
    rule: Rule, edge: Edge, case_at: CaseAt
) -> None:
    case = case_at(rule.moment)
    before, task = case.state(), case.task(rule.moment.waiting)

    for refused in rule.refused:
        edge.refuses(case, refused.attempt, refused.error, refused.field)
        assert case.state() == before, refused
    edge.does(case, rule.allowed)

    assert task.id not in {still.id for still in case.tasks()}


# What opens only after something else -------------------------------------------------------------------


@dataclass(frozen=True)
class Gate:
    """While `moment` waits, `shut` is not asked and `message` cannot be sent; after `by` answered, it is asked."""

    text: str
    moment: Moment
    by: str
    shut: str
    message: str


GATES = [
    Gate("no measures before the head confirms level 3", CONFIRMING, "head1", "response_plan", "response_required"),
    Gate("no measures before the care contact", CONTACTING, "desk1", "response_plan", "care_contacted"),
    Gate("nothing at level 4 before the executive approves", APPROVING, "executive1", "legal_review", "measures_taken"),
    Gate("no end of a contract before the legal review", REVIEWING, "legal1", "notice_issue", "measures_taken"),
    Gate("no closure before the care plan", CARING, "hr1", "closure", "care_plan_decided"),
    Gate(
        "no closure of a complaint before the care plan",
        CARING_AFTER_A_COMPLAINT,
        "hr1",
        "closure",
        "care_plan_decided",
    ),
]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.text)
def test_what_must_come_first_comes_first(gate: Gate, edge: Edge, case_at: CaseAt) -> None:
    case = case_at(gate.moment)
    before = case.state()
    assert gate.shut not in case.forms()

    edge.refuses(case, Send("head1", gate.message), MessageNotFound)
    assert case.state() == before
    edge.does(case, Complete(gate.by, gate.moment.waiting))

    assert gate.shut in case.forms()


def test_at_level_1_the_measures_do_not_wait_for_the_care_contact(case_at: CaseAt) -> None:
    """R-21 stops from level 2 on."""
    case = case_at(CONTACTING_AT_1)

    assert "care_first_contact" in case.forms()
    assert "response_plan" in case.variables()


# Emergency ----------------------------------------------------------------------------------------------


def test_danger_leads_to_the_emergency_with_nobody_between(edge: Edge, case_at: CaseAt) -> None:
    case = case_at(CHECKING_DANGER)

    edge.does(case, Complete("handler1", "emergency_check"))

    assert case.forms() == {"emergency_record"}


@pytest.mark.parametrize("moment", [JUDGING, PLANNING_AT_3], ids=lambda moment: moment.waiting)
def test_danger_that_arises_later_opens_the_emergency_at_once(moment: Moment, edge: Edge, case_at: CaseAt) -> None:
    case = case_at(moment)

    edge.does(case, Send("handler1", "danger_arose"))

    assert case.forms() >= {moment.waiting, "emergency_record"}
    edge.does(case, Complete("handler1", "emergency_record", EMERGENCY))
    assert "emergency_record" not in case.forms()


@pytest.mark.parametrize("who", "handler2 supervisor2 desk1 head1 legal1 hr1 physician1 executive1 trainer1".split())
def test_every_role_acts_in_an_emergency_without_approval(who: str, case_at: CaseAt) -> None:
    case = case_at(IN_DANGER)

    Api().does(case, Complete(who, "emergency_record"))

    assert case.forms() == {"incident_quick_report"}


def test_a_supervisor_may_decide_to_call_110_alone(edge: Edge, case_at: CaseAt) -> None:
    """A17 is for everyone, at any level (decision-tables.md §5.1)."""
    edge.does(case_at(PLANNING_AT_2), Complete("supervisor1", "response_plan", {"measures": ["A17"]}))


def test_danger_that_raises_the_level_takes_the_decision_to_the_head_and_the_executive(
    edge: Edge, case_at: CaseAt
) -> None:
    """An injury is level 4 (DT-04 row 2): the decision that a supervisor could take at level 2 is theirs no more."""
    case = case_at(PLANNING_AT_2)
    Api().does(case, Send("handler1", "danger_arose"))
    Api().does(case, Complete("handler1", "emergency_record", EMERGENCY))
    assert case.variables()["level"] == 4

    edge.refuses(case, Complete("supervisor1", "response_plan", TALKED), SubmissionInvalid, "measures")
    edge.does(case, Complete("head1", "response_plan", TALKED))

    assert "plan_approval" in case.forms()
    assert "notice_issue" not in case.forms()


def test_danger_between_the_judges_brings_the_finding_before_the_head(case_at: CaseAt) -> None:
    """The first judge found level 2; an injury makes it level 4, which two judges alone do not settle."""
    case = case_at(SECOND_AT_2)
    Api().does(case, Send("handler1", "danger_arose"))
    Api().does(case, Complete("handler1", "emergency_record", EMERGENCY))

    Api().does(case, Complete("desk1", "determination_review"))

    assert case.variables()["level"] == 4
    assert "determination_confirm" in case.forms()
    assert "response_plan" not in case.forms()


# Another's task, and giving tasks on --------------------------------------------------------------------


def test_nobody_completes_or_takes_what_another_has_claimed(edge: Edge, case_at: CaseAt) -> None:
    case = case_at(PLANNING_AT_2)
    edge.does(case, Claim("head1", "response_plan"))
    before = case.state()

    edge.refuses(case, Complete("supervisor1", "response_plan", TALKED), TaskAlreadyClaimed)
    edge.refuses(case, Claim("supervisor1", "response_plan"), TaskAlreadyClaimed)
    assert case.state() == before
    edge.does(case, Complete("head1", "response_plan", TALKED))


EXCLUDED = [
    (JUDGING, "supervisor2", "supervisor1"),
    (SECOND, TWO_ROLES, "desk1"),
    (SECOND, "desk2", "desk1"),
    (CONFIRMING, TWO_ROLES, "head1"),
    (ANSWERING, "supervisor1", "supervisor2"),
    (PLANNING_AT_3, "head2", "head1"),
    (APPROVING, "auditor1", "executive1"),
]


@pytest.mark.parametrize(("moment", "excluded", "allowed"), EXCLUDED)
def test_who_is_excluded_can_neither_take_it_nor_be_given_it(
    moment: Moment, excluded: str, allowed: str, edge: Edge, case_at: CaseAt
) -> None:
    case = case_at(moment)
    before, task = case.state(), case.task(moment.waiting)

    edge.refuses(case, Claim(excluded, moment.waiting), TaskNotYours)
    with pytest.raises(CannotBeAssigned), case.database.transaction() as session:
        user_tasks.assign(session, task.id, to=case.person(excluded), actor=case.person(allowed), at=NOW)

    assert case.state() == before
    edge.does(case, Claim(allowed, moment.waiting))


# Judging ------------------------------------------------------------------------------------------------

NO_CRIME = {"crime_override": "no", "crime_override_reason": "人には向けられていなかった。"}
"""A suspected crime harms the working environment whatever else is answered (R-13)."""


@pytest.mark.parametrize(
    ("answers", "determination"),
    [
        ({"actor_is_customer": "unknown"}, "pending"),
        ({"actor_is_customer": "no"}, "not_harassment"),
        ({**NO_CRIME, "confirmed_codes": [], "demand_validity": "valid"}, "not_harassment"),
        ({**NO_CRIME, "confirmed_codes": ["M01"], "demand_validity": "unknown"}, "pending"),
        ({**NO_CRIME, "avg_worker_distress": "no", "work_disruption": "none"}, "not_harassment"),
        ({**NO_CRIME, "avg_worker_distress": "unknown", "work_disruption": "none"}, "pending"),
        ({}, "harassment"),
    ],
)
def test_only_three_elements_that_all_hold_make_a_finding(
    answers: Answers, determination: str, case_at: CaseAt
) -> None:
    """DT-01: E1 the customer's conduct, E2 a significant nuisance (DT-03), E3 the environment harmed (DT-01b)."""
    case = case_at(JUDGING)

    Api().does(case, Complete("supervisor1", "determination_form", answers))

    assert case.variables()["determination"] == determination


@pytest.mark.parametrize(
    ("answers", "decided"),
    [
        ({"level_override": 4, "level_override_reason": "三度目である。"}, {"level": 4}),
        (
            {"primary_category_override": "intimidation", "primary_category_reason": "威圧が主である。"},
            {"primary_category": "intimidation"},
        ),
        (
            {"emergency_override": "yes", "emergency_override_reason": "今も近くにいる。"},
            {"emergency": True, "level": 4},
        ),
    ],
)
def test_an_override_with_its_reason_changes_what_was_decided(
    answers: Answers, decided: Answers, case_at: CaseAt
) -> None:
    case = case_at(JUDGING)

    Api().does(case, Complete("supervisor1", "determination_form", answers))

    found = case.variables()
    assert {name: found[name] for name in decided} == decided


# Objections ---------------------------------------------------------------------------------------------

FORGED = {"wish": "withdraw", "response_record": {"judges": [], "deciders": []}}


def test_who_judged_or_decided_does_not_review_the_objection_whatever_the_message_says(
    edge: Edge, case_at: CaseAt
) -> None:
    case = case_at(ACTED)
    edge.does(case, Send("desk1", "objection_received", FORGED))
    worker.run_due(case.database, at=NOW)

    for who in ("supervisor1", "head1"):
        edge.refuses(case, Complete(who, "objection"), TaskNotYours)
    edge.does(case, Complete("supervisor2", "objection"))


def test_an_objection_waits_until_it_is_known_who_decided(edge: Edge, case_at: CaseAt) -> None:
    case = case_at(PLANNING_AT_3)

    edge.does(case, Send("desk1", "objection_received", FORGED))
    worker.run_due(case.database, at=NOW)

    assert "objection" not in case.forms()
