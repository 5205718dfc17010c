"""History is append-only in the database too: triggers refuse every change of what is written but an erasure."""

from collections.abc import Iterator

from sqlalchemy import Connection

from engine.columns import core
from engine.tables import CaseReading, HistoryEvent, HistoryValue

_ERASING = (
    "NEW.encoded IS NULL AND NEW.salt IS NULL AND NEW.event_id = OLD.event_id"
    " AND NEW.number = OLD.number AND NEW.kind = OLD.kind AND NEW.name = OLD.name"
)
"""The one update that a value allows."""
_KEPT = ((core(HistoryEvent), ""), (core(HistoryValue), f"WHEN (NOT ({_ERASING})) "), (core(CaseReading), ""))
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
)
_REFUSE = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END",
    "postgresql": "EXECUTE FUNCTION history_is_append_only()",
}


def enforce(connection: Connection) -> None:
    """Let the database itself refuse UPDATE, DELETE and TRUNCATE of history; for tables that were just created."""
    for statement in _triggers(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _triggers(dialect: str) -> Iterator[str]:
    if dialect == "postgresql":
        yield _FUNCTION
    for table, unless_erasing in _KEPT:
        for what, when in (("UPDATE", unless_erasing), ("DELETE", "")):
            row = "FOR EACH ROW " if dialect == "postgresql" else ""
            name = f"{table.name}_no_{what.lower()}"
            yield f"CREATE TRIGGER {name} BEFORE {what} ON {table.name} {row}{when}{_REFUSE[dialect]}"
        if dialect == "postgresql":  # elsewhere it is a DELETE
            name = f"{table.name}_no_truncate"
            yield f"CREATE TRIGGER {name} BEFORE TRUNCATE ON {table.name} {_REFUSE[dialect]}"
