"""The tables: mappings, constraints and indexes; no behaviour.

History is the record; every other table is an index of it, or what the engine still has to do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.columns import Base, Json, core
from engine.states import EventType, IncidentState, InstanceState, JobKind, JobState, RevisionState, TaskState

# People -------------------------------------------------------------------------------------------------


class Person(Base):
    """An account. `session_key` changes to end every session of the person; no password, no sign-in."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    password_hash: Mapped[str | None]
    session_key: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class Membership(Base):
    __tablename__ = "membership"

    person: Mapped[str] = mapped_column(ForeignKey("person.name", ondelete="CASCADE"), primary_key=True)
    group: Mapped[str] = mapped_column("group_name", primary_key=True, index=True)


class Group(Base):
    """What members may read (`cases`: all, own or none) and do with `processes` (none, edit or approve)."""

    __tablename__ = "person_group"

    name: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    cases: Mapped[str] = mapped_column(String(10))
    read_only: Mapped[bool]
    masked: Mapped[bool]
    processes: Mapped[str] = mapped_column(String(10), server_default="none")
    position: Mapped[int]


class ReadableMark(Base):
    """Members of the group may read back the form fields that carry the mark."""

    __tablename__ = "readable_mark"

    mark: Mapped[str] = mapped_column(primary_key=True)
    group: Mapped[str] = mapped_column("group_name", primary_key=True)


# Deployments --------------------------------------------------------------------------------------------


class Deployment(Base):
    """One upload of files; `digest` is that of all of them, `job_types` what the worker could do then.

    `reason` is why, `override` why in spite of findings, `restores` the earlier deployment whose files these are.
    """

    __tablename__ = "deployment"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), index=True)
    execution_digest: Mapped[str] = mapped_column(String(64))
    title: Mapped[str]
    job_types: Mapped[list[str]] = mapped_column(Json)
    at: Mapped[datetime]
    by: Mapped[str | None] = mapped_column("deployed_by")
    reason: Mapped[str | None] = mapped_column(Text)
    approved_by: Mapped[str | None]
    override: Mapped[str | None] = mapped_column(Text)
    restores: Mapped[int | None]


class Resource(Base):
    __tablename__ = "resource"

    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ProcessDefinition(Base):
    __tablename__ = "process_definition"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"), index=True)
    key: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    file: Mapped[str]


class DecisionDefinition(Base):
    __tablename__ = "decision_definition"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"), index=True)
    key: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    file: Mapped[str]


class FormDefinition(Base):
    __tablename__ = "form_definition"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"), index=True)
    key: Mapped[str]
    version: Mapped[int]
    name: Mapped[str]
    file: Mapped[str]


class Revision(Base):
    """Changes to the files of deployment `base`, on the way to its next version; `version` counts what was done."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    base: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    title: Mapped[str]
    state: Mapped[RevisionState] = mapped_column(index=True)
    version: Mapped[int]
    author: Mapped[str]
    writers: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(Text)
    remark: Mapped[str | None] = mapped_column(Text)
    approved_by: Mapped[str | None]
    override: Mapped[str | None] = mapped_column(Text)
    deployment_id: Mapped[int | None] = mapped_column(ForeignKey("deployment.id"))


class RevisedFile(Base):
    """A file that differs from the base; no content means that it is taken out."""

    __tablename__ = "revised_file"

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class ScenarioRun(Base):
    """How a scenario went with the files of this digest; no difference means as expected.

    `reached` is what `coverage.Reached.facts` gives; null where nothing could run, and for runs before it was kept.
    """

    __tablename__ = "scenario_run"

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    file: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    difference: Mapped[str | None] = mapped_column(Text)
    reached: Mapped[dict[str, Any] | None] = mapped_column(Json)
    at: Mapped[datetime]


# Cases and instances ------------------------------------------------------------------------------------


class Counter(Base):
    """The last number given out, per name and year."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]


class Case(Base):
    """All instances with one business key; `running` of them go on.

    `ordinal` counts the cases as they began. What chooses cases has it beside what it chooses them by, so that the
    newest that fit are read off an index, and no more than are shown.
    """

    __tablename__ = "process_case"
    __table_args__ = (
        Index(
            "ix_process_case_running", "ordinal", sqlite_where=text("running > 0"), postgresql_where=text("running > 0")
        ),
        Index(
            "ix_process_case_closed", "ordinal", sqlite_where=text("running = 0"), postgresql_where=text("running = 0")
        ),
    )

    business_key: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int] = mapped_column(unique=True)
    process: Mapped[str]
    running: Mapped[int]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str | None]
    changed_at: Mapped[datetime]


