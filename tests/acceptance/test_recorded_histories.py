"""What earlier releases recorded is still whole, and their causes still give what was stored."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import bpmn, database, history
from engine.audit import checkpoints, event_logs, replay, verification
from engine.tables import HistoryEvent

RECORDED = sorted((Path(__file__).parents[1] / "histories").glob("semantics-*.sql.xz"))


@pytest.fixture(params=RECORDED, ids=lambda path: path.name.removesuffix(".sql.xz"))
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[database.Database, Path]]:
    """The recorded database, brought up to date by the migrations since; and the folder of its checkpoints."""
    path: Path = request.param
    with sqlite3.connect(tmp_path / "company.db") as connection:
        connection.executescript(lzma.decompress(path.read_bytes()).decode())
    connection.close()
    found = database.connect(f"sqlite:///{tmp_path / 'company.db'}")
    found.upgrade()
    yield found, path.with_name(path.name.removesuffix(".sql.xz"))
    found.close()


def test_a_recorded_history_is_whole_and_folds_to_what_was_stored(recorded: tuple[database.Database, Path]) -> None:
    company, folder = recorded
    sealed = [checkpoints.read(path) for path in checkpoints.files(folder)]

    with company.reading() as session:
        verdict = verification.verify(session, sealed)
        runs = [replay.fold(session, instance) for instance in replay.instances_of(session)]
    assert (verdict.findings, verdict.unsealed) == ((), 0)
    assert verdict.events > sum(run.events for run in runs) > 50
    assert [run for run in runs if run.divergence is not None or run.erased] == []


def test_an_event_log_names_the_rules_that_held(recorded: tuple[database.Database, Path]) -> None:
    company, _ = recorded
    with company.reading() as session:
        log = event_logs.read(session)
        told = {event.id: event for case in {each.case for each in log} for event in history.of_case(session, case)}

    assert {each.event for each in log} == told.keys()
    for each in log:
        held = [f"{one.decision}:{rule.index}" for one in told[each.event].decisions for rule in one.rules]
        assert each.rules.split() == held
    assert any(each.rules for each in log)


def test_the_present_semantics_have_a_recorded_history(recorded: tuple[database.Database, Path]) -> None:
    company, folder = recorded
    with company.reading() as session:
        versions = set(session.execute(select(HistoryEvent.semantics)).scalars())

    assert {f"semantics-{version}" for version in versions} == {folder.name}
    assert f"semantics-{bpmn.SEMANTICS}.sql.xz" in [path.name for path in RECORDED]
