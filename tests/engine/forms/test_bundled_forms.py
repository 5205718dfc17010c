"""The product's forms: what the data dictionary says of each, and the rules that must not be passed by."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine import feel, forms

FORMS = sorted((Path(__file__).parents[3] / "forms").glob("*.form"))
JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
MARKS = {"H": "health", "I": "identity", "O": "handover"}
TYPED = {"people", "lawyers", "evidence"}

Bundled = Mapping[str, forms.Form]
Take = Callable[..., dict[str, Any]]
Refuse = Callable[..., Mapping[str, str]]


@dataclass(frozen=True)
class Entry:
    """One line of the dictionary."""

    form: str
    path: str
    kind: str
    presence: str
    mark: str | None
    options: tuple[str, ...]


def dictionary() -> Iterator[Entry]:
    lists: dict[str, tuple[str, ...]] = {}
    form = ""
    for line in Path(__file__).with_name("dictionary.txt").read_text("utf-8").splitlines():
        words = line.split()
        if line.startswith("@"):
            lists[words[0]] = tuple(words[1:])
        elif line.startswith("  "):
            path, kind, *rest = words
            presence = "".join(word for word in rest if word in "!?~")
            mark = next((MARKS[word[1:]] for word in rest if word.startswith("+")), None)
            options = tuple(word for word in rest if word not in "!?~" and not word.startswith("+"))
            yield Entry(form, path, kind, presence, mark, lists.get(options[0], options) if options else ())
        elif line and not line.startswith("#"):
            form = line


DICTIONARY = list(dictionary())


def find(bundled: Bundled, entry: Entry) -> forms.Field:
    key, _, column = entry.path.partition(".")
    found = bundled[entry.form].body.by_key[key]
    return found.fields.by_key[column] if column else found


def conditions(bundled: Bundled, entry: Entry) -> tuple[forms.Formula, ...]:
    key, _, column = entry.path.partition(".")
    body = bundled[entry.form].body
    return body.by_key[key].fields.hides[column] if column else body.hides[key]


def test_there_is_every_form_of_the_dictionary_and_no_other(bundled: Bundled) -> None:
    assert set(bundled) == {entry.form for entry in DICTIONARY}
    assert [path.stem for path in FORMS] == sorted(bundled)


def test_every_form_has_the_fields_of_the_dictionary_in_their_order(bundled: Bundled) -> None:
    paths: dict[str, list[str]] = {form: [] for form in bundled}
    for form in bundled.values():
        for key, field in form.body.by_key.items():
            paths[form.id] += [key, *(f"{key}.{column}" for column in field.fields.by_key)]

    assert paths == {form: [entry.path for entry in DICTIONARY if entry.form == form] for form in bundled}


@pytest.mark.parametrize("entry", DICTIONARY, ids=lambda entry: f"{entry.form}.{entry.path}")
def test_a_field_is_as_the_dictionary_says(bundled: Bundled, entry: Entry) -> None:
    field = find(bundled, entry)

    assert field.kind == entry.kind
    assert field.required is (entry.presence in ("!", "?"))
    assert bool(conditions(bundled, entry)) is (entry.presence in ("?", "~"))
    assert field.visibility == entry.mark
    if entry.kind == "bool":
        assert field.default is False
    if entry.kind == "number":
        assert field.digits == 0
    if TYPED.intersection(entry.options):
        assert isinstance(field.options, forms.Formula)
    elif entry.kind in ("enum", "multi"):
        assert isinstance(field.options, tuple)
        assert tuple(option.value for option in field.options) == entry.options


def test_codes_and_measures_show_their_number_and_name(bundled: Bundled) -> None:
    codes = bundled["incident_quick_report"].body.by_key["conduct_codes"].options
    measures = bundled["response_plan"].body.by_key["measures"].options

    assert isinstance(codes, tuple)
    assert isinstance(measures, tuple)
    assert codes[0].label == "V01 殴る・蹴る・突き飛ばす"
    assert measures[5].label == "A06 警告書の送付"
    assert all(option.label.startswith(f"{option.value} ") for option in (*codes, *measures))


def test_every_label_option_and_sentence_is_japanese(bundled: Bundled) -> None:
    for form in bundled.values():
        assert JAPANESE.search(form.title)
        for field in walk(form.fields):
            assert JAPANESE.search(field.label or field.help)
            assert not field.help or field.help.endswith("。")


def walk(fields: tuple[forms.Field, ...]) -> Iterator[forms.Field]:
    for field in fields:
        yield field
        yield from walk(field.fields.tree)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_file_is_written_as_the_form_editor_saves_it(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))

    assert path.read_text("utf-8") == json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    assert document["id"] == path.stem
    assert document["schemaVersion"] == 18
    assert document["executionPlatform"] == "Camunda Cloud"


# What a person must enter so that a form is taken, without any prefill; the rules below change one thing each.
CONTACT = {
    "contact_at": "2026-11-24T10:00",
    "channel": "phone",
    "customer_ref": "匿名",
    "facts_text": "画面が出ないと言われた。",
    "demand_text": "直してほしい。",
    "own_fault": "unknown",
    "accommodation_request": "none",
    "next_contact_at": "2026-11-25T10:00",
}
HANDOVER = {"lead_responder": "supervisor1", "recorder": "desk1", "liaison": "head1"}
QUICK_REPORT = {
    "safe_now": "yes",
    "emergency_call": ["not_needed"],
    "occurred_at": "2026-11-24T09:30",
    "place": "会議室",
    "channel": "phone",
    "actor_desc": "匿名",
    "facts_text": "大声で責められた。",
    "conduct_codes": ["M01"],
    "repeat_count": "1",
    "duration_min": "20",
    "end_mode": "ended_by_us",
    "victims": ["handler1"],
    "health_impact": "distress",
    "volatile_evidence": ["none"],
}
DETERMINATION = {
    "actor_is_customer": "yes",
    "actor_reason": "取引先の担当者だった。",
    "actor_evidence": ["ev1"],
    "demand_validity": "invalid",
    "repeat_count": "1",
    "circumstances": "none",
    "nuisance_reason": "説明のあとも続いた。",
    "nuisance_evidence": ["ev1"],
    "avg_worker_distress": "yes",
    "work_disruption": "serious",
    "environment_reason": "業務が止まった。",
    "environment_evidence": ["ev2"],
    "actor_relation": "individual",
    "contract_status": "none",
    "conflict_declared": "no",
}
PLAN = {
    "measures": ["A01"],
    "measure_reasons": "経過を見る。",
    "customer_rights_check": "正当な求めは別に受ける。",
    "contract_status": "active",
    "due": "2026-12-01",
}
POLICE = {"kind": "call_110", "contacted_at": "2026-11-24T10:00", "told": "経過を伝えた。"}
NOTICE = {
    "doc_type": "D-01",
    "addressee": "相手方",
    "issued_at": "2026-11-24",
    "delivery": "registered",
    "conduct_summary": "11月20日の電話。",
    "request": "中止のお願い。",
    "consequence": "応対を終えることがあります。",
    "contact": "相談窓口",
}
NOTICES = {"measures_done": ["A06"], "notice_issued": "yes", "notices": [NOTICE]}
CARE_PLAN = {
    "care_level": "C1",
    "first_contact_at": "2026-11-24T15:00",
    "preferences": "しばらく電話から離れたい。",
    "referrals": ["none"],
    "self_harm_risk": "no",
    "f1": "2026-12-01",
}
FOLLOWUP = {
    "change": "same",
    "sleep": 3,
    "appetite": 4,
    "anxiety": 2,
    "recontact": "no",
    "retaliation_check": "no",
    "new_care_level": "C2",
    "next": "continue",
}
EVIDENCE = [{"id": "ev1", "kind": "recording"}, {"id": "ev2", "kind": "statement"}]


@pytest.mark.parametrize(
    ("form", "answers", "variables"),
    [
        ("contact_record", CONTACT, {}),
        ("handover", HANDOVER, {"channel": "phone"}),
        ("incident_quick_report", QUICK_REPORT, {}),
        ("determination_form", DETERMINATION, {"evidence_items": EVIDENCE}),
        ("response_plan", PLAN, {}),
        ("police_liaison", POLICE, {}),
        ("notice_issue", NOTICES, {"level": 2}),
        ("care_plan", CARE_PLAN, {}),
    ],
)
def test_the_required_fields_alone_are_enough(
    bundled: Bundled, take: Take, refuse: Refuse, form: str, answers: dict[str, Any], variables: dict[str, Any]
) -> None:
    take(bundled[form], answers, **variables)

    for key in answers:
        assert refuse(bundled[form], {**answers, key: ""}, **variables).keys() >= {key}


def test_the_next_contact_is_promised_unless_nobody_can_be_reached(
    bundled: Bundled, take: Take, refuse: Refuse
) -> None:
    form = bundled["contact_record"]
    without = {key: value for key, value in CONTACT.items() if key != "next_contact_at"}

    assert list(refuse(form, without)) == ["next_contact_at"]
    assert "next_contact_at" not in take(form, {**without, "channel": "sns"})
    assert "next_contact_at" not in take(form, {**without, "customer_unknown": "on"})


def test_burdens_and_overrides_need_their_reason(bundled: Bundled, refuse: Refuse) -> None:
    overrides = {
        "crime_override": "yes",
        "emergency_override": "no",
        "means_override": "up",
        "primary_category_override": "sexual",
        "level_override": 3,
    }

    errors = refuse(bundled["determination_form"], {**DETERMINATION, **overrides}, evidence_items=EVIDENCE)

    assert list(errors) == [
        "crime_override_reason",
        "emergency_override_reason",
        "means_override_reason",
        "primary_category_reason",
        "level_override_reason",
    ]
    burden = {"request_text": "字幕", "needed": "字幕", "dialogue_log": [{"at": "2026-11-24T10:00", "content": "相談"}]}
    assert list(refuse(bundled["accommodation"], {**burden, "undue_burden": "yes"})) == [
        "undue_burden_reason",
        "alternatives",
    ]


@pytest.mark.parametrize("level", ["0", "5", "2.5"])
def test_a_corrected_level_is_one_of_four(bundled: Bundled, refuse: Refuse, level: str) -> None:
    answers = {**DETERMINATION, "level_override": level, "level_override_reason": "理由"}

    assert list(refuse(bundled["determination_form"], answers, evidence_items=EVIDENCE)) == ["level_override"]


@pytest.mark.parametrize("decided", ["determination", "level", "categories", "means", "legit_lane", "judges"])
def test_what_decisions_decide_cannot_be_typed_over(bundled: Bundled, refuse: Refuse, decided: str) -> None:
    errors = refuse(bundled["determination_form"], {**DETERMINATION, decided: "x"}, evidence_items=EVIDENCE)

    assert list(errors) == [decided]


@pytest.mark.parametrize(
    ("form", "answers"),
    [
        ("determination_form", DETERMINATION),
        ("determination_review", {"agree": "yes", "conflict_declared": "no"}),
        ("determination_confirm", {"decision": "confirm", "reason": "根拠がそろった。", "conflict_declared": "no"}),
    ],
)
def test_who_has_a_conflict_of_interest_gives_the_judgment_away(
    bundled: Bundled, take: Take, refuse: Refuse, form: str, answers: dict[str, Any]
) -> None:
    take(bundled[form], answers, evidence_items=EVIDENCE)

    errors = refuse(bundled[form], {**answers, "conflict_declared": "yes"}, evidence_items=EVIDENCE)

    assert list(errors) == ["conflict_declared"]


def test_only_registered_evidence_can_be_named(bundled: Bundled, refuse: Refuse) -> None:
    errors = refuse(
        bundled["determination_form"], {**DETERMINATION, "actor_evidence": ["ev9"]}, evidence_items=EVIDENCE
    )

    assert list(errors) == ["actor_evidence"]


def test_evidence_is_offered_by_id_and_kind(bundled: Bundled, environment: feel.Environment) -> None:
    view = forms.fill(bundled["police_liaison"], {}, {"evidence_items": feel.from_python(EVIDENCE)}, environment)

    offered = next(each.options for each in view.fields if each.path == "evidence")
    assert offered == (forms.Option("ev1 録音", "ev1"), forms.Option("ev2 申告・聞取りの記録", "ev2"))


def test_one_person_does_not_respond_and_record(bundled: Bundled, refuse: Refuse) -> None:
    assert list(refuse(bundled["handover"], {**HANDOVER, "recorder": "supervisor1"})) == ["lead_responder"]


@pytest.mark.parametrize(
    ("channel", "visible", "required"),
    [
        ("phone", {"daily_total_min"}, set()),
        ("online_meeting", {"planned_min"}, {"planned_min"}),
        ("email_chat", {"round_trips"}, {"round_trips"}),
        ("visit", set(), set()),
        (None, set(), set()),
    ],
)
def test_what_limits_a_conversation_is_asked_by_channel(
    bundled: Bundled, take: Take, refuse: Refuse, channel: str | None, visible: set[str], required: set[str]
) -> None:
    asked = {"daily_total_min", "planned_min", "round_trips"}
    complete = {**HANDOVER, **dict.fromkeys(asked, 5)}

    taken = take(bundled["handover"], complete, channel=channel)

    assert asked & taken.keys() == visible
    if required:
        assert refuse(bundled["handover"], HANDOVER, channel=channel).keys() == required


def test_a_handover_may_find_no_conduct_at_all(bundled: Bundled, take: Take) -> None:
    taken = take(bundled["handover"], HANDOVER)

    assert (taken["conduct_codes"], str(taken["repeat_count"]), str(taken["duration_min"])) == ([], "0", "0")


def test_the_number_of_an_earlier_case_is_checked(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["incident_quick_report"]

    assert take(form, {**QUICK_REPORT, "related_case": "2026-0001"})["related_case"] == "2026-0001"
    assert list(refuse(form, {**QUICK_REPORT, "related_case": "2026/1"})) == ["related_case"]


def test_the_state_of_health_starts_as_none_and_asks_who_may_speak_to_the_person(bundled: Bundled, take: Take) -> None:
    answers = {
        "facts_checked": "確認済み",
        "sources": ["history"],
        "own_fault": "none",
        "demand_validity": "valid",
        "circumstances": "none",
        "conduct_state": "none",
    }

    well, unwell = (take(bundled["demand_check"], {**answers, **more}) for more in ({}, {"health_impact": "clinic"}))

    assert (well["health_impact"], "care_contact_by" in well) == ("none", False)
    assert unwell["care_contact_by"] == "either"


@pytest.mark.parametrize(
    ("refusal_decision", "allowed"),
    [
        ("legal_review_required", True),
        ("terminate_by_clause", True),
        ("terminate_or_agree", True),
        ("not_allowed", False),
        ("warn_first", False),
        ("refuse_ok", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("measure", ["A13", "A14"])
def test_a_contract_is_not_ended_by_plan_alone(
    bundled: Bundled, take: Take, refuse: Refuse, measure: str, refusal_decision: str | None, allowed: bool
) -> None:
    plan = {**PLAN, "measures": [measure], "dialogue_attempts": 1}

    take(bundled["response_plan"], {**plan, "contract_status": "none"}, refusal_decision=refusal_decision)
    if allowed:
        take(bundled["response_plan"], plan, refusal_decision=refusal_decision)
    else:
        errors = refuse(bundled["response_plan"], plan, refusal_decision=refusal_decision)
        assert list(errors) == ["measures"]
        assert "A13・A14" in errors["measures"]


FOR_HEAD = ["A06", "A13", "A14", "A15", "A16", "A18", "A21", "A22", "A26"]  # decision-tables.md §5.1, level 2
RECOMMENDED = {"measures": [], "for_head": FOR_HEAD, "for_executive": ["A22"]}


@pytest.mark.parametrize("measure", FOR_HEAD)
def test_what_the_head_approves_the_head_decides(bundled: Bundled, take: Take, refuse: Refuse, measure: str) -> None:
    plan = {**PLAN, "measures": [measure], "contract_status": "none", "dialogue_attempts": 1}

    take(bundled["response_plan"], plan, actor="head")
    errors = refuse(bundled["response_plan"], plan, actor="supervisor", recommended_measures=RECOMMENDED)

    assert list(errors) == ["measures"]
    assert f"({measure})" in errors["measures"]
    assert "対策責任者" in errors["measures"]


def test_a_supervisor_decides_what_a_supervisor_may(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    measures = ["A01", "A02", "A05", "A07", "A08", "A10", "A12", "A17", "A23", "A25", "A27"]

    plan = {**PLAN, "measures": measures, "dialogue_attempts": 2}
    take(bundled["response_plan"], plan, actor="supervisor", recommended_measures=RECOMMENDED)
    assert list(refuse(bundled["response_plan"], plan, actor="supervisor")) == ["measures"]  # not known: not allowed


@pytest.mark.parametrize("measure", ["A07", "A10", "A13", "A14"])
def test_before_an_end_there_was_an_attempt_to_talk(bundled: Bundled, take: Take, refuse: Refuse, measure: str) -> None:
    form, plan = bundled["response_plan"], {**PLAN, "measures": [measure], "contract_status": "none"}

    assert list(refuse(form, plan, interaction_result="end")) == ["dialogue_attempts"]
    assert list(refuse(form, {**plan, "dialogue_attempts": 0}, interaction_result="end")) == ["dialogue_attempts"]
    assert "dialogue_attempts" not in take(form, plan, interaction_result="immediate_end")


@pytest.mark.parametrize("offence", ["defamation", "insult", "property_damage"])
def test_the_day_the_offender_was_known_is_asked_where_a_complaint_has_a_limit(
    bundled: Bundled, take: Take, refuse: Refuse, offence: str
) -> None:
    form, offences = bundled["police_liaison"], ["assault", offence]

    assert list(refuse(form, POLICE, offences=offences, actor_relation="partner_owner")) == ["offender_known_at"]
    take(form, POLICE, offences=offences, actor_relation="anonymous")
    take(form, POLICE, offences=["assault"], actor_relation="partner_owner")


def test_what_was_handed_to_the_police_is_named_except_on_an_emergency_call(
    bundled: Bundled, take: Take, refuse: Refuse
) -> None:
    form, report = bundled["police_liaison"], {**POLICE, "kind": "damage_report"}

    assert list(refuse(form, report, evidence_items=EVIDENCE)) == ["evidence"]
    take(form, {**report, "evidence": ["ev1"]}, evidence_items=EVIDENCE)


def test_a_lawyer_is_chosen_from_the_lawyers_and_let_into_the_case(
    bundled: Bundled, take: Take, refuse: Refuse
) -> None:
    answers = {
        "purpose": "opinion",
        "lawyer": "lawyer1",
        "summary_anonymized": "要旨",
        "timeline": "経過",
        "evidence_list": "目録",
        "wanted_result": "意見",
        "deadline": "2026-12-10",
        "conflict_checked": True,
    }
    form = bundled["lawyer_request"]

    take(form, answers)

    assert form.body.by_key["lawyer"].grants == "case"
    assert list(refuse(form, {**answers, "lawyer": "desk1"})) == ["lawyer"]
    assert list(refuse(form, {**answers, "conflict_checked": False})) == ["conflict_checked"]


def test_an_anonymous_report_conceals_its_author_from_all_but_the_desk(bundled: Bundled) -> None:
    assert bundled["incident_quick_report"].body.by_key["anonymous"].conceals == "identity"


def test_a_notice_can_be_objected_to_for_thirty_days(bundled: Bundled, take: Take) -> None:
    form = bundled["notice_issue"]

    rows = take(form, NOTICES, level=2)["notices"]
    stated = take(form, {**NOTICES, "notices": [{**NOTICE, "objection_due": "2027-01-15"}]}, level=2)["notices"]

    assert [row["objection_due"] for row in rows] == [feel.from_python(date(2026, 12, 24))]
    assert [row["objection_due"] for row in stated] == [feel.from_python(date(2027, 1, 15))]


def test_legal_checks_every_notice_from_level_three_on(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["notice_issue"]
    checked = {**NOTICE, "legal_checked": "on"}

    take(form, {**NOTICES, "notices": [checked, checked]}, level=3)
    errors = refuse(form, {**NOTICES, "notices": [checked, NOTICE]}, level=3)

    assert list(errors) == ["notices[1].legal_checked"]


def test_without_a_notice_none_is_described(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["notice_issue"]

    assert "notices" not in take(form, {"measures_done": ["A19"], "notice_issued": "no"}, level=3)
    assert list(refuse(form, {"measures_done": ["A06"], "notice_issued": "yes"}, level=3)) == ["notices"]


def test_only_approved_measures_are_carried_out(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["notice_issue"]

    take(form, NOTICES, level=2, approved_measures=["A06", "A12"])
    errors = refuse(form, NOTICES, level=2, approved_measures=["A12"])

    assert list(errors) == ["measures_done"]
    assert "承認された措置" in errors["measures_done"]


@pytest.mark.parametrize("decision", ["refuse_ok", "refuse_renewal", "terminate_by_clause", "terminate_or_agree"])
def test_a_refusal_is_carried_out_when_it_may_be(bundled: Bundled, take: Take, decision: str) -> None:
    answers = {**NOTICES, "measures_done": ["A13", "A14"]}

    take(bundled["notice_issue"], answers, level=2, refusal_decision=decision, approved_measures=["A13", "A14"])


@pytest.mark.parametrize("decision", ["not_allowed", "warn_first", "legal_review_required", None])
@pytest.mark.parametrize("measure", ["A13", "A14"])
def test_a_refusal_is_not_carried_out_before_it_may_be(
    bundled: Bundled, refuse: Refuse, decision: str | None, measure: str
) -> None:
    errors = refuse(
        bundled["notice_issue"],
        {**NOTICES, "measures_done": [measure]},
        level=2,
        refusal_decision=decision,
        approved_measures=["A13", "A14"],
    )

    assert list(errors) == ["measures_done"]
    assert "A13・A14" in errors["measures_done"]


def test_the_companys_duties_stay_whatever_a_person_does_not_want(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form, keep = bundled["scope_adjustment"], ["statistics", "safety", "prevention"]
    answers = {"duties_explained": True, "keep": keep, "declined": "これ以上の聞取り"}

    take(form, answers)

    assert list(refuse(form, {**answers, "keep": keep[:2]})) == ["keep"]
    assert list(refuse(form, {**answers, "duties_explained": False})) == ["duties_explained"]


@pytest.mark.parametrize("cause", ["none", "other"])
def test_finding_no_cause_in_the_company_is_explained(bundled: Bundled, take: Take, refuse: Refuse, cause: str) -> None:
    form = bundled["case_review"]
    answers = {
        "root_causes": ["deadline"],
        "procedure_gaps": "連絡の当番",
        "actions": [{"content": "当番表", "owner": "desk1", "due": "2026-12-10"}],
        "anonymized_summary": "納期の連絡が遅れた事例",
        "reflect_to": ["procedure"],
    }

    take(form, answers)

    assert list(refuse(form, {**answers, "root_causes": ["deadline", cause]})) == ["root_causes_reason"]
    assert list(refuse(form, {**answers, "actions": []})) == ["actions"]


def test_another_end_than_the_computed_one_is_explained(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["closure"]
    answers = {"end_state": "ES-02", "reported_at": "2026-12-01", "retain_until": "2027-12-01"}

    take(form, answers, computed_end_state="ES-02", level=0)

    assert list(refuse(form, answers, computed_end_state="ES-01", level=0)) == ["end_state_reason"]
    assert list(refuse(form, answers, computed_end_state="ES-02", level=1)) == ["monitoring_until"]


@pytest.mark.parametrize(("level", "asked"), [("C0", []), ("C1", ["f1"]), ("C2", ["separation", "f1", "f2", "f3"])])
def test_a_care_plan_asks_for_what_its_level_needs(
    bundled: Bundled, take: Take, refuse: Refuse, level: str, asked: list[str]
) -> None:
    form = bundled["care_plan"]
    answers = {**{key: value for key, value in CARE_PLAN.items() if key != "f1"}, "care_level": level}

    if asked:
        assert list(refuse(form, answers)) == asked
    else:
        assert not {"separation", "f1", "f2", "f3"} & take(form, answers).keys()


def test_a_care_plan_gives_at_least_the_computed_level(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["care_plan"]

    take(form, CARE_PLAN, computed_care_level="C0")
    take(form, CARE_PLAN, computed_care_level="C1")

    assert list(refuse(form, CARE_PLAN, computed_care_level="C2")) == ["care_level"]


@pytest.mark.parametrize(
    ("change", "current", "new", "taken"),
    [
        ("worse", "C2", "C2", False),
        ("worse", "C2", "C1", False),
        ("worse", "C2", "C3", True),
        ("worse", "C4", "C4", True),
        ("worse", "C4", "C3", False),
        ("same", "C2", "C2", True),
        ("better", "C3", "C1", True),
    ],
)
def test_who_feels_worse_gets_more_care(
    bundled: Bundled, take: Take, refuse: Refuse, change: str, current: str, new: str, taken: bool
) -> None:
    answers = {**FOLLOWUP, "change": change, "new_care_level": new}
    context: dict[str, Any] = {"prefill": {"stage": "1m"}, "care_plan_level": current}

    if taken:
        take(bundled["care_followup"], answers, **context)
    else:
        assert list(refuse(bundled["care_followup"], answers, **context)) == ["new_care_level"]


@pytest.mark.parametrize(
    ("stage", "level", "asked"), [("3m", "C3", True), ("3m", "C4", True), ("3m", "C2", False), ("1m", "C4", False)]
)
def test_a_physician_is_heard_at_the_end_of_intensive_care(
    bundled: Bundled, take: Take, refuse: Refuse, stage: str, level: str, asked: bool
) -> None:
    context: dict[str, Any] = {"prefill": {"stage": stage}, "care_plan_level": level}

    if asked:
        assert list(refuse(bundled["care_followup"], FOLLOWUP, **context)) == ["physician_opinion"]
    else:
        assert "physician_opinion" not in take(bundled["care_followup"], FOLLOWUP, **context)


def test_the_step_says_which_interview_it_is(bundled: Bundled, take: Take) -> None:
    taken = take(bundled["care_followup"], {**FOLLOWUP, "stage": "3m"}, prefill={"stage": "1w"}, care_plan_level="C4")

    assert taken["stage"] == "1w"


def test_health_is_read_back_only_by_those_who_may(bundled: Bundled, take: Take) -> None:
    report = take(bundled["incident_quick_report"], QUICK_REPORT)

    seen = forms.redact(bundled["incident_quick_report"], report, {"identity"})

    assert report.keys() - seen.keys() == {"health_impact"}
    assert "victims" not in forms.redact(bundled["incident_quick_report"], report, [])


BURDEN = {
    "request_text": "字幕がほしい。",
    "needed": "字幕",
    "dialogue_log": [{"at": "2026-11-24T10:00", "content": "相談した。"}],
}
REPLY = {
    "investigation": "調べた。",
    "reply_text": "回答した。",
    "replied_at": "2026-11-24T10:00",
    "satisfaction": "satisfied",
}
CONTROL = {"repeat_count": 1, "duration_min": 5, "end_mode": "ended_by_us"}
REVIEW = {"conflict_declared": "no"}


@pytest.mark.parametrize(
    ("form", "answers", "calling", "not_calling", "asked"),
    [
        (
            "accommodation",
            BURDEN,
            {"undue_burden": "yes"},
            {"undue_burden": "under_review"},
            ["undue_burden_reason", "alternatives"],
        ),
        ("complaint_reply", REPLY, {"outcome": "partly"}, {"outcome": "declined"}, ["corrective_action"]),
        ("determination_review", REVIEW, {"agree": "no"}, {"agree": "yes"}, ["dissent"]),
        ("pending_decision", {"reason": "理由"}, {"choice": "external_opinion"}, {"choice": "observe"}, ["review_due"]),
        ("plan_approval", REVIEW, {"decision": "return"}, {"decision": "approve"}, ["reason"]),
        ("effect_check", {}, {"recurred": "yes"}, {"recurred": "no"}, ["new_codes", "repeat_count"]),
    ],
)
def test_an_answer_calls_for_its_particulars(
    bundled: Bundled,
    take: Take,
    refuse: Refuse,
    form: str,
    answers: dict[str, Any],
    calling: dict[str, Any],
    not_calling: dict[str, Any],
    asked: list[str],
) -> None:
    assert list(refuse(bundled[form], {**answers, **calling})) == asked
    assert not set(asked) & take(bundled[form], {**answers, **not_calling}).keys()


def test_requests_to_leave_are_counted_on_our_own_premises(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form = bundled["interaction_control"]

    assert list(refuse(form, CONTROL, channel="face_to_face")) == ["eviction_requests"]
    assert "eviction_requests" not in take(form, CONTROL, channel="visit")


def test_the_quick_report_asks_by_its_own_channel(bundled: Bundled, take: Take, refuse: Refuse) -> None:
    form, asked = bundled["incident_quick_report"], {"daily_total_min", "planned_min", "round_trips"}

    assert asked & take(form, QUICK_REPORT, channel="visit").keys() == {"daily_total_min"}
    assert not asked & take(form, {**QUICK_REPORT, "channel": "sns"}).keys()
    assert list(refuse(form, {**QUICK_REPORT, "channel": "online_meeting"})) == ["planned_min"]
    assert list(refuse(form, {**QUICK_REPORT, "channel": "email_chat"})) == ["round_trips"]


def test_what_an_assistant_suggests_is_shown_only_where_there_is_one(bundled: Bundled, take: Take) -> None:
    form, context = bundled["determination_form"], {"evidence_items": EVIDENCE}

    without, with_one = (take(form, DETERMINATION, ai_available=there, **context) for there in (None, True))

    assert with_one.keys() - without.keys() == {"ai_suggestion", "ai_adopted"}
