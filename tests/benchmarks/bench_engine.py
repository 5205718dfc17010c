"""The engine's public API beside raw SpiffWorkflow, in one run: user-task completions per second.

W1: 7 tasks in sequence. W2: parallel and exclusive gateways, a boundary timer, a loop; 25 tasks. W3: one loop
completed 500 times, milliseconds per completion on the way. The engines take turns; each figure is the median.
Ours includes authorisation, history with its hash chain, jobs and one commit per completion; the library's runs
include nothing of that, but where it is stored one commit. It starts a PostgreSQL of its own.
Usage: python -m tests.benchmarks.bench_engine [ROUNDS]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from io import BytesIO
from itertools import count as counting
from itertools import pairwise
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from sqlalchemy import text

from engine import deployments, identity, instances, tasklist, user_tasks
from engine.database import Database, connect
from tests import postgresql

NUMBERS = counting(1)
NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
OPEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="bench">'
    '<process id="bench" isExecutable="true"><startEvent id="s"/>'
)
CLOSE = "</process></definitions>"


def task(name: str) -> str:
    assignment = '<zeebe:assignmentDefinition candidateGroups="clerk"/>'
    return f'<userTask id="{name}" name="{name}"><extensionElements>{assignment}</extensionElements></userTask>'


def flow(source: str, target: str, condition: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def chain(*names: str) -> str:
    return "".join(flow(one, two) for one, two in pairwise(names))


def w1() -> str:
    names = [f"t{number}" for number in range(7)]
    return OPEN + "".join(map(task, names)) + '<endEvent id="e"/>' + chain("s", *names, "e") + CLOSE


def w2() -> str:
    """Three passes of split, two branches of three tasks, join, one task with a timer, a choice: 8 a pass, then 1."""
    a, b = ["a1", "a2", "a3"], ["b1", "b2", "b3"]
    timer = (
        '<boundaryEvent id="late" attachedToRef="wait"><timerEventDefinition><timeDuration xsi:type="tFormalExpression">'
        "DURATION</timeDuration></timerEventDefinition></boundaryEvent>"
    )
    return (
        OPEN
        + "".join(map(task, [*a, *b, "wait", "check", "last", "missed"]))
        + '<exclusiveGateway id="m"/><parallelGateway id="split"/><parallelGateway id="join"/>'
        + '<exclusiveGateway id="again" default="again_last"/><endEvent id="e"/>'
        + timer
        + chain("s", "m", "split", *a, "join", "wait", "check", "again", "last", "e")
        + chain("split", *b, "join")
        + flow("again", "m", "LOOP")
        + chain("late", "missed", "e")
        + CLOSE
    )


def w3() -> str:
    return (
        OPEN
        + task("step")
        + '<exclusiveGateway id="m"/><exclusiveGateway id="again" default="again_e"/><endEvent id="e"/>'
        + chain("s", "m", "step", "again", "e")
        + flow("again", "m", "LOOP")
        + CLOSE
    )


PASSES = 3
"""W2 goes round three times: 3 × 8 tasks and the last one are 25."""


def new_database(held: ExitStack, server: postgresql.Server | None) -> Database:
    """A new SQLite (WAL, synchronous NORMAL), or one of this PostgreSQL, until `held` closes."""
    if server is None:
        folder = held.enter_context(tempfile.TemporaryDirectory())
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
    else:
        url = held.enter_context(server.database(f"bench{next(NUMBERS)}"))
    database = connect(url)
    held.callback(database.close)
    return database


class Ours:
    """The public API over a new database: one transaction per completion."""

    def __init__(self, source: str, server: postgresql.Server | None = None) -> None:
        self.held = ExitStack()
        self.database = new_database(self.held, server)
        self.database.create()
        diagram = source.replace("DURATION", "PT1H").replace("LOOP", "=loop")
        bundle = "title: bench\nstarts: []\nmessages: []\ngroups:\n  clerk: {label: clerk, cases: all}\nvisibility: {}\npeople:\n  - {name: anna, label: Anna, groups: [clerk]}\n"
        with self.database.transaction() as session:
            deployments.deploy(session, {"b.bpmn": diagram.encode(), "bundle.yaml": bundle.encode()}, by=None, at=NOW)
            identity.seed(session, deployments.catalogue(session).people, password=None)
            self.anna = identity.person(session, "anna")

    def start(self) -> None:
        with self.database.transaction() as session:
            self.instance, self.key = instances.start(session, "bench", {"loop": True}, actor="anna", at=NOW)
            self.open = [row.id for row in tasklist.of_case(session, self.key)]

    def close(self) -> None:
        self.held.close()

    def stored_bytes(self) -> int:
        """The size of the database."""
        size = "SELECT pg_database_size(current_database())"
        if self.database.engine.dialect.name == "sqlite":
            size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        with self.database.reading() as session:
            return int(session.execute(text(size)).scalar_one())

    def set_loop(self, going: bool) -> None:
        with self.database.transaction() as session:
            instances.change_variables(session, self.instance, {"loop": going}, actor="anna", at=NOW)

    def complete(self) -> bool:
        if not self.open:
            return False
        with self.database.transaction() as session:
            done = user_tasks.complete(session, self.open.pop(0), {}, actor=self.anna, at=NOW)
            known = set(self.open)
            self.open += [row.id for row in done.next_tasks if row.id not in known]
        return True


class Row:
    """One JSON document in the one row of a new database, by the driver: replaced, committed and read per completion."""

    def __init__(self, server: postgresql.Server | None = None) -> None:
        self.held = ExitStack()
        pooled = new_database(self.held, server).engine.raw_connection()
        self.held.callback(pooled.close)
        self.driver: Any = pooled.driver_connection
        self.begin, mark = ("", "%s") if server else ("BEGIN IMMEDIATE", "?")
        self.replace = f"UPDATE instance SET document = {mark} WHERE id = {mark}"
        self.read = f"SELECT document FROM instance WHERE id = {mark}"
        self.driver.execute("CREATE TABLE instance (id integer PRIMARY KEY, document text)")
        self.driver.execute("INSERT INTO instance VALUES (1, '')")
        self.driver.commit()

    def through(self, document: str) -> str:
        """The document as it comes back."""
        if self.begin:
            self.driver.execute(self.begin)
        self.driver.execute(self.replace, (document, 1))
        self.driver.commit()
        ((found,),) = self.driver.execute(self.read, (1,)).fetchall()
        self.driver.commit()
        return str(found)


class Memory:
    """Nothing but JSON: no database, no commit."""

    held = ExitStack()

    def through(self, document: str) -> str:
        return document


class Library:
    """Stock SpiffWorkflow; with `stored`, one JSON document is written and read back per completion."""

    def __init__(self, source: str, stored: Row | Memory | None = None) -> None:
        diagram = source.replace("DURATION", "&quot;PT1H&quot;").replace("LOOP", "loop")
        parser = BpmnParser()
        parser.add_bpmn_io(BytesIO(diagram.encode()))
        self.spec = parser.get_spec("bench")
        self.stored = stored
        self.written = 0
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())

    def start(self) -> None:
        self.workflow = BpmnWorkflow(self.spec)
        self.workflow.task_tree.data["loop"] = True
        self.workflow.do_engine_steps()

    def close(self) -> None:
        if self.stored:
            self.stored.held.close()

    def stored_bytes(self) -> int:
        return self.written

    def set_loop(self, going: bool) -> None:
        for ready in self.workflow.get_tasks(state=TaskState.READY):
            ready.data["loop"] = going

    def complete(self) -> bool:
        ready = self.workflow.get_next_task(state=TaskState.READY, manual=True)
        if ready is None:
            return False
        ready.run()
        self.workflow.do_engine_steps()
        if self.stored:
            document = json.dumps(self.serializer.to_dict(self.workflow))
            self.written += len(document)
            self.workflow = self.serializer.from_dict(json.loads(self.stored.through(document)))
        return True


def complete_all(engine: Ours | Library, passes: int, runs: int) -> list[float]:
    """Seconds of each completion over whole instances; beginning an instance counts to its first completion."""
    spent: list[float] = []
    for _ in range(runs):
        count, began = 0, time.perf_counter()
        engine.start()
        while True:
            if passes and count == 8 * passes - 1:
                engine.set_loop(False)
            if not engine.complete():
                break
            count, ended = count + 1, time.perf_counter()
            spent.append(ended - began)
            began = ended
    return spent


def loop_times(engine: Ours | Library, times: int) -> list[float]:
    """Milliseconds of each completion of one loop; shorter if the engine stops."""
    engine.start()
    spent: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        if not engine.complete():
            break
        spent.append((time.perf_counter() - began) * 1000)
    return spent


Make = Callable[[str], Ours | Library]
POINTS = (10, 100, 250, 330, 500)
"""Completions of W3 at which it is looked at: stock SpiffWorkflow ends the loop by itself after 333."""
FIGURES = ("W1 /s", "p50 ms", "p95 ms", "bytes", "W2 /s", "p50 ms", "p95 ms", "bytes")
"""Of the two workloads: completions per second, milliseconds of one, and bytes that one leaves behind."""


def measure(make: Make, runs: int) -> list[float]:
    """FIGURES, and milliseconds of W3 at each point, the mean of ten."""
    found: list[float] = []
    for source, passes, instances_ in ((w1(), 0, runs), (w2(), PASSES, max(2, runs // 4))):
        engine = make(source)
        before = engine.stored_bytes()
        spent = sorted(complete_all(engine, passes, instances_))
        left = (engine.stored_bytes() - before) / len(spent)
        found += [len(spent) / sum(spent), median(spent) * 1000, spent[int(len(spent) * 0.95)] * 1000, left]
        engine.close()
    engine = make(w3())
    loop = loop_times(engine, max(POINTS))
    engine.close()
    return found + [sum(loop[point - 10 : point]) / 10 if len(loop) >= point else float("nan") for point in POINTS]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with postgresql.serving() as server:
        engines: dict[str, Make] = {
            "Mamori, SQLite": Ours,
            "Mamori, PostgreSQL": lambda source: Ours(source, server),
            "SpiffWorkflow in memory": Library,
            "SpiffWorkflow + JSON document": lambda source: Library(source, Memory()),
            "SpiffWorkflow + row, SQLite": lambda source: Library(source, Row()),
            "SpiffWorkflow + row, PostgreSQL": lambda source: Library(source, Row(server)),
        }
        taken: dict[str, list[list[float]]] = {name: [] for name in engines}
        for _ in range(rounds):  # in turns, so that a slow minute of the machine is everybody's
            for name, make in engines.items():
                taken[name].append(measure(make, 12))
    middle = {name: [median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}
    print(f"{'':32}" + "".join(f"{name:>9}" for name in FIGURES) + f"   W3 ms at {' / '.join(map(str, POINTS))}")
    for name, row in middle.items():
        figures = "".join(
            f"{each:9.{2 if '/s' not in of and of != 'bytes' else 0}f}" for each, of in zip(row, FIGURES, strict=False)
        )
        shown = " / ".join("–" if isnan(each) else f"{each:.2f}" for each in row[len(FIGURES) :])
        print(f"{name:32}{figures}   {shown}")
    for database in ("SQLite", "PostgreSQL"):
        for against in (f"SpiffWorkflow + row, {database}", "SpiffWorkflow + JSON document"):
            ours, other = middle[f"Mamori, {database}"], middle[against]
            loop = zip(ours[len(FIGURES) :], other[len(FIGURES) :], strict=True)
            ratios = " / ".join("–" if isnan(theirs) else f"{theirs / own:.0f}" for own, theirs in loop)
            w1_, w2_ = ours[0] / other[0], ours[4] / other[4]
            print(f"Mamori, {database}, times {against}: W1 {w1_:.1f}, W2 {w2_:.1f}, W3 {ratios}")


if __name__ == "__main__":
    main()
