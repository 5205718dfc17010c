"""Jobs, messages and incidents on both databases: over a restart, and by several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import cases, database, feel, history, incidents, instances, jobs, operations, tables
from engine.jobs import BUILT_IN, Call, CallFailed, Outside
from engine.operations import Outcome
from engine.states import EventType
from tests.engine.durability.test_races import at_once

ROUNDS = 15


def refuse(_: Call) -> Mapping[str, feel.Value]:
    raise CallFailed("相手が応じません")


REFUSING = {**BUILT_IN, "charge": Outside(refuse)}
CHARGING = {**BUILT_IN, "charge": Outside(lambda _: {"receipt": "R"})}


@pytest.fixture
def restart(office: Any, url: str) -> Iterator[Callable[[], None]]:
    """Everything in memory is gone; what is stored goes on."""
    opened: list[database.Database] = []

    def run() -> None:
        office.database.close()
        opened.append(database.connect(url))
        office.database = opened[-1]

    yield run
    for found in opened:
        found.close()


def give_up(office: Any) -> int:
    """The call of a new case has given up; the number of the incident."""
    office.start("charge", amount=1)
    for _ in range(3):
        office.run_jobs(REFUSING)
        office.later(minutes=5)
    with office.database.reading() as session:
        return max(row.id for row in incidents.open_ones(session))


def waiting_for_a_call(office: Any, business_key: str | None = None) -> int:
    """An instance that waits for the message `called`."""
    with office.database.transaction() as session:
        instance, office.case = instances.start(
            session, "wait", {}, actor="anna", at=office.now, business_key=business_key
        )
    office.complete("WA_01_prepare", by="anna")
    return instance


def publishing(office: Any, keep: timedelta = timedelta(0)) -> Callable[[], Any]:
    case = office.case
    return lambda: office.database.retrying(
        lambda session: instances.publish(
            session, "called", case, {"by": "x"}, actor="carla", at=office.now, time_to_live=keep
        )
    )


def received(office: Any, instance: int) -> list[history.Event]:
    with office.database.reading() as session:
        events = history.of_instance(session, instance)
    return [event for event in events if event.type is EventType.MESSAGE_RECEIVED]


def test_a_failed_attempt_its_wait_and_what_was_used_up_survive_a_restart(office: Any, restart: Any) -> None:
    office.start("charge", amount=1).run_jobs(REFUSING)

    restart()
    assert office.later(seconds=9).run_jobs(CHARGING) == 0
    assert office.later(seconds=1).run_jobs(REFUSING) == 1

    restart()
    with office.database.reading() as session:
        assert jobs.next_due(session) == office.now + timedelta(seconds=20)
    assert office.later(seconds=20).run_jobs(REFUSING) == 1  # the third of three
    with office.database.reading() as session:
        assert [row.element for row in incidents.open_ones(session)] == ["charge_card"]


def test_an_incident_and_its_retry_survive_a_restart(office: Any, restart: Any) -> None:
    incident = give_up(office)

    restart()
    (tried,) = operations.retry_each(office.database, [incident], actor=office.person("carla"), at=office.now)
    assert tried.outcome is Outcome.QUEUED
    restart()
    office.run_jobs(CHARGING)

    assert office.running() == {}
    with office.database.reading() as session:
        assert incidents.open_ones(session) == []
        assert operations.kinds(session) == ()
        assert operations.work(session, at=office.now).waiting == 0


def test_of_two_operators_who_retry_at_once_one_does_and_the_other_is_told(office: Any) -> None:
    carla, nina = office.person("carla"), office.person("nina")
    for _ in range(ROUNDS):
        incident = give_up(office)

        tried = at_once(
            lambda n=incident: operations.retry_each(office.database, [n], actor=carla, at=office.now),
            lambda n=incident: operations.retry_each(office.database, [n], actor=nina, at=office.now),
        )

        assert sorted(each.outcome for (each,) in tried) == [Outcome.GONE, Outcome.QUEUED]
        with office.database.reading() as session:
            kinds = [event.type for event in history.of_case(session, office.case)]
        assert kinds.count(EventType.INCIDENT_RETRIED) == 1
        assert office.run_jobs(CHARGING) == 1


def test_of_two_operators_who_retry_a_timer_at_once_one_does(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    carla, nina = office.person("carla"), office.person("nina")
    for _ in range(ROUNDS):
        office.start("pause").later(days=2)
        with monkeypatch.context() as broken:
            broken.setattr(instances, "load", lambda *_: 1 / 0)
            for _ in range(jobs.TRANSACTION_RETRIES):
                office.run_jobs()
                office.later(minutes=5)
        with office.database.reading() as session:
            (row,) = incidents.open_ones(session)

        tried = at_once(
            lambda n=row.id: operations.retry_each(office.database, [n], actor=carla, at=office.now),
            lambda n=row.id: operations.retry_each(office.database, [n], actor=nina, at=office.now),
        )

        assert sorted(each.outcome for (each,) in tried) == [Outcome.GONE, Outcome.QUEUED]
        assert office.run_jobs() == 1
        with office.database.reading() as session:
            kinds = [event.type for event in history.of_case(session, office.case)]
        assert (kinds.count(EventType.INCIDENT_RETRIED), kinds.count(EventType.TIMER_FIRED)) == (1, 1)


def test_a_message_is_taken_by_one_of_several_and_is_recorded_there_as_the_cause(office: Any) -> None:
    for _ in range(ROUNDS):
        first = waiting_for_a_call(office)
        second = waiting_for_a_call(office, office.case)
        with office.database.reading() as session:
            tokens = dict(session.execute(select(tables.Subscription.instance_id, tables.Subscription.token)).all())

        taken = at_once(publishing(office), publishing(office), publishing(office))

        assert sorted(taken) == [(), (first,), (second,)]
        for instance in (first, second):
            (event,) = received(office, instance)
            assert (event.message, event.facts["cause"]["kind"]) == ("called", "Receive")
            assert event.facts["cause"]["token"] == tokens[instance]


def test_a_message_that_is_kept_and_who_begins_to_wait_meet_whichever_comes_first(office: Any) -> None:
    for _ in range(ROUNDS):
        office.start("wait")
        instance = office.instance

        at_once(
            publishing(office, timedelta(hours=1)),
            lambda: office.complete("WA_01_prepare", by="anna"),
        )

        assert office.open_tasks() == ["WA_02_go"]
        assert len(received(office, instance)) == 1
    with office.database.reading() as session:
        assert len(cases.instances(session, office.case)) == 1
