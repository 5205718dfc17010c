"""Trying again what stopped: the phase that failed, and nothing that was done before it.

An activation that failed is made anew, its inputs from what the token came with and what the scopes around hold now.
A job that gave up is wanted again with such inputs; the activity went on waiting, and so did what is beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from SpiffWorkflow import TaskState

from engine.bpmn.errors import ElementFault, TokenGone

if TYPE_CHECKING:
    from engine.bpmn.scopes import Token
    from engine.bpmn.step import Step


def retry(token: Token, step: Step) -> None:
    """What stopped at `token` goes on, or stops there again; raises TokenGone if nothing has stopped."""
    if "fault" not in token.internal_data:
        raise TokenGone(token.id)
    spec, phase = token.task_spec, step.resolve(token)
    if phase == "enter":
        if step.semantics > 2:
            spec.unmap_inputs(token)
        token._set_state(TaskState.FUTURE)
        spec._update(token)
    elif phase in ("work", "job"):
        _activate(token, phase, step)
    elif phase == "arm":
        scope = token.workflow
        step.remove(token)
        spec.arm(scope, step)
    elif phase == "rearm":
        spec.rearm(token, step)
    elif phase == "test":
        step.untested = True
    elif token.has_state(TaskState.WAITING):
        token._ready()
    else:
        _run(token, step)


def _activate(token: Token, phase: Literal["work", "job"], step: Step) -> None:
    spec = token.task_spec
    spec.unmap_inputs(token)
    try:
        spec.map_inputs(token, step)
        if phase == "job":
            spec.begin(token, step)
    except ElementFault as fault:
        step.stop(token, phase, str(fault))
    else:
        if phase == "work":
            _run(token, step)


def _run(token: Token, step: Step) -> None:
    token._set_state(TaskState.READY)
    step.queue.append(token)
