"""The whole schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _counter()
    _deployment()
    _history_event()
    _message()
    _participant()
    _person()
    _person_group()
    _process_case()
    _readable_mark()
    _submission()
    _decision_definition()
    _form_definition()
    _history_value()
    _membership()
    _message_taking()
    _process_definition()
    _resource()
    _process_instance()
    _subscription()
    _user_task()
    _candidate()
    _job()
    _notice()
    _incident()
    _case_fact()
    _case_text()
    _draft()
    _comment()
    _saved_filter()
    _person_setting()
    _mailed()


def downgrade() -> None:
    for table in (
        "mailed",
        "person_setting",
        "saved_filter",
        "comment",
        "draft",
        "case_text",
        "case_fact",
        "incident",
        "notice",
        "job",
        "candidate",
        "user_task",
        "subscription",
        "process_instance",
        "resource",
        "process_definition",
        "message_taking",
        "membership",
        "history_value",
        "form_definition",
        "decision_definition",
        "submission",
        "readable_mark",
        "process_case",
        "person_group",
        "person",
        "participant",
        "message",
        "history_event",
        "deployment",
        "counter",
    ):
        op.drop_table(table)


def _counter() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "year", name="pk_counter"),
    )


def _deployment() -> None:
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("execution_digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("job_types", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deployed_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
    )
    op.create_index("ix_deployment_digest", "deployment", ["digest"], unique=False)


def _history_event() -> None:
    op.create_table(
        "history_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("instance_id", sa.Integer(), nullable=True),
        sa.Column("business_key", sa.String(), nullable=True),
        sa.Column("definition", sa.String(length=64), nullable=True),
        sa.Column("semantics", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("commitments", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_event"),
        sa.UniqueConstraint("chain", "seq", name="uq_history_event_chain_seq"),
    )
    op.create_index("ix_history_event_business_key_id", "history_event", ["business_key", "id"], unique=False)


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_expires_at", "message", ["expires_at"], unique=False)
    op.create_index("ix_message_name_key", "message", ["name", "key"], unique=False)


def _participant() -> None:
    op.create_table(
        "participant",
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("business_key", "person", name="pk_participant"),
    )
    op.create_index("ix_participant_person", "participant", ["person"], unique=False)


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("session_key", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("name", name="uq_person_name"),
        sa.UniqueConstraint("session_key", name="uq_person_session_key"),
    )


def _person_group() -> None:
    op.create_table(
        "person_group",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("cases", sa.String(length=10), nullable=False),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("masked", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_person_group"),
    )


def _process_case() -> None:
    op.create_table(
        "process_case",
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("running", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("business_key", name="pk_process_case"),
    )
    op.create_index("ix_process_case_changed_at", "process_case", ["changed_at"], unique=False)


def _readable_mark() -> None:
    op.create_table(
        "readable_mark",
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("mark", "group_name", name="pk_readable_mark"),
    )


def _submission() -> None:
    op.create_table(
        "submission",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", name="pk_submission"),
    )


def _decision_definition() -> None:
    op.create_table(
        "decision_definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name="fk_decision_definition_deployment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_decision_definition"),
        sa.UniqueConstraint("key", "version", name="uq_decision_definition_key_version"),
    )
    op.create_index("ix_decision_definition_deployment_id", "decision_definition", ["deployment_id"], unique=False)


def _form_definition() -> None:
    op.create_table(
        "form_definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name="fk_form_definition_deployment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_form_definition"),
        sa.UniqueConstraint("key", "version", name="uq_form_definition_key_version"),
    )
    op.create_index("ix_form_definition_deployment_id", "form_definition", ["deployment_id"], unique=False)


def _history_value() -> None:
    op.create_table(
        "history_value",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("encoded", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["history_event.id"], name="fk_history_value_event_id"),
        sa.PrimaryKeyConstraint("event_id", "number", name="pk_history_value"),
    )
    op.create_index("ix_history_value_name_event_id", "history_value", ["name", "event_id"], unique=False)


def _membership() -> None:
    op.create_table(
        "membership",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("group_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="fk_membership_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "group_name", name="pk_membership"),
    )
    op.create_index("ix_membership_group_name", "membership", ["group_name"], unique=False)


def _message_taking() -> None:
    op.create_table(
        "message_taking",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_message_taking_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "process", name="pk_message_taking"),
    )


def _process_definition() -> None:
    op.create_table(
        "process_definition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name="fk_process_definition_deployment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_process_definition"),
        sa.UniqueConstraint("key", "version", name="uq_process_definition_key_version"),
    )
    op.create_index("ix_process_definition_deployment_id", "process_definition", ["deployment_id"], unique=False)


def _resource() -> None:
    op.create_table(
        "resource",
        sa.Column("deployment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployment.id"], name="fk_resource_deployment_id"),
        sa.PrimaryKeyConstraint("deployment_id", "name", name="pk_resource"),
    )


def _process_instance() -> None:
    op.create_table(
        "process_instance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["definition_id"], ["process_definition.id"], name="fk_process_instance_definition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_process_instance"),
    )
    op.create_index("ix_process_instance_business_key", "process_instance", ["business_key"], unique=False)
    op.create_index("ix_process_instance_definition_id", "process_instance", ["definition_id"], unique=False)


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["process_instance.id"], name="fk_subscription_instance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sa.UniqueConstraint("instance_id", "token", name="uq_subscription_instance_id_token"),
    )
    op.create_index("ix_subscription_kind_name_key", "subscription", ["kind", "name", "key"], unique=False)


def _user_task() -> None:
    op.create_table(
        "user_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.String(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("form_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_reason", sa.Text(), nullable=True),
        sa.Column("escalate_to", sa.Text(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["process_instance.id"], name="fk_user_task_instance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_user_task"),
        sa.UniqueConstraint("instance_id", "token", name="uq_user_task_instance_id_token"),
    )
    op.create_index("ix_user_task_assignee_state", "user_task", ["assignee", "state"], unique=False)
    op.create_index("ix_user_task_business_key_state", "user_task", ["business_key", "state"], unique=False)


def _candidate() -> None:
    op.create_table(
        "candidate",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["user_task.id"], name="fk_candidate_task_id"),
        sa.PrimaryKeyConstraint("task_id", "kind", "name", name="pk_candidate"),
    )
    op.create_index("ix_candidate_kind_name_task_id", "candidate", ["kind", "name", "task_id"], unique=False)


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.String(), nullable=False),
        sa.Column("input_values", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["process_instance.id"], name="fk_job_instance_id"),
        sa.ForeignKeyConstraint(["task_id"], ["user_task.id"], name="fk_job_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_instance_id_token", "job", ["instance_id", "token"], unique=False)
    op.create_index("ix_job_state_due", "job", ["state", "due"], unique=False)
    op.create_index("ix_job_task_id", "job", ["task_id"], unique=False)


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["user_task.id"], name="fk_notice_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_person_read_at", "notice", ["person", "read_at"], unique=False)


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instance_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.String(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["process_instance.id"], name="fk_incident_instance_id"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_incident_job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_business_key", "incident", ["business_key"], unique=False)
    op.create_index("ix_incident_state_opened_at", "incident", ["state", "opened_at"], unique=False)
    op.create_index(
        "uq_incident_instance_id_token",
        "incident",
        ["instance_id", "token"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _case_fact() -> None:
    op.create_table(
        "case_fact",
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("business_key", "name", "value", name="pk_case_fact"),
    )
    op.create_index(
        "ix_case_fact_name_value_business_key", "case_fact", ["name", "value", "business_key"], unique=False
    )


def _case_text() -> None:
    op.create_table(
        "case_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["user_task.id"], name="fk_case_text_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_case_text"),
    )
    op.create_index("ix_case_text_business_key", "case_text", ["business_key"], unique=False)


def _draft() -> None:
    op.create_table(
        "draft",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("pairs", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["user_task.id"], name="fk_draft_task_id"),
        sa.PrimaryKeyConstraint("task_id", "person", name="pk_draft"),
    )
    op.create_index("ix_draft_person", "draft", ["person"], unique=False)


def _comment() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("business_key", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
    )
    op.create_index("ix_comment_business_key", "comment", ["business_key"], unique=False)


def _saved_filter() -> None:
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("view", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_filter"),
        sa.UniqueConstraint("owner", "view", "name", name="uq_saved_filter_owner_view_name"),
    )


def _person_setting() -> None:
    op.create_table(
        "person_setting",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("mail_next", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_failures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="fk_person_setting_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", name="pk_person_setting"),
    )
    op.create_index("ix_person_setting_mail_next", "person_setting", ["mail_next"], unique=False)


def _mailed() -> None:
    op.create_table(
        "mailed",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.name"], name="fk_mailed_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "kind", "number", name="pk_mailed"),
    )
