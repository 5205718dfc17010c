"""What every flow node has in common: how a token enters, runs and leaves it.

SpiffWorkflow calls `_update_hook` when a token arrives, `_run_hook` when it is ready and `_on_complete` when it
has run. Whatever can fail (FEEL, decisions) is evaluated before anything is changed, so that a fault leaves the
token at its element with everything it held, and a retry starts the same phase again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.task import Task

from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import Expression, VariableMapping, evaluate_mappings
from engine.bpmn.scopes import ProcessSpec, Token, Values, visible

if TYPE_CHECKING:
    from engine.bpmn.step import Step


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `condition` decides at gateways."""

    id: str
    name: str
    source: str
    target: str
    condition: Expression | None = None


class Element(BpmnSpecMixin):
    """A flow node. Subclasses say when a token may go on (`enter`, `execute`) and what it holds meanwhile."""

    starts_process = False
    """Whether a token here opens a process of its own (a call activity)."""
    undoes_outside = False
    """Whether compensation thrown in the scope of a token here is for the scope around it (an event subprocess)."""

    def __init__(self, spec: ProcessSpec, bpmn_id: str, name: str) -> None:
        super().__init__(spec, bpmn_id, bpmn_name=name)
        self.incoming: tuple[Flow, ...] = ()
        self.outgoing: tuple[Flow, ...] = ()
        self.input_mappings: tuple[VariableMapping, ...] = ()
        self.output_mappings: tuple[VariableMapping, ...] = ()

    # What subclasses say ------------------------------------------------------------------------------

    def enter(self, token: Token, step: Step) -> bool:
        """Take the token in; True if it may run at once, False if it waits for something."""
        self.map_inputs(token, step)
        return True

    def execute(self, token: Token, step: Step) -> bool:
        """Do what the element is for and fill `token.result`; False if the token stays."""
        return True

    def choose(self, token: Token, step: Step) -> tuple[Flow, ...]:
        """The flows that the token leaves by."""
        return self.outgoing

    def withdraw(self, token: Token, step: Step) -> None:
        """Take back what a waiting token offered to the outside (task, job, subscription)."""

    def left(self, token: Token, step: Step) -> bool:
        """Whatever must happen once the token has left; False if its way ends here, whatever its flows."""
        return True

    def successors(self, token: Token) -> dict[str, int]:
        """What the tokens that follow this one must know of it."""
        return {}

    # Mappings -----------------------------------------------------------------------------------------

    def map_inputs(self, token: Token, step: Step) -> None:
        if self.input_mappings:
            token.local.update(evaluate_mappings(self.input_mappings, visible(token), step.environment))

    def results(self, token: Token, step: Step) -> Values:
        """What goes to the outer scope: through the output mappings if there are any, else every result."""
        if not self.output_mappings:
            return {name: value for name, value in token.result.items() if name != COMPLETION}
        variables = visible(token).new_child(token.result)
        return evaluate_mappings(self.output_mappings, variables, step.environment)

    # What the library calls ---------------------------------------------------------------------------

    def test(self) -> None:
        """The reader has checked the structure; the library need not."""

    def _predict(self, my_task: Task, *_: Any, **__: Any) -> None:
        """Nothing is predicted: the tree holds tokens only."""

    def _update_hook(self, my_task: Token) -> bool:
        step = my_task.workflow.top_workflow.step
        try:
            ready = self.enter(my_task, step)
        except ElementFault as fault:
            step.stop(my_task, "enter", str(fault))
            return False
        if not ready and not my_task.has_state(TaskState.STARTED | TaskState.FINISHED_MASK):
            my_task._set_state(TaskState.WAITING)
        return ready

    def _on_ready_hook(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.step.queue.append(my_task)

    def _run(self, my_task: Token) -> bool | None:
        step = my_task.workflow.top_workflow.step
        try:
            if not self.execute(my_task, step):
                return None
            flows = self.choose(my_task, step)
            writes = self.results(my_task, step)
        except ElementFault as fault:
            step.stop(my_task, "run", str(fault))
            return None
        my_task.internal_data["leaving"] = (flows, writes)
        return True

    def _on_complete(self, my_task: Token) -> None:
        flows, writes = my_task.internal_data.pop("leaving")
        my_task.workflow.top_workflow.step.leave(my_task, flows, writes)

    def _on_cancel(self, my_task: Token) -> None:
        my_task.workflow.top_workflow.step.cancelled(my_task)


COMPLETION = "completion"
"""Name of the local that tells output mappings who completed a user task, and when."""
