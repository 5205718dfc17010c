"""The database: one commit, races, schema."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from engine import database, tables
from engine.errors import FileUnreadable, StaleInstance
from engine.tables import Counter


def counters(found: database.Database) -> list[str]:
    with found.reading() as session:
        return list(session.execute(select(Counter.name)).scalars())


def test_a_transaction_is_committed_at_its_end_and_undone_on_any_exception(empty: database.Database) -> None:
    with empty.transaction() as session:
        session.add(Counter(name="kept", year=2026, value=1))
    with pytest.raises(IntegrityError), empty.transaction() as session:
        session.add_all([Counter(name="lost", year=2026, value=1), Counter(name="kept", year=2026, value=2)])

    assert counters(empty) == ["kept"]


def test_what_is_written_while_reading_is_never_committed(empty: database.Database) -> None:
    with empty.reading() as session:
        session.add(Counter(name="lost", year=2026, value=1))
        session.flush()

    assert counters(empty) == []


def test_sqlite_is_set_up_for_many_readers_and_one_writer(empty: database.Database) -> None:
    with empty.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_writer_holds_the_write_lock_from_its_beginning(empty: database.Database) -> None:
    other = sqlite3.connect(str(empty.engine.url.database), timeout=0, isolation_level=None)
    with empty.transaction() as writer:
        writer.execute(select(Counter.name))  # has only read
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_readers_see_the_last_commit_while_somebody_writes(empty: database.Database) -> None:
    with empty.transaction() as writer:
        writer.add(Counter(name="coming", year=2026, value=1))
        writer.flush()
        assert counters(empty) == []

    assert counters(empty) == ["coming"]


def test_a_lost_race_is_run_again_in_a_new_transaction(empty: database.Database) -> None:
    attempts: list[int] = []

    def work(session: Session) -> int:
        attempts.append(len(attempts))
        session.add(Counter(name=f"try {len(attempts)}", year=2026, value=1))
        session.flush()
        if len(attempts) < 3:
            raise StaleInstance(1)
        return len(attempts)

    assert empty.retrying(work) == 3
    assert counters(empty) == ["try 3"]


def test_a_race_that_is_always_lost_is_told_in_the_end(empty: database.Database) -> None:
    attempts: list[int] = []

    def work(_: Session) -> None:
        attempts.append(1)
        raise StaleInstance(1)

    with pytest.raises(StaleInstance):
        empty.retrying(work)
    assert len(attempts) == database.ATTEMPTS


def test_a_fault_that_is_no_race_is_not_run_again(empty: database.Database) -> None:
    attempts: list[int] = []

    def work(session: Session) -> None:
        attempts.append(1)
        session.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(DBAPIError):
        empty.retrying(work)
    assert len(attempts) == 1


def test_a_row_that_names_nothing_is_refused(empty: database.Database) -> None:
    with pytest.raises(IntegrityError), empty.transaction() as session:
        session.add(tables.Membership(person="nobody", group="clerks"))


def test_a_time_without_zone_is_never_stored(empty: database.Database) -> None:
    with pytest.raises(Exception, match="time zone"), empty.transaction() as session:
        session.add(tables.Participant(business_key="1", person="a", granted=False, since=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_upgrading_an_empty_database_gives_the_schema_of_the_mappings(tmp_path: Path) -> None:
    found = database.connect(f"sqlite:///{tmp_path / 'new.db'}")
    found.upgrade()
    found.upgrade()

    with found.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
        assert "alembic_version" in inspect(connection).get_table_names()
    found.close()


def test_a_migrated_database_has_the_triggers_of_the_mappings(tmp_path: Path, empty: database.Database) -> None:
    migrated = database.connect(f"sqlite:///{tmp_path / 'new.db'}")
    migrated.upgrade()
    triggers = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")

    with migrated.reading() as session, empty.reading() as other:
        found = session.execute(triggers).all()
        assert found == other.execute(triggers).all()
    migrated.close()
    assert len(found) == 6


@pytest.mark.parametrize("url", ["", "nonsense", "oracle+nothing://x"])
def test_a_url_that_names_no_database_is_one_clear_error(url: str) -> None:
    with pytest.raises(FileUnreadable, match="データベース"):
        database.connect(url)


def test_the_file_of_a_database_is_known_before_it_exists() -> None:
    assert database.file_of("sqlite:///var/mamori.db") == Path("var/mamori.db")
    assert database.file_of("sqlite://") is None
    assert database.file_of("postgresql+psycopg://host/name") is None


def test_flask_sqlalchemy_works_on_the_same_tables_and_rules(tmp_path: Path) -> None:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'flask.db'}"
    extension = SQLAlchemy(metadata=tables.metadata)
    extension.init_app(app)

    with app.app_context():
        found = database.Database(extension.engine)
        found.create()
        with found.transaction() as session:
            session.add(Counter(name="edge", year=2026, value=1))
        seen = list(extension.session.execute(select(Counter.name)).scalars())
        extension.session.remove()
        found.close()

    assert seen == ["edge"]
