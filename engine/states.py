"""States, and the tables of their moves. The value of a move is the event that history records."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from engine.errors import IllegalMove


class InstanceState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    CREATED = "created"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class JobState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobKind(StrEnum):
    TIMER = "timer"
    SERVICE = "service"
    DEADLINE = "deadline"


class IncidentState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class RevisionState(StrEnum):
    WRITING = "writing"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    DEPLOYED = "deployed"
    DROPPED = "dropped"


class EventType(StrEnum):
    """What a history event is about."""

    DEPLOYED = "deployed"
    REVISION_BEGUN = "revision_begun"
    REVISION_SUBMITTED = "revision_submitted"
    REVISION_WITHDRAWN = "revision_withdrawn"
    REVISION_SENT_BACK = "revision_sent_back"
    REVISION_APPROVED = "revision_approved"
    REVISION_DROPPED = "revision_dropped"
    INSTANCE_STARTED = "instance_started"
    INSTANCE_CANCELLED = "instance_cancelled"
    TASK_CLAIMED = "task_claimed"
    TASK_RELEASED = "task_released"
    TASK_ASSIGNED = "task_assigned"
    TASK_COMPLETED = "task_completed"
    TASK_ESCALATED = "task_escalated"
    TIMER_FIRED = "timer_fired"
    MESSAGE_PUBLISHED = "message_published"
    MESSAGE_RECEIVED = "message_received"
    SIGNAL_RECEIVED = "signal_received"
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_RETRIED = "incident_retried"
    VARIABLES_CHANGED = "variables_changed"
    COMMENTED = "commented"
    ATTEMPT_REJECTED = "attempt_rejected"
    VALUES_ERASED = "values_erased"
    EXPORTED = "exported"
    PEOPLE_ADDED = "people_added"
    RESTORED = "restored"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_REFUSED = "sign_in_refused"


OPEN_TASK = (TaskState.CREATED, TaskState.CLAIMED)
OPEN_JOB = (JobState.WAITING, JobState.RUNNING)

TASK_MOVES = {
    (TaskState.CREATED, TaskState.CLAIMED): EventType.TASK_CLAIMED,
    (TaskState.CLAIMED, TaskState.CREATED): EventType.TASK_RELEASED,
    (TaskState.CREATED, TaskState.COMPLETED): EventType.TASK_COMPLETED,
    (TaskState.CLAIMED, TaskState.COMPLETED): EventType.TASK_COMPLETED,
}
"""A task is cancelled by what happened around it; that event tells of it."""

ASSIGNMENTS = {
    (TaskState.CREATED, TaskState.CLAIMED): EventType.TASK_ASSIGNED,
    (TaskState.CLAIMED, TaskState.CLAIMED): EventType.TASK_ASSIGNED,
}

REVISION_MOVES = {
    (RevisionState.WRITING, RevisionState.SUBMITTED): EventType.REVISION_SUBMITTED,
    (RevisionState.SUBMITTED, RevisionState.WRITING): EventType.REVISION_WITHDRAWN,
    (RevisionState.APPROVED, RevisionState.WRITING): EventType.REVISION_WITHDRAWN,
    (RevisionState.SUBMITTED, RevisionState.APPROVED): EventType.REVISION_APPROVED,
    (RevisionState.APPROVED, RevisionState.DEPLOYED): EventType.DEPLOYED,
    (RevisionState.WRITING, RevisionState.DROPPED): EventType.REVISION_DROPPED,
}
"""Sending a revision back is a withdrawal by an approver, and is told as such."""

State = TypeVar("State", bound=StrEnum)


def move(old: State, new: State, moves: Mapping[tuple[State, State], EventType]) -> EventType:
    """The event that the move from `old` to `new` is; raises IllegalMove."""
    try:
        return moves[old, new]
    except KeyError:
        raise IllegalMove(old, new) from None
