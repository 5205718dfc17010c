"""`policies.yaml`: what the control flow of a bundle must keep to, as data, checked on all its paths.

Conditions are left aside: a path counts whether or not any case can take it. Where that is too strict a waiver says
so, with a reason, and stands in the findings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Literal

from engine import bpmn
from engine.bpmn import Finding, Graph, Node
from engine.catalogue import CACHED, Entry, load_yaml

FILE = "policies.yaml"

Kind = Literal["before", "after", "every_task"]
KINDS: tuple[Kind, ...] = ("before", "after", "every_task")
SELECTORS = ("form", "message", "process", "element")
PARTS: Mapping[str, Callable[[bpmn.UserTask], object]] = {
    "group": lambda task: task.candidate_groups or task.candidate_users or task.assignee,
    "form": lambda task: task.form_id,
    "deadline": lambda task: task.due_event or task.due_date,
}
LABELS = {"group": "担当する役割", "form": "フォーム", "deadline": "期限"}


@dataclass(frozen=True, slots=True)
class Selector:
    """Elements by one property: a user task's form, a thrown message, the start of a process, or the id."""

    by: str
    value: str

    def holds(self, node: Node) -> bool:
        if self.by == "process":
            return node.key.count("/") == 1 and node.process == self.value and not node.element.incoming
        return {"form": node.form, "message": node.throws, "element": node.id}[self.by] == self.value


@dataclass(frozen=True, slots=True)
class Waiver:
    """At `element` only the branch `takes` is judged; without one, no path through the element is."""

    element: str
    reason: str
    takes: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """`before`: nothing in `of` is reached but by way of `through`; `after`: nothing ends after `of` but by `through`.

    `every_task`: every user task has these `parts`. `unlike`: no role may do both one of it and one of `through`.
    """

    id: str
    title: str
    help: str
    kind: Kind
    of: Selector | None = None
    through: tuple[Selector, ...] = ()
    unlike: Selector | None = None
    parts: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is against a policy, and what was let be with a reason."""

    findings: tuple[Finding, ...] = ()
    waived: tuple[Finding, ...] = ()


# Reading ------------------------------------------------------------------------------------------------


@lru_cache(CACHED)
def read(source: bytes) -> tuple[Policy, ...]:
    """The policies; raises FileUnreadable naming the first place that is not as it should be."""
    top = Entry(load_yaml(source, FILE) or {}, "", FILE)
    top.only("policies")
    return tuple(_policy(entry) for entry in top.entries("policies"))


def _policy(entry: Entry) -> Policy:
    entry.only("id", "title", "help", *KINDS, "through", "unlike", "waivers")
    kinds = [kind for kind in KINDS if kind in entry.keys]
    if len(kinds) != 1:
        entry.refuse("", f"{'・'.join(KINDS)} のどれか一つ")
    kind = kinds[0]
    policy = Policy(
        entry.text("id"),
        entry.text("title"),
        entry.text("help", ""),
        kind,
        unlike=_selector(entry.within("unlike")) if "unlike" in entry.keys else None,
        through=tuple(_selector(each) for each in entry.entries("through")),
        waivers=tuple(_waiver(each) for each in entry.entries("waivers")),
    )
    if kind == "every_task":
        parts = entry.names(kind)
        if not parts or not set(parts) <= PARTS.keys():
            entry.refuse(kind, f"{'・'.join(PARTS)} のリスト")
        return replace(policy, parts=parts)
    if not policy.through:
        entry.refuse("through", "一つ以上")
    return replace(policy, of=_selector(entry.within(kind)))


def _selector(entry: Entry) -> Selector:
    entry.only(*SELECTORS)
    if len(entry.keys) != 1:
        entry.refuse("", f"{'・'.join(SELECTORS)} のどれか一つ")
    return Selector(entry.keys[0], entry.text(entry.keys[0]))


def _waiver(entry: Entry) -> Waiver:
    entry.only("element", "takes", "reason")
    reason = entry.text("reason")
    if not reason.strip():
        entry.refuse("reason", "免除する理由")
    return Waiver(entry.text("element"), reason, entry.text("takes") if "takes" in entry.keys else None)


# Checking -----------------------------------------------------------------------------------------------


def check(policies: Iterable[Policy], bundle: bpmn.Bundle, messages: Collection[str]) -> Judgement:
    """Judge every path of the bundle's control flow; `messages` are those that people send from the pages."""
    chosen = tuple(policies)
    if not chosen:
        return Judgement()
    graph = bpmn.control_flow(bundle, messages)
    findings: list[Finding] = []
    waived: list[Finding] = []
    for policy in chosen:
        findings += [*_dangling(policy, graph), *_JUDGES[policy.kind](policy, graph), *_shared_roles(policy, graph)]
        waived += _waivers(policy, graph)
    return Judgement(tuple(dict.fromkeys(findings)), tuple(dict.fromkeys(waived)))


def _tell(policy: Policy, node: Node, message: str) -> Finding:
    help = f" {policy.help}" if policy.help else ""
    return Finding(node.file, node.id, node.name, f"{policy.id} {policy.title}: {message}{help}")


def _select(graph: Graph, *selectors: Selector) -> list[Node]:
    return [node for node in graph.nodes.values() if any(selector.holds(node) for selector in selectors)]


def _dangling(policy: Policy, graph: Graph) -> Iterator[Finding]:
    """What the policy names that no process has: it would hold of nothing."""
    named = [each for each in (policy.of, *policy.through, policy.unlike) if each is not None]
    named += [Selector("element", waiver.element) for waiver in policy.waivers]
    named += [Selector("element", waiver.takes) for waiver in policy.waivers if waiver.takes is not None]
    for selector in named:
        if not _select(graph, selector):
            told = f"{policy.id} の {selector.by}「{selector.value}」に当たる要素がありません。"
            help = f" {policy.help}" if policy.help and selector in policy.through else ""
            yield Finding(FILE, policy.id, policy.title, f"{told}{help}")


