"""The state of an instance as JSON: lossless, small, and only what can still matter.

Format 1: `{format, process, business_key, counter, ended, scopes}`; a scope is `{owner, spec, root, data, tokens}`
(the outermost first, an owner before what it owns), with `completed` if compensation can undo something; a token
`[number, element, state, internal]`. FEEL values go through `feel.encode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.bpmn.compensation import Completed
from engine.bpmn.errors import BpmnError
from engine.bpmn.scopes import Scope, Subscope, Token, plant
from engine.bpmn.step import SEMANTICS, Step

if TYPE_CHECKING:
    from engine.bpmn.bundle import Bundle

FORMAT = 1

_CONTEXTS = ("local", "given", "result", "payload")
_VALUES = ("items", "collected")
_PLAIN = (
    "arrived",
    "host",
    "group",
    "body",
    "index",
    "completed",
    "remaining",
    "fault",
    "done",
    "armed",
    "held",
    "schedule",
    "compensates",
    "corrected",
)
_COMPLETED = ("compensating", "undoing", "undoable")


def dump(step: Step) -> dict[str, Any]:
    """What must be stored so that `load` gives the same step state again."""
    return {
        "format": FORMAT,
        "process": step.instance.spec.name,
        "business_key": step.business_key,
        "counter": step.counter,
        "ended": step.ended,
        "scopes": [] if step.ended else [_dump_scope(scope) for scope in step.scopes()],
    }


def _dump_scope(scope: Scope) -> dict[str, Any]:
    dumped = {
        "owner": None if scope.owner is None else scope.owner.id,
        "spec": scope.spec.name,
        "root": scope.task_tree.id,
        "data": {name: feel.encode(value) for name, value in scope.data.items()},
        "tokens": [
            [token.id, token.task_spec.bpmn_id, token._state, _dump_internal(token.internal_data)]
            for token in scope.tokens
        ],
    }
    if scope.completed:
        dumped["completed"] = [done.stored() for done in scope.completed]
    return dumped


def _dump_internal(internal: Mapping[str, Any]) -> dict[str, Any]:
    dumped = {key: internal[key] for key in _PLAIN if key in internal}
    for key in _CONTEXTS:
        if internal.get(key):
            dumped[key] = {name: feel.encode(value) for name, value in internal[key].items()}
    dumped.update({key: feel.encode(internal[key]) for key in _VALUES if key in internal})
    dumped.update({key: [done.stored() for done in internal[key]] for key in _COMPLETED if key in internal})
    return dumped


def load(bundle: Bundle, snapshot: Mapping[str, Any], now: datetime, semantics: int = SEMANTICS) -> Step:
    """The live step state of a stored instance; raises BpmnError for a format of a later release."""
    if snapshot.get("format") != FORMAT:
        raise BpmnError(f"このスナップショット(形式 {snapshot.get('format')})は読めません。")
    step = Step(bundle, snapshot["process"], snapshot["business_key"], snapshot["counter"], now, semantics)
    step.ended = snapshot["ended"]
    owners: dict[int, Token] = {}
    for stored in snapshot["scopes"]:
        owner = None if stored["owner"] is None else owners[stored["owner"]]
        scope: Scope = step.instance if owner is None else Subscope(bundle.inner_spec(owner, stored["spec"]), owner)
        root = plant(scope, stored["root"])
        scope.data.update({name: feel.decode(value) for name, value in stored["data"].items()})
        scope.completed = [Completed.restored(done) for done in stored.get("completed", ())]
        for number, element, state, internal in stored["tokens"]:
            token = Token(scope, scope.spec.task_specs[element], root, state=state, id=number)
            token.internal_data.update(_load_internal(internal))
            owners[number] = token
    return step


def _load_internal(stored: Mapping[str, Any]) -> dict[str, Any]:
    internal = {key: stored[key] for key in _PLAIN if key in stored}
    if "arrived" in internal:
        internal["arrived"] = dict(internal["arrived"])
    for key in _CONTEXTS:
        if key in stored:
            internal[key] = {name: feel.decode(value) for name, value in stored[key].items()}
    internal.update({key: feel.decode(stored[key]) for key in _VALUES if key in stored})
    internal.update({key: [Completed.restored(d) for d in stored[key]] for key in _COMPLETED if key in stored})
    return internal
