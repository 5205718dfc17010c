"""Activities: tasks, subprocesses, call activities, and their multi-instance form (BPMN 2.0, clause 13.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SpiffWorkflow import TaskState

from engine import feel
from engine.bpmn import compensation
from engine.bpmn.advance import Service
from engine.bpmn.elements import COMPLETION, Element, Flow
from engine.bpmn.errors import ElementFault
from engine.bpmn.events import (
    AWAITED,
    BoundaryEvent,
    Message,
    Trigger,
    arm,
    cancel_group,
    disarm,
    disarm_consumed,
    rearm,
)
from engine.bpmn.expressions import Expression
from engine.bpmn.loops import Loop
from engine.bpmn.scopes import ProcessSpec, Scope, Subscope, Token, Values, plant, visible

if TYPE_CHECKING:
    from engine.bpmn.step import Step


MAX_DEPTH = 100
"""Scopes within each other below which no further process is called."""


class Activity(Element):
    """Something is done here. Boundary events are armed beside the activation, or the body of its loop."""

    loop: Loop | None = None
    handler: Activity | None = None
    """What undoes it, by compensation; attached by `compensation_event`."""
    compensation_event: BoundaryEvent | None = None
    undoes = False
    """Whether it is the handler of another activity."""

    def __init__(self, spec: ProcessSpec, bpmn_id: str, name: str) -> None:
        super().__init__(spec, bpmn_id, name)
        self.boundaries: tuple[BoundaryEvent, ...] = ()

    def begin(self, token: Token, step: Step) -> bool:
        """Start the work of one activation; True if there is nothing to wait for."""
        return True

    def work(self, token: Token, step: Step) -> bool:
        """Do what can be done at once; False if the token waits for an inner scope."""
        return True

    def enter(self, token: Token, step: Step) -> bool:
        body = self._is_body(token)
        if not body:
            self.map_inputs(token, step)
        try:
            if token.body is None and not step.beside(token):
                for boundary in self.boundaries:
                    boundary.arm(token, step)
            return self._open(token, step) if body else self.begin(token, step)
        except ElementFault:
            step.cancel_beside(token)
            raise

    def execute(self, token: Token, step: Step) -> bool:
        if self._is_body(token):
            return "done" in token.internal_data
        return self.work(token, step)

    def choose(self, token: Token, step: Step) -> tuple[Flow, ...]:
        return () if token.body is not None or compensation.undoes(token) else self.outgoing

    def results(self, token: Token, step: Step) -> Values:
        if self._is_body(token):
            return token.result
        if compensation.undoes(token):
            return {}
        writes = super().results(token, step)
        if self.loop is not None and token.body is not None:
            self.loop.collect(token, token.body, writes, step)
        return writes

    def left(self, token: Token, step: Step) -> bool:
        if compensation.undoes(token):
            compensation.undone(token, step)
            return True
        compensation.remember(token)
        if token.body is not None:
            self._instance_left(token.body, token, step)
        compensation.undone(token, step)
        return True

    # Loops --------------------------------------------------------------------------------------------

    def _is_body(self, token: Token) -> bool:
        return self.loop is not None and token.body is None and not compensation.undoes(token)

    def _open(self, token: Token, step: Step) -> bool:
        """Open the instances that begin at once; True if there is none."""
        assert self.loop is not None  # noqa: S101 - only bodies come here
        first = self.loop.begin(token, step)
        if not first:
            token.internal_data["done"] = True
            return True
        token._set_state(TaskState.STARTED)
        for index in range(first):
            self._open_instance(token, index, step)
        return False

    def _open_instance(self, body: Token, index: int, step: Step) -> None:
        assert self.loop is not None  # noqa: S101
        step.spawn(body.workflow, self, body=body.id, index=index, local=self.loop.local(body, index))

    def _instance_left(self, body: Token, token: Token, step: Step) -> None:
        assert self.loop is not None  # noqa: S101
        body.internal_data["completed"] += 1
        if self.loop.completes(token, body):
            step.cancel_instances(body)
            step.resume(body)
        elif self.loop.sequential:
            self._open_instance(body, token.internal_data["index"] + 1, step)


class PlainTask(Activity):
    """A task without type, or a manual task: passed at once."""


class UserTask(Activity):
    form_id: str | None = None
    assignee: Expression | None = None
    candidate_groups: Expression | None = None
    candidate_users: Expression | None = None
    excluded_users: Expression | None = None
    due_date: Expression | None = None
    due_event: str | None = None
    due_from: Expression | None = None
    """From when the deadline counts, if not from the opening of the task."""

    def begin(self, token: Token, step: Step) -> bool:
        step.open_task(token, self)
        return False

    def names(self, expression: Expression | None, token: Token, step: Step, what: str) -> tuple[str, ...]:
        if expression is None or expression.compiled is None:
            return () if expression is None else expression.names
        return expression.names_value(visible(token), step.environment, what)

    def deadline(self, token: Token, step: Step) -> Values:
        """due (datetime), escalate_to and due_reason: from the deadline decision, else from the schedule."""
        if self.due_event is None and self.due_date is None:
            return {}
        variables = visible(token)
        decision = step.deadline_decision(token)
        if self.due_event is not None and decision is not None:
            start: feel.Value = step.environment.now
            if self.due_from is not None:
                start = self.due_from.evaluate(variables, step.environment)
            opened = {"event": self.due_event, "opened_at": start}
            found = step.decide(token, decision, variables.new_child(opened))
            if not isinstance(found, dict):
                raise ElementFault(f"期限の決定 {decision} が「{self.due_event}」の期限を返しません。")
            return found
        return {} if self.due_date is None else {"due": self.due_date.evaluate(variables, step.environment)}

    def complete(self, token: Token, values: Values, by: str, step: Step) -> None:
        """`by` has done the work; the form's values become one context named by the form."""
        if self.form_id is not None:
            token.result[self.form_id] = values
        token.result[COMPLETION] = {"by": by, "at": step.environment.now}
        step.close_task(token, "completed")
        token._ready()

    def withdraw(self, token: Token, step: Step) -> None:
        step.close_task(token, "cancelled")


