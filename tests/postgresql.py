"""A real PostgreSQL of the tests' own, of the machine's binaries; it can be stopped and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine, text

MISSING = "No PostgreSQL for the tests; get it with: apt-get install postgresql"
SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=50")


def binary(name: str) -> str:
    """The program of PostgreSQL, also where Debian keeps it."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    assert found is not None, MISSING
    return found


@dataclass
class Server:
    """A server with its files in `folder`; it listens on a socket there alone."""

    folder: Path
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.person = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to be root
        if self.person is not None:
            shutil.chown(self.folder, self.person)
        initialise = [*(binary("initdb"), "-D", self.files, "-U", "mamori"), "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initialise, check=True, user=self.person, cwd=self.folder, stdout=subprocess.DEVNULL)

    @property
    def files(self) -> str:
        return str(self.folder / "files")

    @property
    def url(self) -> str:
        """Of the server's own database."""
        return f"postgresql+psycopg://mamori@/postgres?host={self.folder}"

    def start(self) -> None:
        """It answers."""
        settings = [
            part for setting in (*SETTINGS, f"unix_socket_directories={self.folder}") for part in ("-c", setting)
        ]
        command = [binary("postgres"), "-D", self.files, *settings]
        with open(self.folder / "log", "ab") as log:
            running = subprocess.Popen(command, user=self.person, cwd=self.folder, stdout=log, stderr=log)
        waiting = [binary("pg_isready"), "-q", "-h", str(self.folder), "-U", "mamori", "-d", "postgres"]
        while subprocess.run(waiting, check=False).returncode != 0:
            assert running.poll() is None, (self.folder / "log").read_text()
        self._running = running

    def stop(self) -> None:
        """It is gone, and whoever was connected to it was sent away."""
        if self._running is not None:
            self._running.send_signal(2)  # SIGINT: fast
            self._running.wait()
            self._running = None

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """The URL of a new database of this name."""
        administration = create_engine(self.url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        with administration.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield self.url.replace("/postgres?", f"/{name}?")
        with administration.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        administration.dispose()


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs."""
    folder = Path(tempfile.mkdtemp(prefix="mamori-pg-"))
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