class Participant(Base):
    """A person who took part in a case, or whom a form let into it."""

    __tablename__ = "participant"
    __table_args__ = (Index("ix_participant_person_ordinal", "person", "ordinal"),)

    business_key: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    ordinal: Mapped[int]
    granted: Mapped[bool]
    since: Mapped[datetime]


class ProcessInstance(Base):
    """One run of a definition. `version` counts its steps; a step is stored only upon the version it read."""

    __tablename__ = "process_instance"

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("process_definition.id"), index=True)
    process: Mapped[str]
    business_key: Mapped[str] = mapped_column(index=True)
    state: Mapped[InstanceState]
    version: Mapped[int]
    snapshot: Mapped[dict[str, Any]] = mapped_column(Json)
    started_at: Mapped[datetime]
    started_by: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class UserTask(Base):
    __tablename__ = "user_task"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_user_task_assignee_state", "assignee", "state"),
        Index("ix_user_task_business_key_state", "business_key", "state"),
        Index("ix_user_task_state_due", "state", "due"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    business_key: Mapped[str]
    process: Mapped[str]
    token: Mapped[int]
    element: Mapped[str]
    scope: Mapped[str] = mapped_column(Text)
    name: Mapped[str]
    form_id: Mapped[str | None]
    state: Mapped[TaskState]
    assignee: Mapped[str | None]
    due: Mapped[datetime | None]
    due_reason: Mapped[str | None] = mapped_column(Text)
    escalate_to: Mapped[list[str]] = mapped_column(Json)
    escalated_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]


