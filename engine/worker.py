"""The worker: takes jobs when they are due, and never stops over one that fails.

On SQLite it looks for rows that are due, one after another; on PostgreSQL the queue brings them, to any number of
workers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from engine import job_queue, jobs, mail, messages
from engine.audit.checkpoint_delivery import Delivery
from engine.database import Database
from engine.errors import EngineError
from engine.jobs import BUILT_IN, CallFailed, Inside, JobRow, JobTypes
from engine.states import JobKind

log = logging.getLogger(__name__)


class Work(Protocol):
    """One round of work; gives how much there was."""

    def __call__(self, *, at: datetime) -> int: ...


def run(database: Database, job: int, *, at: datetime, job_types: JobTypes = BUILT_IN) -> bool:
    """The job has been tried: done, waiting for its next attempt, or given up. False if it was not to be had."""
    taken = database.retrying(lambda session: jobs.acquire(session, job, at=at))
    if taken is None:
        return False
    try:
        _work(database, taken, job_types, at)
    except Exception as fault:  # whatever it is: the job, not the worker, has failed
        log.warning("job %s (%s at %s) failed: %s", taken.id, taken.type or taken.kind, taken.element, fault)
        told = str(fault) if isinstance(fault, EngineError | CallFailed) else f"{type(fault).__name__}: {fault}"
        code = fault.error_code if isinstance(fault, CallFailed) else None
        final = isinstance(fault, CallFailed) and fault.final
        database.retrying(lambda session: jobs.fail(session, taken, told, at=at, error_code=code, final=final))
    return True


def _work(database: Database, job: JobRow, job_types: JobTypes, at: datetime) -> None:
    if job.kind is not JobKind.SERVICE:
        database.retrying(lambda session: jobs.fire(session, job, at=at))
        return
    kind = job_types.get(job.type)
    if kind is None:
        raise CallFailed(f"ジョブの種類「{job.type}」を扱えるものがありません。")
    if isinstance(kind, Inside):
        database.retrying(lambda session: jobs.call(session, job, kind, at=at))
        return
    with database.reading() as session:
        call = jobs.prepare(session, job, at=at)
    values = kind.call(call)
    database.retrying(lambda session: jobs.finish(session, job, values, at=at))


def run_due(database: Database, *, at: datetime, job_types: JobTypes = BUILT_IN) -> int:
    """Every job that is due has been tried once, and messages that live no longer are gone; gives their number."""
    with database.reading() as session:
        found, expired = jobs.due(session, at=at), messages.any_expired(session, at=at)
    if expired:
        database.retrying(lambda session: messages.purge(session, at=at))
    return sum(run(database, job, at=at, job_types=job_types) for job in found)


def tend(database: Database, stalled: Sequence[job_queue.Task], *, at: datetime) -> None:
    """Rows of dead workers are free, rows that the queue has lost are in it again, and old messages are gone."""
    with database.reading() as session:
        expired = messages.any_expired(session, at=at)
    if expired:
        database.retrying(lambda session: messages.purge(session, at=at))
    for task in stalled:
        log.warning("the worker that was at job %s has died; another one does it", task.job)
        database.retrying(partial(jobs.release, task=task, at=at))
    lost = database.retrying(lambda session: jobs.requeue(session, at=at))
    if lost:
        log.warning("%s jobs were not in the queue", lost)


class Worker:
    """A thread that runs due jobs until it is stopped, and one beside it each for mails and for checkpoints.

    `clock` gives the time, aware. Without `mailing` no mail goes out, without `sealing` no checkpoint is made.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        job_types: JobTypes = BUILT_IN,
        pause: float = 1.0,
        mailing: mail.Mailing | None = None,
        sealing: Delivery | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._job_types = job_types
        self._pause = pause
        self._mailing = mailing
        self._sealing = sealing
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self.loop, name="worker", daemon=True)]

    def start(self) -> None:
        self._threads[0].start()

    def stop(self, timeout: float = 10) -> None:
        """No further job is begun; returns when those at work have ended, or after `timeout` seconds for each."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)

    def loop(self) -> None:
        """Run due jobs until `stop`; a database that is away is asked again after a pause."""
        if self._mailing is not None:
            self._beside("mail", partial(mail.run_due, self._database, self._mailing))
        if self._sealing is not None:
            self._beside("checkpoints", partial(self._sealing.run_due, self._database))
        queued = job_queue.serves(self._database.engine)
        self._repeat(self._serve if queued else partial(run_due, self._database, job_types=self._job_types))

    def _serve(self, *, at: datetime) -> int:
        """The work that the queue brings has been done until `stop`."""
        duties = job_queue.Duties(self._run, lambda stalled: tend(self._database, stalled, at=self._clock()))
        job_queue.serve(self._database.engine, duties, self._stopped)
        return 0

    def _run(self, task: job_queue.Task) -> None:
        at = max(self._clock(), task.due)  # the database says that it is due, whose clock may be ahead
        run(self._database, task.job, at=at, job_types=self._job_types)

    def _beside(self, name: str, work: Work) -> None:
        thread = threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _repeat(self, work: Work) -> None:
        while not self._stopped.is_set():
            if self._round(work) == 0:
                self._stopped.wait(self._pause)

    def _round(self, work: Work) -> int:
        try:
            return work(at=self._clock())
        except SQLAlchemyError as fault:
            log.warning("the database does not answer; trying again: %s", str(fault).splitlines()[0])
        except Exception:  # one fault must not end the work of all others
            log.exception("the worker met an unexpected fault; going on")
        return 0
