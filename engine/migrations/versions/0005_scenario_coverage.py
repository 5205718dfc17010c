"""What of the files each scenario of a revision reached; unknown for the runs before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scenario_run", sa.Column("reached", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("scenario_run", "reached")
