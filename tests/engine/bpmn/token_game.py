"""The token game of BPMN 2.0, played on a tree of blocks: what a process must do, without any engine.

Where a token goes next is a matter of the tree alone: a token is a block and a scope. Written from BPMN 2.0 clause 13 (and the variable scopes of Camunda 8); knows no XML and no FEEL.
"""

from __future__ import annotations

from collections import ChainMap, Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .blocks import (
    FORM,
    Activity,
    Block,
    Boundary,
    Call,
    Catch,
    Condition,
    Event,
    EventChoice,
    Exclusive,
    Inclusive,
    Loop,
    MultiInstance,
    Parallel,
    Pass,
    Path,
    Processes,
    Sequence,
    Subprocess,
    Task,
    inner,
)

Variables = dict[str, Any]


@dataclass(eq=False, slots=True)
class Scope:
    """A process, or a subprocess that runs; only a process has variables of its own."""

    owner: Token | None
    variables: Variables | None
    tokens: list[Token] = field(default_factory=list)
    arrived: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Tokens at joins, by join and branch."""

    @property
    def path(self) -> str:
        return "" if self.owner is None else self.owner.path

    def holders(self) -> Iterator[tuple[str, Variables]]:
        """Where variables stand that are seen in this scope, innermost first."""
        if self.variables is not None:
            yield self.path, self.variables
        elif self.owner is not None:
            yield self.path, self.owner.local
            yield from self.owner.scope.holders()

    @property
    def view(self) -> ChainMap[str, Any]:
        return ChainMap(*(values for _, values in self.holders()))


@dataclass(eq=False, slots=True)
class Token:
    """A token that stays: at an event, or as the activation of an activity (`whole`: of which it is one instance)."""

    block: Block
    scope: Scope
    local: Variables = field(default_factory=dict)
    whole: Token | None = None
    index: int = 0
    instances: list[Token] = field(default_factory=list)
    completed: int = 0
    collected: list[Any] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.scope.path}/{self.block.id}".lstrip("/")

    @property
    def view(self) -> ChainMap[str, Any]:
        return self.scope.view.new_child(self.local)


@dataclass(eq=False, slots=True)
class Wait:
    """Something the outside can make happen: the completion of a task, a message, a timer."""

    kind: Literal["task", "message", "timer"]
    element: str
    token: Token
    event: Event | None = None
    boundary: Boundary | None = None
    path: Path | None = None
    left: int = 1


def _mapped(mappings: tuple[tuple[str, str], ...], view: ChainMap[str, Any]) -> Variables:
    """In order; a later mapping sees what an earlier one gave."""
    values: Variables = {}
    for source, target in mappings:
        values[target] = view.new_child(values)[source]
    return values


class Game:
    """One instance of `main`. `happen` makes the next thing happen; everything else follows from it."""

    def __init__(self, processes: Processes, main: str, variables: Variables) -> None:
        self.processes = processes
        self.belongs: dict[str, tuple[Block | Path, int]] = {}
        self.owners: dict[str, Block] = {}
        for body in processes.values():
            self._index(body)
        self.waits: list[Wait] = []
        self.scopes: list[Scope] = []
        self.moving: deque[tuple[Literal["enter", "leave"], Block, Scope]] = deque()
        self.written: list[tuple[str, str, Any]] = [("", name, value) for name, value in variables.items()]
        self.ended = False
        self.instance = self._open_scope(None, processes[main], dict(variables))
        self._run()

    def _index(self, block: Block) -> None:
        for child, parent, index in inner(block):
            self.belongs[child.id] = (parent, index)
            if isinstance(parent, Path):
                self.owners[parent.id] = block
            self._index(child)
        if isinstance(block, Subprocess):
            self._index(block.body)

    def happen(self, wait: Wait, value: int) -> None:
        self.written = []
        token = wait.token
        payload = {} if wait.event is None or wait.event.kind != "message" else {wait.event.variable: value}
        if wait.event is None:
            self._complete_task(token, value)
        elif wait.boundary is not None:
            self._boundary(wait, wait.boundary, payload)
        else:
            self._withdraw(token)
            self._write(token.scope, payload)
            if wait.path is None:
                self._go("leave", token.block, token.scope)
            else:
                self._go("enter", wait.path.block, token.scope)
        self._run()

    # The run to the next rest -----------------------------------------------------------------------------

    def _go(self, way: Literal["enter", "leave"], block: Block, scope: Scope) -> None:
        self.moving.append((way, block, scope))

    def _run(self) -> None:
        while self.moving or self._release_inclusive() or self._end_scope():
            while self.moving:
                way, block, scope = self.moving.popleft()
                if way == "enter":
                    self._enter(block, scope)
                else:
                    self._leave(block, scope)

    def _enter(self, block: Block, scope: Scope) -> None:
        match block:
            case Pass():
                self._go("leave", block, scope)
            case Sequence(blocks=blocks):
                self._go("enter", blocks[0], scope)
            case Parallel(branches=branches):
                for branch in branches:
                    self._go("enter", branch, scope)
            case Exclusive():
                chosen = [path for condition, path in block.choices if self._holds(condition, scope.view)]
                self._go("enter", (chosen or [block.default])[0].block, scope)
            case Inclusive():
                true = [b for c, b in zip(block.conditions, block.branches, strict=False) if self._holds(c, scope.view)]
                for branch in true or block.branches[-1:]:
                    self._go("enter", branch, scope)
            case Loop(body=body):
                self._go("enter", body, scope)
            case Catch(event=event):
                self._wait_for(event, self._stand(block, scope))
            case EventChoice(choices=choices):
                token = self._stand(block, scope)
                for event, path in choices:
                    self._wait_for(event, token, path=path)
            case Task() | Subprocess() | Call():
                self._begin(block, scope)

    def _leave(self, block: Block, scope: Scope) -> None:
        parent, index = self.belongs.get(block.id, (None, 0))
        match parent:
            case Sequence(blocks=blocks) if index + 1 < len(blocks):
                self._go("enter", blocks[index + 1], scope)
            case Parallel(branches=branches):
                scope.arrived[parent.id, index] += 1
                if all(scope.arrived[parent.id, n] for n in range(len(branches))):
                    self._join(parent, scope)
            case Inclusive():
                scope.arrived[parent.id, index] += 1
            case Loop(body=body, again=again) if self._holds(again, scope.view):
                self._go("enter", body, scope)
            case Sequence() | Loop():
                self._go("leave", parent, scope)
            case Path(finish="merge"):
                self._go("leave", self.owners[parent.id], scope)
            case Path(finish="terminate"):
                self._cancel_inside(scope)

    def _join(self, block: Parallel | Inclusive, scope: Scope) -> None:
        for index in range(len(block.branches)):
            scope.arrived[block.id, index] -= 1 if scope.arrived[block.id, index] else 0
        self._go("leave", block, scope)

    def _release_inclusive(self) -> bool:
        """Fire one inclusive join that holds a token, if no token can still come to a branch from which none came."""
        for scope in self.scopes:
            occupied = {token.block.id for token in scope.tokens} | {j for (j, _), n in scope.arrived.items() if n}
            reached = {place for block in occupied for place in self._ways_out(block)}
            for block in self._inclusive(scope):
                empty = [n for n in range(len(block.branches)) if not scope.arrived[block.id, n]]
                if len(empty) < len(block.branches) and not any((block.id, n) in reached for n in empty):
                    self._join(block, scope)
                    return True
        return False

    def _inclusive(self, scope: Scope) -> list[Inclusive]:
        ids = {name for (name, _), count in scope.arrived.items() if count}
        parents = {parent.id: parent for parent, _ in self.belongs.values() if isinstance(parent, Inclusive)}
        return [parents[name] for name in sorted(ids & parents.keys())]

    def _ways_out(self, block_id: str) -> Iterator[tuple[str, int]]:
        """The joins around a block that a token there can come to, each with the branch; innermost first."""
        while block_id in self.belongs:
            parent, index = self.belongs[block_id]
            if isinstance(parent, Path):
                if parent.finish != "merge":
                    return
                block_id = self.owners[parent.id].id
            else:
                yield parent.id, index
                block_id = parent.id

    def _end_scope(self) -> bool:
        """End one scope in which no token is left."""
        for scope in reversed(self.scopes):
            if not scope.tokens and not +scope.arrived:
                self.scopes.remove(scope)
                if scope.owner is None:
                    self.ended = True
                else:
                    self._scope_ended(scope.owner, scope)
                return True
        return False

    def _holds(self, condition: Condition, view: ChainMap[str, Any]) -> bool:
        return bool(view.get(condition.variable) == condition.value)

    # Variables --------------------------------------------------------------------------------------------

    def _write(self, scope: Scope, values: Variables) -> None:
        """Where the name stands already, innermost first; else in the process."""
        for name, value in values.items():
            holders = list(scope.holders())
            path, holder = next((pair for pair in holders if name in pair[1]), holders[-1])
            holder[name] = value
            self.written.append((path, name, value))

    # Events -----------------------------------------------------------------------------------------------

    def _stand(self, block: Block, scope: Scope) -> Token:
        token = Token(block, scope)
        scope.tokens.append(token)
        return token

    def _wait_for(
        self, event: Event, token: Token, *, boundary: Boundary | None = None, path: Path | None = None
    ) -> None:
        kind: Literal["message", "timer"] = "message" if event.kind == "message" else "timer"
        self.waits.append(Wait(kind, event.id, token, event, boundary, path, event.times))

    def _boundary(self, wait: Wait, boundary: Boundary, payload: Variables) -> None:
        host = wait.token
        wait.left -= wait.kind == "timer"
        if boundary.interrupting:
            self._cancel(host)
        elif not wait.left:
            self.waits.remove(wait)
        self._write(host.scope, payload)
        self._go("enter", boundary.path.block, host.scope)

    # Activities -------------------------------------------------------------------------------------------

    def _begin(self, block: Activity, scope: Scope) -> None:
        token = self._stand(block, scope)
        for boundary in block.boundaries:
            self._wait_for(boundary.event, token, boundary=boundary)
        if block.loop is None:
            self._work(token)
        elif not block.loop.items:
            self._whole(token)
        else:
            token.collected = [None] * len(block.loop.items)
            for index in range(1 if block.loop.sequential else len(block.loop.items)):
                self._instance(token, block.loop, index)

    def _instance(self, whole: Token, loop: MultiInstance, index: int) -> None:
        local = {"loopCounter": index + 1, "item": loop.items[index]}
        token = Token(whole.block, whole.scope, local, whole, index)
        whole.instances.append(token)
        self._work(token)

    def _work(self, token: Token) -> None:
        block, view = token.block, token.view
        if isinstance(block, Task):
            self.waits.append(Wait("task", block.id, token))
        elif isinstance(block, Subprocess):
            if block.local is not None:
                token.local[block.local] = view[block.local]
            self._open_scope(token, block.body, None)
        elif isinstance(block, Call):
            token.local.update(_mapped(block.inputs or (), view))
            given = dict(view) if block.inputs is None else dict(token.local)
            given["business_key"] = self.instance.view["business_key"]
            self._open_scope(token, self.processes[block.process], given)

    def _open_scope(self, owner: Token | None, body: Block, variables: Variables | None) -> Scope:
        scope = Scope(owner, variables)
        self.scopes.append(scope)
        self._go("enter", body, scope)
        return scope

    def _complete_task(self, token: Token, value: int) -> None:
        block = token.block
        assert isinstance(block, Task)
        self._done(token, {FORM: {"answer": value}} if block.writes is None else {block.writes: value})

    def _scope_ended(self, owner: Token, scope: Scope) -> None:
        block = owner.block
        values: Variables = {}
        if isinstance(block, Subprocess) and block.gives is not None:
            values = {block.gives[1]: owner.view[block.gives[0]]}
        elif isinstance(block, Call) and block.outputs is None:
            values = {name: value for name, value in scope.view.items() if name != "business_key"}
        elif isinstance(block, Call) and block.outputs:
            values = _mapped(block.outputs, scope.view)
        self._done(owner, values)

    def _done(self, token: Token, values: Variables) -> None:
        """One activation has done its work."""
        view = token.view.new_child(values)
        self._write(token.scope, values)
        whole, loop = token.whole, getattr(token.block, "loop", None)
        if whole is None or loop is None:
            self._whole(token)
            return
        self._withdraw(token)
        whole.completed += 1
        if loop.output is not None:
            whole.collected[token.index] = view[loop.output[1]]
        enough = loop.enough is not None and whole.completed >= loop.enough
        until = loop.until is not None and self._holds(loop.until, view)
        if enough or until or whole.completed == len(loop.items):
            if loop.output is not None:
                self._write(whole.scope, {loop.output[0]: whole.collected})
            self._whole(whole)
        elif loop.sequential:
            self._instance(whole, loop, token.index + 1)

    def _whole(self, token: Token) -> None:
        """The activity, with all of its instances, is done."""
        self._cancel(token)
        self._go("leave", token.block, token.scope)

    # Cancelling -------------------------------------------------------------------------------------------

    def _withdraw(self, token: Token) -> None:
        """The token goes, with everything it offered to the outside."""
        self.waits = [wait for wait in self.waits if wait.token is not token]
        holder = token.scope.tokens if token.whole is None else token.whole.instances
        holder.remove(token)

    def _cancel(self, token: Token) -> None:
        """The token goes, with everything inside."""
        self._withdraw(token)
        for instance in list(token.instances):
            self._cancel(instance)
        for scope in [scope for scope in self.scopes if scope.owner is token]:
            self._cancel_inside(scope)
            self.scopes.remove(scope)

    def _cancel_inside(self, scope: Scope) -> None:
        self.moving = deque(move for move in self.moving if move[2] is not scope)
        scope.arrived.clear()
        for token in list(scope.tokens):
            self._cancel(token)
