"""Who is told of what without asking: the notices of the response, as policy and response flow demand them.

R-01 (supervisor and desk with every quick report), E8 (head with a recurrence; nobody cared for meets the other
person again), R-59 (who may be treated worse for consulting), R-64 (a data breach), R-11 (no customer's act).
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from engine import database, deployments, scenario_files, scenarios, tables

PATHS = {path.stem.partition("_")[0]: path for path in scenario_files.find([deployments.BUNDLED[0]])}
REPORTED = "速報が登録されました"
CONCERN = "フォローで、気がかりなことを伺いました"
WORSE, AGAIN = "不利に扱われていないか", "相手とまた接することがあった"
BREACH = "個人情報の漏えい、またはそのおそれが記録されました"
OTHER_DESK = "顧客等の行為ではないと判断しました"


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def told(id: str, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Person and subject of every notice of a scenario, in their order."""
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(PATHS[id]), files)
    with scratch.reading() as session:
        table = tables.Notice
        found = [tuple(row) for row in session.execute(select(table.person, table.subject).order_by(table.id))]
    scratch.close()
    return found


def people(notices: list[tuple[str, str]], words: str) -> set[str]:
    return {person for person, subject in notices if words in subject}


def test_supervisors_and_desk_are_told_of_every_quick_report(files: Mapping[str, bytes]) -> None:
    assert people(told("C-15", files), REPORTED) == {"supervisor1", "supervisor2", "desk1", "desk2"}


def test_the_head_is_told_as_well_where_the_same_person_has_an_earlier_case(files: Mapping[str, bytes]) -> None:
    everybody = {"supervisor1", "supervisor2", "desk1", "desk2", "head1", "head2"}
    assert people(told("U-16", files), REPORTED) == everybody


def test_hr_and_head_are_asked_to_look_into_it_where_a_followup_tells_of_a_concern(files: Mapping[str, bytes]) -> None:
    """U-11: at the first follow-up an assessment is affected, at the second there was contact again."""
    notices = [(person, subject) for person, subject in told("U-11", files) if subject.startswith(CONCERN)]

    assert people(notices, CONCERN) == people(notices, WORSE) == people(notices, AGAIN) == {"hr1", "head1", "head2"}
    assert [(WORSE in subject, AGAIN in subject) for person, subject in notices if person == "hr1"] == [
        (True, False),
        (False, True),
    ]


def test_nobody_is_disturbed_where_the_followups_tell_of_none(files: Mapping[str, bytes]) -> None:
    assert people(told("C-11", files), CONCERN) == set()


def test_executive_head_and_legal_are_told_of_a_data_breach(files: Mapping[str, bytes]) -> None:
    assert people(told("U-38", files), BREACH) == {"executive1", "head1", "head2", "legal1"}


def test_another_desk_takes_over_what_no_customer_did(files: Mapping[str, bytes]) -> None:
    assert people(told("U-02", files), OTHER_DESK) == {"supervisor1", "supervisor2", "desk1", "desk2"}
