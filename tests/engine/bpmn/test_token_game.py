"""Random block-structured processes do in the engine what the token game says, step by step.

Two chains of the engine go beside the game: one hands the snapshot on as it is, the other through JSON text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import bpmn, feel

from .block_processes import MAIN, bpmn_files
from .block_trees import VARIABLES, block_processes
from .blocks import (
    FORM,
    Block,
    Boundary,
    Condition,
    Event,
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
)
from .fingerprint import fingerprint
from .token_game import Game
from .token_state import Wait

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
MINUTE = timedelta(minutes=1)
START = bpmn.Start(MAIN, "2026-0001", {name: feel.from_python(0) for name in VARIABLES})
GIVEN = {"business_key": "2026-0001", **dict.fromkeys(VARIABLES, 0)}

Schedule = list[tuple[int, int]]
"""Which of the things that can happen does (modulo their number), and the value it brings."""
schedules = st.lists(st.tuples(st.integers(0, 59), st.integers(0, 2)), max_size=25)


@dataclass
class Chain:
    """An instance as the outside knows it: from what each Advance opened and closed."""

    bundle: bpmn.Bundle
    stored: bool = False
    now: datetime = NOW
    snapshot: Mapping[str, Any] | None = None
    waiting: dict[tuple[str, int], Any] = field(default_factory=dict)
    """By kind (task, message, timer) and token: what was opened and not closed since."""
    written: list[tuple[str, str, Any]] = field(default_factory=list)
    thrown: list[str] = field(default_factory=list)
    ended: bool = False
    taken: list[tuple[bpmn.Cause, datetime]] = field(default_factory=list)

    def take(self, cause: bpmn.Cause) -> None:
        before = json.dumps(self.snapshot)
        advance = bpmn.advance(self.bundle, self.snapshot, cause, self.now)
        assert json.dumps(self.snapshot) == before, "the snapshot that went in was changed"
        self.snapshot = json.loads(json.dumps(advance.snapshot)) if self.stored else advance.snapshot
        assert not advance.faults
        assert advance.ended == advance.snapshot["ended"]
        if isinstance(cause, bpmn.FireTimer):
            del self.waiting["timer", cause.token]
        for kind, gone in (
            ("task", [closed.token for closed in advance.closed_tasks]),
            ("timer", advance.dropped_jobs),
            ("message", advance.closed_subscriptions),
        ):
            for token in gone:
                del self.waiting[kind, token]
        for kind, opened in (
            ("task", advance.opened_tasks),
            ("timer", advance.wanted_jobs),
            ("message", advance.opened_subscriptions),
        ):
            self.waiting |= {(kind, entry.place.token): entry for entry in opened}
        self.written = [(re.sub(r"#\d+", "", c.scope), c.name, plain(c.value)) for c in advance.variables]
        self.thrown = [signal.name for signal in advance.signals]
        self.ended = advance.ended
        self.taken.append((cause, self.now))

    def tokens(self, kind: str, element: str) -> list[int]:
        """Those that wait at an element, the oldest first."""
        return sorted(
            token for (k, token), entry in self.waiting.items() if (k, entry.place.element) == (kind, element)
        )

    def cause(self, wait: Wait, nth: int, value: int) -> bpmn.Cause:
        """The same thing for the engine: the `nth` oldest wait at this element."""
        token = self.tokens(wait.kind, wait.element)[nth]
        number = feel.from_python(value)
        if wait.kind == "task":
            return bpmn.CompleteTask(token, {"answer": number}, "anna")
        if wait.kind == "timer":
            self.now = self.waiting["timer", token].due  # punctual, whatever came before: nothing is missed
            return bpmn.FireTimer(token)
        assert wait.event is not None
        return bpmn.Receive(token, {wait.event.variable: number})

    def view(self, token: int) -> dict[str, Any]:
        assert self.snapshot is not None
        return {n: plain(v) for n, v in bpmn.task_scope(self.bundle, self.snapshot, token, self.now).variables.items()}


def plain(value: Any) -> Any:
    """Without FEEL's types: numbers as int."""
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list) else value


def compiled(processes: Processes) -> bpmn.Bundle:
    return bpmn.compile_bundle(bpmn_files(processes), {}, {FORM}, ())


def tokens_by_element(game: Game) -> dict[tuple[str, str], list[Wait]]:
    found: dict[tuple[str, str], list[Wait]] = {}
    for wait in game.offered:
        found.setdefault((wait.kind, wait.element), []).append(wait)
    return found


