"""A small office: tiny processes on a real database with a fixed clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, text

from engine import cases, database, deployments, feel, identity, instances, tasklist, user_tasks, worker
from engine.jobs import BUILT_IN, JobTypes

FOLDER = Path(__file__).parent / "processes"
JOB_TYPES = ("notify", "charge")


@dataclass
class Office:
    """`now` is the clock; it moves only when a test says so."""

    database: database.Database
    now: datetime
    instance: int = 0
    case: str = ""

    def person(self, name: str) -> identity.Person:
        with self.database.reading() as session:
            return identity.person(session, name)

    def start(self, process: str, *, by: str | None = "anna", **variables: Any) -> Office:
        given = {name: feel.from_python(value) for name, value in variables.items()}
        with self.database.transaction() as session:
            self.instance, self.case = instances.start(session, process, given, actor=by, at=self.now)
        return self

    def task(self, element: str) -> tasklist.TaskRow:
        with self.database.reading() as session:
            found = tasklist.of_case(session, self.case, open_only=False)
        return [task for task in found if task.element == element][-1]

    def open_tasks(self) -> list[str]:
        with self.database.reading() as session:
            return sorted(task.element for task in tasklist.of_case(session, self.case))

    def claim(self, element: str, by: str) -> tasklist.TaskRow:
        with self.database.transaction() as session:
            return user_tasks.claim(session, self.task(element).id, actor=self.person(by), at=self.now)

    def complete(self, element: str, by: str, *, key: str | None = None, **values: Any) -> user_tasks.Completed:
        task, actor = self.task(element), self.person(by)
        with self.database.transaction() as session:
            return user_tasks.complete(session, task.id, values, actor=actor, at=self.now, submission=key)

    def publish(
        self, name: str, *, keep: timedelta = timedelta(0), case: str | None = None, **values: Any
    ) -> tuple[int, ...]:
        given = {key: feel.from_python(value) for key, value in values.items()}
        target = self.case if case is None else case
        with self.database.transaction() as session:
            return instances.publish(session, name, target, given, actor="carla", at=self.now, time_to_live=keep)

    def later(self, **delta: float) -> Office:
        self.now += timedelta(**delta)
        return self

    def run_jobs(self, job_types: JobTypes = BUILT_IN) -> int:
        return worker.run_due(self.database, at=self.now, job_types=job_types)

    def running(self) -> dict[str, int]:
        """How many instances of each process of the case have not ended."""
        with self.database.reading() as session:
            rows = cases.instances(session, self.case)
        going = [row.process for row in rows if row.state == "active"]
        return {process: going.count(process) for process in dict.fromkeys(going)}


def disarm(found: database.Database) -> None:
    """The triggers that keep history are gone, as for somebody who owns the database."""
    with found.transaction() as session:
        if found.engine.dialect.name == "sqlite":
            names = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            dropped = [f"DROP TRIGGER {name}" for name in names]
        else:
            dropped = ["DROP FUNCTION history_is_append_only() CASCADE"]
        for statement in dropped:
            session.execute(text(statement))


@pytest.fixture(scope="session")
def bundle_files() -> Mapping[str, bytes]:
    return deployments.read_folder(FOLDER)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[database.Database]:
    """A database in a file, with its tables and nothing in them."""
    found = database.connect(f"sqlite:///{tmp_path / 'office.db'}")
    found.create()
    yield found
    found.close()


@pytest.fixture
def adversary(office: Office) -> Callable[..., None]:
    """Runs statements on the office's database without its triggers."""

    def run(*statements: Executable) -> None:
        disarm(office.database)
        with office.database.transaction() as session:
            for statement in statements:
                session.execute(statement)

    return run


@pytest.fixture
def office(empty: database.Database, bundle_files: Mapping[str, bytes]) -> Office:
    """Everything deployed and everybody there; it is Tuesday, ten o'clock."""
    now = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
    with empty.transaction() as session:
        deployments.deploy(session, bundle_files, by=None, at=now, job_types=JOB_TYPES)
        identity.seed(session, deployments.catalogue(session).people, password=None)
    return Office(empty, now)
