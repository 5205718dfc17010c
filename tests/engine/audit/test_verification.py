"""Verification: no change of history goes unnoticed, and each is told for what it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, select, text, update

from engine import history
from engine.audit import checkpoints, recorded, verification
from engine.audit.findings import Damage, Finding
from engine.tables import HistoryEvent, HistoryValue, Resource


@pytest.fixture
def told(office: Any) -> Any:
    """Chain 1: events 2 (seq 1), 3 (seq 2), 4 (seq 3)."""
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="印がない", helper="dora")
    office.complete("RV_02_second_look", by="ben", note="見ました")
    return office


def findings(office: Any, sealed: list[checkpoints.Checkpoint] | None = None) -> list[tuple[Damage, str, int]]:
    with office.database.reading() as session:
        found = verification.verify(session, sealed or []).findings
    return [(each.damage, each.chain, each.seq) for each in found]


@pytest.fixture
def sealed(told: Any, tmp_path: Path) -> list[checkpoints.Checkpoint]:
    sealing = checkpoints.Sealing(tmp_path / "sealed", tmp_path / "key.json", timedelta(minutes=1))
    made = checkpoints.make(told.database, sealing, at=told.now)
    assert made is not None
    return [made]


def event(identity: int, **values: Any) -> Executable:
    return update(HistoryEvent).where(HistoryEvent.id == identity).values(**values)


def value(identity: int, number: int, **values: Any) -> Executable:
    return update(HistoryValue).where(HistoryValue.event_id == identity, HistoryValue.number == number).values(**values)


def no_value(identity: int, number: int) -> Executable:
    return delete(HistoryValue).where(HistoryValue.event_id == identity, HistoryValue.number == number)


OTHER_TIME = datetime(2026, 11, 23, tzinfo=UTC)
CHANGES: Mapping[str, tuple[list[Executable], tuple[Damage, int]]] = {
    "the actor": ([event(3, actor="ben")], (Damage.EVENT_EDITED, 2)),
    "the time": ([event(3, at=OTHER_TIME)], (Damage.EVENT_EDITED, 2)),
    "a microsecond": ([event(3, at=datetime(2026, 11, 24, 1, 0, 0, 1, tzinfo=UTC))], (Damage.EVENT_EDITED, 2)),
    "the link": ([event(3, previous="0" * 64)], (Damage.EVENT_EDITED, 2)),
    "a fact": ([event(3, facts={})], (Damage.EVENT_EDITED, 2)),
    "the case": ([event(3, business_key="2026-0009")], (Damage.EVENT_EDITED, 2)),
    "the version of the rules": ([event(3, definition="0" * 64)], (Damage.EVENT_EDITED, 2)),
    "a fact that is no JSON": (
        [text("UPDATE history_event SET facts = 'no' WHERE id = 3")],
        (Damage.EVENT_EDITED, 2),
    ),
    "a type that is none": ([text("UPDATE history_event SET type = 'no' WHERE id = 3")], (Damage.EVENT_EDITED, 2)),
    "a time that is none": ([text("UPDATE history_event SET at = 'no' WHERE id = 3")], (Damage.EVENT_EDITED, 2)),
    "facts that are a number beyond all": (
        [text("UPDATE history_event SET facts = '1e999' WHERE id = 3")],
        (Damage.EVENT_EDITED, 2),
    ),
    "commitments that are none": (
        [text("UPDATE history_event SET commitments = '7' WHERE id = 3")],
        (Damage.EVENT_EDITED, 2),
    ),
    "a value": ([value(3, 0, value='"good"')], (Damage.VALUE_EDITED, 2)),
    "the name of a value": ([value(3, 0, name="other")], (Damage.VALUE_EDITED, 2)),
    "the kind of a value": ([value(3, 0, kind="other")], (Damage.VALUE_EDITED, 2)),
    "a salt alone": ([value(3, 0, salt=None)], (Damage.VALUE_EDITED, 2)),
    "a value erased without a word": ([value(3, 0, value=None, salt=None)], (Damage.VALUE_DELETED, 2)),
    "a missing value": ([no_value(3, 0)], (Damage.VALUE_DELETED, 2)),
    "a value more": (
        [insert(HistoryValue).values(event_id=3, number=99, kind="a", name="b", value="1", salt="00")],
        (Damage.VALUE_DELETED, 2),
    ),
    "all values": ([delete(HistoryValue).where(HistoryValue.event_id == 3)], (Damage.VALUE_DELETED, 2)),
    "an order": ([event(3, seq=99), event(4, seq=2), event(3, seq=3)], (Damage.EVENTS_REORDERED, 2)),
    "an order with its links": (
        [event(3, seq=99), event(4, seq=2), event(3, seq=3), text("UPDATE history_event SET previous = hash")],
        (Damage.EVENT_EDITED, 1),
    ),
    "a number": ([event(4, seq=7)], (Damage.EVENT_DELETED, 3)),
    "an event": (
        [delete(HistoryValue).where(HistoryValue.event_id == 3), delete(HistoryEvent).where(HistoryEvent.id == 3)],
        (Damage.EVENT_DELETED, 2),
    ),
    "an event, and the gap": (
        [
            delete(HistoryValue).where(HistoryValue.event_id == 3),
            delete(HistoryEvent).where(HistoryEvent.id == 3),
            event(4, seq=2),
        ],
        (Damage.EVENT_DELETED, 2),
    ),
    "the first event": ([event(2, chain="7")], (Damage.EVENT_DELETED, 1)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed_and_told(told: Any, adversary: Any, what: str) -> None:
    statements, (damage, seq) = CHANGES[what]

    adversary(*statements)

    assert (damage, "1", seq) in findings(told)


def test_an_untouched_history_is_whole(told: Any) -> None:
    with told.database.reading() as session:
        verdict = verification.verify(session)

    assert (verdict.events, verdict.findings) == (4, ())  # deployed, started, completed, completed
    assert (verdict.unsealed, verdict.unsealed_since, verdict.sealed_at) == (4, told.now, None)


def forged(told: Any, at_seq: int, **changes: Any) -> dict[str, Any]:
    """An event that follows the one before `at_seq` rightly, as somebody would make who knows how."""
    with told.database.reading() as session:
        query = select(*HistoryEvent.__table__.columns).where(HistoryEvent.chain == "1", HistoryEvent.seq == at_seq - 1)
        before = session.execute(query).one()._asdict()
    row = before | {"id": 99, "seq": at_seq, "previous": before["hash"], "commitments": [], "facts": {}} | changes
    return row | {"hash": history.chain_hash(row)}


def by_hand(told: Any, statement: str) -> None:
    """Run beside the program, without its settings (foreign keys among them)."""
    connection = sqlite3.connect(str(told.database.engine.url.database))
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("own_hash", [True, False])
def test_an_inserted_event_is_told_though_it_follows_rightly(told: Any, adversary: Any, own_hash: bool) -> None:
    row = forged(told, 2)
    shift = [event(4, seq=4), event(3, seq=3)]
    adversary(*shift, insert(HistoryEvent).values(**row | ({} if own_hash else {"hash": "0" * 64})))

    assert findings(told) == [(Damage.EVENT_INSERTED, "1", 2)]


def test_values_whose_event_is_gone_are_told(told: Any, adversary: Any) -> None:
    adversary()
    by_hand(told, "UPDATE history_event SET id = 77 WHERE id = 4")

    assert findings(told) == [(Damage.VALUE_DELETED, "1", 3), (Damage.EVENT_DELETED, "", 0)]


def test_a_truncated_tail_shows_against_the_checkpoint_alone(told: Any, adversary: Any, sealed: Any) -> None:
    adversary(delete(HistoryValue).where(HistoryValue.event_id == 4), delete(HistoryEvent).where(HistoryEvent.id == 4))

    assert findings(told) == []
    assert findings(told, sealed) == [(Damage.TRUNCATED, "1", 3)]


def test_a_chain_made_anew_shows_against_the_checkpoint_alone(told: Any, adversary: Any, sealed: Any) -> None:
    row = forged(told, 3, id=4, actor="ben")
    adversary(delete(HistoryValue).where(HistoryValue.event_id == 4), event(4, **row))

    assert findings(told) == []
    assert findings(told, sealed) == [(Damage.REWRITTEN, "1", 3)]


def test_a_case_that_is_gone_is_told_by_its_number(told: Any, adversary: Any, sealed: Any) -> None:
    of_case = select(HistoryEvent.id).where(HistoryEvent.chain == "1").scalar_subquery()
    adversary(
        delete(HistoryValue).where(HistoryValue.event_id.in_(of_case)),
        delete(HistoryEvent).where(HistoryEvent.chain == "1"),
    )

    with told.database.reading() as session:
        (found,) = verification.verify(session, sealed).findings
        (of_case_alone,) = verification.verify(session, sealed, business_key=told.case).findings
    assert (found.damage, found.chain, found.case) == (Damage.CHAIN_MISSING, "1", told.case)
    assert found == of_case_alone


def test_an_older_database_is_told(told: Any, tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    by_hand(told, f"VACUUM INTO '{old}'")
    told.later(days=1).start("review", amount=1).start("review", amount=2)
    sealing = checkpoints.Sealing(tmp_path / "sealed", tmp_path / "key.json", timedelta(minutes=1))
    made = checkpoints.make(told.database, sealing, at=told.now)
    assert made is not None
    told.database.close()
    path = Path(str(told.database.engine.url.database))
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    old.rename(path)

    found = findings(told, [made])

    assert found[0][0] is Damage.OLDER_DATABASE
    assert {each[0] for each in found[1:]} == {Damage.CHAIN_MISSING}


def test_a_replaced_checkpoint_shows_against_the_one_held_elsewhere(told: Any, sealed: Any, tmp_path: Path) -> None:
    sealing = checkpoints.Sealing(tmp_path / "other", tmp_path / "key.json", timedelta(minutes=1))
    other = checkpoints.make(told.database, sealing, at=told.now + timedelta(seconds=1))
    assert other is not None

    assert findings(told, [other]) == []
    assert findings(told, [other, *sealed]) == [(Damage.CHECKPOINT_REPLACED, "", 0)]


def test_checkpoints_of_a_foreign_key_show_against_the_one_that_was_written_down(
    told: Any, sealed: Any, tmp_path: Path
) -> None:
    sealing = checkpoints.Sealing(tmp_path / "other", tmp_path / "other.json", timedelta(minutes=1))
    foreign = checkpoints.make(told.database, sealing, at=told.now)
    assert foreign is not None

    with told.database.reading() as session:
        true = verification.verify(session, sealed, trusted={sealed[0].key})
        false = verification.verify(session, [foreign], trusted={sealed[0].key})
    assert true.findings == ()
    assert [each.damage for each in false.findings] == [Damage.CHECKPOINT_REPLACED]


def test_a_changed_definition_is_told(told: Any, adversary: Any) -> None:
    changed = update(Resource).where(Resource.name == "review.bpmn").values(content=b"<definitions/>")
    adversary(changed)

    assert findings(told) == [(Damage.DEFINITION_EDITED, "system", 1)]


def test_an_erasure_that_was_undone_is_told(told: Any, adversary: Any) -> None:
    with told.database.transaction() as session:
        kept = session.execute(select(HistoryValue.value, HistoryValue.salt).where(HistoryValue.event_id == 3)).first()
        history.erase(session, str(told.instance), [(2, 0)], reason="a", actor="carla", at=told.now)
    assert kept is not None

    adversary(value(3, 0, value=kept.value, salt=kept.salt))

    assert findings(told) == [(Damage.VALUE_NOT_ERASED, "1", 2)]


def test_the_name_of_an_erased_value_still_cannot_be_changed(told: Any, adversary: Any) -> None:
    with told.database.transaction() as session:
        history.erase(session, str(told.instance), [(2, 0)], reason="a", actor="carla", at=told.now)

    adversary(value(3, 0, name="other"))

    assert findings(told) == [(Damage.VALUE_DELETED, "1", 2)]


def test_one_case_is_checked_by_itself(told: Any, adversary: Any) -> None:
    damaged = told.case
    told.start("review", amount=1)
    adversary(event(3, actor="ben"))

    with told.database.reading() as session:
        clean = verification.verify(session, business_key=told.case)
        broken = verification.verify(session, business_key=damaged)
        assert verification.count(session, told.case) == clean.events
        assert verification.count(session) == 5
    assert (clean.events, clean.findings) == (1, ())
    assert [str(each) for each in broken.findings] == [
        str(Finding(Damage.EVENT_EDITED, "内容が記録と違います。", "1", 2, damaged))
    ]


def test_checking_goes_in_batches_and_tells_how_far_it_is(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "BATCH", 2)
    told.start("review", amount=1)
    done: list[int] = []

    with told.database.reading() as session:
        verdict = verification.verify(session, progress=done.append)
    assert (verdict.events, verdict.findings, done) == (5, (), [2, 2, 1])
