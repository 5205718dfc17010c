"""Choosing cases by what is known of them and what was written in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import bundles, case_index, cases, catalogue, deployments, feel, instances
from engine.errors import CaseNotFound, DeploymentRejected

FOLDER = Path(__file__).parent / "processes"
FACTS = """
facts:
  - {name: amount, label: 金額, values: {"30": 三十円, "50": 五十円}}
  - {name: reviewers, label: 見た人, group: 人, values: {anna: 青山, ben: 馬場}}
  - {name: review_form.verdict, label: 判断, values: {good: よい, mend: 直す}}
  - {name: review_form.reason, label: 理由}
  - {name: review_form.fever, label: 体調, visibility: health}
"""


@pytest.fixture(scope="session")
def bundle_files() -> Mapping[str, bytes]:
    files = deployments.read_folder(FOLDER)
    return {**files, catalogue.FILE: files[catalogue.FILE] + FACTS.encode()}


@pytest.fixture
def reviewed(office: Any) -> Any:
    """2026-0001: reviewed by Anna and to be mended; 2026-0002: nothing done yet, half an hour later."""
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="書類の写しがカスレて読めない 50%", fever="38.5")
    first = office.case
    office.later(minutes=30).start("review", amount=50)
    office.case = first
    return office


def found(office: Any, query: str | None = None, by: str = "carla", **criteria: Any) -> list[str]:
    with office.database.reading() as session:
        rows = cases.list_cases(session, office.person(by), at=office.now, query=query, **criteria)
    return [row.business_key for row in rows]


def counted(office: Any, by: str = "carla", **criteria: Any) -> cases.CaseCounts:
    with office.database.reading() as session:
        return cases.count_cases(session, office.person(by), at=office.now, **criteria)


def facts(office: Any, by: str) -> dict[str, str]:
    with office.database.reading() as session:
        return {fact.label: fact.text for fact in cases.facts(session, office.case, office.person(by))}


def test_facts_stand_with_their_labels_in_the_order_of_the_bundle(reviewed: Any) -> None:
    assert list(facts(reviewed, "carla").items()) == [
        ("金額", "三十円"),
        ("見た人", "青山"),
        ("判断", "直す"),
        ("理由", "書類の写しがカスレて読めない 50%"),
    ]


def test_a_fact_with_a_mark_is_for_those_who_may_read_the_mark(reviewed: Any) -> None:
    assert facts(reviewed, "nina")["体調"] == "38.5"
    assert "体調" not in facts(reviewed, "carla")
    assert found(reviewed, by="nina", facts={"review_form.fever": "38.5"}) == ["2026-0001"]
    unknown = found(reviewed, by="carla", facts={"review_form.fever": "38.5"})
    assert unknown == found(reviewed, by="carla", facts={"review_form.fever": "36.0"}) == ["2026-0002", "2026-0001"]


def test_the_last_value_written_is_the_fact_and_null_is_none(reviewed: Any) -> None:
    def change(value: Any) -> str | None:
        with reviewed.database.transaction() as session:
            instances.change_variables(session, 1, {"amount": feel.from_python(value)}, actor="carla", at=reviewed.now)
        return facts(reviewed, "carla").get("金額")

    assert change(50) == "五十円"
    assert change(70) == "70"
    assert change(None) is None


def test_a_list_has_every_element_as_a_value(reviewed: Any) -> None:
    with reviewed.database.transaction() as session:
        instances.change_variables(session, 1, {"reviewers": ["ben", "anna", "ben"]}, actor="carla", at=reviewed.now)

    assert facts(reviewed, "carla")["見た人"] == "青山、馬場"
    assert found(reviewed, facts={"reviewers": "ben"}) == found(reviewed, facts={"reviewers": "anna"}) == ["2026-0001"]


def test_the_list_shows_the_facts_of_each_case(reviewed: Any) -> None:
    with reviewed.database.reading() as session:
        rows = cases.list_cases(session, reviewed.person("carla"), at=reviewed.now)

    assert [(row.business_key, row.fact("amount").text) for row in rows if row.fact("amount")] == [
        ("2026-0002", "五十円"),
        ("2026-0001", "三十円"),
    ]
    assert rows[0].fact("reviewers") is None


def test_facts_of_a_case_that_may_not_be_read_are_as_good_as_none(reviewed: Any) -> None:
    with pytest.raises(CaseNotFound):
        facts(reviewed, "gus")


def test_cases_are_chosen_by_facts_all_of_which_hold(reviewed: Any) -> None:
    assert found(reviewed, facts={"amount": "50"}) == ["2026-0002"]
    assert found(reviewed, facts={"amount": "30", "review_form.verdict": "mend"}) == ["2026-0001"]
    assert found(reviewed, facts={"amount": "50", "review_form.verdict": "mend"}) == []
    assert found(reviewed, facts={"amount": "", "no such fact": "x"}) == ["2026-0002", "2026-0001"]


@pytest.mark.parametrize(
    "query",
    ["2026-0001", "写し", "読め", "写し 読めない", "三十", "直す", "カスレ", "青山 0001"],
)
def test_a_case_is_found_by_number_label_and_words_of_what_was_written(reviewed: Any, query: str) -> None:
    assert found(reviewed, query) == ["2026-0001"]


@pytest.mark.parametrize(
    "query", ["写し ない言葉", "0001 五十", "2025", "0%", "5_%", "_", "\\", "'", "\x00", "\ud800x"]
)
def test_a_word_that_stands_nowhere_finds_nothing_and_signs_stand_for_themselves(reviewed: Any, query: str) -> None:
    assert found(reviewed, query) == {"0%": ["2026-0001"], "\x00": ["2026-0002", "2026-0001"]}.get(query, [])


def test_width_and_case_of_letters_make_no_difference(office: Any) -> None:
    office.start("review", amount=1)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="ABC商店のカメラ")

    assert found(office, "abc商店") == found(office, "カメラ") == found(office, "ABC") == [office.case]


def test_an_empty_query_leaves_every_case(reviewed: Any) -> None:
    assert found(reviewed, "") == found(reviewed, "  ") == found(reviewed, None) == ["2026-0002", "2026-0001"]


def test_more_words_than_anybody_writes_are_not_looked_for(reviewed: Any) -> None:
    many = " ".join(["写し"] + [f"読め{index}" for index in range(5_000)])

    assert found(reviewed, many) == []
    assert len(case_index.words_of(many)) == case_index.MAX_WORDS


def test_what_was_written_into_a_marked_field_is_found_only_by_who_may_read_it(reviewed: Any) -> None:
    assert found(reviewed, "38.5", by="nina") == ["2026-0001"]
    assert found(reviewed, "38.5", by="carla") == []
    assert counted(reviewed, query="38.5").total == 0


def test_nothing_is_found_or_counted_beyond_what_the_person_may_read(reviewed: Any) -> None:
    assert found(reviewed, "写し", by="gus") == []
    assert counted(reviewed, by="gus") == cases.CaseCounts(
        0,
        0,
        0,
        {
            "amount": {"30": 0, "50": 0},
            "reviewers": {"anna": 0, "ben": 0},
            "review_form.verdict": {"good": 0, "mend": 0},
        },
    )


def test_counts_are_those_of_what_the_criteria_find(reviewed: Any) -> None:
    everything = counted(reviewed)
    assert (everything.total, everything.running, everything.overdue) == (2, 2, 0)
    assert everything.facts["amount"] == {"30": 1, "50": 1}
    assert counted(reviewed, facts={"amount": "30"}).facts["amount"] == {"30": 1, "50": 0}
    assert counted(reviewed, running=False).total == 0


def test_late_cases_can_be_asked_for(office: Any) -> None:
    office.start("answer")
    office.start("review", amount=1)
    office.now += timedelta(days=2)

    assert found(office, overdue=True) == ["2026-0001"]
    assert found(office, overdue=False) == ["2026-0002"]
    assert counted(office).overdue == 1


def test_a_fact_that_would_show_a_marked_field_to_everybody_is_refused() -> None:
    files = deployments.read_folder(FOLDER)
    loose = b"facts:\n  - {name: review_form.fever, label: x}\n  - {name: fever, label: y, visibility: other}\n"

    with pytest.raises(DeploymentRejected) as refused:
        bundles.compile_files({**files, catalogue.FILE: files[catalogue.FILE] + loose}, ("notify", "charge"))

    assert [finding.element_id for finding in refused.value.findings] == ["review_form.fever", "fever"]
    assert all("visibility" in finding.message for finding in refused.value.findings)
