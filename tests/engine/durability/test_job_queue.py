"""One machine to many: the queue on PostgreSQL, worked on by real processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from engine import database, instances, job_queue, jobs, tables
from engine.audit import replay, verification
from engine.states import OPEN_JOB, EventType, JobState
from engine.worker import Worker, tend
from tests import postgresql

HARNESS = Path(__file__).parent / "working.py"
BUNDLE = Path(__file__).parents[1] / "processes"
PAUSE = timedelta(days=2)
"""How long the process `pause` waits."""
TIMERS, WORKERS = 1_000, 3
RESUMED = 30
"""Seconds after which others have done what a dead worker was at."""


@pytest.fixture
def url(postgres: postgresql.Server) -> Iterator[str]:
    with postgres.database(f"queue{time.monotonic_ns()}") as made:
        yield made


@contextmanager
def working(url: str, *mode: str) -> Iterator[subprocess.Popen[str]]:
    """A worker that is ready."""
    with subprocess.Popen(
        [sys.executable, HARNESS, url, BUNDLE, *mode], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert heard(process) == "ready"
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tasks(office: Any) -> list[tuple[int, datetime]]:
    """What the queue holds: the row that each task names, and when it brings it."""
    found = text(
        "SELECT (args ->> 'job')::int, scheduled_at FROM procrastinate_jobs WHERE task_name = :name ORDER BY id"
    )
    with office.database.reading() as session:
        return [(job, at) for job, at in session.execute(found, {"name": job_queue.JOB})]


def empty_queue(office: Any) -> None:
    with office.database.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))


def states(office: Any) -> list[JobState]:
    with office.database.reading() as session:
        return list(session.execute(select(tables.Job.state)).scalars())


def fired(office: Any) -> list[int | None]:
    events = tables.HistoryEvent
    with office.database.reading() as session:
        return list(
            session.execute(select(events.instance_id).where(events.type == EventType.TIMER_FIRED)).scalars().all()
        )


def wait(holds: Callable[[], bool], seconds: float) -> float:
    """How long it took until this held; fails after so many seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "too long"
        time.sleep(0.2)
    return time.monotonic() - began


def registered(office: Any) -> int:
    """How many workers the queue knows."""
    with office.database.reading() as session:
        found: int = session.execute(text("SELECT count(*) FROM procrastinate_workers")).scalar_one()
    return found


@contextmanager
def at_work(worker: Worker) -> Iterator[None]:
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def in_time(office: Any, **after: float) -> Any:
    """The office, now such that a pause that begins is over so long from this real moment."""
    office.now = datetime.now(UTC) - PAUSE + timedelta(**after)
    return office


def test_a_job_is_in_the_queue_with_its_row_and_comes_when_it_is_due(office: Any) -> None:
    office.start("pause")

    assert tasks(office) == [(1, office.now + PAUSE)]


def test_a_job_of_a_transaction_that_is_undone_does_not_exist(office: Any) -> None:
    with office.database.transaction() as session:
        instances.start(session, "pause", {}, actor="anna", at=office.now)
        assert session.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 1
        session.rollback()

    assert (tasks(office), states(office)) == ([], [])


def test_no_task_of_the_queue_has_a_lock(office: Any) -> None:
    office.start("pause").start("pause")

    with office.database.reading() as session:
        locks = session.execute(text("SELECT lock, queueing_lock FROM procrastinate_jobs")).all()
    assert locks == [(None, None), (None, None)]


def test_the_next_attempt_and_the_retry_of_an_operator_are_in_the_queue(office: Any) -> None:
    office.start("charge", amount=1)
    began = office.now
    for _ in range(3):  # nobody handles a charge
        office.run_jobs()
        office.later(minutes=5)
    waits = [at - began for _, at in tasks(office)]
    assert waits == [timedelta(0), timedelta(seconds=10), timedelta(minutes=5, seconds=20)]

    office.start("pause").later(days=3)
    broken = text("UPDATE process_instance SET snapshot = 'no' WHERE id = :it")
    with office.database.transaction() as session:
        session.execute(broken, {"it": office.instance})
    for _ in range(jobs.TRANSACTION_RETRIES):
        office.run_jobs()
        office.later(hours=1)
    with office.database.transaction() as session:
        found = session.execute(select(tables.Incident.id, tables.Incident.job_id).order_by(tables.Incident.id)).all()
        incident, job = found[-1]
        jobs.retry(session, incident, actor="carla", at=office.now)
    assert tasks(office)[-1] == (job, office.now)


def test_a_timer_whose_task_is_doubled_fires_once(office: Any, url: str) -> None:
    in_time(office).start("pause")
    with office.database.transaction() as session:
        for _ in range(5):
            job_queue.defer(session, 1, office.now + PAUSE)

    with working(url), working(url):
        wait(lambda: tasks(office) == [], 20)

    assert fired(office) == [office.instance]


