"""The database: connecting, and `transaction()`, the only commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    StaticPool,
    cast,
    create_engine,
    event,
    func,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine import append_only, job_queue, statements
from engine.errors import FileUnreadable, StaleInstance
from engine.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT = 10_000
"""Milliseconds that a writer waits for another one (SQLite)."""
CHECKPOINT = 4_000
"""Pages of 4 KiB in the write-ahead log before it is carried over (SQLite): what is written often is carried once."""
ATTEMPTS = 10
UPGRADING = 0x4D616D6F7269
"""Names the lock that an upgrade holds (PostgreSQL)."""
PAUSE = 0.01
"""Seconds; the longest wait after the first lost race, doubled with each further one."""

Result = TypeVar("Result")


class _Session(Session):
    """The session of a connection, which begins and ends the transaction: half of the time that a session takes to do
    so itself, and a statement on the driver's cursor needs nothing of the session.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False, execution_options={"synchronize_session": False})
        self._of_connection = connection

    def rollback(self) -> None:
        super().rollback()
        self._of_connection.rollback()


class Database:
    """One database and its sessions. Writers hold the write lock from their first statement on (SQLite)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        if engine.dialect.name != "sqlite":
            statements.serve(engine)
        elif not event.contains(engine, "begin", _begin):
            event.listen(engine, "connect", _prepare)
            event.listen(engine, "begin", _begin)
        one_state = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        self._reading = engine.execution_options(reading=True, **one_state)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end, and undone on any exception."""
        with self.engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                statements.gather(connection)
            session = _Session(connection)
            yield session
            statements.settle(connection)
            if session.in_transaction():
                session.commit()
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and is never committed."""
        with self._reading.connect() as connection:
            yield _Session(connection)

    def retrying(self, work: Callable[[Session], Result]) -> Result:
        """What `work` gives, committed; a lost race (StaleInstance, a key taken meanwhile) is run again."""
        pause = PAUSE
        for _ in range(ATTEMPTS - 1):
            try:
                with self.transaction() as session:
                    return work(session)
            except (StaleInstance, IntegrityError, OperationalError) as lost:
                if isinstance(lost, OperationalError) and not _is_race(lost):
                    raise
                time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret, only to part the two
                pause *= 2
        with self.transaction() as session:
            return work(session)

    def upgrade(self) -> None:
        """The schema is the newest one; an empty database gets all of it."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # processes that start together do it one after another
                connection.execute(select(func.pg_advisory_xact_lock(UPGRADING)))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            job_queue.upgrade(connection)

    def create(self) -> None:
        """All tables exist, without a migration's record: for scratch databases."""
        with self.engine.begin() as connection:
            metadata.create_all(connection)
            append_only.enforce(connection)
            job_queue.upgrade(connection)

    def close(self) -> None:
        self.engine.dispose()


def connect(url: str) -> Database:
    """The database at this URL; raises FileUnreadable for a URL that names none. Creates no tables."""
    try:
        parsed = make_url(url)
        given = options(url)
        if parsed.get_backend_name() == "sqlite":
            given["connect_args"] = {"check_same_thread": False}
            if parsed.database in (None, "", ":memory:"):
                given["poolclass"] = StaticPool
        else:
            import_module("procrastinate")  # as with the driver, better missed now than at the first job
        return Database(create_engine(parsed, **given))
    except (ArgumentError, ImportError) as fault:
        raise FileUnreadable(f"データベースの場所「{url}」に接続できません: {fault}") from fault


def options(url: str) -> dict[str, Any]:
    """How SQLAlchemy is to hold connections: a server that was away and is back is no fault of the next command."""
    return {} if url.startswith("sqlite") else {"pool_pre_ping": True}


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT}",
        f"wal_autocheckpoint={CHECKPOINT}",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE deletes without asking the triggers
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    statements.run(connection, "BEGIN" if reading else "BEGIN IMMEDIATE")


def _is_race(error: DBAPIError) -> bool:
    """Whether PostgreSQL gave way to another transaction; SQLite has waited for its lock long enough already."""
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def is_away(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or had no room or no time; what passes without a change of ours."""
    return isinstance(error, OperationalError | InterfaceError | TimeoutError)


def json_part(session: Session, column: InstrumentedAttribute[dict[str, Any]], name: str) -> ColumnElement[Any]:
    """The entry of this name of a JSON column, None where there is none.

    Taken out by the database, which reads JSON many times faster than it comes here whole.
    """
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    whole = cast(column, JSON) if on_postgresql else type_coerce(column, JSON)
    part: ColumnElement[Any] = whole[name]
    return part


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None for one in memory or on a server."""
    parsed = make_url(url)
    in_memory = parsed.database in (None, "", ":memory:")
    return None if parsed.get_backend_name() != "sqlite" or in_memory else Path(str(parsed.database))
