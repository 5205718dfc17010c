"""Who has read which case, and when; a record like history, which refuses changes (0002)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQLITE = (
    "CREATE TRIGGER case_reading_no_{name} BEFORE {what} ON case_reading "
    "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
)
_POSTGRESQL = (
    "CREATE TRIGGER case_reading_no_{name} BEFORE {what} ON case_reading "
    "{each}EXECUTE FUNCTION history_is_append_only()"
)


def upgrade() -> None:
    op.create_table(
        "case_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_case_reading"),
    )
    op.create_index("ix_case_reading_business_key_id", "case_reading", ["business_key", "id"], unique=False)
    none = sa.text("instance_id IS NULL")
    op.create_index("ix_history_event_of_none", "history_event", ["id"], sqlite_where=none, postgresql_where=none)
    postgresql = op.get_bind().dialect.name == "postgresql"
    statement = _POSTGRESQL if postgresql else _SQLITE
    for what in ("UPDATE", "DELETE", *["TRUNCATE"] * postgresql):
        each = "" if what == "TRUNCATE" else "FOR EACH ROW "
        op.execute(statement.format(name=what.lower(), what=what, each=each))


def downgrade() -> None:
    op.drop_index("ix_history_event_of_none", table_name="history_event")
    op.drop_index("ix_case_reading_business_key_id", table_name="case_reading")
    op.drop_table("case_reading")
