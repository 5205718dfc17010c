"""The queue on PostgreSQL, which brings each job to one of many workers when it is due: Procrastinate.

The row of the job is the truth, and a task of the queue only names it: it is deferred in the transaction that writes
the row, and where two tasks name one row, or a dead worker's task comes again, the row lets one of them do the work.
No locks of the queue are used: one that is held for a job of next year would hold up all others of its case.
On SQLite there is no queue, and one worker looks for rows that are due.

Procrastinate is there where PostgreSQL is (the extra `postgresql`), and is imported only there.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from engine import statements

if TYPE_CHECKING:
    import procrastinate
    from procrastinate.jobs import Job

log = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of every task that it keeps
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # and this one of every try while the database is away

JOB, TEND = "mamori.job", "mamori.tend"
TENDED = "* * * * * */5"
"""Every five seconds: a cron expression whose sixth field is seconds."""
HEARTBEAT, DEAD = 4.0, 15.0
"""Seconds: how often a worker says that it lives, and after what silence its tasks are given to others."""
POLL = 1.0
"""Seconds until a worker sees that a task has become due; one that is due at once is told to it."""
CONCURRENCY = 4
"""Tasks that one worker is at, so that one slow call does not hold up the others."""
LOOK = 0.2
"""Seconds between two looks whether the worker is to stop."""


@dataclass(frozen=True, slots=True)
class Task:
    """The row that is to be worked on, and when it was due as the task was deferred."""

    job: int
    due: datetime


def serves(engine: Engine | Connection) -> bool:
    """Whether this database has a queue."""
    return engine.dialect.name == "postgresql"


# Deferring ----------------------------------------------------------------------------------------------


def defer(session: Session, job: int, due: datetime) -> None:
    """The queue brings the job when it is due, if this transaction is committed; nothing without a queue."""
    connection = statements.connection(session)
    if not serves(connection):
        return
    from procrastinate.exceptions import ConnectorException

    driver = connection.connection.driver_connection
    task = _deferring().configure_task(JOB, connection=driver, schedule_at=due)
    try:
        task.defer(job=job, due=due.isoformat())
    except ConnectorException as fault:
        if not isinstance(fault.__cause__, Exception):
            raise
        raise statements.told(fault.__cause__, connection, JOB, (job,)) from fault


@cache
def _deferring() -> procrastinate.App:
    """Defers on the connections that it is given, and has none of its own."""
    from procrastinate import App, SyncPsycopgConnector

    return App(connector=SyncPsycopgConnector())


# Tables -------------------------------------------------------------------------------------------------


def upgrade(connection: Connection) -> None:
    """The queue's tables are as the installed release of Procrastinate has them; nothing without a queue."""
    if not serves(connection):
        return
    from procrastinate.schema import SchemaManager

    def run(script: str) -> None:
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})

    files = {file.stem: file for file in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))}
    run("CREATE TABLE IF NOT EXISTS procrastinate_migration (name text PRIMARY KEY)")
    known = set(connection.exec_driver_sql("SELECT name FROM procrastinate_migration").scalars())
    if not known:
        run(SchemaManager.get_schema())
    for name, file in files.items():
        if name in known:
            continue
        if known:
            run(file.read_text("utf-8"))
        connection.exec_driver_sql("INSERT INTO procrastinate_migration VALUES (%s)", (name,))


# Working ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duties:
    """What a worker does: `run` works on the row of a task, `tend` makes rows free whose worker has died."""

    run: Callable[[Task], object]
    tend: Callable[[Sequence[Task]], object]


def serve(engine: Engine, duties: Duties, stopped: threading.Event) -> None:
    """Tasks have been worked on until `stopped` was set; raises what ended it before, as when the database is away."""
    asyncio.run(_serve(engine, duties, stopped))


async def _serve(engine: Engine, duties: Duties, stopped: threading.Event) -> None:
    app = _working(engine, duties)
    async with app.open_async():
        working = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=POLL,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD,
                delete_jobs="always",  # what happened is in our history
                install_signal_handlers=False,
            )
        )
        while not working.done() and not stopped.is_set():
            await asyncio.wait([working], timeout=LOOK)
        working.cancel()  # those at work are waited for
        with suppress(asyncio.CancelledError):
            await working


def _working(engine: Engine, duties: Duties) -> procrastinate.App:
    from procrastinate import App, PsycopgConnector

    _, where = engine.dialect.create_connect_args(engine.url)
    app = App(connector=PsycopgConnector(kwargs=where, min_size=1, max_size=CONCURRENCY))

    @app.task(name=JOB)
    def run(job: int, due: str) -> None:
        duties.run(Task(job, datetime.fromisoformat(due)))

    @app.periodic(cron=TENDED)
    @app.task(name=TEND, priority=1)  # before all jobs that are due
    async def tend(timestamp: int) -> None:
        await _tend(app, duties)

    return app


async def _tend(app: procrastinate.App, duties: Duties) -> None:
    """What workers were at who died is done by others; first the rows are free, so that none is tried in vain."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD))
    await asyncio.to_thread(duties.tend, [_task(job) for job in stalled if job.task_name == JOB])
    for job in stalled:
        await _again(app, job)


async def _again(app: procrastinate.App, job: Job) -> None:
    from procrastinate.exceptions import ConnectorException
    from procrastinate.jobs import Status

    with suppress(ConnectorException):  # another worker has seen to it, or will in five seconds
        if job.task_name == JOB:
            await app.job_manager.retry_job(job)
        elif job.id is not None:
            await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def _task(job: Job) -> Task:
    given: Any = job.task_kwargs
    return Task(given["job"], datetime.fromisoformat(given["due"]))
