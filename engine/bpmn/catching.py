"""Who catches an error or escalation: the nearest scope around the thrower that has a matching event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.bpmn.compensation import undoes
from engine.bpmn.events import BoundaryEvent, Error, Escalation

if TYPE_CHECKING:
    from engine.bpmn.activities import EventSubprocess
    from engine.bpmn.scopes import Token


@dataclass(frozen=True, slots=True)
class Catcher:
    """A boundary event with its host token, or an event subprocess with its scope."""

    element: BoundaryEvent | EventSubprocess
    where: Any


def find_catcher(token: Token, thrown: Error | Escalation, *, here: bool) -> Catcher | None:
    """Look at the event subprocesses of the throwing scope, then at the boundary of its owner, and so outward.

    `here`: the activity at `token` failed itself, so its own boundary events come first. An event subprocess
    does not catch what is thrown inside it, and a subprocess that is being undone catches nothing. BPMN 2.0,
    clause 10.5.7.
    """
    if here and (own := _at_boundary(token, thrown)) is not None:
        return own
    scope, inside = token.workflow, token
    while True:
        reopened = scope.owner is not None and undoes(scope.owner)
        if inside.task_spec not in scope.spec.event_subprocesses and not reopened:
            for event_subprocess in _matching(scope.spec.event_subprocesses, thrown):
                return Catcher(event_subprocess, scope)
        if scope.owner is None:
            return None
        inside = scope.owner
        if not reopened and (found := _at_boundary(inside, thrown)) is not None:
            return found
        scope = inside.workflow


def _at_boundary(activation: Token, thrown: Error | Escalation) -> Catcher | None:
    host = activation.body or activation
    for boundary in _matching(getattr(host.task_spec, "boundaries", ()), thrown):
        return Catcher(boundary, host)
    return None


def _matching(events: Any, thrown: Error | Escalation) -> list[Any]:
    """Those that catch `thrown`: with its code before without any."""
    same = [event for event in events if type(event.trigger) is type(thrown)]
    exact = [event for event in same if event.trigger.code == thrown.code]
    return exact + [event for event in same if event.trigger.code is None]
