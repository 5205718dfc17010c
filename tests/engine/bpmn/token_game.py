"""The token game of BPMN 2.0, played on a tree of blocks: what a process must do, without any engine.

Where a token goes next is a matter of the tree alone: a token is a block and a scope. Written from BPMN 2.0 clause 13 (and the variable scopes of Camunda 8); knows no XML and no FEEL.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Iterator
from typing import Any, Literal, TypeVar

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
    EventSubprocess,
    Exclusive,
    Guarded,
    Inclusive,
    Jump,
    Loop,
    MultiInstance,
    Parallel,
    Pass,
    Path,
    Processes,
    Repetition,
    Sequence,
    StandardLoop,
    Subprocess,
    Task,
    Throw,
    Undo,
    inner,
)
from .token_state import Scope, Token, Variables, Wait
from .token_undo import Undoing


def _mapped(mappings: tuple[tuple[str, str], ...], view: ChainMap[str, Any]) -> Variables:
    """In order; a later mapping sees what an earlier one gave."""
    values: Variables = {}
    for source, target in mappings:
        values[target] = view.new_child(values)[source]
    return values


Catching = TypeVar("Catching", Boundary, EventSubprocess)


def _catching(events: tuple[Catching, ...], code: str) -> list[Catching]:
    """Those that catch an error with this code, the most exact first."""
    errors = [event for event in events if event.event.kind == "error" and event.event.code in (code, "")]
    return sorted(errors, key=lambda event: event.event.code == "")


class Game(Undoing):
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
        self.thrown: list[str] = []
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
        for event in getattr(block, "events", ()):
            self._index(event.body)

    @property
    def offered(self) -> list[Wait]:
        """What the outside can make happen."""
        return [wait for wait in self.waits if wait.kind != "condition"]

    def happen(self, wait: Wait, value: int) -> None:
        self.written, self.thrown = [], []
        if wait.event is None:
            self._complete_task(wait.token, value)
        else:
            self._occur(wait, {wait.event.variable: value} if wait.kind == "message" else {})
        self._run()

    def _occur(self, wait: Wait, payload: Variables) -> None:
        """The event that is waited for takes place."""
        token, block = wait.token, wait.token.block
        wait.left -= wait.kind == "timer"
        if not wait.left:
            self.waits.remove(wait)
        if wait.boundary is not None:
            self._boundary(token, wait.boundary, payload)
        elif isinstance(block, EventSubprocess):
            self._event_subprocess(block, token.scope, payload)
        else:
            self._withdraw(token)
            self._write(token.scope, payload)
            if wait.path is None:
                self._go("leave", block, token.scope)
            else:
                self._go("enter", wait.path.block, token.scope)

    # The run to the next rest -----------------------------------------------------------------------------

    def _go(self, way: Literal["enter", "leave"], block: Block, scope: Scope) -> None:
        self.moving.append((way, block, scope))

    def _run(self) -> None:
        self._test_conditions()
        while self.moving or self._release_inclusive() or self._end_scope():
            if self.moving:
                way, block, scope = self.moving.popleft()
                if way == "enter":
                    self._enter(block, scope)
                else:
                    self._leave(block, scope)
            self._test_conditions()

    def _test_conditions(self) -> None:
        """Whatever waits for a condition that has become true takes place, before anything goes on."""
        rising = []
        for wait in self.waits:
            if wait.event is not None and wait.event.kind == "condition":
                before, wait.held = wait.held, wait.token.view.get(wait.event.variable) == wait.event.value
                rising += [wait] if wait.held and not before else []
        for wait in rising:
            if wait in self.waits:
                self._occur(wait, {})

    def _enter(self, block: Block, scope: Scope) -> None:
        match block:
            case Pass() | Jump():
                self._go("leave", block, scope)
            case Throw(id=name):
                self.thrown.append(name)
                self._go("leave", block, scope)
            case Undo():
                self._undo(block, scope)
            case Guarded(block=guarded, events=events):
                scope.guards = events
                for event in events:
                    token = Token(event, scope)
                    scope.armed.append(token)
                    self._wait_for(event.event, token)
                self._go("enter", guarded, scope)
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
            case Sequence() | Loop() | Guarded():
                self._go("leave", parent, scope)
            case Path(finish="merge"):
                self._go("leave", self.owners[parent.id], scope)
            case Path(finish="terminate"):
                self._cancel_inside(scope)
            case Path(finish="error", code=code):
                self._throw(scope, code)

    def _join(self, block: Parallel | Inclusive, scope: Scope) -> None:
        for index in range(len(block.branches)):
            scope.arrived[block.id, index] -= 1 if scope.arrived[block.id, index] else 0
        self._go("leave", block, scope)

    def _release_inclusive(self) -> bool:
        """Fire one inclusive join that holds a token, if no token can still come to a branch from which none came."""
        for scope in self.scopes:
            going = [token for token in scope.tokens if token.pending is None or isinstance(token.block, Undo)]
            occupied = {token.block.id for token in going} | {j for (j, _), n in scope.arrived.items() if n}
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
                self._disarm(scope)
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
        kinds: dict[str, Literal["message", "timer", "condition"]]
        kinds = {"signal": "message", "message": "message", "condition": "condition"}
        if event.kind != "error":
            element = token.block.id if isinstance(token.block, EventSubprocess) else event.id
            self.waits.append(Wait(kinds.get(event.kind, "timer"), element, token, event, boundary, path, event.times))

    def _boundary(self, host: Token, boundary: Boundary, payload: Variables) -> None:
        if boundary.interrupting:
            self._cancel(host)
        self._write(host.scope, payload)
        self._go("enter", boundary.path.block, host.scope)

    def _event_subprocess(self, block: EventSubprocess, scope: Scope, payload: Variables) -> None:
        if block.interrupting:
            self._cancel_inside(scope)
        inside = self._open_scope(self._stand(block, scope), block.body, None)
        self._write(inside, payload)

    def _throw(self, scope: Scope, code: str) -> None:
        """The nearest that catches the error has it: event subprocesses of a scope come before its boundary."""
        inside: Token | None = None
        while True:
            if inside is None or not isinstance(inside.block, EventSubprocess):
                for guard in _catching(scope.guards, code):
                    return self._event_subprocess(guard, scope, {})
            assert scope.owner is not None, "the error is caught somewhere"
            inside = scope.owner
            host = inside.whole or inside
            for boundary in _catching(getattr(host.block, "boundaries", ()), code):
                return self._boundary(host, boundary, {})
            scope = inside.scope

    # Activities -------------------------------------------------------------------------------------------

    def _begin(self, block: Activity, scope: Scope) -> None:
        token = self._stand(block, scope)
        for boundary in block.boundaries:
            self._wait_for(boundary.event, token, boundary=boundary)
        if block.loop is None:
            self._work(token)
        elif isinstance(block.loop, StandardLoop):
            if block.loop.before and block.loop.again and not self._holds(block.loop.again, token.view):
                self._nothing_to_do(token)
            else:
                self._instance(token, block.loop, 0)
        elif not block.loop.items:
            self._nothing_to_do(token)
        else:
            token.collected = [None] * len(block.loop.items)
            for index in range(1 if block.loop.sequential else len(block.loop.items)):
                self._instance(token, block.loop, index)

    def _nothing_to_do(self, token: Token) -> None:
        """The activity has begun all the same: a condition at its boundary that holds takes place."""
        self._test_conditions()
        if token in token.scope.tokens:
            self._whole(token)

    def _instance(self, whole: Token, loop: Repetition, index: int) -> None:
        local = {"loopCounter": index + 1}
        if isinstance(loop, MultiInstance):
            local["item"] = loop.items[index]
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
        if owner.pending is not None:
            self._undo_next(owner)
            return
        if not isinstance(block, Call):
            owner.undoable = scope.completed
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
        self._remember(token)
        whole, loop = token.whole, getattr(token.block, "loop", None)
        if whole is None or loop is None:
            self._whole(token)
            self._was_undone(token)
            return
        self._withdraw(token)
        whole.completed += 1
        if isinstance(loop, StandardLoop):
            if whole.completed < loop.maximum and (loop.again is None or self._holds(loop.again, whole.view)):
                self._instance(whole, loop, token.index + 1)
            else:
                self._whole(whole)
            return
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
        self._disarm(scope)
        for token in list(scope.tokens):
            self._cancel(token)

    def _disarm(self, scope: Scope) -> None:
        self.waits = [wait for wait in self.waits if wait.token not in scope.armed]
        scope.armed.clear()
