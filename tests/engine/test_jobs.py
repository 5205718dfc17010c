"""Jobs: timers, service calls, deadlines, and what happens when one fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import feel, history, incidents, instances, jobs, notices, tables, user_tasks, worker
from engine.errors import IncidentNotFound, JobNotFound
from engine.jobs import BUILT_IN, Call, CallFailed, Outside
from engine.states import EventType, JobState


def states(office: Any) -> list[JobState]:
    with office.database.reading() as session:
        return list(session.execute(select(tables.Job.state).order_by(tables.Job.id)).scalars())


def charging(call: Callable[[Call], Mapping[str, feel.Value]]) -> jobs.JobTypes:
    return {**BUILT_IN, "charge": Outside(call)}


def refusing(message: str, code: str | None = None) -> jobs.JobTypes:
    def call(_: Call) -> Mapping[str, feel.Value]:
        raise CallFailed(message, error_code=code)

    return charging(call)


def test_a_timer_fires_when_its_time_has_come_and_not_before(office: Any) -> None:
    office.start("pause")

    assert office.later(days=2, seconds=-1).run_jobs() == 0
    assert office.later(seconds=1).run_jobs() == 1

    assert office.open_tasks() == ["PS_01_go_on"]
    with office.database.reading() as session:
        last = history.of_case(session, office.case)[-1]
    assert (last.type, last.at, last.actor) == (EventType.TIMER_FIRED, office.now, None)
    assert office.run_jobs() == 0


def test_a_notice_reaches_the_members_of_its_groups_and_its_users_once(office: Any) -> None:
    office.start("announce").run_jobs()

    with office.database.reading() as session:
        told = {name: notices.unread(session, name) for name in ("anna", "ben", "carla", "dora")}
    assert {name: [notice.subject for notice in found] for name, found in told.items()} == {
        "anna": ["新しい申請があります"],
        "ben": ["新しい申請があります"],
        "carla": ["新しい申請があります"],
        "dora": [],
    }
    assert office.running() == {}


def test_a_notice_is_read_by_who_got_it_only(office: Any) -> None:
    office.start("announce").run_jobs()
    with office.database.reading() as session:
        (notice,) = notices.unread(session, "anna")

    with office.database.transaction() as session:
        notices.read(session, notice.id, "ben", at=office.now)
        assert len(notices.unread(session, "anna")) == 1
        notices.read(session, notice.id, "anna", at=office.now)
        assert notices.unread(session, "anna") == []


def test_a_call_has_the_job_as_its_key_and_its_result_goes_on_into_the_process(office: Any) -> None:
    calls: list[Call] = []

    def charge(call: Call) -> Mapping[str, feel.Value]:
        calls.append(call)
        return {"receipt": "R-7"}

    office.start("charge", amount=900).run_jobs(charging(charge))

    assert [(call.type, call.values["amount"], call.business_key) for call in calls] == [
        ("charge", feel.from_python(900), office.case)
    ]
    assert calls[0].key == "job-1"
    with office.database.reading() as session:
        assert history.last_written(session, office.case)["receipt"] == "R-7"
        assert history.of_case(session, office.case)[-1].type is EventType.JOB_COMPLETED


def test_a_call_is_made_outside_any_transaction(office: Any) -> None:
    def charge(_: Call) -> Mapping[str, feel.Value]:
        office.start("wait")  # would wait for the write lock in vain
        return {}

    office.start("charge", amount=1).run_jobs(charging(charge))

    assert states(office) == [JobState.DONE]


def test_a_failed_call_is_tried_again_later_and_later_with_the_same_key(office: Any) -> None:
    keys: list[str] = []

    def charge(call: Call) -> Mapping[str, feel.Value]:
        keys.append(call.key)
        if len(keys) < 3:
            raise ConnectionError("no answer")
        return {"receipt": "R-8"}

    office.start("charge", amount=1)
    started = office.now
    waits = []
    for _ in range(3):
        office.run_jobs(charging(charge))
        with office.database.reading() as session:
            due = jobs.next_due(session)
        if due is not None:
            waits.append(due - office.now)
            office.now = due

    assert waits == [timedelta(seconds=10), timedelta(seconds=20)]
    assert keys == ["job-1"] * 3
    assert office.running() == {}
    assert office.now == started + timedelta(seconds=30)


def test_a_call_that_gives_up_is_an_incident_at_its_element_and_a_retry_calls_anew(office: Any) -> None:
    office.start("charge", amount=1)
    for _ in range(3):
        office.run_jobs(refusing("相手が応じません"))
        office.later(minutes=5)
    with office.database.reading() as session:
        (stopped,) = incidents.open_ones(session)
    assert (stopped.element, stopped.message) == ("charge_card", "相手が応じません")
    assert states(office) == [JobState.FAILED]

    with office.database.transaction() as session:
        jobs.retry(session, stopped.id, actor="carla", at=office.now)
    office.run_jobs(charging(lambda _: {"receipt": "R-9"}))

    assert states(office) == [JobState.FAILED, JobState.DONE]
    assert office.running() == {}


def test_the_receiver_tells_a_repetition_by_its_key_also_after_an_incident_and_another_call_by_another(
    office: Any,
) -> None:
    keys: list[str] = []

    def call(made: Call) -> Mapping[str, feel.Value]:
        keys.append(made.key)
        raise CallFailed("相手が応じません", final=True)

    office.start("charge", amount=1).run_jobs(charging(call))
    for _ in range(2):
        with office.database.transaction() as session:
            (stopped,) = incidents.open_ones(session)
            jobs.retry(session, stopped.id, actor="carla", at=office.now)
        office.run_jobs(charging(call))
    office.start("charge", amount=1).run_jobs(charging(call))

    assert keys[:3] == keys[:1] * 3
    assert keys[3] not in keys[:3]


def test_an_error_of_the_process_is_caught_there_without_another_attempt(office: Any) -> None:
    office.start("charge", amount=1).run_jobs(refusing("残高がありません", "declined"))

    assert office.open_tasks() == ["CH_01_ask_again"]
    with office.database.reading() as session:
        assert incidents.open_ones(session) == []
        assert history.of_case(session, office.case)[-1].type is EventType.JOB_FAILED


def test_a_job_type_that_no_longer_exists_is_told_at_its_element(office: Any) -> None:
    office.start("charge", amount=1)
    for _ in range(3):
        office.run_jobs()
        office.later(minutes=5)

    with office.database.reading() as session:
        assert "charge" in incidents.open_ones(session)[0].message


def test_a_job_is_acquired_by_one_worker_until_its_lease_ends(office: Any) -> None:
    office.start("charge", amount=1)

    with office.database.transaction() as session:
        first = jobs.acquire(session, 1, at=office.now)
        assert jobs.acquire(session, 1, at=office.now) is None
        assert jobs.due(session, at=office.now) == []
        assert jobs.due(session, at=office.now + jobs.LEASE) == [1]
        second = jobs.acquire(session, 1, at=office.now + jobs.LEASE)

    assert [job and job.attempts for job in (first, second)] == [1, 2]


def test_the_late_result_of_a_worker_that_was_given_up_on_counts_no_more(office: Any) -> None:
    office.start("charge", amount=1)
    with office.database.transaction() as session:
        late = jobs.acquire(session, 1, at=office.now)
        later = jobs.acquire(session, 1, at=office.now + jobs.LEASE)

    assert late is not None
    assert later is not None
    with office.database.transaction() as session:
        jobs.finish(session, late, {"receipt": "late"}, at=office.now)
        jobs.finish(session, later, {"receipt": "in time"}, at=office.now)

    with office.database.reading() as session:
        assert history.last_written(session, office.case)["receipt"] == "in time"


def test_an_unknown_job_and_an_unknown_incident_are_told(office: Any) -> None:
    with office.database.transaction() as session, pytest.raises(JobNotFound):
        jobs.get(session, 99)
    with office.database.transaction() as session, pytest.raises(IncidentNotFound):
        jobs.retry(session, 99, actor="carla", at=office.now)


# Deadlines ----------------------------------------------------------------------------------------------


def test_when_the_deadline_passes_the_groups_become_candidates_are_told_and_history_says_so(office: Any) -> None:
    office.start("answer")

    office.later(days=1).run_jobs()

    task = office.task("AN_01_answer")
    assert task.candidate_groups == ("clerks", "chiefs")
    assert task.escalated_at == office.now
    with office.database.reading() as session:
        (notice,) = notices.unread(session, "carla")
        event = history.of_case(session, office.case)[-1]
    assert (notice.task, notice.subject) == (task.id, "期限を過ぎた作業があります: 答える")
    assert (event.type, event.escalated_to) == (EventType.TASK_ESCALATED, ("chiefs",))
    office.complete("AN_01_answer", by="carla")


def test_a_task_done_in_time_is_not_escalated(office: Any) -> None:
    office.start("answer").complete("AN_01_answer", by="anna")

    assert office.later(days=2).run_jobs() == 0
    assert states(office) == [JobState.CANCELLED]


def test_an_overdue_task_that_somebody_holds_can_be_taken_over(office: Any) -> None:
    office.start("answer").claim("AN_01_answer", "anna")
    office.later(days=1).run_jobs()
    carla = office.person("carla")

    with office.database.transaction() as session:
        user_tasks.assign(session, office.task("AN_01_answer").id, to=carla, actor=carla, at=office.now)

    office.complete("AN_01_answer", by="carla")


# The worker ---------------------------------------------------------------------------------------------


def test_a_timer_that_meets_a_fault_of_ours_becomes_an_incident_and_can_be_retried(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.start("pause").later(days=2)
    with monkeypatch.context() as broken:
        broken.setattr(instances, "load", lambda *_: 1 / 0)
        for _ in range(jobs.TRANSACTION_RETRIES):
            office.run_jobs()
            office.later(minutes=5)
    with office.database.reading() as session:
        (stopped,) = incidents.open_ones(session)
    assert (stopped.element, stopped.job) == ("rest", 1)
    assert stopped.message.startswith("ZeroDivisionError")

    with office.database.transaction() as session:
        jobs.retry(session, stopped.id, actor="carla", at=office.now)
    office.run_jobs()

    assert office.open_tasks() == ["PS_01_go_on"]
    with office.database.reading() as session:
        assert incidents.open_ones(session) == []


def test_one_job_that_fails_does_not_keep_the_others_from_their_turn(office: Any) -> None:
    office.start("charge", amount=1)
    office.start("announce")

    assert office.run_jobs(refusing("いまは無理です")) == 2

    assert states(office) == [JobState.WAITING, JobState.DONE]


def test_the_worker_thread_takes_due_jobs_until_it_is_stopped(office: Any) -> None:
    running = worker.Worker(office.database, lambda: office.now, pause=0.01)
    running.start()
    office.start("announce")
    end = time.monotonic() + 10
    while office.running() and time.monotonic() < end:
        time.sleep(0.01)
    running.stop()

    assert office.running() == {}
    assert "worker" not in [thread.name for thread in threading.enumerate()]


def test_the_worker_outlives_a_clock_or_database_that_fails(office: Any) -> None:
    faults = iter([RuntimeError("no clock")])

    def clock() -> Any:
        for fault in faults:
            raise fault
        return office.now

    running = worker.Worker(office.database, clock, pause=0.01)
    running.start()
    office.start("announce")
    end = time.monotonic() + 10
    while office.running() and time.monotonic() < end:
        time.sleep(0.01)
    running.stop()

    assert office.running() == {}
