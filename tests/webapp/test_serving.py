"""`python -m webapp`: one command puts everything in place, a second one keeps it, and every failure is one line."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, select

import webapp
from engine import deployments, instances
from engine.database import Database, connect
from engine.states import JobState
from engine.tables import HistoryEvent, Job, Person
from tests import postgresql
from tests.webapp.conftest import BUNDLE, NOW
from webapp.__main__ import CannotStart, prepare, secret_key, shown_password

ROOT = Path(webapp.__file__).parent.parent


@pytest.fixture(autouse=True)
def clock() -> None:
    """The real one: other processes and their time limits are at work here."""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number: int = probe.getsockname()[1]
        return number


@pytest.mark.parametrize(
    ("host", "settings", "shown"),
    [
        ("127.0.0.1", {}, True),
        ("127.0.0.1", {"MAMORI_BASE_URL": "https://mamori.example.jp"}, False),  # a proxy stands before it
        ("0.0.0.0", {}, False),  # noqa: S104 - it listens to nobody in this test
    ],
)
def test_only_who_runs_the_program_alone_is_shown_the_demo_on_the_sign_in_page(
    monkeypatch: pytest.MonkeyPatch, host: str, settings: dict[str, str], shown: bool
) -> None:
    monkeypatch.delenv("MAMORI_BASE_URL", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with socket.socket() as listening:
        listening.bind((host, 0))

        assert (shown_password(listening) is not None) is shown


def command(folder: Path, port: int | str, **settings: str) -> subprocess.Popen[str]:
    outside = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MAMORI_WORKER")}
    environment = {**outside, **settings, "PORT": str(port), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "webapp"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(folder: Path, port: int, end: signal.Signals, **settings: str) -> Iterator[list[str]]:
    """What the program prints until it serves; afterwards it is asked to end and does so cleanly."""
    with command(folder, port, **settings) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("  owner2"):
                break
        try:
            yield lines
        finally:
            process.send_signal(end)
            rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest.splitlines()[-1:], errors) == (0, ["Mamori has stopped."], "")


def counts(folder: Path) -> tuple[int, int]:
    database = connect(f"sqlite:///{folder / 'var' / 'mamori.db'}")
    with database.reading() as session:
        found = session.query(HistoryEvent).count(), session.query(Person).count()
    database.close()
    return found


def test_one_command_serves_and_a_second_one_keeps_the_data(tmp_path: Path, port: int) -> None:
    with serving(tmp_path, port, signal.SIGTERM) as lines:
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in").read().decode()
    first = counts(tmp_path)
    key = (tmp_path / "var" / "secret_key").read_text()

    with serving(tmp_path, port, signal.SIGINT) as again:
        pass

    assert "サインイン" in page
    assert f"http://127.0.0.1:{port}/" in lines[0]
    assert "password" in lines[1]
    assert [line.split()[0] for line in lines[2:]] == [
        *("handler1", "handler2", "supervisor1", "supervisor2", "desk1", "desk2", "head1", "head2"),
        *("legal1", "lawyer1", "hr1", "physician1", "executive1", "auditor1", "trainer1", "owner1", "owner2"),
    ]
    assert again == lines
    assert counts(tmp_path) == first
    assert (tmp_path / "var" / "secret_key").read_text() == key


def test_what_a_person_deployed_is_kept_at_the_next_start(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path / 'mamori.db'}")
    database.upgrade()
    with database.transaction() as session:
        own = deployments.read_folder(BUNDLE)
        deployments.deploy(session, own, by="owner1", at=NOW, grounds=deployments.Grounds("ours"))

    prepare(database, NOW)

    with database.reading() as session:
        assert [(row.id, row.by) for row in deployments.listing(session)] == [(1, "owner1")]
    database.close()


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with command(tmp_path, number) as process:
            output, errors = process.communicate(timeout=30)

    assert (process.returncode, output) == (1, "")
    pattern = rf"Mamori cannot start: 127\.0\.0\.1:{number} cannot be used \(.+\); .* PORT={number + 1}"
    assert [bool(re.fullmatch(pattern, line)) for line in errors.splitlines()] == [True]


@pytest.mark.parametrize("port", ["x", "0", "70000", "-1", ""])
def test_a_port_that_is_none_is_one_clear_line(tmp_path: Path, port: str) -> None:
    with command(tmp_path, port) as process:
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert errors.splitlines() == [f"Mamori cannot start: PORT must be a number from 1 to 65535, not {port!r}."]


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, port: int) -> None:
    (tmp_path / "var").write_text("in the way")

    with command(tmp_path, port) as process:
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    line = f"Mamori cannot start: the folder {tmp_path / 'var'} cannot be written (File exists)."
    assert errors.splitlines() == [line]


def test_a_database_that_is_none_is_one_clear_line(tmp_path: Path, port: int) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "mamori.db").write_text("this is no database, but long enough to be looked at as one" * 20)

    with command(tmp_path, port) as process:
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert errors.startswith("Mamori cannot start: ")


def test_a_mail_server_that_is_none_is_one_clear_line(tmp_path: Path, port: int) -> None:
    with command(tmp_path, port, MAMORI_SMTP_URL="mail.example.jp") as process:
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert errors.startswith("Mamori cannot start: MAMORI_SMTP_URL ")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shared.db'}"
        return
    with postgresql.serving() as server:
        yield server.url


def announced(url: str) -> Database:
    """A database in which an instance has a notice to write, now."""
    database = connect(url)
    database.upgrade()
    with database.transaction() as session:
        announce = (ROOT / "tests" / "engine" / "processes" / "announce.bpmn").read_bytes()
        own = {**deployments.read_folder(*deployments.BUNDLED), "announce.bpmn": announce}
        deployments.deploy(session, own, by="owner1", at=NOW, grounds=deployments.Grounds("ours"))
        instances.start(session, "announce", {}, actor=None, at=NOW)
    return database


def job_state(database: Database) -> JobState:
    with database.reading() as session:
        return session.execute(select(Job.state)).scalar_one()


def becomes(database: Database, state: JobState, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while job_state(database) is not state and time.monotonic() < end:
        time.sleep(0.1)
    return job_state(database) is state


def test_a_web_process_works_too_unless_it_is_told_not_to_and_then_a_worker_beside_it_does(
    tmp_path: Path, port: int, url: str
) -> None:
    database = announced(url)
    with serving(tmp_path, port, signal.SIGTERM, DATABASE_URL=url, MAMORI_WORKER="0"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in").read()
        assert not becomes(database, JobState.DONE, 5)

        worker = subprocess.Popen(
            [sys.executable, "-c", "from engine.cli import main; main()", "worker"],
            cwd=tmp_path,
            env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert becomes(database, JobState.DONE, 30)
        worker.terminate()
        assert worker.wait(30) == 0

    with database.transaction() as session:
        instances.start(session, "announce", {}, actor=None, at=NOW)
        session.execute(delete(Job).where(Job.state == JobState.DONE))
    with serving(tmp_path, port, signal.SIGTERM, DATABASE_URL=url):
        assert becomes(database, JobState.DONE, 30)
    database.close()


@pytest.mark.parametrize("chosen", ["2", "no", "1 0"])
def test_a_choice_of_worker_that_is_none_is_one_clear_line(tmp_path: Path, port: int, chosen: str) -> None:
    with command(tmp_path, port, MAMORI_WORKER=chosen) as process:
        output, errors = process.communicate(timeout=30)

    assert (process.returncode, output) == (1, "")
    assert errors == f"Mamori cannot start: MAMORI_WORKER must be 1 or 0, not {chosen!r}.\n"
    assert not (tmp_path / "var").exists()


def test_the_key_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    key = secret_key(tmp_path / "var")

    assert len(key) == 64
    assert secret_key(tmp_path / "var") == key
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_an_empty_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")

    with pytest.raises(CannotStart, match="no usable key"):
        secret_key(tmp_path)
