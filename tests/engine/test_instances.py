"""Instances: start, messages between them, signals, cancel, corrected variables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import bpmn, cases, feel, history, incidents, instances, tables
from engine.errors import InstanceEnded, InstanceNotFound, ProcessNotFound, TooManySteps
from engine.states import EventType, InstanceState


def waiting(office: Any) -> list[str]:
    with office.database.reading() as session:
        return list(session.execute(select(tables.Subscription.name).order_by(tables.Subscription.id)).scalars())


def count(office: Any, table: type[tables.Base]) -> int:
    with office.database.reading() as session:
        return len(session.execute(select(table)).all())


def test_case_numbers_count_per_year_in_japan(office: Any) -> None:
    numbers = [office.start("wait").case for _ in range(2)]
    office.now = datetime.fromisoformat("2026-12-31T14:59:59+00:00")
    numbers.append(office.start("wait").case)
    office.now = datetime.fromisoformat("2026-12-31T15:00:00+00:00")
    numbers.append(office.start("wait").case)

    assert numbers == ["2026-0001", "2026-0002", "2026-0003", "2027-0001"]


def test_a_process_that_is_not_deployed_cannot_be_started_and_takes_no_number(office: Any) -> None:
    with pytest.raises(ProcessNotFound):
        office.start("nowhere")

    assert office.start("wait").case == "2026-0001"


def test_a_process_that_only_a_message_starts_cannot_be_started_by_hand(office: Any) -> None:
    with pytest.raises(bpmn.BpmnError):
        office.start("packing")

    assert count(office, tables.ProcessInstance) == 0


def test_messages_join_two_processes_of_one_case(office: Any) -> None:
    office.start("order", article="books")
    assert office.running() == {"order": 1, "packing": 1}

    office.complete("PA_01_pack", by="dora")

    assert office.running() == {"order": 1}
    assert office.open_tasks() == ["OR_01_hand_over"]
    with office.database.reading() as session:
        assert history.last_written(session, office.case)["parcel"] == "parcel of books"


def test_a_message_goes_to_the_case_of_its_key_only(office: Any) -> None:
    first = office.start("wait").case
    office.complete("WA_01_prepare", by="anna")
    second = office.start("wait").case
    office.complete("WA_01_prepare", by="anna")

    office.publish("called", case=first)

    assert office.open_tasks() == []
    office.case = first
    assert office.open_tasks() == ["WA_02_go"]
    assert (first, second) == ("2026-0001", "2026-0002")


def test_a_message_that_nobody_waits_for_is_gone_unless_it_lives(office: Any) -> None:
    office.start("wait")

    assert office.publish("called") == ()
    office.complete("WA_01_prepare", by="anna")

    assert office.open_tasks() == []
    assert waiting(office) == ["called"]


def test_a_living_message_is_taken_at_once_by_who_waits_later(office: Any) -> None:
    office.start("wait")
    office.publish("called", keep=timedelta(hours=2))

    office.later(hours=1).complete("WA_01_prepare", by="anna")

    assert office.open_tasks() == ["WA_02_go"]


def test_a_living_message_is_taken_once_per_process(office: Any) -> None:
    office.start("wait")
    office.publish("called", keep=timedelta(days=1))
    office.complete("WA_01_prepare", by="anna")
    key = office.case
    with office.database.transaction() as session:
        instances.start(session, "wait", {}, actor="anna", at=office.now, business_key=key)

    office.complete("WA_01_prepare", by="anna")

    assert office.open_tasks() == ["WA_02_go"]
    assert waiting(office) == ["called"]


def test_a_message_dies_when_its_time_is_over(office: Any) -> None:
    office.start("wait")
    office.publish("called", keep=timedelta(hours=2))

    office.later(hours=2).complete("WA_01_prepare", by="anna")
    office.run_jobs()

    assert office.open_tasks() == []
    assert count(office, tables.Message) == 0


def test_of_two_instances_of_one_process_the_one_that_waited_longer_takes_the_message(office: Any) -> None:
    office.start("wait")
    first = office.instance
    office.complete("WA_01_prepare", by="anna")
    with office.database.transaction() as session:
        instances.start(session, "wait", {}, actor="anna", at=office.now, business_key=office.case)
    office.complete("WA_01_prepare", by="anna")

    assert office.publish("called") == (first,)
    assert waiting(office) == ["called"]


def test_two_processes_that_send_to_each_other_for_ever_are_stopped_and_leave_nothing(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "MAX_DELIVERIES", 20)

    with pytest.raises(TooManySteps):
        office.publish("ping", case="2026-0001")

    assert count(office, tables.ProcessInstance) == 0
    assert count(office, tables.HistoryEvent) == 1  # the deployment


def test_a_signal_reaches_everything_that_waits_for_it_in_every_case(office: Any) -> None:
    listeners = {office.start("listen").instance, office.start("listen").instance}

    office.start("ring")

    with office.database.reading() as session:
        ended = select(tables.ProcessInstance.id).where(tables.ProcessInstance.state == InstanceState.COMPLETED)
        assert listeners | {office.instance} == set(session.execute(ended).scalars())
        received = [e for e in history.of_instance(session, min(listeners)) if e.type is EventType.SIGNAL_RECEIVED]
    assert [event.message for event in received] == ["bell"]


def test_cancelling_takes_back_everything_that_was_open(office: Any) -> None:
    office.start("wait")

    with office.database.transaction() as session:
        instances.cancel(session, office.instance, reason="取り下げ", actor="carla", at=office.now)

    assert office.open_tasks() == []
    assert office.running() == {}
    with office.database.reading() as session:
        last = history.of_instance(session, office.instance)[-1]
        assert cases.instances(session, office.case)[0].state is InstanceState.CANCELLED
    assert (last.type, last.actor) == (EventType.INSTANCE_CANCELLED, "carla")
    with office.database.transaction() as session, pytest.raises(InstanceEnded):
        instances.cancel(session, office.instance, reason="もう一度", actor="carla", at=office.now)


def test_an_unknown_instance_is_told(office: Any) -> None:
    with office.database.reading() as session, pytest.raises(InstanceNotFound):
        instances.load(session, 99)


def test_a_fault_is_an_incident_at_its_element_and_correcting_the_variable_mends_it(office: Any) -> None:
    office.start("choice", amount="たくさん")
    with office.database.reading() as session:
        (stopped,) = incidents.open_ones(session)
    assert (stopped.element, stopped.process) == ("which", "choice")

    with office.database.transaction() as session:
        corrected = {"amount": feel.from_python(500)}
        instances.change_variables(session, office.instance, corrected, actor="carla", at=office.now)
        instances.retry(session, office.instance, stopped.token, actor="carla", at=office.now)

    assert office.open_tasks() == ["high"]
    with office.database.reading() as session:
        assert incidents.open_ones(session) == []
        kinds = [event.type for event in history.of_instance(session, office.instance)]
    assert kinds == [EventType.INSTANCE_STARTED, EventType.VARIABLES_CHANGED, EventType.INCIDENT_RETRIED]


def test_the_time_of_a_step_is_the_time_it_was_told(office: Any) -> None:
    office.now = datetime.fromisoformat("2031-05-05T23:30:00+00:00")

    office.start("answer")

    assert office.task("AN_01_answer").due == datetime.fromisoformat("2031-05-07T08:30:00+09:00")
