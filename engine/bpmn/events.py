"""Events: what starts, ends, interrupts and connects (BPMN 2.0, clause 10.5 and 13.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine import feel
from engine.bpmn import compensation
from engine.bpmn.advance import MissedTimer
from engine.bpmn.cycles import Schedule
from engine.bpmn.elements import Element
from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import Expression, Variables, shown
from engine.bpmn.scopes import ProcessSpec, Token, Values, visible
from engine.bpmn.timers import Timer

if TYPE_CHECKING:
    from engine.bpmn.step import Step


@dataclass(frozen=True, slots=True)
class Message:
    """A message by name; `key` picks the instance (the correlation key)."""

    name: str
    key: Expression | None = None
    time_to_live: timedelta = timedelta(0)

    def key_value(self, variables: Variables, environment: feel.Environment) -> str:
        if self.key is None:
            raise ElementFault(f"メッセージ「{self.name}」に correlationKey がありません。")
        value = self.key.evaluate(variables, environment)
        if value is None or isinstance(value, dict | list):
            raise ElementFault(f"メッセージ「{self.name}」の correlationKey {self.key.text} に値がありません。")
        return feel.to_text(value)


@dataclass(frozen=True, slots=True)
class Signal:
    name: str


@dataclass(frozen=True, slots=True)
class Error:
    """A BPMN error; a catch without code takes every error."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Escalation:
    code: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """The event happens when `expression` becomes true."""

    expression: Expression

    def holds(self, variables: Variables, environment: feel.Environment) -> bool:
        """Null counts as false: its variables may not be there yet. Anything else but a boolean is a fault."""
        value = self.expression.evaluate(variables, environment)
        if value is not None and not isinstance(value, bool):
            raise ElementFault(f"条件 {self.expression.text} が true / false になりません({shown(value)})。")
        return value is True


@dataclass(frozen=True, slots=True)
class Compensation:
    """Undo `activity`, or everything that was completed in the scope."""

    activity: str | None


@dataclass(frozen=True, slots=True)
class Terminate:
    pass


Trigger = Message | Signal | Error | Escalation | Timer | Condition | Compensation | Terminate
AWAITED = (Message, Signal, Timer, Condition)
"""Triggers that are waited for; errors and escalations look for their catcher."""


def arm(trigger: Trigger, token: Token, variables: Variables, step: Step) -> None:
    """Offer the waiting `token` to the outside, as a timer job or a subscription; a condition is tested at once."""
    if isinstance(trigger, Timer):
        _arm_timer(trigger, token, variables, step)
    elif isinstance(trigger, Message):
        step.subscribe(token, "message", trigger.name, trigger.key_value(variables, step.environment))
    elif isinstance(trigger, Signal):
        step.subscribe(token, "signal", trigger.name, "")
    elif isinstance(trigger, Condition):
        step.untested = True


def _arm_timer(timer: Timer, token: Token, variables: Variables, step: Step) -> None:
    remaining = token.internal_data.get("remaining")
    if timer.kind != "cycle":
        token.internal_data["remaining"] = 0
        step.want_timer(token, timer.due(variables, step.environment, step.now))
    elif step.semantics == 1:
        due, left = timer.drifting(variables, step.environment, step.now, remaining)
        token.internal_data["remaining"] = left
        step.want_timer(token, due)
    else:
        _follow(timer.schedule(variables, step.environment, step.now, remaining), token, step)


def _follow(schedule: Schedule, token: Token, step: Step) -> None:
    token.internal_data.pop("remaining", None)
    token.internal_data["schedule"] = schedule.stored()
    step.want_timer(token, schedule.due)


def disarm(trigger: Trigger | None, token: Token, step: Step) -> None:
    if isinstance(trigger, Timer):
        step.drop_job(token)
    elif isinstance(trigger, Message | Signal):
        step.unsubscribe(token)


class StartEvent(Element):
    """Where a scope begins; a payload reaches the scope through the output mappings, or as it is."""

    trigger: Trigger | None = None


