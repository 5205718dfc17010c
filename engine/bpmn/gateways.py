"""Gateways: exclusive, parallel, inclusive, event-based (BPMN 2.0, clause 10.6 and 13.4).

Joins count the tokens that arrived on each incoming flow, in one waiting token per gateway and scope, so that
they are right in loops and need nothing of what is finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from SpiffWorkflow import TaskState

from engine.bpmn.compensation import undoes
from engine.bpmn.elements import Element, Flow
from engine.bpmn.errors import ElementFault
from engine.bpmn.events import BoundaryEvent
from engine.bpmn.scopes import ProcessSpec, Scope, Token, visible

if TYPE_CHECKING:
    from engine.bpmn.step import Step


def holds(flow: Flow, token: Token, step: Step) -> bool:
    """Whether the condition of a flow is true; anything but a boolean is a fault (as in Camunda 8)."""
    if flow.condition is None:
        return True
    value = flow.condition.evaluate(visible(token), step.environment)
    if not isinstance(value, bool):
        raise ElementFault(
            f"フロー「{flow.name or flow.id}」の条件 {flow.condition.text} が true / false になりません。"
        )
    return value


class _Choice(Element):
    default: str | None = None

    def conditional(self) -> tuple[Flow, ...]:
        return tuple(flow for flow in self.outgoing if flow.id != self.default)

    def fallback(self) -> tuple[Flow, ...]:
        chosen = tuple(flow for flow in self.outgoing if flow.id == self.default)
        if not chosen:
            raise ElementFault("どの条件も成り立たず、既定のフローもありません。")
        return chosen


class ExclusiveGateway(_Choice):
    def choose(self, token: Token, step: Step) -> tuple[Flow, ...]:
        for flow in self.conditional():
            if holds(flow, token, step):
                return (flow,)
        return self.fallback()


class Join(Element):
    """A gateway with several incoming flows waits in one token that counts arrivals."""

    def enter(self, token: Token, step: Step) -> bool:
        if len(self.incoming) < 2:
            return True
        if "arrived" not in token.internal_data:
            token.internal_data["arrived"] = {token.internal_data["flow"]: 1}
        return self.satisfied(token)

    def absorb(self, token: Token, flow: Flow) -> None:
        """A further token arrives by `flow` where `token` waits already."""
        arrived = token.internal_data["arrived"]
        arrived[flow.id] = arrived.get(flow.id, 0) + 1
        if token.has_state(TaskState.WAITING) and self.satisfied(token):
            token._ready()

    def satisfied(self, token: Token) -> bool:
        """Whether the join may fire as soon as a token arrives."""
        raise NotImplementedError

    def left(self, token: Token, step: Step) -> bool:
        """Tokens that are left over (one flow twice) wait on, in a new activation."""
        arrived: dict[str, int] = token.internal_data.get("arrived", {})
        rest = {flow: count - 1 for flow, count in arrived.items() if count > 1}
        if rest:
            step.spawn(token.workflow, self, arrived=rest)
        return True

    def waiting_in(self, scope: Scope) -> Token | None:
        """The token that counts in this scope, if one waits."""
        if len(self.incoming) < 2:
            return None
        return next((token for token in scope.tokens if token.task_spec is self), None)


class ParallelGateway(Join):
    def satisfied(self, token: Token) -> bool:
        return len(token.internal_data["arrived"]) == len(self.incoming)


class InclusiveGateway(_Choice, Join):
    """Fires when no token elsewhere could still reach an incoming flow on which none has arrived."""

    def __init__(self, spec: ProcessSpec, bpmn_id: str, name: str) -> None:
        super().__init__(spec, bpmn_id, name)
        self.reach: Mapping[str, frozenset[str]] = {}
        """By incoming flow: the elements from which a token reaches it without passing this gateway."""

    def satisfied(self, token: Token) -> bool:
        """Never on arrival: other tokens of this very step may still be under way (`release_inclusive`)."""
        return False

    def released(self, token: Token) -> bool:
        arrived = token.internal_data["arrived"]
        others = (other for other in token.workflow.active if other is not token and not undoes(other))
        elsewhere = {other.task_spec.bpmn_id for other in others}
        empty = [flow.id for flow in self.incoming if flow.id not in arrived]
        full = [flow.id for flow in self.incoming if flow.id in arrived]
        return not any(
            any(element in self.reach[flow] for flow in empty) and not any(element in self.reach[flow] for flow in full)
            for element in elsewhere
        )

    def choose(self, token: Token, step: Step) -> tuple[Flow, ...]:
        if len(self.outgoing) == 1 and self.outgoing[0].condition is None:
            return self.outgoing
        chosen = tuple(flow for flow in self.conditional() if holds(flow, token, step))
        return chosen or self.fallback()


class EventBasedGateway(Element):
    """Each event behind it waits; the first to happen cancels the others, which share a `group`."""

    def successors(self, token: Token) -> dict[str, int]:
        return {"group": token.id}


def release_inclusive(scope: Scope) -> bool:
    """Make the first inclusive join ready that nothing holds back any more; True if there was one."""
    for token in scope.tokens:
        spec = token.task_spec
        if isinstance(spec, InclusiveGateway) and token.has_state(TaskState.WAITING) and spec.released(token):
            token._ready()
            return True
    return False


def set_reach(spec: ProcessSpec) -> None:
    """For each inclusive join: from where a token can reach each of its incoming flows, not passing it."""
    for gateway in spec.elements.values():
        if isinstance(gateway, InclusiveGateway) and len(gateway.incoming) > 1:
            spec.inclusive = True
            gateway.reach = {flow.id: _sources(spec, flow, gateway.bpmn_id) for flow in gateway.incoming}


def _sources(spec: ProcessSpec, flow: Flow, gateway: str) -> frozenset[str]:
    found: set[str] = set()
    pending = [flow.source]
    while pending:
        name = pending.pop()
        if name in found or name == gateway:
            continue
        found.add(name)
        element = spec.task_specs[name]
        pending += [incoming.source for incoming in element.incoming]
        if isinstance(element, BoundaryEvent):
            pending.append(element.attached_to)
    return frozenset(found)
