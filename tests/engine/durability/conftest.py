"""The office on SQLite and on a real PostgreSQL, which is started for the tests and stopped after them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from engine import database

MISSING = "No PostgreSQL for the tests; get it with: apt-get install postgresql"
SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=50")


def binary(name: str) -> str:
    """The program of PostgreSQL, also where Debian keeps it."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    assert found is not None, MISSING
    return found


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of the server's own database; it listens on a socket in its folder alone."""
    folder = Path(tempfile.mkdtemp(prefix="mamori-pg-"))
    person = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to be root
    if person is not None:
        shutil.chown(folder, person)
    files = str(folder / "files")
    initialise = [binary("initdb"), "-D", files, "-U", "mamori", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initialise, check=True, user=person, cwd=folder, stdout=subprocess.DEVNULL)
    settings = [part for setting in (*SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", setting)]
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(
            [binary("postgres"), "-D", files, *settings], user=person, cwd=folder, stdout=log, stderr=log
        )
    waiting = [binary("pg_isready"), "-q", "-h", str(folder), "-U", "mamori", "-d", "postgres"]
    while subprocess.run(waiting, check=False).returncode != 0:
        assert running.poll() is None, (folder / "log").read_text()
    yield f"postgresql+psycopg://mamori@/postgres?host={folder}"
    running.terminate()
    running.wait()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'office.db'}"
        return
    server: str = request.getfixturevalue("server")
    name = f"office{abs(hash(tmp_path)):x}"
    administration = create_engine(server, isolation_level="AUTOCOMMIT")
    with administration.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.replace("/postgres?", f"/{name}?")
    with administration.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    administration.dispose()


@pytest.fixture
def empty(url: str) -> Iterator[database.Database]:
    found = database.connect(url)
    found.create()
    yield found
    found.close()
