"""One step under way: live scopes, the queue of ready tokens, and everything that changes.

The loop runs ready tokens from a queue until none is left; nothing is walked after each task, no timer is
refreshed, no clock is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from SpiffWorkflow import TaskState

from engine import business_days, dmn, feel
from engine.bpmn import conditions
from engine.bpmn.advance import (
    Advance,
    ClosedTask,
    DecisionEvaluated,
    ElementMove,
    Fault,
    HostCall,
    MissedTimer,
    OpenedSubscription,
    OpenedTask,
    ThrownMessage,
    ThrownSignal,
    VariableChange,
    WantedJob,
)
from engine.bpmn.catching import Catcher, find_catcher
from engine.bpmn.elements import Element, Flow
from engine.bpmn.errors import BpmnError, ElementFault, TokenGone
from engine.bpmn.expressions import shown
from engine.bpmn.gateways import Join, release_inclusive
from engine.bpmn.moments import to_moment
from engine.bpmn.scopes import Instance, ProcessSpec, Scope, Token, Values, plant, write

if TYPE_CHECKING:
    from engine.bpmn.activities import ScopeActivity, UserTask
    from engine.bpmn.bundle import Bundle
    from engine.bpmn.events import Error, Escalation, Message

Phase = Literal["enter", "work", "job", "run", "arm", "rearm", "test"]
"""Where a token stops: entering, doing its work, waiting for a job that gave up, leaving; or as an event."""

SEMANTICS = 3
"""Version of what a step means; recorded with every event, so that its history is replayed as it was taken.

