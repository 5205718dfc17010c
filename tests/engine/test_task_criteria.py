"""Narrowing down one's tasks, and how many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import comments, tasklist
from engine.task_criteria import TaskCriteria


@pytest.fixture
def desk(office: Any) -> Any:
    """For Anna: case 1 to answer by tomorrow, claimed; case 2 to review and case 3 to answer, of her group."""
    office.start("answer")
    office.claim("AN_01_answer", by="anna")
    office.later(minutes=1).start("review", amount=1)
    with office.database.transaction() as session:
        comments.write(session, office.case, "Ｂ棟の鍵", actor=office.person("carla"), at=office.now)
    return office.later(minutes=1).start("answer")


def chosen(office: Any, by: str = "anna", **criteria: Any) -> tuple[list[str], list[str]]:
    """Case numbers of the tasks in hand, and of those to take."""
    wanted, person = TaskCriteria(**criteria), office.person(by)
    with office.database.reading() as session:
        mine = tasklist.mine(session, person, criteria=wanted)
        offered = tasklist.offered(session, person, criteria=wanted)
    return [task.business_key for task in mine], [task.business_key for task in offered]


def counted(office: Any, by: str = "anna") -> tasklist.Counts:
    with office.database.reading() as session:
        return tasklist.counts(session, office.person(by), office.now)


def test_without_criteria_everything_stays(desk: Any) -> None:
    assert chosen(desk) == (["2026-0001"], ["2026-0003", "2026-0002"])


def test_tasks_due_before_a_moment(desk: Any) -> None:
    first = desk.now + timedelta(days=1, minutes=-1)

    assert chosen(desk, due_before=first) == (["2026-0001"], [])
    assert chosen(desk, due_before=first + timedelta(minutes=5)) == (["2026-0001"], ["2026-0003"])


@pytest.mark.parametrize("step", ["AN_01_answer", "AN_01", "AN-01", "an-01 "])
def test_tasks_of_a_step(desk: Any, step: str) -> None:
    assert chosen(desk, step=step) == (["2026-0001"], ["2026-0003"])


def test_an_underscore_of_a_step_stands_for_itself(desk: Any) -> None:
    assert chosen(desk, step="ANx01") == chosen(desk, step="AN%") == ([], [])


def test_tasks_of_a_case(desk: Any) -> None:
    assert chosen(desk, business_key="2026-0003") == ([], ["2026-0003"])


def test_tasks_by_words_of_their_name_number_and_what_was_written_in_their_case(desk: Any) -> None:
    assert chosen(desk, text="審査") == ([], ["2026-0002"])
    assert chosen(desk, text="0001") == (["2026-0001"], [])
    assert chosen(desk, text="b棟 審査") == ([], ["2026-0002"])
    assert chosen(desk, text="鍵 0001") == ([], [])


def test_what_was_written_in_a_case_chooses_no_task_for_who_may_not_read_it(desk: Any) -> None:
    desk.start("hearing")

    assert chosen(desk, by="gus", text="鍵") == ([], [])


def test_counts_tell_of_work_in_hand_to_take_and_late(desk: Any) -> None:
    assert counted(desk) == tasklist.Counts(mine=1, offered=2, overdue=0)
    desk.now += timedelta(days=1, minutes=1)
    assert counted(desk) == tasklist.Counts(mine=1, offered=2, overdue=2)
    assert counted(desk, by="gus") == tasklist.Counts(0, 0, 0)


def test_who_may_only_read_has_no_work(desk: Any) -> None:
    assert counted(desk, by="watson") == tasklist.Counts(0, 0, 0)
