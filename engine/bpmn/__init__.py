"""Processes in BPMN 2.0, Camunda 8 dialect: compiled, checked, and advanced one cause at a time.

The only package that touches SpiffWorkflow, whose workflows, tasks and task states carry the execution. Pure:
definition, snapshot, cause and time in, an `Advance` out; no database, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

from SpiffWorkflow import TaskState

from engine.bpmn import retries
from engine.bpmn import snapshot as codec
from engine.bpmn.activities import ServiceTask, UserTask
from engine.bpmn.advance import (
    Advance,
    Cancel,
    Cause,
    ChangeVariables,
    ClosedTask,
    CompleteTask,
    DecisionEvaluated,
    ElementMove,
    Fault,
    FireTimer,
    HostCall,
    JobCompleted,
    JobFailed,
    MissedTimer,
    OpenedSubscription,
    OpenedTask,
    Place,
    Receive,
    Retry,
    Service,
    Start,
    TaskScope,
    ThrownMessage,
    ThrownSignal,
    VariableChange,
    WantedJob,
)
from engine.bpmn.bundle import Bundle, Process, compile_bundle
from engine.bpmn.digest import execution_digest
from engine.bpmn.errors import ActorExcluded, BpmnError, BundleInvalid, Finding, TokenGone
from engine.bpmn.events import Error
from engine.bpmn.graph import Graph, Node, Way, control_flow
from engine.bpmn.scopes import Token, Values, holders, visible
from engine.bpmn.step import SEMANTICS, Step

SNAPSHOT_FORMAT = codec.FORMAT

__all__ = [
    "SEMANTICS",
    "SNAPSHOT_FORMAT",
    "ActorExcluded",
    "Advance",
    "BpmnError",
    "Bundle",
    "BundleInvalid",
    "Cancel",
    "Cause",
    "ChangeVariables",
    "ClosedTask",
    "CompleteTask",
    "DecisionEvaluated",
    "ElementMove",
    "Fault",
    "Finding",
    "FireTimer",
    "Graph",
    "HostCall",
    "JobCompleted",
    "JobFailed",
    "MissedTimer",
    "Node",
    "OpenedSubscription",
    "OpenedTask",
    "Place",
    "Process",
    "Receive",
    "Retry",
    "Service",
    "Start",
    "TaskScope",
    "ThrownMessage",
    "ThrownSignal",
    "TokenGone",
    "UserTask",
    "VariableChange",
    "WantedJob",
    "Way",
    "advance",
    "compile_bundle",
    "control_flow",
    "execution_digest",
    "service",
    "task_scope",
]


def advance(
    bundle: Bundle, snapshot: Mapping[str, Any] | None, cause: Cause, now: datetime, semantics: int = SEMANTICS
) -> Advance:
    """Take the step that `cause` allows and touch nothing else.

    `snapshot` is what the step before returned, None for `Start`; `now` is aware; `semantics` is that of the release
    that took the step first. The same arguments give the same Advance, on any machine. Raises TokenGone if what the
    cause is about does not wait any more, ActorExcluded, and BpmnError for a cause that does not fit the process.
    """
    if isinstance(cause, Start):
        step = _start(bundle, cause, now, semantics)
    elif snapshot is None:
        raise BpmnError("まだ始まっていない案件は、進められません。")
    else:
        step = codec.load(bundle, snapshot, now, semantics)
        _apply(step, cause)
    step.run()
    return step.advance(codec.dump(step))


def _start(bundle: Bundle, cause: Start, now: datetime, semantics: int) -> Step:
    if cause.process not in bundle.processes:
        raise BpmnError(f"プロセス「{cause.process}」は配備されていません。")
    step = Step(bundle, cause.process, cause.business_key, 0, now, semantics)
    spec = bundle.spec(cause.process)
    start = spec.none_start if cause.message is None else spec.message_starts.get(cause.message)
    if start is None:
        raise BpmnError(f"プロセス「{cause.process}」は、この方法では始められません。")
    given: Values = {"business_key": cause.business_key}
    given |= cause.variables if cause.message is None else {}
    _set(step, None, given)
    step.open_scope(step.instance, {} if cause.message is None else dict(cause.variables), start)
    return step


def _apply(step: Step, cause: Cause) -> None:
    if isinstance(cause, FireTimer | JobCompleted | JobFailed):
        step.consumed_job = cause.token
    match cause:
        case CompleteTask(number, values, by):
            _complete(_waiting(step, number, UserTask), dict(values), by, step)
        case FireTimer(number):
            _fire(step, number, {})
        case Receive(number, values) | JobCompleted(number, values):
            _fire(step, number, dict(values))
        case JobFailed(number, message, code):
            _fail(_waiting(step, number, ServiceTask), message, code, step)
        case Retry(number):
            retries.retry(step.token(number), step)
        case ChangeVariables(values, number):
            _set(step, None if number is None else step.token(number), dict(values))
        case Cancel():
            step.cancel_all(step.instance)
            step.ended = True
        case Start():
            raise BpmnError("始まっている案件は、もう一度始められません。")
        case _:
            assert_never(cause)


def _waiting(step: Step, number: int, kind: type[UserTask] | type[ServiceTask]) -> Token:
    token = step.token(number)
    waits = token.has_state(TaskState.WAITING) and "fault" not in token.internal_data
    if not isinstance(token.task_spec, kind) or not waits:
        raise TokenGone(number)
    return token


def _complete(token: Token, values: Values, by: str, step: Step) -> None:
    spec = token.task_spec
    if by in spec.names(spec.excluded_users, token, step, "除外する人"):
        raise ActorExcluded(by)
    spec.complete(token, values, by, step)


def _fire(step: Step, number: int, values: Values) -> None:
    token = step.token(number)
    fire = getattr(token.task_spec, "fire", None)
    if fire is None or "fault" in token.internal_data or not token.has_state(TaskState.WAITING):
        raise TokenGone(number)
    fire(token, values, step)


def _fail(token: Token, message: str, code: str | None, step: Step) -> None:
    error = Error(code)
    if code is not None and step.catcher(token, error, here=True) is not None:
        step.throw(token, error, {}, here=True)
        if token.id in token.workflow.tasks:
            step.cancel(token)
    else:
        step.stop(token, "job" if step.semantics > 2 else "enter", message)


def _set(step: Step, token: Token | None, values: Values) -> None:
    """Write variables where they stand, seen from `token`; without one, into the process."""
    places = [("", step.instance.data)] if token is None else list(holders(token))
    for name, value in values.items():
        path, holder = next((pair for pair in places if name in pair[1]), places[-1])
        holder[name] = value
        step.record_variable(path, name, value)
        if token is not None and holder is token.local and step.semantics > 2:
            token.correct(name)


def task_scope(bundle: Bundle, snapshot: Mapping[str, Any], token: int, now: datetime) -> TaskScope:
    """What the page of an open user task may use. Raises TokenGone."""
    step = codec.load(bundle, snapshot, now)
    found = step.token(token)
    variables = dict(visible(found))
    prefill = {name: value for name, value in found.local.items() if value is not None}
    return TaskScope(prefill=prefill, variables=variables)


def service(bundle: Bundle, snapshot: Mapping[str, Any], token: int, now: datetime) -> Service:
    """What the file says of the service task that waits at `token`. Raises TokenGone."""
    step = codec.load(bundle, snapshot, now)
    found: ServiceTask = _waiting(step, token, ServiceTask).task_spec
    return found.service
