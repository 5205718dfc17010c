"""Cases: starting, sending, and what each person reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import cases, feel
from engine.errors import CaseNotFound, MessageNotFound, MessageNotYours, StartNotFound, StartNotYours


def begin(office: Any, start: str, by: str, key: str | None = None) -> cases.Started:
    with office.database.transaction() as session:
        started = cases.start(session, start, actor=office.person(by), at=office.now, submission=key)
    office.instance, office.case = started.instance, started.business_key
    return started


def send(office: Any, name: str, by: str, key: str | None = None) -> cases.Sent:
    with office.database.transaction() as session:
        return cases.send(session, office.case, name, {}, actor=office.person(by), at=office.now, submission=key)


def test_a_person_is_offered_what_their_groups_may_start(office: Any) -> None:
    with office.database.reading() as session:
        offered = {
            name: [start.id for start in cases.starts(session, office.person(name))]
            for name in ("anna", "carla", "watson")
        }

    assert offered == {"anna": ["review", "wait"], "carla": ["wait"], "watson": []}


def test_starting_opens_a_case_and_leads_to_its_first_task(office: Any) -> None:
    started = begin(office, "review", "anna")

    assert [task.element for task in started.tasks] == ["RV_01_review"]
    with office.database.reading() as session:
        assert cases.variables(session, office.case, office.person("anna"))["amount"] == feel.from_python(30)


def test_starting_twice_by_a_double_click_is_one_case(office: Any) -> None:
    first = begin(office, "review", "anna", key="click")
    again = begin(office, "review", "anna", key="click")

    assert first == again
    assert begin(office, "review", "anna", key="another").business_key == "2026-0002"


def test_a_start_of_another_group_and_an_unknown_one_are_refused(office: Any) -> None:
    with pytest.raises(StartNotYours):
        begin(office, "review", "carla")
    with pytest.raises(StartNotFound):
        begin(office, "nothing", "anna")


def test_a_message_is_offered_to_its_groups_while_the_case_waits_for_it(office: Any) -> None:
    begin(office, "wait", "anna")

    def offered(name: str) -> list[str]:
        with office.database.reading() as session:
            return [offer.name for offer in cases.offers(session, [office.case], office.person(name))[office.case]]

    assert offered("carla") == ["ordered"]
    office.complete("WA_01_prepare", by="anna")
    assert offered("carla") == ["called", "ordered"]
    assert offered("anna") == ["ordered"]
    assert offered("watson") == []


def test_sending_twice_by_a_double_click_is_one_message(office: Any) -> None:
    begin(office, "wait", "anna")

    first = send(office, "ordered", "anna", key="click")
    again = send(office, "ordered", "anna", key="click")

    assert first.taken_by == again.taken_by
    assert office.running() == {"wait": 1, "packing": 1}


def test_a_message_of_another_group_an_unknown_one_and_an_unknown_case_are_refused(office: Any) -> None:
    begin(office, "wait", "anna")
    office.complete("WA_01_prepare", by="anna")

    with pytest.raises(MessageNotYours):
        send(office, "called", "anna")
    with pytest.raises(MessageNotFound):
        send(office, "packed", "carla")
    office.case = "2026-0099"
    with pytest.raises(CaseNotFound):
        send(office, "called", "carla")


def test_nobody_sends_to_a_case_that_they_may_not_know_of(office: Any) -> None:
    begin(office, "wait", "anna")

    with pytest.raises(CaseNotFound):
        send(office, "ordered", "gus")


def test_the_list_holds_what_the_person_may_read_the_newest_first(office: Any) -> None:
    begin(office, "review", "anna")
    office.later(hours=1)
    begin(office, "wait", "carla")

    def keys(name: str, **filters: Any) -> list[str]:
        with office.database.reading() as session:
            found = cases.list_cases(session, office.person(name), at=office.now, **filters)
        return [row.business_key for row in found]

    assert keys("carla") == ["2026-0002", "2026-0001"]
    assert keys("dora") == []
    assert keys("gus") == []
    assert keys("watson", before="2026-0002") == ["2026-0001"]
    assert keys("carla", running=False) == []
    assert keys("carla", running=True) == ["2026-0002", "2026-0001"]


def test_a_row_counts_what_is_open_and_what_is_late(office: Any) -> None:
    office.start("answer")

    with office.database.reading() as session:
        row = cases.get(session, office.case, office.person("carla"), at=office.now + timedelta(days=2))

    assert (row.title, row.running, row.open_tasks, row.overdue) == ("問い合わせに答える", 1, 1, 1)


def test_a_case_that_may_not_be_read_is_as_good_as_none(office: Any) -> None:
    begin(office, "review", "anna")

    with office.database.reading() as session, pytest.raises(CaseNotFound):
        cases.get(session, office.case, office.person("dora"), at=office.now)


def test_a_marked_field_is_read_back_only_by_who_may_read_the_mark(office: Any) -> None:
    begin(office, "review", "anna")
    office.complete("RV_01_review", by="anna", verdict="good", fever="38.5")

    def seen(name: str) -> tuple[Any, str]:
        with office.database.reading() as session:
            person = office.person(name)
            variables = cases.variables(session, office.case, person)
            return variables["review_form"], repr(cases.timeline(session, office.case, person))

    for_nurse, for_chief = seen("nina"), seen("carla")
    assert for_nurse[0]["fever"] == "38.5"
    assert "38.5" in for_nurse[1]
    assert "fever" not in for_chief[0]
    assert "38.5" not in for_chief[1]
    assert for_chief[0]["verdict"] == "good"


def test_a_field_of_the_same_name_that_carries_no_mark_stays_readable(office: Any) -> None:
    office.start("review", amount=1)
    office.complete("RV_01_review", by="anna", verdict="good", fever="38.5")
    office.complete("RV_02_second_look", by="ben", note="見ました", fever="平熱")

    with office.database.reading() as session:
        events = cases.timeline(session, office.case, office.person("carla"))
        variables = cases.variables(session, office.case, office.person("carla"))

    assert [event.submitted.get("fever") for event in events] == [None, None, "平熱"]
    assert variables["second_look"] == {"note": "見ました", "fever": "平熱"}


def test_the_processes_of_a_case_are_listed_in_order(office: Any) -> None:
    office.start("order", article="books")

    with office.database.reading() as session:
        found = cases.instances(session, office.case)

    assert [(row.process, row.name, row.version, row.state) for row in found] == [
        ("order", "注文を受ける", 1, "active"),
        ("packing", "荷造り", 1, "active"),
    ]