1: a repeating timer is counted anew from each firing, and a boundary event that could not be armed is withdrawn.
2: it keeps to its schedule and tells what was missed, and nothing is withdrawn that was not offered.
3: a retry fills the inputs anew from what the token came with, not from its own results, and starts only what failed.
"""
MAX_RUNS = 10_000
"""Tokens that one cause may set running; beyond it a loop without anything to wait for is assumed."""


class Step:
    """Everything one cause does to one instance."""

    def __init__(
        self, bundle: Bundle, process: str, business_key: str, counter: int, now: datetime, semantics: int = SEMANTICS
    ) -> None:
        self.bundle = bundle
        self.business_key = business_key
        self.counter = counter
        self.now = now
        self.semantics = semantics
        self.instance = Instance(bundle.spec(process), self)
        self.queue: deque[Token] = deque()
        self.ended = False
        self.untested = False
        """Whether something was written or armed since conditions were tested."""
        self.consumed_job: int | None = None
        self.moves: list[ElementMove] = []
        self.opened_tasks: dict[int, OpenedTask] = {}
        self.closed_tasks: list[ClosedTask] = []
        self.wanted_jobs: dict[int, WantedJob] = {}
        self.dropped_jobs: list[int] = []
        self.missed: list[MissedTimer] = []
        self.opened_subscriptions: dict[int, OpenedSubscription] = {}
        self.closed_subscriptions: list[int] = []
        self.messages: list[ThrownMessage] = []
        self.signals: list[ThrownSignal] = []
        self.variables: list[VariableChange] = []
        self.decisions: list[DecisionEvaluated] = []
        self.host_calls: list[HostCall] = []
        self.faults: dict[int, Fault] = {}
        self.resolved_faults: list[int] = []

    @cached_property
    def environment(self) -> feel.Environment:
        """What the expressions of this step may know; made when the first one is evaluated."""
        return _Environment(self.now, self.host_calls)

    def advance(self, snapshot: Mapping[str, Any]) -> Advance:
        return Advance(
            snapshot=snapshot,
            moves=tuple(self.moves),
            opened_tasks=tuple(self.opened_tasks.values()),
            closed_tasks=tuple(self.closed_tasks),
            wanted_jobs=tuple(self.wanted_jobs.values()),
            dropped_jobs=tuple(self.dropped_jobs),
            missed_timers=tuple(self.missed),
            opened_subscriptions=tuple(self.opened_subscriptions.values()),
            closed_subscriptions=tuple(self.closed_subscriptions),
            messages=tuple(self.messages),
            signals=tuple(self.signals),
            variables=tuple(self.variables),
            decisions=tuple(self.decisions),
            host_calls=tuple(self.host_calls),
            faults=tuple(self.faults.values()),
            resolved_faults=tuple(self.resolved_faults),
            ended=self.ended,
        )

    # Tokens -------------------------------------------------------------------------------------------

    def scopes(self) -> list[Scope]:
        return [self.instance, *self.instance.subprocesses.values()]

    def find(self, number: int) -> Token | None:
        """The live token with this number, if there is one."""
        for scope in self.scopes():
            token = scope.tasks.get(number)
            if token is not None and token is not scope.task_tree:
                return token
        return None

    def token(self, number: int) -> Token:
        """The live token with this number; raises TokenGone."""
        token = self.find(number)
        if token is None:
            raise TokenGone(number)
        return token

    def next_number(self) -> int:
        self.counter += 1
        return self.counter

    def new_token(self, scope: Scope, spec: Element, **internal: Any) -> Token:
        """A token that waits, without entering its element."""
        token = Token(scope, spec, scope.task_tree, state=TaskState.WAITING, id=self.next_number())
        token.internal_data.update(internal)
        return token

    def spawn(self, scope: Scope, spec: Element, **internal: Any) -> Token:
        """A token that enters `spec` without a sequence flow."""
        token = self.new_token(scope, spec, **internal)
        self.moves.append(ElementMove("entered", token.place, scope.spec.process))
        spec._update(token)
        return token

    def arrive(self, scope: Scope, flow: Flow, internal: Mapping[str, Any]) -> None:
        """A token takes `flow`; where a join counts already, it is counted there."""
        spec: Element = scope.spec.task_specs[flow.target]
        waiting = spec.waiting_in(scope) if isinstance(spec, Join) else None
        if waiting is not None and isinstance(spec, Join):
            self.moves.append(ElementMove("entered", waiting.place, scope.spec.process, flow.id))
            spec.absorb(waiting, flow)
            return
        token = self.new_token(scope, spec, flow=flow.id, **internal)
        self.moves.append(ElementMove("entered", token.place, scope.spec.process, flow.id))
        spec._update(token)

    def leave(self, token: Token, flows: tuple[Flow, ...], writes: Values) -> None:
        """`token` is done: write its results, take it out, let its successors enter."""
        spec, scope = token.task_spec, token.workflow
        if writes:
            write(token, writes, self)
        self.moves.append(ElementMove("left", token.place, scope.spec.process))
        self.cancel_beside(token)
        if token.body is None:
            self.remove(token)
            goes_on = spec.left(token, self)
        else:  # an instance looks for its body among the tokens of the scope
            goes_on = spec.left(token, self)
            self.remove(token)
        for flow in flows if goes_on else ():
            self.arrive(scope, flow, spec.successors(token))
        self.settle(scope)

    def remove(self, token: Token) -> None:
        """Take the token out of the tree, whatever its state."""
        scope = token.workflow
        if scope.tasks.pop(token.id, None) is not None:
            scope.task_tree._children.remove(token.id)

    def resume(self, token: Token) -> None:
        """What the token waited for inside itself is done."""
        token.internal_data["done"] = True
        token._set_state(TaskState.READY)
        self.queue.append(token)

    # Cancelling ---------------------------------------------------------------------------------------

    def cancel(self, token: Token) -> None:
        """Cancel the activation, with everything inside and beside it."""
        if token.id not in token.workflow.tasks:
            return
        inner = self.instance.subprocesses.get(token.id)
        if inner is not None:
            self.cancel_all(inner)
            del self.instance.subprocesses[token.id]
        if "items" in token.internal_data:
            self.cancel_instances(token)
        self.cancel_beside(token)
        token.cancel()

    def cancelled(self, token: Token) -> None:
        """Called by the element while the library cancels the token."""
        if "fault" in token.internal_data:
            self.resolve(token)
        elif "items" not in token.internal_data:  # the body of a multi-instance activity offers nothing itself
            token.task_spec.withdraw(token, self)
        if not {"host", "armed"} & token.internal_data.keys():
            self.moves.append(ElementMove("cancelled", token.place, token.workflow.spec.process))
        self.remove(token)

    def cancel_all(self, scope: Scope) -> None:
        for token in scope.tokens:
            self.cancel(token)

    def cancel_instances(self, body: Token) -> None:
        for token in body.workflow.tokens:
            if token.internal_data.get("body") == body.id and token.has_state(TaskState.NOT_FINISHED_MASK):
                self.cancel(token)

    def beside(self, host: Token) -> list[Token]:
        """The boundary events that are armed for an activation (never for one instance of several)."""
        if "body" in host.internal_data:
            return []
        return [token for token in host.workflow.tokens if token.internal_data.get("host") == host.id]

    def cancel_beside(self, host: Token) -> None:
        for token in self.beside(host):
            self.cancel(token)

    # Scopes -------------------------------------------------------------------------------------------

    def open_scope(self, scope: Scope, payload: Values, start: Element | None = None) -> None:
        """Begin a scope: arm its event subprocesses, then put a token on its start event."""
        plant(scope, self.next_number())
        for event_subprocess in scope.spec.event_subprocesses:
            event_subprocess.arm(scope, self)
        first = start or scope.spec.none_start
        if first is None:
            raise BpmnError(f"プロセス {scope.spec.name} には、ここから始められる開始イベントがありません。")
        self.spawn(scope, first, result=dict(payload))

    def settle(self, scope: Scope) -> None:
        """End a scope in which nothing goes on any more."""
        if scope.active or (scope.owner is not None and scope.owner.id not in scope.owner.workflow.tasks):
            return
        self.cancel_all(scope)
        if scope.owner is None:
            self.ended = True
            return
        activity: ScopeActivity = scope.owner.task_spec
        activity.scope_ended(scope.owner, scope)
        del self.instance.subprocesses[scope.owner.id]
        self.resume(scope.owner)

    def called_process(self, key: str) -> ProcessSpec:
        try:
            return self.bundle.spec(key)
        except KeyError:
            raise ElementFault(f"呼び出すプロセス「{key}」が、この配備にありません。") from None

    # The loop -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run ready tokens until every token waits or the instance has ended."""
        runs = 0
        while self._goes_on():
            token = self.queue.popleft()
            if not token.has_state(TaskState.READY) or token.id not in token.workflow.tasks:
                continue
            runs += 1
            if runs > MAX_RUNS:
                token._set_state(TaskState.STARTED)
                self.stop(token, "run", f"待つところのない繰返しです({MAX_RUNS} 回で止めました)。")
            else:
                token.run()

    def _goes_on(self) -> bool:
        if self.untested:
            conditions.let_happen(self)
        return bool(self.queue) or any(release_inclusive(scope) for scope in self.scopes() if scope.spec.inclusive)

    def stop(self, token: Token, phase: Phase, message: str) -> None:
        """The element cannot go on: it keeps what it has and waits for an operator."""
        token.internal_data["fault"] = phase
        self.faults[token.id] = Fault(token.place, message)

    def resolve(self, token: Token) -> Phase:
        """The fault of `token` is no more; gives the phase in which it stopped."""
        if self.faults.pop(token.id, None) is None:
            self.resolved_faults.append(token.id)
        phase: Phase = token.internal_data.pop("fault")
        return phase

    # Errors and escalations ---------------------------------------------------------------------------

    def catcher(self, token: Token, thrown: Error | Escalation, *, here: bool = False) -> Catcher | None:
        return find_catcher(token, thrown, here=here)

    def throw(self, token: Token, thrown: Error | Escalation, values: Values, *, here: bool = False) -> bool:
        """Let the nearest catcher have it, if there is one; True if that interrupts what goes on at `token`."""
        found = find_catcher(token, thrown, here=here)
        if found is None:
            return False
        found.element.happen(found.where, values, self)
        return found.element.interrupting

    # What the outside is offered ----------------------------------------------------------------------

    def open_task(self, token: Token, spec: UserTask) -> None:
        deadline = spec.deadline(token, self)
        due, reason = deadline.get("due"), deadline.get("due_reason")
        escalate_to = deadline.get("escalate_to") or []
        assignee = spec.names(spec.assignee, token, self, "担当者")
        self.opened_tasks[token.id] = OpenedTask(
            place=token.place,
            process=token.workflow.spec.process,
            name=spec.bpmn_name,
            form_id=spec.form_id,
            assignee=assignee[0] if assignee else None,
            candidate_groups=spec.names(spec.candidate_groups, token, self, "候補グループ"),
            candidate_users=spec.names(spec.candidate_users, token, self, "候補者"),
            excluded_users=spec.names(spec.excluded_users, token, self, "除外する人"),
            due=None if due is None else to_moment(due, self.environment, "期限"),
            due_reason=None if reason is None else shown(reason),
            escalate_to=tuple(map(str, escalate_to)) if isinstance(escalate_to, list) else (str(escalate_to),),
        )

    def close_task(self, token: Token, reason: Literal["completed", "cancelled"]) -> None:
        if self.opened_tasks.pop(token.id, None) is None:
            self.closed_tasks.append(ClosedTask(token.id, reason))

    def want_timer(self, token: Token, due: datetime) -> None:
        self.wanted_jobs[token.id] = WantedJob(token.place, "timer", due)

    def want_service(self, token: Token, job_type: str, retries: int) -> None:
        values = dict(token.local)
        self.wanted_jobs[token.id] = WantedJob(token.place, "service", self.now, job_type, retries, values)

    def drop_job(self, token: Token) -> None:
        """The job is no longer wanted; the one whose firing is this very step is gone by itself."""
        if self.wanted_jobs.pop(token.id, None) is None and token.id != self.consumed_job:
            self.dropped_jobs.append(token.id)

    def subscribe(self, token: Token, kind: Literal["message", "signal"], name: str, key: str) -> None:
        self.opened_subscriptions[token.id] = OpenedSubscription(token.place, kind, name, key)

    def unsubscribe(self, token: Token) -> None:
        if self.opened_subscriptions.pop(token.id, None) is None:
            self.closed_subscriptions.append(token.id)

    def throw_message(self, message: Message, key: str, values: Values) -> None:
        self.messages.append(ThrownMessage(message.name, key, dict(values), message.time_to_live))

    def throw_signal(self, name: str, values: Values) -> None:
        self.signals.append(ThrownSignal(name, dict(values)))

    # What is evaluated and recorded -------------------------------------------------------------------

    def deadline_decision(self, token: Token) -> str | None:
        return self.bundle.spec(token.workflow.spec.process).deadline_decision

    def decide(self, token: Token, decision: str, variables: Mapping[str, feel.Value]) -> feel.Value:
        """Evaluate a decision and record it with its matched rules."""
        definitions = self.bundle.decisions.get(decision)
        if definitions is None:
            raise ElementFault(f"決定「{decision}」が、この配備にありません。")
        try:
            outcome = definitions.evaluate(decision, variables, self.environment)
        except (dmn.DmnError, feel.FeelFault) as fault:
            raise ElementFault(f"決定「{decision}」を評価できません: {fault}") from fault
        self.decisions.append(DecisionEvaluated(token.place, decision, outcome))
        if outcome.faults:
            raise ElementFault(f"決定「{decision}」: {'、'.join(outcome.faults)}")
        return outcome.value

    def record_variable(self, scope: str, name: str, value: feel.Value) -> None:
        self.variables.append(VariableChange(scope, name, value))
        self.untested = True


# What a step's expressions know ---------------------------------------------------------------------------


class _Environment(feel.Environment):
    """That of one step, in which the host's functions note what they answered."""

    __slots__ = ("calls",)

    def __init__(self, now: datetime, calls: list[HostCall]) -> None:
        super().__init__(now, _RECORDED)
        self.calls = calls


def _recorded(function: feel.Function) -> feel.Function:
    def recorded(arguments: tuple[feel.Value, ...], environment: feel.Environment) -> feel.Value:
        assert isinstance(environment, _Environment)  # noqa: S101 # a step gives no other to an expression
        result = function.call(arguments, environment)
        environment.calls.append(HostCall(function.name, arguments, result))
        return result

    return replace(function, call=recorded)


_RECORDED = {name: _recorded(function) for name, function in business_days.FUNCTIONS.items()}
