"""History refuses changes: triggers, the same that a new database gets from the mappings.

A later batch migration of these tables on SQLite makes them anew and must put the triggers back.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ERASING = (
    "NEW.encoded IS NULL AND NEW.salt IS NULL AND NEW.event_id = OLD.event_id"
    " AND NEW.number = OLD.number AND NEW.kind = OLD.kind AND NEW.name = OLD.name"
)
_SQLITE = (
    "CREATE TRIGGER {name} BEFORE {what} ON {table} {when}BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
)
_POSTGRESQL = "CREATE TRIGGER {name} BEFORE {what} ON {table} {when}EXECUTE FUNCTION history_is_append_only()"
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
)


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(_FUNCTION)
    for table, kept in (("history_event", ""), ("history_value", f"WHEN (NOT ({_ERASING})) ")):
        each, statement = ("FOR EACH ROW ", _POSTGRESQL) if postgresql else ("", _SQLITE)
        moves = [("UPDATE", each + kept), ("DELETE", each)] + [("TRUNCATE", "")] * postgresql
        for what, when in moves:
            op.execute(statement.format(name=f"{table}_no_{what.lower()}", what=what, table=table, when=when))


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in ("history_event", "history_value"):
        for what in ("update", "delete", *["truncate"] * postgresql):
            op.execute(f"DROP TRIGGER {table}_no_{what}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        op.execute("DROP FUNCTION history_is_append_only()")
