"""Random block-structured processes as trees, for the token game and for the engine.

What a step does must not depend on the order of things that happen at once, which BPMN leaves open: wherever
variables are written without a wait, the wait that causes it stands directly before.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import strategies as st

from .block_processes import MAIN
from .blocks import (
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
)

VARIABLES = ("v0", "v1", "v2")
CODES = ("E1", "E2")


def _caught(events: tuple[Boundary, ...] | tuple[EventSubprocess, ...]) -> frozenset[str]:
    codes = {event.event.code for event in events if event.event.kind == "error"}
    return frozenset(CODES if "" in codes else codes)


class _Trees:
    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.numbers = count(1)
        self.called: list[str] = []
        self.budget = 22
        self.codes: frozenset[str] = frozenset()
        """The codes of the errors that are caught here."""
        self.conditional = True
        """Whether there is no conditional event yet: of two that happen at once, BPMN leaves open which is first."""
        self.kinds: dict[str, Callable[[int], Block]] = {
            "task": self.task,
            "sequence": self.sequence,
            "exclusive": self.exclusive,
            "parallel": self.parallel,
            "inclusive": self.inclusive,
            "loop": self.loop,
            "subprocess": self.subprocess,
            "choice": self.choice,
            "call": self.call,
            "catch": self.catch,
            "pass": self.nothing,
            "jump": lambda _: Jump(self.name("jump")),
            "undo": self.undo,
            "throw": lambda _: Throw(self.name("throw")),
        }

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def one(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def block(self, depth: int) -> Block:
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.kinds[self.one("task", "task", "task", "catch", "pass", "jump", "throw")](0)
        return self.kinds[self.one(*self.kinds)](depth - 1)

    def some(self, depth: int, least: int = 2) -> tuple[Block, ...]:
        return tuple(self.block(depth) for _ in range(self.draw(st.integers(least, 3))))

    def condition(self) -> Condition:
        return Condition(self.one(*VARIABLES), self.one(0, 1, 2))

    def event(self, *kinds: str) -> Event:
        kind = self.one(*kinds, "condition") if self.conditional and "condition" not in kinds else self.one(*kinds)
        self.conditional &= kind != "condition"
        times = self.one(1, 2, 3) if kind == "cycle" else 1
        variable = self.one(*VARIABLES) if kind in ("message", "signal", "condition") else ""
        value = self.one(0, 1, 2) if kind == "condition" else 0
        code = self.one(*CODES, "") if kind == "error" else ""
        return Event(self.name(kind), kind, variable, times, value, code)

    def path(self, depth: int, *finishes: str) -> Path:
        finish = self.one(*finishes, *(["error"] if self.codes and "end" in finishes else []))
        block = self.block(depth)
        if finish != "error":
            return Path(self.name("path"), block, finish)
        block = Sequence(self.name("sequence"), (block, self.plain_task()))
        return Path(self.name("path"), block, "error", self.one(*sorted(self.codes)))

    def waiting(self, depth: int) -> Block:
        """A block that does nothing before a first task is done."""
        return Sequence(self.name("sequence"), (self.plain_task(), self.block(depth)))

    # Kinds ------------------------------------------------------------------------------------------------

    def nothing(self, _: int) -> Block:
        return Pass(self.name("pass"))

    def plain_task(self) -> Task:
        return Task(self.name("task"), self.one(*VARIABLES, None))

    def task(self, depth: int) -> Block:
        task = self.plain_task()
        boundaries, loop = self.boundaries(depth), self.repetition(task.writes)
        return Task(task.id, task.writes, boundaries, loop, self.handler(task.id) if loop is None else None)

    def undo(self, depth: int) -> Block:
        """Something that can be undone, and that may be."""
        task = self.plain_task()
        done = Task(task.id, task.writes, undone_by=Task(f"undo_{task.id}", self.one(None, *VARIABLES)))
        parts = (done, self.block(depth), self.plain_task(), Undo(self.name("undo")))
        return Sequence(self.name("sequence"), parts)

    def handler(self, name: str) -> Task | None:
        return Task(f"undo_{name}", self.one(None, *VARIABLES)) if self.one(False, True) else None

    def sequence(self, depth: int) -> Block:
        return Sequence(self.name("sequence"), self.some(depth))

    def parallel(self, depth: int) -> Block:
        return Parallel(self.name("parallel"), self.some(depth))

    def exclusive(self, depth: int) -> Block:
        choices = tuple(
            (self.condition(), self.path(depth, "merge", "merge", "end", "terminate"))
            for _ in range(self.draw(st.integers(1, 2)))
        )
        return Exclusive(self.name("exclusive"), choices, self.path(depth, "merge"))

    def inclusive(self, depth: int) -> Block:
        branches = self.some(depth)
        return Inclusive(self.name("inclusive"), tuple(self.condition() for _ in branches[1:]), branches)

    def loop(self, depth: int) -> Block:
        name = self.name("loop")
        decision = Task(self.name("task"), f"again_{name}")
        body = Sequence(self.name("sequence"), (self.block(depth), decision))
        return Loop(name, body, Condition(f"again_{name}", 1))

    def catch(self, _: int) -> Block:
        return Catch(self.name("catch"), self.event("message", "signal", "timer"))

    def choice(self, depth: int) -> Block:
        first = (self.event("message"), self.path(depth, "merge"))
        others = [
            (self.event("timer", "message", "signal"), self.path(depth, "merge", "end", "terminate"))
            for _ in range(self.draw(st.integers(1, 2)))
        ]
        return EventChoice(self.name("choice"), (first, *others))

    def subprocess(self, depth: int) -> Block:
        gives = self.one(None, None, *((a, b) for a in VARIABLES for b in VARIABLES))
        boundaries = self.boundaries(depth, errors=True)
        name, loop = self.name("subprocess"), self.repetition(self.one(*VARIABLES))
        handler = self.handler(name) if loop is None and self.one(False, False, True) else None
        body = self.scope(depth, boundaries, waits=gives is not None or handler is not None)
        return Subprocess(name, body, self.one(None, *VARIABLES), gives, boundaries, loop, handler)

    def scope(self, depth: int, boundaries: tuple[Boundary, ...] = (), *, waits: bool = False) -> Block:
        """The whole of a process or subprocess: errors in it are caught by its event subprocesses, then outside."""
        outside = self.codes
        self.codes = outside | _caught(boundaries)
        events = tuple(self.event_subprocess(depth) for _ in range(self.one(0, 0, 1, 2) if self.budget > 0 else 0))
        self.codes |= _caught(events)
        block = self.waiting(depth) if waits else self.block(depth)
        self.codes = outside
        return Guarded(self.name("guarded"), block, events) if events else block

    def event_subprocess(self, depth: int) -> EventSubprocess:
        interrupting = self.draw(st.booleans())
        kinds = ("message", "signal", "timer", "cycle") + (("error", "error") if interrupting else ())
        event = self.event(*kinds)
        return EventSubprocess(self.name("events"), event, interrupting, self.block(depth - 1))

    def call(self, depth: int) -> Block:
        if not self.called:
            return self.subprocess(depth)
        loop = self.repetition(None)
        sources = self.draw(st.permutations(VARIABLES))
        mapped = tuple(zip(sources, VARIABLES, strict=True))
        inputs = self.one(None, mapped)
        given = self.one(None, (), (("v1", "v0"),), (("v0", "v1"), ("v1", "v2")))
        outputs = () if loop is not None and inputs is None and given is None else given
        return Call(self.name("call"), self.one(*self.called), inputs, outputs, self.boundaries(depth), loop)

    def boundaries(self, depth: int, *, errors: bool = False) -> tuple[Boundary, ...]:
        number = self.one(0, 0, 0, 1, 1, 2) if self.budget > 0 else 0
        return tuple(self.boundary(depth, errors=errors) for _ in range(number))

    def boundary(self, depth: int, *, errors: bool) -> Boundary:
        interrupting = self.draw(st.booleans())
        if interrupting:
            event = self.event("message", "signal", "timer", *(["error"] * 3 if errors else []))
            return Boundary(event, True, self.path(depth, "merge", "merge", "end", "terminate"))
        event = self.event("message", "signal", "timer", "cycle")
        return Boundary(event, False, self.path(depth, "end", "end", "end", "merge", "terminate"))

    def repetition(self, written: str | None) -> Repetition | None:
        if not self.one(False, False, False, True):
            return self.multi_instance(written)
        again = self.one(None, Condition(written, self.one(0, 1))) if written else None
        return StandardLoop(self.draw(st.booleans()), self.one(1, 2, 3), again)

    def multi_instance(self, written: str | None) -> MultiInstance | None:
        if not self.one(False, False, True):
            return None
        items = tuple(self.draw(st.lists(st.integers(5, 9), max_size=3)))
        sources = ["item", "loopCounter", *([written] if written else [])]
        output = (self.name("collection"), self.one(*sources)) if items and self.draw(st.booleans()) else None
        ending = self.one("all", "all", "enough", "until")
        return MultiInstance(
            sequential=self.draw(st.booleans()),
            items=items,
            output=output,
            enough=self.one(1, 2) if ending == "enough" else None,
            until=Condition(written or "item", self.one(1, 2, 7)) if ending == "until" else None,
        )


@st.composite
def block_processes(draw: Callable[..., Any]) -> Processes:
    """A main process and the processes it may call, as trees by process id."""
    trees = _Trees(draw)
    processes: Processes = {}
    for _ in range(draw(st.integers(0, 2))):
        name = trees.name("process")
        processes[name] = trees.waiting(2)
        trees.called.append(name)
    trees.budget = 22
    processes[MAIN] = trees.scope(4)
    return processes