class CatchEvent(Element):
    """Waits for its trigger."""

    trigger: Trigger

    def enter(self, token: Token, step: Step) -> bool:
        self.map_inputs(token, step)
        arm(self.trigger, token, visible(token), step)
        return False

    def fire(self, token: Token, values: Values, step: Step) -> None:
        """What was waited for has come."""
        token.result.update(values)
        disarm_consumed(self.trigger, token, step)
        token._ready()

    def withdraw(self, token: Token, step: Step) -> None:
        disarm(self.trigger, token, step)

    def left(self, token: Token, step: Step) -> bool:
        cancel_group(token, step)
        return True


def disarm_consumed(trigger: Trigger, token: Token, step: Step) -> None:
    """A subscription that took its message is closed; a timer's job is gone with its firing."""
    if isinstance(trigger, Message | Signal):
        step.unsubscribe(token)


def cancel_group(token: Token, step: Step) -> None:
    """The other events behind the same event-based gateway no longer wait."""
    group = token.internal_data.get("group")
    if group is not None:
        for other in token.workflow.tokens:
            if other.internal_data.get("group") == group:
                step.cancel(other)


class ThrowEvent(Element):
    """An intermediate throw or end event; `trigger` is None for a none event."""

    trigger: Trigger | None = None

    def execute(self, token: Token, step: Step) -> bool:
        match self.trigger:
            case Message() as message:
                key = message.key_value(visible(token), step.environment)
                step.throw_message(message, key, token.local)
            case Signal(name):
                step.throw_signal(name, token.local)
            case Compensation(activity):
                return compensation.undo(token, activity, step)
            case Error() as error if step.catcher(token, error) is None:
                raise ElementFault(f"エラー「{error.code}」を受け止めるものがありません。")
        return True

    def left(self, token: Token, step: Step) -> bool:
        match self.trigger:
            case Error() | Escalation() as thrown:
                return not step.throw(token, thrown, token.local)
            case Terminate():
                step.cancel_all(token.workflow)
        return True


class BoundaryEvent(Element):
    """Armed beside its activity; fires in a token of its own."""

    trigger: Trigger
    interrupting: bool = True

    def __init__(self, spec: ProcessSpec, bpmn_id: str, name: str) -> None:
        super().__init__(spec, bpmn_id, name)
        self.attached_to = ""

    def arm(self, host: Token, step: Step) -> None:
        if isinstance(self.trigger, AWAITED):
            token = step.new_token(host.workflow, self, host=host.id)
            try:
                arm(self.trigger, token, visible(host), step)
            except ElementFault:
                if step.semantics > 1:  # else it is withdrawn with the others
                    step.remove(token)
                raise

    def fire(self, token: Token, values: Values, step: Step) -> None:
        host = token.workflow.tasks[token.internal_data["host"]]
        if not self.interrupting:
            self.rearm(token, step)
        self.happen(host, values, step)

    def rearm(self, token: Token, step: Step) -> None:
        host = token.workflow.tasks[token.internal_data["host"]]
        rearm(self.trigger, token, visible(host), step)

    def happen(self, host: Token, values: Values, step: Step) -> None:
        """The event takes place at the activity `host`."""
        scope = host.workflow
        if self.interrupting:
            step.cancel(host)
        step.spawn(scope, self, result=dict(values))

    def enter(self, token: Token, step: Step) -> bool:
        return True

    def withdraw(self, token: Token, step: Step) -> None:
        disarm(self.trigger, token, step)


def rearm(trigger: Trigger, token: Token, variables: Variables, step: Step) -> None:
    """A non-interrupting event goes on waiting; a timer only while its cycle lasts."""
    if not isinstance(trigger, Timer):
        return
    if "schedule" in token.internal_data:
        schedule, missed = Schedule.restored(token.internal_data["schedule"]).fired(step.now)
        if missed:
            step.missed.append(MissedTimer(token.place, missed))
        if schedule is None:
            step.remove(token)
        else:
            _follow(schedule, token, step)
    elif token.internal_data.get("remaining") == 0:
        step.remove(token)
    else:
        try:  # armed by an earlier release
            arm(trigger, token, variables, step)
        except ElementFault as fault:
            step.stop(token, "rearm", str(fault))
