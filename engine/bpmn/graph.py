"""The control flow of a whole bundle as one graph, with conditions left aside: what may come after what.

Called processes and subprocesses stand inline, once per place that opens them; a thrown message leads into the
processes that it starts. Each node says what begins when it is done, and what may begin instead while it waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.bpmn import activities as act
from engine.bpmn import events as ev
from engine.bpmn import gateways as gw
from engine.bpmn.bundle import Bundle
from engine.bpmn.elements import Element
from engine.bpmn.scopes import ProcessSpec

Key = str
"""The process and the elements that lead to a node, by id: `intake/first_contact/ST_01`."""
Way = frozenset[Key]
"""Nodes that begin together; an empty way ends here."""
END: Way = frozenset()


@dataclass(slots=True)
class Node:
    """One element at one place."""

    key: Key
    process: str
    file: str
    element: Element
    flows: list[Way] = field(default_factory=list)
    """The ways on, once it is done."""
    interrupts: list[Way] = field(default_factory=list)
    """The ways on, if something ends it before it is done."""
    needs: Way = END
    """Nodes that must all be done before it begins (a parallel join); else one is enough."""

    @property
    def id(self) -> str:
        return str(self.element.bpmn_id)

    @property
    def name(self) -> str:
        """Its name; the id where it has none."""
        return str(self.element.bpmn_name or self.id)

    @property
    def task(self) -> act.UserTask | None:
        return self.element if isinstance(self.element, act.UserTask) else None

    @property
    def form(self) -> str | None:
        return None if self.task is None else self.task.form_id

    @property
    def throws(self) -> str | None:
        """The name of the message that it throws."""
        thrown = self.element.trigger if isinstance(self.element, ev.ThrowEvent) else None
        return thrown.name if isinstance(thrown, ev.Message) else None


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes, and those at which something begins from outside: a plain start, or a message people send."""

    nodes: Mapping[Key, Node]
    roots: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where an element stands: what follows the end of its scope, and what may interrupt it from outside."""

    prefix: str
    process: str
    after: tuple[Way, ...]
    interrupts: tuple[Way, ...]
    called: tuple[str, ...]


def control_flow(bundle: Bundle, messages: Iterable[str]) -> Graph:
    """The graph of all processes of the bundle; `messages` are those that come from outside."""
    nodes: dict[Key, Node] = {}
    starters = _starters(bundle)
    for key in bundle.processes:
        _lay(bundle, bundle.spec(key), _Scope(key, key, (END,), (), (key,)), nodes)
    for node in nodes.values():
        started = frozenset(starters.get(node.throws or "", ()))
        node.flows = [way | started for way in node.flows]
    roots = [f"{key}/{spec.none_start.bpmn_id}" for key, spec in _specs(bundle) if spec.none_start is not None]
    roots += [start for name in messages for start in starters.get(name, ())]
    called = {element.process.text for element in _calls(bundle)}
    return Graph(nodes, tuple(root for root in roots if root.partition("/")[0] not in called))


def _specs(bundle: Bundle) -> Iterator[tuple[str, ProcessSpec]]:
    return ((key, bundle.spec(key)) for key in bundle.processes)


def _calls(bundle: Bundle) -> Iterator[act.CallActivity]:
    pending = [spec for _, spec in _specs(bundle)]
    while pending:
        for element in pending.pop().elements.values():
            if isinstance(element, act.CallActivity):
                yield element
            elif isinstance(element, act.Subprocess):
                pending.append(element.body)


def _starters(bundle: Bundle) -> dict[str, list[Key]]:
    """The start events that a message leads to, by its name."""
    found: dict[str, list[Key]] = {}
    for key, spec in _specs(bundle):
        for message, start in spec.message_starts.items():
            found.setdefault(message, []).append(f"{key}/{start.bpmn_id}")
    return found


def _lay(bundle: Bundle, spec: ProcessSpec, scope: _Scope, nodes: dict[Key, Node]) -> None:
    """Every element of this scope, and of the scopes within, is a node."""
    beside = {e.bpmn_id: e for e in spec.event_subprocesses if isinstance(e, act.EventSubprocess)}
    stops = tuple(frozenset({f"{scope.prefix}/{name}"}) for name, event in beside.items() if event.interrupting)
    for name, element in spec.elements.items():
        key = f"{scope.prefix}/{name}"
        inside = scope.interrupts if name in beside else (*stops, *scope.interrupts)
        node = nodes[key] = Node(key, scope.process, spec.file, element)
        onward = _ways(element, scope)
        if isinstance(element, act.Activity | ev.CatchEvent):
            bounds = [b for b in getattr(element, "boundaries", ()) if b.interrupting]
            inside = (*(frozenset({f"{scope.prefix}/{b.bpmn_id}"}) for b in bounds), *inside)
            node.interrupts = list(inside)
        node.needs = _needs(element, scope)
        node.flows = _enter(bundle, element, _Scope(key, scope.process, tuple(onward), inside, scope.called), nodes)
        if isinstance(element, ev.StartEvent):  # what may happen beside the flow, at any time
            extra = frozenset(f"{scope.prefix}/{name}" for name, event in beside.items() if not event.interrupting)
            node.flows += [way | extra for way in node.flows if extra]


def _ways(element: Element, scope: _Scope) -> list[Way]:
    """The ways on from an element in its own scope."""
    targets = [f"{scope.prefix}/{flow.target}" for flow in element.outgoing]
    if not targets:
        return list(scope.after)
    if isinstance(element, gw.ParallelGateway) or len(targets) == 1:
        ways = [frozenset(targets)]
    else:
        ways = [frozenset({target}) for target in targets]
    beside = [b for b in getattr(element, "boundaries", ()) if not b.interrupting]
    extra = frozenset(f"{scope.prefix}/{boundary.bpmn_id}" for boundary in beside)
    return ways + [way | extra for way in ways if extra]


def _needs(element: Element, scope: _Scope) -> Way:
    if isinstance(element, gw.ParallelGateway) and len(element.incoming) > 1:
        return frozenset(f"{scope.prefix}/{flow.source}" for flow in element.incoming)
    return END


def _enter(bundle: Bundle, element: Element, inner: _Scope, nodes: dict[Key, Node]) -> list[Way]:
    """The ways on from an element: through the scope that it opens, if it opens one that is known."""
    if isinstance(element, act.Subprocess):
        _lay(bundle, element.body, inner, nodes)
        start = element.body.none_start or next(iter(element.body.message_starts.values()), None)
        return list(inner.after) if start is None else [frozenset({f"{inner.prefix}/{start.bpmn_id}"})]
    if isinstance(element, act.CallActivity):
        key = element.process.text
        spec = bundle.spec(key) if key in bundle.processes and key not in inner.called else None
        if spec is not None and spec.none_start is not None:
            called = _Scope(inner.prefix, key, inner.after, inner.interrupts, (*inner.called, key))
            _lay(bundle, spec, called, nodes)
            return [frozenset({f"{inner.prefix}/{spec.none_start.bpmn_id}"})]
    return list(inner.after)
