"""Who has read which case, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None


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


def downgrade() -> None:
    op.drop_index("ix_case_reading_business_key_id", table_name="case_reading")
    op.drop_table("case_reading")
