"""Open tasks are found without looking at those that are done."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_user_task_state", "user_task", ["state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_user_task_state", table_name="user_task")
