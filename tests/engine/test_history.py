"""History: what each event says, and that nothing in it can be changed unnoticed."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from engine import bpmn, feel, history, tables
from engine.audit import verification
from engine.errors import NotRecordable, TaskNotYours, ValueNotRecorded
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
        assert verification.verify(session).findings == ()
    assert (last.type, last.actor, last.facts["error"]) == (EventType.ATTEMPT_REJECTED, "anna", "TaskNotYours")
    assert last.error == "この作業は、別の担当の方のものです。"


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
        "semantics": bpmn.SEMANTICS,
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


@pytest.mark.parametrize("what", [*CHANGES, "an event"])
def test_the_database_itself_refuses_a_change(told: Any, what: str) -> None:
    change = CHANGES.get(what, delete(HistoryEvent).where(HistoryEvent.id == 3))

    with pytest.raises(DBAPIError, match="append-only"), told.database.transaction() as session:
        session.execute(change)


def test_the_database_refuses_to_replace_an_event(told: Any) -> None:
    replacing = "INSERT OR REPLACE INTO history_event SELECT * FROM history_event WHERE id = 3"

    with pytest.raises(DBAPIError, match="append-only"), told.database.transaction() as session:
        session.execute(text(replacing))


def test_an_erased_value_leaves_the_proof_intact_and_the_erasure_on_record(told: Any) -> None:
    with told.database.transaction() as session:
        fields = session.execute(select(HistoryValue.number, HistoryValue.name).where(HistoryValue.event_id == 3)).all()
        number = {name: number for number, name in fields}["reason"]
        history.erase(session, str(told.instance), [(2, number)], reason="本人の求め", actor="carla", at=told.now)

    with told.database.reading() as session:
        assert verification.verify(session).findings == ()
        *_, completed, erased = history.of_case(session, told.case)
    assert completed.submitted["reason"] is None
    assert completed.submitted["verdict"] == "mend"
    assert (erased.type, erased.actor, erased.facts["reason"]) == (EventType.VALUES_ERASED, "carla", "本人の求め")
    assert erased.facts["erased"] == [{"seq": 2, "number": number, "kind": "field", "name": "reason"}]


@pytest.mark.parametrize("place", [(2, 99), (99, 0), (2, 0)])
def test_only_what_is_there_can_be_erased_and_only_once(told: Any, place: tuple[int, int]) -> None:
    with told.database.transaction() as session:
        history.erase(session, str(told.instance), [(2, 0)], reason="a", actor="carla", at=told.now)

    with pytest.raises(ValueNotRecorded), told.database.transaction() as session:
        history.erase(session, str(told.instance), [(1, 0), place], reason="b", actor="carla", at=told.now)
    with told.database.reading() as session:
        assert verification.verify(session).findings == ()


@pytest.mark.parametrize("fact", [2**53, -(2**53), 10**30, float("nan"), float("inf")])
def test_a_fact_without_an_exact_canonical_form_is_refused(told: Any, fact: Any) -> None:
    new = history.NewEvent(EventType.COMMENTED, told.now, "anna", {"fact": [fact]}, instance=told.instance)

    with pytest.raises(NotRecordable), told.database.transaction() as session:
        history.append(session, new)


def test_a_number_with_a_point_is_hashed_as_the_standard_writes_it(told: Any) -> None:
    new = history.NewEvent(EventType.COMMENTED, told.now, "anna", {"a": 1.0, "b": [1e21, -0.5]}, instance=told.instance)
    with told.database.transaction() as session:
        history.append(session, new)

    with told.database.reading() as session:
        assert verification.verify(session).findings == ()


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
    inserting = re.compile(r"insert\((?:columns\.core\()?(?:tables\.History|_EVENTS|_VALUES)")
    writers = {path.name: inserting.findall(path.read_text("utf-8")) for path in folder.rglob("*.py")}

    assert {name: len(found) for name, found in writers.items() if found} == {"history.py": 2}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
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
