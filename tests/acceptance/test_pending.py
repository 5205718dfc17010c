"""A pending case is looked into again when DT-07 row 24 says: the table alone holds the five business days."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import select

from engine import database, deployments, scenario_files, scenarios, tables
from engine.columns import JST

DEADLINES = "harassment-response/deadlines.dmn"
FIVE_DAYS = '<outputEntry id="DT_07_limit_r30_o2">\n          <text>5</text>'


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def hearings(files: Mapping[str, bytes]) -> list[str]:
    """The days on which fact finding was asked for in U-04, which begins on Tuesday 2026-11-24."""
    path = next(path for path in scenario_files.find([deployments.BUNDLED[0]]) if path.stem.startswith("U-04_"))
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(path), files)
    with scratch.reading() as session:
        table = tables.UserTask
        query = select(table.opened_at).where(table.element == "ST_10_fact_finding").order_by(table.id)
        days = [at.astimezone(JST).date().isoformat() for at in session.execute(query).scalars()]
    scratch.close()
    return days


def test_fact_finding_begins_again_five_business_days_after_the_pending_judgement(files: Mapping[str, bytes]) -> None:
    assert hearings(files) == ["2026-11-24", "2026-12-01"]


def test_who_changes_the_table_changes_the_wait(files: Mapping[str, bytes]) -> None:
    table = files[DEADLINES].decode()
    assert table.count(FIVE_DAYS) == 1

    shorter = {**files, DEADLINES: table.replace(FIVE_DAYS, FIVE_DAYS.replace("5<", "3<")).encode()}

    assert hearings(shorter) == ["2026-11-24", "2026-11-27"]