class ServiceTask(Activity):
    """Work for the worker, by job type (service and send tasks)."""

    job_type: str = ""
    retries: int = 3
    service: Service

    def begin(self, token: Token, step: Step) -> bool:
        step.want_service(token, self.job_type, self.retries)
        return False

    def fire(self, token: Token, values: Values, step: Step) -> None:
        token.result.update(values)
        token._ready()

    def withdraw(self, token: Token, step: Step) -> None:
        step.drop_job(token)


class ReceiveTask(Activity):
    trigger: Message

    def begin(self, token: Token, step: Step) -> bool:
        arm(self.trigger, token, visible(token), step)
        return False

    def fire(self, token: Token, values: Values, step: Step) -> None:
        token.result.update(values)
        disarm_consumed(self.trigger, token, step)
        token._ready()

    def withdraw(self, token: Token, step: Step) -> None:
        disarm(self.trigger, token, step)

    def left(self, token: Token, step: Step) -> bool:
        cancel_group(token, step)
        return super().left(token, step)


class ScriptTask(Activity):
    expression: Expression
    result_variable: str = ""

    def work(self, token: Token, step: Step) -> bool:
        token.result[self.result_variable] = self.expression.evaluate(visible(token), step.environment)
        return True


class BusinessRuleTask(Activity):
    decision: str = ""
    result_variable: str = ""

    def work(self, token: Token, step: Step) -> bool:
        token.result[self.result_variable] = step.decide(token, self.decision, visible(token))
        return True


class ScopeActivity(Activity):
    """An activity with an inner scope: opened by the first run, left when the scope has ended."""

    def work(self, token: Token, step: Step) -> bool:
        if "done" in token.internal_data:
            return True
        self.open(token, step)
        return False

    def open(self, token: Token, step: Step) -> None:
        raise NotImplementedError

    def scope_ended(self, token: Token, scope: Subscope) -> None:
        """The inner scope has no token left."""


class Subprocess(ScopeActivity):
    body: ProcessSpec

    def enter(self, token: Token, step: Step) -> bool:
        return compensation.undoes(token) or super().enter(token, step)

    def work(self, token: Token, step: Step) -> bool:
        if not compensation.undoes(token):
            return super().work(token, step)
        if not token.internal_data["undoing"]:
            return True
        scope = Subscope(self.body, token)
        plant(scope, step.next_number())
        return compensation.undo_inside(token, scope, step)

    def scope_ended(self, token: Token, scope: Subscope) -> None:
        if scope.completed:
            token.internal_data["undoable"] = scope.completed

    def open(self, token: Token, step: Step) -> None:
        step.open_scope(Subscope(self.body, token), {})


class CallActivity(ScopeActivity):
    """Runs another process of the same deployment inside this instance, in a scope of its own."""

    starts_process = True
    process: Expression
    all_parent_variables = True
    all_child_variables = True

    def open(self, token: Token, step: Step) -> None:
        if token.inner_path.count("/") >= MAX_DEPTH:
            raise ElementFault(f"プロセスの呼出しが {MAX_DEPTH} 段より深くなりました(自分自身を呼んでいませんか)。")
        variables = visible(token)
        key = self.process.text_value(variables, step.environment, "呼び出すプロセス")
        spec = step.called_process(key)
        given: Values = dict(variables) if self.all_parent_variables else dict(token.local)
        given["business_key"] = step.business_key
        scope = Subscope(spec, token)
        scope.data.update(given)
        step.open_scope(scope, {})

    def scope_ended(self, token: Token, scope: Subscope) -> None:
        token.result.update(scope.data)

    def results(self, token: Token, step: Step) -> Values:
        writes = super().results(token, step)
        if self.output_mappings or self._is_body(token):
            return writes
        return {k: v for k, v in writes.items() if self.all_child_variables and k != "business_key"}


class EventSubprocess(Subprocess):
    """Armed while its scope runs; starts when its start event happens (BPMN 2.0, clause 13.5.4)."""

    undoes_outside = True
    interrupting = True
    trigger: Trigger
    """That of its start event."""

    def arm(self, scope: Scope, step: Step) -> None:
        if isinstance(self.trigger, AWAITED):
            token = step.new_token(scope, self, armed=True)
            try:
                arm(self.trigger, token, visible(token), step)
            except ElementFault as fault:
                step.stop(token, "arm", str(fault))

    def fire(self, token: Token, values: Values, step: Step) -> None:
        if not self.interrupting:
            self.rearm(token, step)
        self.happen(token.workflow, values, step)

    def rearm(self, token: Token, step: Step) -> None:
        rearm(self.trigger, token, visible(token), step)

    def happen(self, scope: Scope, values: Values, step: Step) -> None:
        """The event takes place in `scope`."""
        if self.interrupting:
            step.cancel_all(scope)
        step.spawn(scope, self, payload=dict(values))

    def open(self, token: Token, step: Step) -> None:
        step.open_scope(Subscope(self.body, token), token.internal_data.get("payload", {}))

    def withdraw(self, token: Token, step: Step) -> None:
        if "armed" in token.internal_data:
            disarm(self.trigger, token, step)
