"""Revisions of the deployed files, by people who may edit them and people who may approve."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person_group") as table:
        table.add_column(sa.Column("processes", sa.String(length=10), server_default="none", nullable=False))
    with op.batch_alter_table("deployment") as table:
        table.add_column(sa.Column("reason", sa.Text(), nullable=True))
        table.add_column(sa.Column("approved_by", sa.String(), nullable=True))
        table.add_column(sa.Column("override", sa.Text(), nullable=True))
        table.add_column(sa.Column("restores", sa.Integer(), nullable=True))
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("writers", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("override", sa.Text(), nullable=True),
        sa.Column("deployment_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["base"], ["deployment.id"], name="fk_revision_base"),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name="fk_revision_deployment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
    )
    op.create_index("ix_revision_state", "revision", ["state"], unique=False)
    op.create_table(
        "revised_file",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_revised_file_revision_id"),
        sa.PrimaryKeyConstraint("revision_id", "name", name="pk_revised_file"),
    )
    op.create_table(
        "scenario_run",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("difference", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_scenario_run_revision_id"),
        sa.PrimaryKeyConstraint("revision_id", "digest", "file", name="pk_scenario_run"),
    )


def downgrade() -> None:
    for table in ("scenario_run", "revised_file", "revision"):
        op.drop_table(table)
    with op.batch_alter_table("deployment") as changed:
        for column in ("restores", "override", "approved_by", "reason"):
            changed.drop_column(column)
    with op.batch_alter_table("person_group") as changed:
        changed.drop_column("processes")
