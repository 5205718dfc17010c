"""The consultation desk (P5) and data breaches (P6): who takes what up by when, and who may read it back.

Expected: policy R-08, R-64, R-65 and exception E14; DT-07 rows 18 (the same day) and 23 (3, 30 and 60 days from when
it was noticed); the reporter's identity is read by the desk only (dictionary K6).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

import pytest
from sqlalchemy import select

from engine import database, deployments, scenario_files, scenarios, tables
from engine.columns import JST
from tests.acceptance.company import NUMBER, Case, Moment

Tasks: TypeAlias = dict[str, tuple[str | None, str]]
"""Element → who did it, and the time by which it had to be done."""

PATHS = {path.stem.partition("_")[0]: path for path in scenario_files.find([deployments.BUNDLED[0]])}


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def tasks(id: str, files: Mapping[str, bytes]) -> Tasks:
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(PATHS[id]), files)
    with scratch.reading() as session:
        table = tables.UserTask
        found = session.execute(select(table.element, table.closed_by, table.due).order_by(table.id)).all()
    scratch.close()
    return {element: (by, clock(due)) for element, by, due in found}


def clock(due: datetime | None) -> str:
    return "" if due is None else due.astimezone(JST).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("U-34", {"P5_01_consultation": ("desk1", "11-24 23:59")}),
        ("U-35", {"P5_01_consultation": ("desk1", "11-24 23:59"), "P5_02_taken_over": ("legal1", "11-24 23:59")}),
        ("U-36", {"P5_01_consultation": ("desk1", "11-24 23:59"), "P5_02_taken_over": ("hr1", "11-24 23:59")}),
    ],
)
def test_a_consultation_is_received_the_same_day_by_whom_it_concerns(
    id: str, expected: Tasks, files: Mapping[str, bytes]
) -> None:
    assert tasks(id, files) == expected


def test_a_consultation_that_becomes_a_case_begins_with_the_check_for_danger(files: Mapping[str, bytes]) -> None:
    assert list(tasks("U-37", files))[:2] == ["P5_01_consultation", "ST_02_emergency_check"]


@pytest.mark.parametrize(
    ("id", "last", "by"),
    [("U-38", "P6_03_final_report", "12-24 09:00"), ("U-39", "P6_03_final_report_malicious", "01-23 09:00")],
)
def test_reports_of_a_breach_are_due_from_when_it_was_noticed(
    id: str, last: str, by: str, files: Mapping[str, bytes]
) -> None:
    found = tasks(id, files)

    assert list(found) == ["P6_01_breach", "P6_02_first_report", last]
    assert found["P6_02_first_report"] == ("legal1", "11-27 09:00")
    assert found[last] == ("legal1", by)


@pytest.mark.parametrize(
    ("who", "reads_what_was_said", "reads_what_is_handed_over"),
    [("desk2", True, True), ("legal1", False, True), ("head1", False, False), ("auditor1", False, False)],
)
def test_what_was_said_is_read_by_the_desk_and_what_is_handed_over_by_who_takes_it(
    who: str,
    reads_what_was_said: bool,
    reads_what_is_handed_over: bool,
    case_at: Callable[[Moment], Case],
    files: Mapping[str, bytes],
) -> None:
    case = case_at(Moment(PATHS["U-35"].stem, "consultation_taken_over"))

    with case.app.test_client() as client:
        with client.session_transaction() as browser:
            browser["_user_id"] = case.person(who).session_key
        addresses = [f"/cases/{NUMBER}", f"/cases/{NUMBER}/replay", f"/tasks/{case.task('consultation_taken_over').id}"]
        pages = "".join(client.get(address).text for address in addresses)

    assert ("自分の席から" in pages) == reads_what_was_said
    assert ("書き換えられたおそれ" in pages) == reads_what_is_handed_over


def test_nobody_need_give_a_name(files: Mapping[str, bytes]) -> None:
    fields = json.loads(files["consultation.form"])["components"]

    (consulter,) = (field for field in fields if field.get("key") == "consulter")
    assert "validate" not in consulter
