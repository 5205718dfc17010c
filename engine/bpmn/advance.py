"""Causes go in, an `Advance` comes out: the values between the pure core and the shell.

Every value a person or a process supplied is a FEEL value. A `token` is the number of one activation of one
element in its instance; it comes from the instance's own counter, so folding the causes again gives the same
numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from engine import dmn, feel


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an instance of `process`; at its none start event, or at the one that waits for `message`."""

    process: str
    business_key: str
    variables: Mapping[str, feel.Value]
    message: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """`by` completed the user task at `token`; `values` are the submitted fields of its form."""

    token: int
    values: Mapping[str, feel.Value]
    by: str


@dataclass(frozen=True, slots=True)
class FireTimer:
    """The due time of the timer at `token` has come."""

    token: int


@dataclass(frozen=True, slots=True)
class Receive:
    """The subscription at `token` takes a message or signal with this payload."""

    token: int
    values: Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class JobCompleted:
    """The service job at `token` succeeded; `values` are its result variables."""

    token: int
    values: Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The service job at `token` gave up: an error of the process if it names one, else an incident."""

    token: int
    message: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the element with the incident at `token` again."""

    token: int


@dataclass(frozen=True, slots=True)
class ChangeVariables:
    """An operator corrects variables visible at `token`, or of the process if None."""

    values: Mapping[str, feel.Value]
    token: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the instance; everything still open is cancelled."""

    reason: str


Cause = Start | CompleteTask | FireTimer | Receive | JobCompleted | JobFailed | Retry | ChangeVariables | Cancel


@dataclass(frozen=True, slots=True)
class Place:
    """One activation of one element: `scope` is the path of subprocess and call activations around it."""

    token: int
    element: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class ElementMove:
    """An element was entered, or left by completing or by being cancelled; `flow` is the flow it came by."""

    kind: Literal["entered", "left", "cancelled"]
    place: Place
    process: str
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedTask:
    """`process` is the process that the task is drawn in, which may be a called one."""

    place: Place
    process: str
    name: str
    form_id: str | None
    assignee: str | None
    candidate_groups: tuple[str, ...]
    candidate_users: tuple[str, ...]
    excluded_users: tuple[str, ...]
    due: datetime | None
    due_reason: str | None
    escalate_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClosedTask:
    token: int
    reason: Literal["completed", "cancelled"]


@dataclass(frozen=True, slots=True)
class WantedJob:
    """Work for the worker: a timer to fire at `due`, or a service call of `type` with its input `values`."""

    place: Place
    kind: Literal["timer", "service"]
    due: datetime
    type: str = ""
    retries: int = 3
    values: Mapping[str, feel.Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """What the file says of a service task beside its inputs; `backoff` is the wait between two attempts."""

    headers: Mapping[str, str]
    backoff: timedelta | None


@dataclass(frozen=True, slots=True)
class MissedTimer:
    """A repeating timer fired once for itself and for `count` later times that had gone by as well."""

    place: Place
    count: int


@dataclass(frozen=True, slots=True)
class OpenedSubscription:
    place: Place
    kind: Literal["message", "signal"]
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class ThrownMessage:
    name: str
    key: str
    values: Mapping[str, feel.Value]
    time_to_live: timedelta


@dataclass(frozen=True, slots=True)
class ThrownSignal:
    name: str
    values: Mapping[str, feel.Value]


@dataclass(frozen=True, slots=True)
class VariableChange:
    """`scope` is the path of the scope that holds the variable; locals of an activity end with its token."""

    scope: str
    name: str
    value: feel.Value


@dataclass(frozen=True, slots=True)
class DecisionEvaluated:
    place: Place
    decision: str
    outcome: dmn.Outcome


@dataclass(frozen=True, slots=True)
class HostCall:
    """A host function answered during the step (a calendar may answer otherwise in a later release)."""

    name: str
    arguments: tuple[feel.Value, ...]
    result: feel.Value


@dataclass(frozen=True, slots=True)
class Fault:
    """Execution stopped at this element; siblings went on."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Advance:
    """Everything that one cause changed, in the order it happened. The shell writes it; nothing else."""

    snapshot: Mapping[str, Any]
    moves: tuple[ElementMove, ...] = ()
    opened_tasks: tuple[OpenedTask, ...] = ()
    closed_tasks: tuple[ClosedTask, ...] = ()
    wanted_jobs: tuple[WantedJob, ...] = ()
    dropped_jobs: tuple[int, ...] = ()
    missed_timers: tuple[MissedTimer, ...] = ()
    opened_subscriptions: tuple[OpenedSubscription, ...] = ()
    closed_subscriptions: tuple[int, ...] = ()
    messages: tuple[ThrownMessage, ...] = ()
    signals: tuple[ThrownSignal, ...] = ()
    variables: tuple[VariableChange, ...] = ()
    decisions: tuple[DecisionEvaluated, ...] = ()
    host_calls: tuple[HostCall, ...] = ()
    faults: tuple[Fault, ...] = ()
    resolved_faults: tuple[int, ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class TaskScope:
    """What the page of an open user task may use: `prefill` by field key, and every visible variable."""

    prefill: Mapping[str, feel.Value]
    variables: Mapping[str, feel.Value]