def test_a_thousand_timers_due_at_once_fire_once_each_in_several_processes(office: Any, url: str) -> None:
    in_time(office, seconds=8)
    with ExitStack() as workers:
        for _ in range(WORKERS):
            workers.enter_context(working(url))
        with office.database.transaction() as session:
            for _ in range(TIMERS):
                instances.start(session, "pause", {}, actor="anna", at=office.now)
        wait(lambda: len(fired(office)) >= TIMERS, 120)
        wait(lambda: tasks(office) == [], 20)

    with office.database.reading() as session:
        assert sorted(map(int, filter(None, fired(office)))) == replay.instances_of(session)
        assert verification.verify(session).findings == ()
    assert set(states(office)) == {JobState.DONE}


def test_what_a_worker_was_at_that_is_killed_is_done_by_another_with_the_same_key(office: Any, url: str) -> None:
    office.now = datetime.now(UTC)
    office.start("charge", amount=1)
    with working(url, "hang") as dying:
        key = heard(dying)
        with working(url) as other:
            dying.kill()
            died = time.monotonic()
            assert heard(other) == key
            wait(lambda: office.running() == {}, 5)
            assert time.monotonic() - died < RESUMED
            wait(lambda: tasks(office) == [], 5)  # the queue lets go of it only after what it brought is committed

    assert states(office) == [JobState.DONE]


def test_workers_killed_at_work_lose_and_double_no_timer(office: Any, url: str) -> None:
    in_time(office)
    with office.database.transaction() as session:
        for _ in range(TIMERS // 2):
            instances.start(session, "pause", {}, actor="anna", at=office.now)
    with working(url):
        for share in (0.1, 0.3, 0.5):
            with working(url) as dying:
                wait(lambda share=share: len(fired(office)) >= share * TIMERS / 2, 60)  # type: ignore[misc]
                dying.kill()
        wait(lambda: not any(state in OPEN_JOB for state in states(office)), RESUMED + 30)

    with office.database.reading() as session:
        assert sorted(map(int, filter(None, fired(office)))) == replay.instances_of(session)
        assert verification.verify(session).findings == ()


def test_a_row_that_the_queue_has_lost_is_brought_all_the_same(office: Any) -> None:
    """As those from before there was a queue."""
    office.start("pause")
    empty_queue(office)
    due = office.now + PAUSE

    tend(office.database, [], at=due + jobs.OVERDUE - timedelta(seconds=1))
    assert tasks(office) == []
    tend(office.database, [], at=due + jobs.OVERDUE)
    tend(office.database, [], at=due + jobs.OVERDUE)
    assert tasks(office) == [(1, due)]


def test_only_the_row_as_its_dead_worker_held_it_is_free_at_once(office: Any) -> None:
    office.start("charge", amount=1)
    with office.database.transaction() as session:
        held = jobs.acquire(session, 1, at=office.now)
        assert held is not None
        jobs.release(session, job_queue.Task(1, held.due - timedelta(seconds=10)), at=office.now)
        assert jobs.acquire(session, 1, at=office.now) is None
        jobs.release(session, job_queue.Task(1, held.due), at=office.now)
        again = jobs.acquire(session, 1, at=office.now)
    assert again is not None
    assert again.attempts == 2


def test_a_worker_whose_clock_is_behind_takes_the_databases_word(office: Any) -> None:
    in_time(office).start("pause")
    worker = Worker(office.database, lambda: datetime.now(UTC) - timedelta(minutes=1))
    with at_work(worker):
        wait(lambda: fired(office) == [office.instance], 10)


def test_a_worker_stops_when_it_is_told_and_goes_on_when_the_server_ends_its_connections(office: Any) -> None:
    worker = Worker(office.database, lambda: datetime.now(UTC), pause=0.1)
    ended = select(func.pg_terminate_backend(text("pid"))).select_from(text("pg_stat_activity"))
    others = text("datname = current_database() AND pid <> pg_backend_pid()")
    with at_work(worker):
        wait(lambda: registered(office) == 1, 10)
        with office.database.engine.connect() as connection:
            connection.execute(ended.where(others))
        in_time(office).start("pause")
        wait(lambda: fired(office) == [office.instance], 40)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    assert [thread for thread in threading.enumerate() if thread.name == "worker"] == []


def test_the_tables_of_the_queue_come_with_the_upgrade_once(postgres: postgresql.Server) -> None:
    with postgres.database("upgraded") as url:
        found = database.connect(url)
        upgrades = [threading.Thread(target=found.upgrade) for _ in range(3)]  # processes that start together
        for each in upgrades:
            each.start()
        for each in upgrades:
            each.join()
        with found.engine.connect() as connection:
            known = connection.execute(text("SELECT count(*) FROM procrastinate_migration")).scalar_one()
            assert known > 30
            assert connection.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one() == 0
        found.close()


def test_a_later_release_of_the_queue_brings_its_own_migrations(
    postgres: postgresql.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from procrastinate.schema import SchemaManager

    with postgres.database("later") as url:
        found = database.connect(url)
        found.upgrade()
        (tmp_path / "99.00.00_01_later.sql").write_text("CREATE TABLE later (share text DEFAULT '%'); SELECT 1;")
        monkeypatch.setattr(SchemaManager, "get_migrations_path", lambda: str(tmp_path))
        found.upgrade()
        found.upgrade()
        with found.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM later")).scalar_one() == 0
        found.close()
