"""R-69: where an offence is suspected that needs a criminal complaint, its time limit is told, from the day recorded.

Expected days: the code of criminal procedure, article 235 (6 months from the day the offender became known), and
DT-07 row 25 (told also after 3 and after 5 months; head and legal). What needs a complaint: DT-06.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeAlias

import pytest
from sqlalchemy import select

from engine import database, deployments, scenario_files, scenarios, tables
from engine.columns import JST

Told: TypeAlias = list[tuple[str, str]]
"""The day on which the person was told, and what."""
Play: TypeAlias = Callable[[str, str], Told]

PATHS = {path.stem.partition("_")[0]: path for path in scenario_files.find([deployments.BUNDLED[0]])}
CAN_BE_FILED = "告訴できるのは相手が誰かわかった日から6か月"
RECORD_THE_DAY = "告訴がないと裁判にできない罪の疑いがあります"
PASSED = "告訴できる期限を過ぎました"


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


@pytest.fixture(scope="module")
def play(files: Mapping[str, bytes]) -> Iterator[Play]:
    """What a scenario tells somebody of criminal complaints."""
    played: dict[str, database.Database] = {}

    def told(id: str, person: str) -> Told:
        if id not in played:
            played[id] = database.connect("sqlite://")
            played[id].create()
            scenarios.run_on(played[id], scenario_files.read(PATHS[id]), files)
        with played[id].reading() as session:
            table = tables.Notice
            query = select(table.at, table.subject).where(table.person == person).order_by(table.id)
            return [(_day(at), subject) for at, subject in session.execute(query) if "告訴" in subject]

    yield told
    for scratch in played.values():
        scratch.close()


def _day(at: datetime) -> str:
    return at.astimezone(JST).date().isoformat()


def days(told: Told, begins: str) -> list[str]:
    return [day for day, subject in told if subject.startswith(begins)]


@pytest.mark.parametrize("person", ["head1", "legal1"])
def test_the_limit_is_told_at_once_and_after_three_and_five_months_and_when_it_passed(play: Play, person: str) -> None:
    told = play("C-11", person)

    assert days(told, CAN_BE_FILED) == ["2026-11-24", "2027-02-24", "2027-04-24"]
    assert all("2027-05-24" in subject for _, subject in told if subject.startswith(CAN_BE_FILED))
    assert days(told, PASSED) == ["2027-05-24"]


def test_with_the_suspicion_whoever_it_was_head_and_legal_are_asked_once_for_the_day(play: Play) -> None:
    assert days(play("C-21", "head1"), RECORD_THE_DAY) == ["2026-11-24"]
    assert days(play("C-21", "legal1"), RECORD_THE_DAY) == ["2026-11-24"]
    assert days(play("U-33", "head1"), RECORD_THE_DAY) == ["2026-11-24"]
    assert play("C-21", "handler1") == []


def test_while_nobody_knows_who_it_was_no_limit_runs(play: Play) -> None:
    assert days(play("C-21", "head1"), CAN_BE_FILED) == []


def test_who_is_learnt_later_counts_from_that_day_until_the_person_affected_has_decided(play: Play) -> None:
    told = [each for each in play("U-32", "legal1") if each[1].startswith(CAN_BE_FILED)]

    recorded = ["2026-12-14", "2026-12-15"]
    assert [day for day, _ in told] == [*recorded, "2027-03-11"]
    assert ["2027-06-14" in subject for _, subject in told] == [True, False, False]
    assert ["2027-06-11" in subject for _, subject in told] == [False, True, True]
    assert days(play("U-32", "legal1"), PASSED) == []


def test_an_earlier_day_told_to_the_police_counts_anew(play: Play) -> None:
    told = [subject for _, subject in play("U-33", "head1") if subject.startswith(CAN_BE_FILED)]

    assert ["2027-05-24" in subject for subject in told] == [True, False, False, False]
    assert ["2027-05-20" in subject for subject in told] == [False, True, True, True]


@pytest.mark.parametrize("id", ["C-12", "C-17", "C-19", "C-22", "U-27"])
def test_where_no_such_offence_is_suspected_nothing_is_said(play: Play, id: str) -> None:
    """Assault, confinement, coercion, threats and stalking are tried without a complaint (DT-06)."""
    assert play(id, "head1") == []
