"""`python -m webapp`: everything in place, served here, with a worker inside; what `make run` calls."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from waitress.server import create_server

from engine import accesses, connectors, deployments, identity, jobs, mail
from engine.audit import checkpoint_delivery
from engine.database import Database
from engine.errors import EngineError
from engine.worker import Worker
from webapp import create_app
from webapp.forms_html import ZONE

FOLDER = Path("var")
DEMO_PASSWORD = "mamori-demo"  # noqa: S105 - of the fictional people of the demo, printed at every start


class CannotStart(Exception):
    """The program cannot run here; the message says why and what to do, in one line."""


def main() -> int:
    """Serve until a signal ends it; 0 then, 1 with one line where it cannot start."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        listening = _listen(os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000"))
        with listening:
            _serve(listening)
    except CannotStart as reason:
        print(f"Mamori cannot start: {reason}", file=sys.stderr)
        return 1
    except (SystemExit, KeyboardInterrupt):
        pass
    print("Mamori has stopped.")
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _serve(listening: socket.socket) -> None:
    works = _works()
    key = secret_key(FOLDER)
    place = os.environ.get("DATABASE_URL") or f"sqlite:///{(FOLDER / 'mamori.db').resolve()}"
    app = create_app(place, SECRET_KEY=key, DEMO_PASSWORD=shown_password(listening))
    database: Database = app.extensions["mamori"]
    try:
        people = prepare(database, datetime.now(ZONE))
    except (SQLAlchemyError, EngineError, OSError) as fault:
        raise CannotStart(_line(fault)) from fault
    try:
        with _working(listening, database) if works else nullcontext():
            _announce(listening, people, database)
            if not works:
                print("No worker runs inside (MAMORI_WORKER=0): start one beside it with: mamori worker", flush=True)
            _run(app, listening)
    finally:
        database.close()


def _works() -> bool:
    """Whether a worker runs inside this process, as MAMORI_WORKER says."""
    chosen = os.environ.get("MAMORI_WORKER") or "1"
    if chosen not in ("0", "1"):
        raise CannotStart(f"MAMORI_WORKER must be 1 or 0, not {chosen!r}.")
    return chosen == "1"


@contextmanager
def _working(listening: socket.socket, database: Database) -> Iterator[None]:
    """Jobs, mail and checkpoints are seen to, beside the pages."""
    mailing = _mailing(listening)
    job_types, sealing = _job_types(mailing), _sealing(mailing)
    worker = Worker(database, lambda: datetime.now(ZONE), job_types=job_types, mailing=mailing, sealing=sealing)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def _mailing(listening: socket.socket) -> mail.Mailing:
    """How mail goes out, as the environment says; its links lead here unless MAMORI_BASE_URL says otherwise."""
    try:
        return mail.from_environment({"MAMORI_BASE_URL": _address(listening), **os.environ})
    except EngineError as fault:
        raise CannotStart(_line(fault)) from fault


def _job_types(mailing: mail.Mailing) -> jobs.JobTypes:
    """What the worker can do, as the environment says."""
    try:
        return connectors.from_environment(os.environ, mailing)
    except EngineError as fault:
        raise CannotStart(_line(fault)) from fault


def _sealing(mailing: mail.Mailing) -> checkpoint_delivery.Delivery:
    """Where checkpoints of history go, as the environment says; their key is there from the first start on."""
    try:
        sealing = checkpoint_delivery.from_environment(os.environ, mailing)
        sealing.prepare()
    except EngineError as fault:
        raise CannotStart(_line(fault)) from fault
    return sealing


def _run(app: Flask, listening: socket.socket) -> None:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a request that waits a moment is no news
    server = create_server(app, sockets=[listening], threads=8, ident="Mamori")
    try:
        server.run()
    finally:
        server.close()


def prepare(database: Database, at: datetime) -> Sequence[identity.Person]:
    """Schema, processes and demo people are there; a second call writes nothing. Gives all people."""
    database.upgrade()

    def deploy(session: Session) -> None:
        if deployments.last_by(session) is None:  # what a person deployed is theirs to change
            deployments.deploy(session, deployments.read_folder(*deployments.BUNDLED), by=None, at=at)
        accesses.add_people(session, deployments.catalogue(session).people, password=DEMO_PASSWORD, at=at)

    database.retrying(deploy)  # another process that starts now does the same
    with database.reading() as session:
        return identity.people(session)


def secret_key(folder: Path) -> str:
    """The key that signs sessions: made once, kept in `folder` for its owner alone. Raises CannotStart."""
    path = folder / "secret_key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(os.urandom(32).hex())
        key = path.read_text().strip()
    except OSError as fault:
        raise CannotStart(f"the folder {folder.resolve()} cannot be written ({fault.strerror}).") from fault
    if len(key) < 32:
        raise CannotStart(f"{path} holds no usable key; remove the file to get a new one.")
    return key


def _listen(host: str, port: str) -> socket.socket:
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {port!r}.")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as fault:
        advice = f"choose another port with: make run PORT={int(port) + 1}"
        raise CannotStart(f"{host}:{port} cannot be used ({fault.strerror}); {advice}") from fault


def _announce(listening: socket.socket, people: Sequence[identity.Person], database: Database) -> None:
    with database.reading() as session:
        labels = {name: group.label for name, group in identity.groups(session).items()}
    print(f"Mamori runs at {_address(listening)}/  (Ctrl+C ends it)")
    print(f"Sign in with one of these names and the password {DEMO_PASSWORD}:")
    width = max((len(person.name) for person in people), default=0)
    for person in people:
        roles = ", ".join(labels.get(group, group) for group in person.groups)
        print(f"  {person.name:<{width}}  {person.label}  {roles}")
    sys.stdout.flush()


def shown_password(listening: socket.socket) -> str | None:
    """The demo's password for the sign-in page, where nobody but who started the program can see that page."""
    alone = ip_address(listening.getsockname()[0]).is_loopback and not os.environ.get("MAMORI_BASE_URL")
    return DEMO_PASSWORD if alone else None


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _line(fault: Exception) -> str:
    return " ".join(str(fault).split())


if __name__ == "__main__":
    sys.exit(main())
