"""A tiny process to run: BPMN written as one line per element, advanced through the public functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine import bpmn, feel

NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="test">'
)


def document(body: str, process: str = "process", extra: str = "") -> bytes:
    return f'{HEAD}{extra}<bpmn:process id="{process}" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'.encode()


def flows(*pairs: str) -> str:
    """`"a -> b"` as sequence flows; `"a -> b: =x"` with a condition. Ids are `a_b`."""
    lines = []
    for pair in pairs:
        ends, _, condition = pair.partition(":")
        source, target = (end.strip() for end in ends.split("->"))
        inner = f"<bpmn:conditionExpression>{condition.strip()}</bpmn:conditionExpression>" if condition else ""
        lines.append(
            f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'
        )
    return "".join(lines)


@dataclass
class Run:
    """One instance; if `stored`, every step goes through JSON text, as in a database."""

    bundle: bpmn.Bundle
    stored: bool = True
    now: datetime = NOW
    snapshot: dict[str, Any] | None = None
    tasks: dict[int, bpmn.OpenedTask] = field(default_factory=dict)
    jobs: dict[int, bpmn.WantedJob] = field(default_factory=dict)
    subscriptions: dict[int, bpmn.OpenedSubscription] = field(default_factory=dict)
    faults: dict[int, bpmn.Fault] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    last: bpmn.Advance | None = None
    trail: list[tuple[str, str]] = field(default_factory=list)

    def take(self, cause: bpmn.Cause) -> bpmn.Advance:
        advance = bpmn.advance(self.bundle, self.snapshot, cause, self.now)
        self.snapshot = json.loads(json.dumps(advance.snapshot)) if self.stored else dict(advance.snapshot)
        for number in [task.token for task in advance.closed_tasks]:
            del self.tasks[number]
        if isinstance(cause, bpmn.FireTimer | bpmn.JobCompleted | bpmn.JobFailed):
            self.jobs.pop(cause.token)
        for number in advance.dropped_jobs:
            del self.jobs[number]
        for number in advance.closed_subscriptions:
            del self.subscriptions[number]
        for number in advance.resolved_faults:
            del self.faults[number]
        self.tasks |= {task.place.token: task for task in advance.opened_tasks}
        self.jobs |= {job.place.token: job for job in advance.wanted_jobs}
        self.subscriptions |= {wait.place.token: wait for wait in advance.opened_subscriptions}
        self.faults |= {fault.place.token: fault for fault in advance.faults}
        self.variables |= {change.name: change.value for change in advance.variables if not change.scope}
        self.trail += [(move.kind, move.place.element) for move in advance.moves]
        self.last = advance
        return advance

    def start(self, process: str = "process", message: str | None = None, **variables: Any) -> Run:
        given = {name: feel.from_python(value) for name, value in variables.items()}
        self.take(bpmn.Start(process, "2026-0001", given, message))
        return self

    @property
    def open(self) -> list[str]:
        return sorted(task.place.element for task in self.tasks.values())

    @property
    def ended(self) -> bool:
        return self.last is not None and self.last.ended

    def token(self, table: Mapping[int, Any], element: str) -> int:
        return next(number for number, row in table.items() if row.place.element == element)

    def complete(self, element: str, by: str = "anna", **values: Any) -> bpmn.Advance:
        given = {name: feel.from_python(value) for name, value in values.items()}
        return self.take(bpmn.CompleteTask(self.token(self.tasks, element), given, by))

    def fire(self, element: str) -> bpmn.Advance:
        number = self.token(self.jobs, element)
        self.now = max(self.now, self.jobs[number].due)
        return self.take(bpmn.FireTimer(number))

    def receive(self, name: str, **values: Any) -> bpmn.Advance:
        number = next(n for n, wait in self.subscriptions.items() if wait.name == name)
        return self.take(bpmn.Receive(number, {k: feel.from_python(v) for k, v in values.items()}))

    def job_done(self, element: str, **values: Any) -> bpmn.Advance:
        given = {name: feel.from_python(value) for name, value in values.items()}
        return self.take(bpmn.JobCompleted(self.token(self.jobs, element), given))

    def later(self, **delta: float) -> Run:
        self.now += timedelta(**delta)
        return self


@pytest.fixture
def deploy() -> Callable[..., Run]:
    """Compile one process from its body (and others by `more`), ready to start."""

    def deployed(body: str, *, extra: str = "", more: Mapping[str, bytes] | None = None, **options: Any) -> Run:
        files = {"process.bpmn": document(body, extra=extra), **(more or {})}
        bundle = bpmn.compile_bundle(
            files, options.get("decisions", {}), options.get("forms", ()), options.get("job_types", ())
        )
        return Run(bundle)

    return deployed


@pytest.fixture(params=["live", "stored", "live in a subprocess", "stored in a subprocess"])
def anywhere(request: pytest.FixtureRequest, deploy: Callable[..., Run]) -> Callable[..., Run]:
    """As `deploy`, with the body as a process and as a subprocess, each live and stored at every step."""

    def deployed(body: str, **options: Any) -> Run:
        if "subprocess" in request.param:
            outer = '<bpmn:startEvent id="outer_s"/><bpmn:endEvent id="outer_e"/>'
            body = outer + f'<bpmn:subProcess id="sub">{body}</bpmn:subProcess>'
            body += flows("outer_s -> sub", "sub -> outer_e")
        run = deploy(body, **options)
        run.stored = "stored" in request.param
        return run

    return deployed


@pytest.fixture(name="bpmn")
def bpmn_module() -> Any:
    return bpmn
