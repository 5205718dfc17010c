"""Processes that work on one database and are killed at random points: `crashing.py URL BUNDLE TIMES`.

Prints what they had acknowledged before they died, as JSON lines: only after its commit is anything acknowledged.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from engine import bundles, database, deployments, identity, instances, tasklist, user_tasks, worker

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
LONGEST = 0.15
"""Seconds that a process lives on after its first deed."""

Acknowledge = Callable[..., object]
Task = Callable[[database.Database, Acknowledge], None]


def work(office: database.Database, acknowledge: Acknowledge) -> None:
    """The worker, for which every timer is due."""
    while True:
        done = worker.run_due(office, at=NOW + timedelta(days=3))
        if done:
            acknowledge(worked=done)


def click(office: database.Database, acknowledge: Acknowledge) -> None:
    """A web process: people complete the tasks of a few shared instances, and start others that need the worker."""
    with office.reading() as session:
        people = [identity.person(session, name) for name in ("anna", "ben")]
    while True:
        person = random.choice(people)
        with office.reading() as session:
            open_tasks = tasklist.offered(session, person)
        shared = random.choice([task for task in open_tasks if task.process in ("round", "pair")])
        complete(office, shared.id, person, acknowledge)
        start(office, random.choice(["announce", "pause", "pair"]), acknowledge)


def complete(office: database.Database, task: int, person: identity.Person, acknowledge: Acknowledge) -> None:
    try:
        office.retrying(lambda session: user_tasks.complete(session, task, {}, actor=person, at=NOW))
    except (user_tasks.TaskAlreadyClosed, user_tasks.TaskAlreadyClaimed):
        return  # the other web process was faster
    acknowledge(completed=task)


def start(office: database.Database, process: str, acknowledge: Acknowledge) -> None:
    instance, _ = office.retrying(lambda session: instances.start(session, process, {}, actor="anna", at=NOW))
    acknowledge(started=instance)


@dataclass
class Process:
    """A process that does the task until it is killed."""

    office: database.Database
    task: Task
    number: int = field(init=False)
    told: int = field(init=False)

    def __post_init__(self) -> None:
        self.told, telling = os.pipe()
        self.number = os.fork()
        if self.number == 0:
            random.seed()
            try:
                self.task(self.office, lambda **what: os.write(telling, json.dumps(what).encode() + b"\n"))
            finally:
                os._exit(1)
        os.close(telling)

    def kill(self) -> None:
        """Kill it at a random point after its first deed, and pass on what it acknowledged."""
        select.select([self.told], [], [])
        time.sleep(random.uniform(0, LONGEST))
        os.kill(self.number, signal.SIGKILL)
        _, status = os.waitpid(self.number, 0)
        with open(self.told) as told:
            sys.stdout.write(told.read())
        assert os.WIFSIGNALED(status), "it ended by itself"


def main(url: str, bundle: str, times: int) -> None:
    bundles.compile_files(deployments.read_folder(Path(bundle)), ("notify", "charge"))
    office = database.connect(url)  # no connection is open before the forks
    tasks = [click, click, work]
    alive = [Process(office, task) for task in tasks]
    for number in range(times):
        index = number % len(tasks)
        alive[index].kill()
        alive[index] = Process(office, tasks[index])
    for process in alive:
        process.kill()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