class Candidate(Base):
    """Who may do the task, by the file or because the deadline passed: a `group` or a `user`.

    The kind `excluded` is a person who must not, whatever group they are in.
    """

    __tablename__ = "candidate"
    __table_args__ = (Index("ix_candidate_kind_name_task_id", "kind", "name", "task_id"),)

    task_id: Mapped[int] = mapped_column(ForeignKey("user_task.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    escalated: Mapped[bool]


class Submission(Base):
    """What a resent request already brought about; `key` is the idempotency key of the form or call."""

    __tablename__ = "submission"

    key: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    outcome: Mapped[Any] = mapped_column(Json)


# Work for the worker, and what instances wait for -------------------------------------------------------


class Job(Base):
    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_state_due", "state", "due"),
        Index("ix_job_instance_id_token", "instance_id", "token"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("user_task.id"), index=True)
    business_key: Mapped[str]
    kind: Mapped[JobKind]
    type: Mapped[str]
    token: Mapped[int]
    element: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column("input_values", Json)
    state: Mapped[JobState]
    due: Mapped[datetime]
    retries: Mapped[int]
    attempts: Mapped[int]
    leased_until: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class Subscription(Base):
    """An instance waits here for a message or signal; the row goes when it no longer does."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("instance_id", "token"),
        Index("ix_subscription_kind_name_key", "kind", "name", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    process: Mapped[str]
    token: Mapped[int]
    element: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10))
    name: Mapped[str]
    key: Mapped[str]


class Message(Base):
    """A message that lives on, for those who will wait for it later."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_name_key", "name", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column("payload", Json)
    published_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MessageTaking(Base):
    """Processes with this key have taken the message."""

    __tablename__ = "message_taking"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    process: Mapped[str] = mapped_column(primary_key=True)


class Incident(Base):
    """Execution stopped at this element, or this job gave up."""

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "uq_incident_instance_id_token",
            "instance_id",
            "token",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_incident_state_opened_at", "state", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("process_instance.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    business_key: Mapped[str] = mapped_column(index=True)
    token: Mapped[int]
    element: Mapped[str]
    message: Mapped[str] = mapped_column(Text)
    state: Mapped[IncidentState]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]


class Notice(Base):
    """A line in the person's inbox; they are told once."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_person_read_at", "person", "read_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str]
    kind: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(Text)
    business_key: Mapped[str | None]
    task_id: Mapped[int | None] = mapped_column(ForeignKey("user_task.id"))
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


# What pages need beside the process ---------------------------------------------------------------------


class CaseFact(Base):
    """A value of a listed variable of the case; a list has a row for each element."""

    __tablename__ = "case_fact"
    __table_args__ = (Index("ix_case_fact_name_value_ordinal", "name", "value", "ordinal"),)

    business_key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    ordinal: Mapped[int]


class CaseText(Base):
    """Something a person wrote in the case, folded for searching; `mark` says who may not find it."""

    __tablename__ = "case_text"

    id: Mapped[int] = mapped_column(primary_key=True)
    business_key: Mapped[str] = mapped_column(index=True)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("user_task.id"))
    field: Mapped[str]
    mark: Mapped[str | None]
    text: Mapped[str] = mapped_column(Text)


class CaseGram(Base):
    """A few characters that stand side by side in the number or a text of the case, as `case_grams` codes them."""

    __tablename__ = "case_gram"
    __table_args__ = ({"sqlite_with_rowid": False},)

    gram: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Draft(Base):
    """What a person typed into the form of a task and has not submitted: [name, value] pairs."""

    __tablename__ = "draft"

    task_id: Mapped[int] = mapped_column(ForeignKey("user_task.id"), primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    pairs: Mapped[list[list[str]]] = mapped_column(Json)
    saved_at: Mapped[datetime]


class Comment(Base):
    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    business_key: Mapped[str] = mapped_column(index=True)
    author: Mapped[str]
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    mentions: Mapped[list[str]] = mapped_column(Json)


class SavedFilter(Base):
    """Criteria of a list under a name; `view` says of which list."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("owner", "view", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    view: Mapped[str] = mapped_column(String(20))
    name: Mapped[str]
    criteria: Mapped[dict[str, str]] = mapped_column(Json)
    shared: Mapped[bool]


class PersonSetting(Base):
    """Where and how a person wants mail; `mail_next` is when the next one may go out."""

    __tablename__ = "person_setting"

    person: Mapped[str] = mapped_column(ForeignKey("person.name", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str]
    mode: Mapped[str] = mapped_column(String(10))
    mail_next: Mapped[datetime] = mapped_column(index=True)
    mail_failures: Mapped[int]


class Mailed(Base):
    """The person had a mail about this task or notice; `kind` says which, and of what."""

    __tablename__ = "mailed"

    person: Mapped[str] = mapped_column(ForeignKey("person.name", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)


# History ------------------------------------------------------------------------------------------------


class HistoryEvent(Base):
    """One fact, appended once, never changed. Events of one `chain` name the hash of the one before."""

    __tablename__ = "history_event"
    __table_args__ = (
        UniqueConstraint("chain", "seq"),
        Index("ix_history_event_business_key_id", "business_key", "id"),
        Index(
            "ix_history_event_of_none",
            "id",
            sqlite_where=text("instance_id IS NULL"),
            postgresql_where=text("instance_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[str]
    seq: Mapped[int]
    type: Mapped[EventType]
    at: Mapped[datetime]
    actor: Mapped[str | None]
    instance_id: Mapped[int | None]
    business_key: Mapped[str | None]
    definition: Mapped[str | None] = mapped_column(String(64))
    semantics: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    commitments: Mapped[list[str]] = mapped_column(Json)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class HistoryValue(Base):
    """A value that an event speaks of, apart from it, so that it can be erased: then text and salt are null."""

    __tablename__ = "history_value"
    __table_args__ = (Index("ix_history_value_name_event_id", "name", "event_id"),)

    event_id: Mapped[int] = mapped_column(ForeignKey("history_event.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column("encoded", Text)
    salt: Mapped[str | None] = mapped_column(String(32))


class CaseReading(Base):
    """A person opened a page of a case; rows are only added."""

    __tablename__ = "case_reading"
    __table_args__ = (Index("ix_case_reading_business_key_id", "business_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    business_key: Mapped[str]
    person: Mapped[str]
    page: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Concealment(Base):
    """What a person did in a case until then is told with their name only to those who may read the mark."""

    __tablename__ = "concealment"

    business_key: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]


metadata = Base.metadata

_case = core(Case)
ORDINAL_OF_CASE = select(_case.c.ordinal).where(_case.c.business_key == bindparam("of_case")).scalar_subquery()
"""The ordinal of the case whose number is the parameter `of_case`: for statements that write beside it."""
