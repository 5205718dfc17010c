"""Records: a cause and its Advance as the facts of a history event, and the cause back again for replay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

from engine import bpmn, dmn
from engine.history import Values, instant

Facts = dict[str, Any]

NAMES = (
    "moves",
    "opened_tasks",
    "closed_tasks",
    "wanted_jobs",
    "dropped_jobs",
    "missed_timers",
    "opened_subscriptions",
    "closed_subscriptions",
    "messages",
    "signals",
    "variables",
    "decisions",
    "host_calls",
    "faults",
    "resolved_faults",
    "ended",
)
"""What a step did, as facts are named: the same again when the cause is folded again."""


def facts_of(cause: bpmn.Cause, advance: bpmn.Advance, values: Values) -> Facts:
    """Everything the step was told and did; FEEL values go into `values`. What is empty is left out."""
    facts: Facts = {
        "cause": cause_facts(cause, values),
        "moves": [_move(move) for move in advance.moves],
        "opened_tasks": [_task(task, values) for task in advance.opened_tasks],
        "closed_tasks": [{"token": task.token, "reason": task.reason} for task in advance.closed_tasks],
        "wanted_jobs": [_job(job, values) for job in advance.wanted_jobs],
        "dropped_jobs": list(advance.dropped_jobs),
        "missed_timers": [{**_place(missed.place), "count": missed.count} for missed in advance.missed_timers],
        "opened_subscriptions": [_subscription(wait, values) for wait in advance.opened_subscriptions],
        "closed_subscriptions": list(advance.closed_subscriptions),
        "messages": [_message(message, values) for message in advance.messages],
        "signals": [{"name": s.name, "values": values.put_all("payload", s.values)} for s in advance.signals],
        "variables": [
            {"scope": change.scope, "name": change.name, "value": values.put("variable", change.name, change.value)}
            for change in advance.variables
        ],
        "decisions": [_decision(decided, values) for decided in advance.decisions],
        "host_calls": [_call(call, values) for call in advance.host_calls],
        "faults": [{**_place(f.place), "message": values.put("message", "message", f.message)} for f in advance.faults],
        "resolved_faults": list(advance.resolved_faults),
        "ended": advance.ended,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _place(place: bpmn.Place) -> Facts:
    return {"token": place.token, "element": place.element, "scope": place.scope}


def _move(move: bpmn.ElementMove) -> Facts:
    return {**_place(move.place), "kind": move.kind, "process": move.process, "flow": move.flow}


def _task(task: bpmn.OpenedTask, values: Values) -> Facts:
    return {
        **_place(task.place),
        "name": task.name,
        "form_id": task.form_id,
        "assignee": task.assignee,
        "candidate_groups": list(task.candidate_groups),
        "candidate_users": list(task.candidate_users),
        "excluded_users": list(task.excluded_users),
        "due": None if task.due is None else instant(task.due),
        "due_reason": values.put("message", "due_reason", task.due_reason),
        "escalate_to": list(task.escalate_to),
    }


def _job(job: bpmn.WantedJob, values: Values) -> Facts:
    return {
        **_place(job.place),
        "kind": job.kind,
        "due": instant(job.due),
        "type": job.type,
        "retries": job.retries,
        "values": values.put_all("input", job.values),
    }


def _subscription(wait: bpmn.OpenedSubscription, values: Values) -> Facts:
    return {**_place(wait.place), "kind": wait.kind, "name": wait.name, "key": values.put("key", wait.name, wait.key)}


def _message(message: bpmn.ThrownMessage, values: Values) -> Facts:
    return {
        "name": message.name,
        "key": values.put("key", message.name, message.key),
        "values": values.put_all("payload", message.values),
        "seconds": round(message.time_to_live.total_seconds()),
    }


def _decision(decided: bpmn.DecisionEvaluated, values: Values) -> Facts:
    return {
        **_place(decided.place),
        "decision": decided.decision,
        "evaluations": [_evaluation(each, values) for each in decided.outcome.evaluations],
        "faults": list(decided.outcome.faults),
    }


def _evaluation(evaluation: dmn.Evaluation, values: Values) -> Facts:
    return {
        "decision": evaluation.decision_id,
        "name": evaluation.decision_name,
        "inputs": values.put_all("decision_input", evaluation.inputs),
        "value": values.put("decision", evaluation.decision_id, evaluation.value),
        "rules": [
            {
                "index": rule.index,
                "id": rule.rule_id,
                "annotation": rule.annotation,
                "outputs": values.put_all("decision_output", rule.outputs),
            }
            for rule in evaluation.rules
        ],
    }


def _call(call: bpmn.HostCall, values: Values) -> Facts:
    return {
        "name": call.name,
        "arguments": [values.put("argument", call.name, argument) for argument in call.arguments],
        "result": values.put("result", call.name, call.result),
    }


# Causes -------------------------------------------------------------------------------------------------


def cause_facts(cause: bpmn.Cause, values: Values) -> Facts:
    """The cause as facts; `cause_of` gives it back."""
    kind = {"kind": type(cause).__name__}
    match cause:
        case bpmn.Start(process, key, given, message):
            put = values.put_all("given", given)
            return {**kind, "process": process, "business_key": key, "variables": put, "message": message}
        case bpmn.CompleteTask(token, given, by):
            return {**kind, "token": token, "values": values.put_all("field", given), "by": by}
        case bpmn.FireTimer(token) | bpmn.Retry(token):
            return {**kind, "token": token}
        case bpmn.Receive(token, given) | bpmn.JobCompleted(token, given):
            return {**kind, "token": token, "values": values.put_all("payload", given)}
        case bpmn.JobFailed(token, message, code):
            return {**kind, "token": token, "message": values.put("message", "message", message), "error_code": code}
        case bpmn.ChangeVariables(given, at):
            return {**kind, "values": values.put_all("given", given), "token": at}
        case bpmn.Cancel(reason):
            return {**kind, "reason": values.put("message", "reason", reason)}
        case _:
            assert_never(cause)


_CAUSES: Mapping[str, Callable[..., bpmn.Cause]] = {
    kind.__name__: kind
    for kind in (
        bpmn.Start,
        bpmn.CompleteTask,
        bpmn.FireTimer,
        bpmn.Receive,
        bpmn.JobCompleted,
        bpmn.JobFailed,
        bpmn.Retry,
        bpmn.ChangeVariables,
        bpmn.Cancel,
    )
}


def cause_of(facts: Mapping[str, Any]) -> bpmn.Cause:
    """The cause that an event records, from its facts with values resolved."""
    given = dict(facts)
    return _CAUSES[given.pop("kind")](**given)
