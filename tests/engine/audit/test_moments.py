"""A case as it stood right after each of its events."""

from __future__ import annotations

from typing import Any

import pytest

from engine import feel, instances
from engine.audit import moments
from engine.errors import CaseNotFound


def moment(office: Any, number: int, by: str = "carla") -> moments.Moment:
    with office.database.reading() as session:
        ids = moments.events(session, office.case, office.person(by))
        return moments.moment(session, office.case, office.person(by), ids, number)


def steps(office: Any, by: str = "carla", first: int = 1, count: int = 100) -> list[moments.Step]:
    with office.database.reading() as session:
        ids = moments.events(session, office.case, office.person(by))
        return moments.steps(session, office.case, office.person(by), ids, first, count)


def known(found: moments.Moment) -> dict[str, tuple[Any, bool, Any]]:
    return {each.name: (feel.to_text(each.value), each.changed, each.before) for each in found.known}


def test_an_earlier_moment_knows_nothing_of_what_came_after(office: Any) -> None:
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="写しが読めない")

    first, second = (moment(office, number).standings[office.instance] for number in (1, 2))

    assert first.open("review") == ["RV_01_review"]
    assert second.open("review") == ["RV_02_second_look"]
    assert list(second.ways["review"].completed)[-1] != "RV_02_second_look"
    assert "review_form" not in known(moment(office, 1))


def test_a_value_says_whether_the_step_wrote_it_and_what_stood_before(office: Any) -> None:
    office.start("review", amount=30)
    with office.database.transaction() as session:
        given = {"amount": feel.from_python(50)}
        instances.change_variables(session, office.instance, given, actor="carla", at=office.now)

    assert known(moment(office, 1))["amount"] == ("30", True, None)
    assert known(moment(office, 2))["amount"] == ("50", True, feel.from_python(30))
    assert known(moment(office, 2))["business_key"][1] is False


def test_a_marked_field_is_in_no_value_for_those_it_is_not_for(office: Any) -> None:
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="写し", fever="38.5")

    assert "38.5" not in str(moment(office, 2)) + str(steps(office))
    assert "38.5" in str(moment(office, 2, by="nina"))


def test_a_step_says_when_its_task_was_opened_and_for_whom_its_actor_acted(office: Any) -> None:
    opened = office.now
    office.start("review", amount=30).later(hours=2)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="写し")

    begun, done = steps(office)

    assert (begun.number, begun.waited_since, begun.roles) == (1, None, ("clerks",))
    assert (done.number, done.waited_since, done.roles) == (2, opened, ("clerks",))
    assert done.place == (office.instance, "review")


def test_parts_of_the_steps_are_what_all_of_them_are(office: Any) -> None:
    office.start("twice")
    for note in ("一", "二"):
        office.complete("TW_01_ask", by="anna", note=note)

    assert steps(office, first=2, count=1) == steps(office)[1:2]
    assert steps(office, first=2) == steps(office)[1:]
    assert steps(office, first=4) == []


@pytest.mark.parametrize(
    ("by", "reads"), [("carla", True), ("watson", True), ("anna", True), ("ben", False), ("gus", False)]
)
def test_only_who_may_read_the_case_follows_it(office: Any, by: str, reads: bool) -> None:
    office.start("wait")
    office.complete("WA_01_prepare", by="anna")

    if reads:
        assert len(steps(office, by)) == 2
    else:
        with pytest.raises(CaseNotFound):
            steps(office, by)


def test_a_case_that_never_was_has_no_moments(office: Any) -> None:
    office.case = "2026-9999"

    with pytest.raises(CaseNotFound):
        steps(office)


def test_an_element_that_stopped_has_failed_until_it_goes_on(office: Any) -> None:
    office.start("choice")
    standing = moment(office, 1).standings[office.instance]
    assert standing.failed("choice") == standing.open("choice") != []
    with office.database.transaction() as session:
        (token,) = standing.stopped
        given = {"price": feel.from_python(10), "amount": feel.from_python(10)}
        instances.change_variables(session, office.instance, given, actor="carla", at=office.now)
        instances.retry(session, office.instance, token, actor="carla", at=office.now)

    assert moment(office, 3).standings[office.instance].failed("choice") == []
