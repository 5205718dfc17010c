"""`python -m webapp` killed with -9 at random points under load: what a browser was told is in history, once.

A browser that got no answer sends the same request again, as a person does with "send it again".
"""

from __future__ import annotations

import http.client
import os
import random
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import func, select

import webapp
from engine import database, history, tables
from engine.audit import replay
from engine.audit.verification import verify
from engine.states import EventType
from tests import postgresql
from tests.webapp.conftest import APPLICATION, BUNDLE, PASSWORD, fill

ROOT = Path(webapp.__file__).parent.parent
KILLS = int(os.environ.get("MAMORI_TEST_KILLS", "4"))
LONGEST = 0.5
"""Seconds that a process lives on after its first deed."""
CLERKS = ("clerk1", "clerk2", "clerk1")


@pytest.fixture(autouse=True)
def clock() -> None:
    """The real one: other processes are at work here."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'mamori.db'}"
        return
    with postgresql.serving() as server:
        yield server.url


@dataclass
class Service:
    """The program, which is started again and again on one port."""

    folder: Path
    url: str
    port: int = field(init=False)
    running: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        settings = {"DATABASE_URL": self.url, "PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        with open(self.folder / "log", "ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "webapp"], cwd=self.folder, env=os.environ | settings, stdout=log, stderr=log
            )

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()


@dataclass
class Clerk:
    """A browser that begins cases and completes their first steps, as fast as it can, until it is stopped."""

    port: int
    name: str
    stopped: threading.Event
    started: list[str] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    repeated: int = 0
    fault: BaseException | None = None
    cookie: str = ""
    token: str = ""

    def work(self) -> None:
        try:
            self.sign_in()
            while not self.stopped.is_set():
                place = self.sent("/starts/apply")
                self.started.append(place)
                task = int(place.rpartition("/")[2])
                self.sent(f"/tasks/{task}", **{**APPLICATION, "_do": "complete"})
                self.completed.append(task)
        except BaseException as fault:
            self.fault = fault

    def sign_in(self) -> None:
        self.read_token("/sign-in")
        self.sent("/sign-in", name=self.name, password=PASSWORD)
        self.read_token("/")

    def read_token(self, path: str) -> None:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.ask("GET", path)[1])
        assert found is not None
        self.token = found[1]

    def sent(self, path: str, **fields: object) -> str:
        """Where the post led; sent again, the same, until it is answered."""
        body = urlencode({"csrf_token": self.token, "_key": secrets.token_urlsafe(16), **fields})
        status, said, place = self.ask("POST", path, body)
        assert status == 303, (path, status, said)
        return place

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str, str]:
        until = time.monotonic() + 60
        while True:
            try:
                status, said, place = self.once(method, path, body)
                if status != 503:
                    return status, said, place
            except (OSError, http.client.HTTPException):
                pass
            assert time.monotonic() < until, "the service did not come back"
            self.repeated += 1
            time.sleep(0.05)

    def once(self, method: str, path: str, body: str) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            connection.request(method, path, body or None, {"Cookie": self.cookie, **kind})
            answer = connection.getresponse()
            said = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = cookie.partition(";")[0]
            return answer.status, said, urlsplit(answer.headers.get("Location", "")).path
        finally:
            connection.close()


def killed_under_load(service: Service) -> list[Clerk]:
    """What each clerk was told while the service was killed again and again."""
    stopped = threading.Event()
    clerks = [Clerk(service.port, name, stopped) for name in CLERKS]
    threads = [threading.Thread(target=clerk.work) for clerk in clerks]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        before = sum(len(clerk.completed) for clerk in clerks)
        until = time.monotonic() + 60
        while sum(len(clerk.completed) for clerk in clerks) == before:
            assert service.running.poll() is None, (service.folder / "log").read_text()
            assert time.monotonic() < until, [clerk.fault for clerk in clerks]
            time.sleep(0.01)
        time.sleep(random.uniform(0, LONGEST))
        service.kill()
        service.start()
    stopped.set()
    for thread in threads:
        thread.join()
    service.kill()
    return clerks


def test_every_acknowledged_completion_is_in_history_once(tmp_path: Path, url: str) -> None:
    found = database.connect(url)
    found.upgrade()
    fill(found, BUNDLE, by="chief1")  # what a person deployed stays when the program starts
    service = Service(tmp_path, url)
    try:
        clerks = killed_under_load(service)
    finally:
        service.kill()
    assert [clerk.fault for clerk in clerks] == [None] * len(clerks)

    with found.reading() as session:
        assert verify(session).findings == ()
        runs = replay.instances_of(session)
        assert [replay.fold(session, run).divergence for run in runs] == [None] * len(runs)
        events = [event for run in runs for event in history.of_instance(session, run)]
        cases = session.execute(select(func.count(tables.ProcessInstance.business_key.distinct()))).scalar_one()
    found.close()
    recorded = Counter(event.task.id for event in events if event.task and event.type is EventType.TASK_COMPLETED)
    acknowledged = [task for clerk in clerks for task in clerk.completed]
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {sum(clerk.repeated for clerk in clerks)} sent again")
    assert len(acknowledged) >= KILLS
    assert recorded == Counter(acknowledged)
    assert cases == sum(len(clerk.started) for clerk in clerks)
