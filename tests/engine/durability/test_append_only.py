"""History refuses changes in the database itself, on both databases, made from the mappings or by migration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import accesses, database, history
from engine.states import EventType

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
ERASING = "UPDATE history_value SET encoded = NULL, salt = NULL"


@pytest.fixture(params=["create", "upgrade"])
def recorded(request: pytest.FixtureRequest, url: str) -> Iterator[database.Database]:
    """One event with one value, and one reading."""
    found = database.connect(url)
    getattr(found, request.param)()
    values = history.Values()
    facts = {"note": values.put("message", "note", "x")}
    with found.transaction() as session:
        history.append(session, history.NewEvent(EventType.COMMENTED, NOW, "anna", facts, values))
        accesses.note(session, "2026-0001", "anna", "page", NOW)
    yield found
    found.close()


def attempt(found: database.Database, statement: str) -> str:
    try:
        with found.transaction() as session:
            session.execute(text(statement))
    except DBAPIError as refused:
        return str(refused.orig)
    return ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history_event SET actor = 'ben'",
        "UPDATE history_event SET actor = actor",
        "DELETE FROM history_event",
        "DELETE FROM history_value",
        "UPDATE history_value SET encoded = '1'",
        "UPDATE history_value SET salt = NULL",
        f"{ERASING}, name = 'other'",
        f"{ERASING}, number = 7",
        "UPDATE case_reading SET person = 'ben'",
        "DELETE FROM case_reading",
    ],
)
def test_history_refuses_to_be_changed(recorded: database.Database, statement: str) -> None:
    assert "history is append-only" in attempt(recorded, statement)


def test_a_value_can_be_erased(recorded: database.Database) -> None:
    assert attempt(recorded, ERASING) == ""


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has no TRUNCATE
@pytest.mark.parametrize("tables", ["history_event, history_value", "case_reading"])
def test_postgresql_does_not_truncate_history(recorded: database.Database, tables: str) -> None:
    assert "append-only" in attempt(recorded, f"TRUNCATE {tables}")


def test_the_migration_can_be_taken_back(url: str) -> None:
    found = database.connect(url)
    found.upgrade()
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))

    with found.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert attempt(found, "DELETE FROM history_event") == ""
    found.upgrade()
    found.close()
