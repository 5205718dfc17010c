"""Checkpoints and verification while others write, on both databases: nothing escapes a seal, and nothing is alarmed at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from engine import history
from engine.audit import checkpoints, restores, verification
from engine.audit.checkpoints import Sealing
from engine.audit.findings import Damage
from engine.states import EventType
from engine.tables import HistoryEvent, HistoryValue
from tests.engine.conftest import disarm

WRITERS, EACH = 4, 12


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "sealed", tmp_path / "key.json", timedelta(minutes=1))


def kept(sealing: Sealing) -> list[checkpoints.Checkpoint]:
    return [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]


def together(*work: Callable[[], None]) -> None:
    """All of this at once; raises what one of them raised."""
    faults: list[BaseException] = []

    def run(each: Callable[[], None]) -> None:
        try:
            each()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def test_every_event_is_sealed_though_transactions_end_in_any_order(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=1)
    checkpoints.make(office.database, sealing, at=office.now)

    def write() -> None:
        writer = type(office)(office.database, office.now)
        for _ in range(EACH):
            writer.start("review", amount=30)

    def seal() -> None:
        for _ in range(EACH):
            checkpoints.make(office.database, sealing, at=office.now)
            with office.database.reading() as session:
                assert verification.verify(session, kept(sealing)).findings == ()

    together(*[write] * WRITERS, seal)
    checkpoints.make(office.database, sealing, at=office.now)

    with office.database.reading() as session:
        verdict = verification.verify(session, kept(sealing))
        events = session.execute(select(func.count()).select_from(HistoryEvent)).scalar_one()
    assert (verdict.findings, verdict.unsealed) == ((), 0)
    assert verdict.events == events == 2 + WRITERS * EACH


def test_a_transaction_that_is_late_is_waited_for(office: Any, sealing: Sealing) -> None:
    """Its event has a smaller id than that of one that is committed already."""
    begun, other_done = threading.Event(), threading.Event()

    def late() -> None:
        with office.database.transaction() as session:
            history.append(session, history.NewEvent(EventType.COMMENTED, office.now, "anna", business_key="late"))
            assert len(history.of_case(session, "late")) == 1  # so it has gone to the server
            begun.set()
            other_done.wait(1)

    def early() -> None:
        begun.wait(10)
        if office.database.engine.dialect.name == "postgresql":  # SQLite has one writer at a time
            type(office)(office.database, office.now).start("review", amount=2)
        checkpoints.make(office.database, sealing, at=office.now)
        other_done.set()

    together(late, early)

    with office.database.reading() as session:
        verdict = verification.verify(session, kept(sealing))
    assert (verdict.findings, verdict.unsealed) == ((), 0)


@pytest.mark.parametrize("change", ["actor = 'ben'", "type = 'no'", "facts = 'no'", "facts = '7'"])
def test_an_erasure_is_no_damage_and_a_change_is(office: Any, sealing: Sealing, change: str) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good")
    with office.database.transaction() as session:
        history.erase(session, str(office.instance), [(1, 0)], reason="a", actor="carla", at=office.now)
    checkpoints.make(office.database, sealing, at=office.now)
    with office.database.reading() as session:
        assert verification.verify(session, kept(sealing)).findings == ()
    disarm(office.database)
    with office.database.transaction() as session:
        session.execute(text(f"UPDATE history_event SET {change} WHERE chain = '1' AND seq = 2"))

    with office.database.reading() as session:
        (found,) = verification.verify(session, kept(sealing)).findings
    assert (found.damage, found.chain, found.seq) == (Damage.EVENT_EDITED, str(office.instance), 2)


def test_a_recorded_restore_holds_though_others_write_meanwhile(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30)
    checkpoints.make(office.database, sealing, at=office.now)
    office.complete("RV_01_review", by="anna", verdict="good")
    checkpoints.make(office.database, sealing, at=office.now)
    disarm(office.database)
    with office.database.transaction() as session:
        newest = session.execute(select(func.max(HistoryEvent.id))).scalar_one()
        session.execute(delete(HistoryValue).where(HistoryValue.event_id == newest))
        session.execute(delete(HistoryEvent).where(HistoryEvent.id == newest))
    recorded: list[checkpoints.Checkpoint] = []

    def write() -> None:
        writer = type(office)(office.database, office.now)
        for _ in range(EACH):
            writer.start("review", amount=30)

    def record() -> None:
        recorded.append(restores.record(office.database, sealing, reason="x", by="carla", at=office.now))

    together(write, write, record)
    checkpoints.make(office.database, sealing, at=office.now)

    with office.database.reading() as session:
        verdict = verification.verify(session, kept(sealing))
    assert (verdict.findings, verdict.unsealed) == ((), 0)
    (restore,) = [each.restored for each in recorded]
    assert restore is not None
    assert [(chain, loss.last, loss.gone) for chain, loss in restore.chains.items()] == [(str(office.instance), 2, 1)]
