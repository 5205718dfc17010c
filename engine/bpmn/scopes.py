"""Live scopes and tokens on SpiffWorkflow's workflows and tasks, and the variables that they hold.

A scope (process, called process, embedded or event subprocess) is one SpiffWorkflow workflow. Its task tree is
flat: the root and one child per token; what is finished leaves at once, so that a case of years costs per step
what it cost on its first day. Values of a process stand in the `data` of its workflow, locals of an activity in
its token; the library's own `task.data`, which it copies along every branch, stays empty.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.specs.base import TaskSpec
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task

from engine import feel
from engine.bpmn.advance import Place

if TYPE_CHECKING:
    from engine.bpmn.compensation import Completed
    from engine.bpmn.elements import Element
    from engine.bpmn.step import Step

Values = dict[str, feel.Value]


class Root(TaskSpec):
    """What every token of a scope hangs under."""

    def _predict(self, my_task: Task, *_: Any, **__: Any) -> None:
        """Nothing is predicted: the tree holds tokens only."""


class ProcessSpec(WorkflowSpec):
    """The elements of one process or subprocess, ready to run."""

    data_objects: dict[str, Any] = {}  # noqa: RUF012 - the library asks for it; documentation here

    def __init__(self, name: str, *, file: str, process: str) -> None:
        super().__init__(name=name, filename=file)
        self.process = process
        self.start = Root(self, " root")  # a name that no XML id can have
        self.none_start: Element | None = None
        self.message_starts: dict[str, Element] = {}
        self.event_subprocesses: list[Element] = []
        self.deadline_decision: str | None = None
        self.conditional = False
        """Whether an event of this very scope waits for a condition."""
        self.inclusive = False
        """Whether an inclusive gateway of this very scope joins."""

    @property
    def elements(self) -> dict[str, Element]:
        return {name: spec for name, spec in self.task_specs.items() if spec is not self.start}


class Token(Task):
    """One activation of one element. Its id is a number of the instance's own counter; it reads no clock."""

    task_spec: Element
    workflow: Scope

    def _set_state(self, value: int) -> None:
        self._state = value

    @property
    def local(self) -> Values:
        """Variables of this activation alone."""
        values: Values = self.internal_data.setdefault("local", {})
        return values

    @property
    def result(self) -> Values:
        """What completing gave: form, payload, decision result; propagated or mapped when the token leaves."""
        values: Values = self.internal_data.setdefault("result", {})
        return values

    def correct(self, name: str) -> None:
        """An operator has corrected this local: no input mapping fills it again."""
        corrected = self.internal_data.setdefault("corrected", [])
        if name not in corrected:
            corrected.append(name)

    @property
    def place(self) -> Place:
        return Place(self.id, self.task_spec.bpmn_id, self.workflow.path)

    @property
    def inner_path(self) -> str:
        prefix = f"{self.workflow.path}/" if self.workflow.path else ""
        return f"{prefix}{self.task_spec.bpmn_id}#{self.id}"

    @property
    def body(self) -> Token | None:
        """The multi-instance activation that this one is an instance of."""
        number = self.internal_data.get("body")
        return None if number is None else self.workflow.tasks[number]


class _ScopeMixin:
    path: str
    owner: Token | None
    spec: ProcessSpec
    data: Values
    tasks: dict[int, Token]
    task_tree: Token
    completed: list[Completed]
    """What compensation can undo, the oldest first."""

    @property
    def tokens(self) -> list[Token]:
        return [token for token in self.tasks.values() if token is not self.task_tree]

    @property
    def active(self) -> list[Token]:
        """The tokens on whose account the scope goes on: not events that only wait beside the flow."""
        return [t for t in self.tokens if "host" not in t.internal_data and "armed" not in t.internal_data]

    @property
    def is_process(self) -> bool:
        """Whether look-up of variables ends here: the process itself or a called one."""
        return self.owner is None or self.owner.task_spec.starts_process


class Instance(_ScopeMixin, BpmnWorkflow):
    """The outermost scope: one process instance."""

    def __init__(self, spec: ProcessSpec, step: Step) -> None:
        super().__init__(spec, deserializing=True)
        self.step = step
        self.path, self.owner, self.completed = "", None, []


class Subscope(_ScopeMixin, BpmnSubWorkflow):
    """The scope that the activation `owner` opened."""

    def __init__(self, spec: ProcessSpec, owner: Token) -> None:
        super().__init__(spec, owner.id, owner.workflow.top_workflow, deserializing=True)
        self.path, self.owner, self.completed = owner.inner_path, owner, []
        self.top_workflow.subprocesses[owner.id] = self


Scope = Instance | Subscope


def plant(scope: Scope, number: int) -> Token:
    """The root of a new scope."""
    root = Token(scope, scope.spec.start, state=TaskState.COMPLETED, id=number)
    scope.task_tree = root
    return root


def holders(token: Token) -> Iterator[tuple[str, MutableMapping[str, feel.Value]]]:
    """Where variables that `token` sees may stand, innermost first, each with the path of its scope."""
    current: Token | None = token
    while current is not None:
        yield current.inner_path, current.local
        if current.body is not None:
            yield current.body.inner_path, current.body.local
        scope = current.workflow
        if scope.is_process:
            yield scope.path, scope.data
            return
        current = scope.owner


def visible(token: Token) -> ChainMap[str, feel.Value]:
    """Every variable that `token` sees: its own locals first, those of its process last."""
    return ChainMap(*(values for _, values in holders(token)))


def write(token: Token, values: Values, step: Step) -> None:
    """Set variables outside `token`: where the name stands already, else in the process (Camunda 8)."""
    outside = list(holders(token))[1:]
    for name, value in values.items():
        path, holder = next((pair for pair in outside if name in pair[1]), outside[-1])
        holder[name] = value
        step.record_variable(path, name, value)
