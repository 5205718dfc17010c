"""Who did something in a case under the promise that only some are told their name."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "concealment",
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("business_key", "person", "mark", name="pk_concealment"),
    )


def downgrade() -> None:
    op.drop_table("concealment")
