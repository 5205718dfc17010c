"""History: what each event says, and that nothing in it can be changed unnoticed."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from engine import feel, history, tables
from engine.errors import HistoryBroken, TaskNotYours
from engine.states import EventType
from engine.tables import HistoryEvent, HistoryValue


@pytest.fixture
def told(office: Any) -> Any:
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="印がない", helper="dora")
    return office


def test_an_event_says_who_did_what_when_on_which_definition(told: Any) -> None:
    with told.database.reading() as session:
        started, completed = history.of_case(session, told.case)
        digest = session.execute(select(tables.Deployment.digest)).scalar_one()

    assert (started.type, started.actor, started.at) == (EventType.INSTANCE_STARTED, "anna", told.now)
    assert (completed.type, completed.instance, completed.definition) == (
        EventType.TASK_COMPLETED,
        told.instance,
        digest,
    )
    assert completed.task is not None
    assert (completed.task.element, completed.task.form_id) == ("RV_01_review", "review_form")
    assert [move.element for move in completed.left] == ["RV_01_review"]
    assert [move.element for move in completed.entered] == ["RV_02_second_look"]
    assert completed.submitted["reason"] == "印がない"
    assert [written.name for written in completed.variables] == ["review_form", "reviewers"]


def test_a_decision_stands_with_its_inputs_and_value(office: Any) -> None:
    office.start("answer")

    with office.database.reading() as session:
        (decided,) = history.of_case(session, office.case)[0].decisions
    assert decided.decision == "answer_by"
    assert isinstance(decided.value, dict)
    assert decided.value["due_reason"] == "受付の翌日まで"


def test_a_refused_attempt_is_on_record(told: Any) -> None:
    with told.database.transaction() as session:
        history.reject(
            session,
            attempt="complete",
            error=TaskNotYours(2, "anna"),
            actor="anna",
            at=told.now,
            task=2,
            business_key=told.case,
        )

    with told.database.reading() as session:
        last = history.of_case(session, told.case)[-1]
        history.verify(session)
    assert (last.type, last.actor, last.facts["error"]) == (EventType.ATTEMPT_REJECTED, "anna", "TaskNotYours")
    assert last.error == "この作業は、別の担当の方のものです。"


def test_an_untouched_history_is_whole(told: Any) -> None:
    with told.database.reading() as session:
        assert history.verify(session) == 3  # deployed, started, completed


def test_the_hash_of_an_event_is_sha_256_over_its_canonical_form(told: Any) -> None:
    with told.database.reading() as session:
        first, second = session.execute(
            select(HistoryEvent).where(HistoryEvent.chain == "1").order_by(HistoryEvent.seq)
        ).scalars()
    said = {
        "chain": "1",
        "seq": 2,
        "type": "task_completed",
        "at": "2026-11-24T01:00:00.000000Z",
        "actor": "anna",
        "instance_id": 1,
        "business_key": "2026-0001",
        "definition": second.definition,
        "semantics": 2,
        "facts": second.facts,
        "commitments": second.commitments,
        "previous": first.hash,
    }

    assert second.hash == hashlib.sha256(rfc8785.dumps(said)).hexdigest()


CHANGES = {
    "the actor": update(HistoryEvent).where(HistoryEvent.id == 3).values(actor="ben"),
    "the time": update(HistoryEvent).where(HistoryEvent.id == 3).values(at=datetime(2026, 11, 23, tzinfo=UTC)),
    "the link": update(HistoryEvent).where(HistoryEvent.id == 3).values(previous="0" * 64),
    "a fact": update(HistoryEvent).where(HistoryEvent.id == 3).values(facts={}),
    "a value": update(HistoryValue).where(HistoryValue.event_id == 3, HistoryValue.number == 0).values(value='"good"'),
    "the name of a value": update(HistoryValue)
    .where(HistoryValue.event_id == 3, HistoryValue.number == 0)
    .values(name="other"),
    "a salt alone": update(HistoryValue).where(HistoryValue.event_id == 3, HistoryValue.number == 0).values(salt=None),
    "a missing value": delete(HistoryValue).where(HistoryValue.event_id == 3, HistoryValue.number == 0),
    "an order": update(HistoryEvent).where(HistoryEvent.id == 3).values(seq=3),
    "a value that moved": update(HistoryValue)
    .where(HistoryValue.event_id == 3, HistoryValue.number == 0)
    .values(event_id=1),
    "the first event": update(HistoryEvent).where(HistoryEvent.id == 2).values(chain="7"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(told: Any, what: str) -> None:
    with told.database.transaction() as session:
        session.execute(CHANGES[what])

    with told.database.reading() as session, pytest.raises(HistoryBroken):
        history.verify(session)


def test_values_whose_event_is_gone_are_noticed(told: Any) -> None:
    by_hand = sqlite3.connect(str(told.database.engine.url.database))
    by_hand.execute("DELETE FROM history_event WHERE id = 3")
    by_hand.commit()
    by_hand.close()

    with told.database.reading() as session, pytest.raises(HistoryBroken):
        history.verify(session)


def test_an_erased_value_leaves_the_proof_intact(told: Any) -> None:
    with told.database.transaction() as session:
        session.execute(update(HistoryValue).where(HistoryValue.event_id == 3).values(value=None, salt=None))

    with told.database.reading() as session:
        assert history.verify(session) == 3
        assert history.of_case(session, told.case)[-1].submitted["reason"] is None


def test_the_same_value_twice_has_different_commitments(office: Any) -> None:
    office.start("review", amount=30)
    office.start("review", amount=30)

    with office.database.reading() as session:
        first, second = session.execute(
            select(HistoryEvent.commitments).where(HistoryEvent.seq == 1, HistoryEvent.chain != history.SYSTEM)
        ).scalars()
    assert not set(first) & set(second)


def test_values_come_back_with_their_types(office: Any) -> None:
    written = {"amount": feel.from_python(1), "text": "１", "list": [None, True, {"a": "b"}]}
    office.start("review", **written)

    with office.database.reading() as session:
        last = history.last_written(session, office.case)
    assert {name: last[name] for name in written} == written


def test_only_one_function_inserts_history() -> None:
    folder = Path(history.__file__).parent
    inserting = re.compile(r"insert\((?:tables\.core\()?(?:tables\.History|_EVENTS|_VALUES)")
    writers = {path.name: inserting.findall(path.read_text("utf-8")) for path in folder.rglob("*.py")}

    assert {name: len(found) for name, found in writers.items() if found} == {"history.py": 2}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_events_are_hashed_over_the_canonical_form_of_the_standard(said: Any) -> None:
    assert history._written(said) == rfc8785.dumps(said)


def test_facts_hold_no_value_of_a_variable(told: Any) -> None:
    with told.database.reading() as session:
        stored = [
            json.dumps(facts, ensure_ascii=False) for facts in session.execute(select(HistoryEvent.facts)).scalars()
        ]

    assert not [text for text in stored if "印がない" in text]
