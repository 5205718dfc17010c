"""Cases are chosen off indexes, the newest first, and words are looked up, not looked for.

What is there is numbered in the order in which it began, and its words are indexed.
"""

import sqlalchemy as sa
from alembic import op

from engine import case_grams
from engine.texts import fold

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 500
"""Cases whose words are in memory at once."""
_NUMBERED = (
    "UPDATE process_case SET ordinal = (SELECT found.place FROM (SELECT business_key, row_number() OVER "
    "(ORDER BY opened_at, length(business_key), business_key) AS place FROM process_case) AS found "
    "WHERE found.business_key = process_case.business_key)"
)
_NUMBERED_TOO = (
    "UPDATE {table} SET ordinal = coalesce("
    "(SELECT ordinal FROM process_case WHERE process_case.business_key = {table}.business_key), 0)"
)


def upgrade() -> None:
    op.drop_index("ix_process_case_changed_at", table_name="process_case")
    op.drop_index("ix_participant_person", table_name="participant")
    op.drop_index("ix_case_fact_name_value_business_key", table_name="case_fact")
    op.drop_index("ix_user_task_state", table_name="user_task")
    for table in ("process_case", "participant", "case_fact"):
        op.add_column(table, sa.Column("ordinal", sa.Integer(), nullable=True))
    op.execute(_NUMBERED)
    for table in ("participant", "case_fact"):
        op.execute(_NUMBERED_TOO.format(table=table))
    for table in ("process_case", "participant", "case_fact"):
        with op.batch_alter_table(table) as altered:
            altered.alter_column("ordinal", nullable=False)
            if table == "process_case":
                altered.create_unique_constraint("uq_process_case_ordinal", ["ordinal"])
    for state, condition in (("running", "running > 0"), ("closed", "running = 0")):
        where = sa.text(condition)
        op.create_index(
            f"ix_process_case_{state}", "process_case", ["ordinal"], sqlite_where=where, postgresql_where=where
        )
    op.create_index("ix_participant_person_ordinal", "participant", ["person", "ordinal"], unique=False)
    op.create_index("ix_case_fact_name_value_ordinal", "case_fact", ["name", "value", "ordinal"], unique=False)
    op.create_index("ix_user_task_state_due", "user_task", ["state", "due"], unique=False)
    op.create_table(
        "case_gram",
        sa.Column("gram", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("gram", "ordinal", name="pk_case_gram"),
        sqlite_with_rowid=False,
    )
    _index_words(op.get_bind())


def _index_words(connection: sa.Connection) -> None:
    grams = sa.table("case_gram", sa.column("gram"), sa.column("ordinal"))
    cases = connection.execute(sa.text("SELECT ordinal, business_key FROM process_case ORDER BY ordinal")).all()
    texts = sa.text("SELECT business_key, text FROM case_text WHERE business_key IN :keys").bindparams(
        sa.bindparam("keys", expanding=True)
    )
    for begin in range(0, len(cases), BATCH):
        batch = {key: (ordinal, [fold(key)]) for ordinal, key in cases[begin : begin + BATCH]}
        for key, text in connection.execute(texts, {"keys": list(batch)}):
            batch[key][1].append(text)
        rows = [
            {"gram": gram, "ordinal": ordinal}
            for ordinal, written in batch.values()
            for gram in sorted(case_grams.grams(written))
        ]
        connection.execute(sa.insert(grams), rows)


def downgrade() -> None:
    op.drop_table("case_gram")
    op.drop_index("ix_user_task_state_due", table_name="user_task")
    op.drop_index("ix_case_fact_name_value_ordinal", table_name="case_fact")
    op.drop_index("ix_participant_person_ordinal", table_name="participant")
    op.drop_index("ix_process_case_closed", table_name="process_case")
    op.drop_index("ix_process_case_running", table_name="process_case")
    for table in ("process_case", "participant", "case_fact"):
        with op.batch_alter_table(table) as altered:
            if table == "process_case":
                altered.drop_constraint("uq_process_case_ordinal", type_="unique")
            altered.drop_column("ordinal")
    op.create_index("ix_user_task_state", "user_task", ["state"], unique=False)
    op.create_index("ix_case_fact_name_value_business_key", "case_fact", ["name", "value", "business_key"])
    op.create_index("ix_participant_person", "participant", ["person"])
    op.create_index("ix_process_case_changed_at", "process_case", ["changed_at"], unique=False)