def agree(game: Game, chain: Chain) -> None:
    """Open tasks with all they see, waiting timers and messages, variables written, signals thrown, the end: all the same."""
    expected = tokens_by_element(game)
    actual = {(kind, entry.place.element) for (kind, _), entry in chain.waiting.items()}
    assert {key: len(chain.tokens(*key)) for key in actual} == {key: len(waits) for key, waits in expected.items()}
    for (kind, element), waits in expected.items():
        if kind == "task":
            seen = [chain.view(token) for token in chain.tokens(kind, element)]
            assert seen == [dict(wait.token.view) for wait in waits], f"what {element} sees"
    assert sorted(chain.thrown) == sorted(game.thrown)
    assert sorted(chain.written, key=repr) == sorted(game.written, key=repr)
    assert chain.ended == game.ended


def play(processes: Processes, schedule: Schedule) -> Chain:
    """Let the schedule happen in game and engine; the chain at its end."""
    bundle = compiled(processes)
    before = fingerprint(bundle)
    game = Game(processes, MAIN, GIVEN)
    live, stored = Chain(bundle), Chain(bundle, stored=True)
    live.take(START)
    stored.take(START)
    for pick, value in [*schedule, *[(0, 0)] * 40]:
        agree(game, live)
        agree(game, stored)
        assert json.dumps(live.snapshot) == json.dumps(stored.snapshot)
        if not game.offered:
            break
        waits = sorted(game.offered, key=lambda wait: (wait.kind != "task", wait.element))
        wait = waits[pick % len(waits)]
        nth = tokens_by_element(game)[wait.kind, wait.element].index(wait)
        game.happen(wait, value)
        for chain in (live, stored):
            chain.now += MINUTE
            chain.take(chain.cause(wait, nth, value))
    assert fingerprint(bundle) == before
    return live


@settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(block_processes(), schedules)
def test_the_engine_agrees_with_the_token_game_live_and_stored_and_replayed(processes, schedule):
    live = play(processes, schedule)

    replayed: Mapping[str, Any] | None = None
    again = compiled(processes)
    for cause, now in live.taken:
        replayed = bpmn.advance(again, replayed, cause, now).snapshot
    assert replayed == live.snapshot

    for cause, now in live.taken[-3:]:
        if isinstance(cause, bpmn.CompleteTask):
            with pytest.raises(bpmn.TokenGone):
                bpmn.advance(live.bundle, live.snapshot, cause, now)


PARALLEL = Parallel("both", (Task("a"), Task("b")))
INCLUSIVE = Inclusive("some", (Condition("v0", 0), Condition("v1", 0)), (Task("a"), Task("b"), Task("otherwise")))


@pytest.mark.parametrize("block", [PARALLEL, INCLUSIVE], ids=["parallel", "inclusive"])
def test_a_join_gives_one_token_for_each_set_that_came_however_often_its_flows_are_taken(block):
    again = Boundary(Event("again", "message", "v2"), interrupting=False, path=Path("more", Pass("pass"), "merge"))
    processes = {MAIN: Sequence("all", (Task("host", boundaries=(again,)), block, Task("after")))}
    twice = [(1, 0), (3, 0)]  # the message, with nothing but the host open; and again, with a and b open too

    live = play(processes, twice)

    assert live.ended
    completed = Counter(cause.token for cause, _ in live.taken if isinstance(cause, bpmn.CompleteTask))
    assert len(completed) == 1 + 3 * 3, "the host, and a, b and what comes after for each of three tokens"


def looping(task: str) -> Processes:
    """Three tasks in a loop; `task` gives the first one boundary events and instances."""
    event = Boundary(Event("reminded", "message", "v1"), interrupting=False, path=Path("aside", Pass("note"), "end"))
    late = Boundary(Event("late", "timer"), interrupting=True, path=Path("recovery", Pass("recover"), "merge"))
    firsts: dict[str, Block] = {
        "plain": Task("first", "v0"),
        "with boundary events": Task("first", "v0", (event, late)),
        "multi-instance": Task("first", "v0", (), MultiInstance(False, (5, 6))),
        "in parallel": Parallel("both", (Task("first", "v0"), Task("beside", "v1"))),
        "in a subprocess": Subprocess("inside", Task("first", "v0"), boundaries=(event, late)),
    }
    body = Sequence("body", (firsts[task], Task("second", "v2"), Task("third", "again")))
    return {MAIN: Loop("loop", body, Condition("again", 1))}


@pytest.mark.parametrize("task", ["plain", "with boundary events", "multi-instance", "in parallel", "in a subprocess"])
def test_the_snapshot_of_a_loop_is_as_small_after_300_completions_as_after_10(task):
    processes = looping(task)
    game, chain = Game(processes, MAIN, GIVEN), Chain(compiled(processes), stored=True)
    chain.take(START)
    sizes = []
    for _ in range(300):
        wait = next(wait for wait in game.waits if wait.kind == "task")
        game.happen(wait, 1)
        chain.now += MINUTE
        chain.take(chain.cause(wait, 0, 1))
        agree(game, chain)
        sizes.append(len(json.dumps(chain.snapshot)))

    assert max(sizes[150:]) <= 1.3 * max(sizes[:10])