def _waivers(policy: Policy, graph: Graph) -> Iterator[Finding]:
    for waiver in policy.waivers:
        for node in _select(graph, Selector("element", waiver.element)):
            yield Finding(node.file, node.id, node.name, f"{policy.id} {policy.title}: 免除({waiver.reason})")


def _before(policy: Policy, graph: Graph) -> Iterator[Finding]:
    """A finding for each element that can be reached around `through`, with a way that does so."""
    assert policy.of is not None  # noqa: S101 - so it was read
    came_from = _around(graph, policy)
    for node in _select(graph, policy.of):
        if node.key in came_from:
            way = list(_back(node.key, came_from))[::-1]
            yield _tell(policy, node, f"「{_told(way, graph)}」と進むと、{_through(policy, graph)}を通りません。")


def _around(graph: Graph, policy: Policy) -> dict[str, str | None]:
    """Every node that begins on some path around `through`, and the node it was reached from."""
    passed = {node.key for node in _select(graph, *policy.through)}
    done: set[str] = set()
    came_from: dict[str, str | None] = {}
    pending: deque[tuple[str, str | None]] = deque((root, None) for root in graph.roots)
    while pending:
        key, source = pending.popleft()
        node = graph.nodes[key]
        if key in came_from or not node.needs <= done:
            continue
        came_from[key] = source
        ways = [*node.interrupts, *([] if key in passed else _judged(node, policy, graph))]
        if key not in passed:
            done.add(key)
        pending += [(target, key) for way in ways for target in sorted(way)]
    return came_from


def _after(policy: Policy, graph: Graph) -> Iterator[Finding]:
    """A finding for each element after which everything can end around `through`, with a way that does so."""
    assert policy.of is not None  # noqa: S101 - so it was read
    goes_to = _ending(graph, policy)
    for node in _select(graph, policy.of):
        way = _escape(_judged(node, policy, graph), goes_to)
        if way is not None:
            path = [node.key, *(_back(min(way), goes_to) if way else ())]
            yield _tell(
                policy, node, f"「{_told(path, graph)}」と進むと、{_through(policy, graph)}を通らずに終わります。"
            )


def _ending(graph: Graph, policy: Policy) -> dict[str, str | None]:
    """Every node from which all can end around `through`, and the node that comes next on the way there."""
    passed = {node.key for node in _select(graph, *policy.through)}
    goes_to: dict[str, str | None] = {}
    grown = True
    while grown:
        grown = False
        for key, node in graph.nodes.items():
            if key in goes_to:
                continue
            ways = [*node.interrupts, *([] if key in passed else _judged(node, policy, graph))]
            way = _escape(ways, goes_to)
            if way is not None:
                goes_to[key], grown = min(way, default=None), True
    return goes_to


def _escape(ways: Iterable[bpmn.Way], goes_to: Mapping[str, str | None]) -> bpmn.Way | None:
    """The first way of which every part can end; all parts begin, so one that cannot holds the others to it."""
    return next((way for way in ways if all(target in goes_to for target in way)), None)


def _judged(node: Node, policy: Policy, graph: Graph) -> list[bpmn.Way]:
    """The ways on from a node that its waivers leave to be judged."""
    for waiver in policy.waivers:
        if waiver.element == node.id:
            return [way for way in node.flows if any(graph.nodes[key].id == waiver.takes for key in way)]
    return node.flows


def _every_task(policy: Policy, graph: Graph) -> Iterator[Finding]:
    waived = {waiver.element for waiver in policy.waivers}
    for node in graph.nodes.values():
        if node.task is not None and node.id not in waived:
            missing = [LABELS[part] for part in policy.parts if not PARTS[part](node.task)]
            if missing:
                yield _tell(policy, node, f"{'・'.join(missing)}がありません。")


def _shared_roles(policy: Policy, graph: Graph) -> Iterator[Finding]:
    """The elements of `through` that a role may do which may also do one of `unlike`."""
    if policy.unlike is None:
        return
    others = {group for node in _select(graph, policy.unlike) for group in _groups(node)}
    for node in _select(graph, *policy.through):
        shared = sorted(others & set(_groups(node)))
        if shared:
            yield _tell(policy, node, f"同じ役割({'、'.join(shared)})が両方を行えます。")
        elif "" in others or "" in _groups(node):
            yield _tell(policy, node, "役割が式で決まるので、別の役割かどうかを確かめられません。")


def _groups(node: Node) -> tuple[str, ...]:
    """The groups that may do a task; an empty name where an expression decides."""
    groups = None if node.task is None else node.task.candidate_groups
    if groups is None or groups.compiled is not None:
        return ("",)
    return tuple(name.strip() for name in groups.text.split(",") if name.strip())


_JUDGES: Mapping[Kind, Callable[[Policy, Graph], Iterator[Finding]]] = {
    "before": _before,
    "after": _after,
    "every_task": _every_task,
}


def _back(key: str, links: Mapping[str, str | None]) -> Iterator[str]:
    """The nodes along the links, from `key` on."""
    current: str | None = key
    while current is not None:
        yield current
        current = links[current]


def _told(way: Iterable[str], graph: Graph) -> str:
    """The names along the way, each once where it stands twice in a row; what has no name is left out."""
    named = [graph.nodes[key].name for key in way if graph.nodes[key].name != graph.nodes[key].id]
    return " → ".join(name for name, _ in groupby(named))


def _through(policy: Policy, graph: Graph) -> str:
    names = dict.fromkeys(node.name for node in _select(graph, *policy.through))
    return "か".join(f"「{name}」" for name in names)
