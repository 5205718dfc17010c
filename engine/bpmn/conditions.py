"""Conditional events: tested after every write, in every scope; they happen when their condition becomes true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow import TaskState

from engine.bpmn.errors import ElementFault
from engine.bpmn.events import BoundaryEvent, Condition
from engine.bpmn.scopes import Token, visible

if TYPE_CHECKING:
    from engine.bpmn.step import Step


def let_happen(step: Step) -> None:
    """Every conditional event whose condition has become true has happened, until nothing more was written.

    All conditions are tested before one event happens, so that none misses what the others change.
    """
    while step.untested:
        step.untested = False
        for token in [token for token in _waiting(step) if _has_become_true(token, step)]:
            if token.id in token.workflow.tasks:
                token.task_spec.fire(token, {}, step)


def _waiting(step: Step) -> list[Token]:
    return [
        token
        for scope in step.scopes()
        if scope.spec.conditional
        for token in scope.tokens
        if isinstance(getattr(token.task_spec, "trigger", None), Condition)
        and token.has_state(TaskState.WAITING)
        and "fault" not in token.internal_data
    ]


def _has_become_true(token: Token, step: Step) -> bool:
    """Whether the condition is true that was not; an event that goes on waiting holds that it was (`held`)."""
    spec, internal = token.task_spec, token.internal_data
    seen_from = token.workflow.tasks[internal["host"]] if isinstance(spec, BoundaryEvent) else token
    try:
        true = spec.trigger.holds(visible(seen_from), step.environment)
    except ElementFault as fault:
        step.stop(token, "test", str(fault))
        return False
    before = internal.pop("held", False)
    if true:
        internal["held"] = True
    return true and not before
