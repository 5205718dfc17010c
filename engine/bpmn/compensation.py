"""Compensation: what was completed and has a handler is undone, the last first, one after another.

BPMN 2.0, clause 10.7 and 13.5.5. A scope remembers what was completed in it; a completed subprocess without a handler
of its own is remembered with what was completed inside. Undoing it opens its scope again, for its handlers alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import feel

if TYPE_CHECKING:
    from engine.bpmn.scopes import Scope, Token, Values
    from engine.bpmn.step import Step


@dataclass(frozen=True, slots=True)
class Completed:
    """One completed activation with the variables it had for itself; `inner` of a subprocess, the oldest first."""

    element: str
    local: Values
    inner: tuple[Completed, ...] = ()

    def stored(self) -> list[Any]:
        """As JSON; `restored` gives it back."""
        local = {name: feel.encode(value) for name, value in self.local.items()}
        return [self.element, local, [each.stored() for each in self.inner]]

    @classmethod
    def restored(cls, stored: list[Any]) -> Completed:
        element, local, inner = stored
        values = {name: feel.decode(value) for name, value in local.items()}
        return cls(element, values, tuple(cls.restored(each) for each in inner))


def remember(token: Token) -> None:
    """The activity at `token` is completed: its scope can undo it, if there is something to undo."""
    spec, inner = token.task_spec, token.internal_data.get("undoable", ())
    if not spec.undoes and (spec.handler is not None or inner):
        done = Completed(spec.bpmn_id, dict(token.local), () if spec.handler is not None else tuple(inner))
        token.workflow.completed.append(done)


def undo(token: Token, activity: str | None, step: Step) -> bool:
    """Undo what was completed in the scope of the throwing `token`, or of it one activity; True when all of it is."""
    scope = _undone_scope(token)
    if "compensating" not in token.internal_data:
        taken = [done for done in scope.completed if activity in (None, done.element)]
        scope.completed = [done for done in scope.completed if done not in taken]
        token.internal_data["compensating"] = taken
    return _undo_last(token.internal_data["compensating"], scope, step, compensates=token.id)


def undo_inside(token: Token, scope: Scope, step: Step) -> bool:
    """Undo what was completed inside the subprocess at `token`, in its reopened `scope`."""
    return _undo_last(token.internal_data["undoing"], scope, step)


def _undo_last(pending: list[Completed], scope: Scope, step: Step, **internal: Any) -> bool:
    if not pending:
        return True
    done = pending.pop()
    spec, local = scope.spec.task_specs[done.element], dict(done.local)
    if done.inner:
        step.spawn(scope, spec, local=local, undoing=list(done.inner), **internal)
    else:
        step.spawn(scope, spec.handler, local=local, **internal)
    return False


def _undone_scope(token: Token) -> Scope:
    """That of the event itself; for one in an event subprocess the scope that this belongs to."""
    scope = token.workflow
    while scope.owner is not None and scope.owner.task_spec.undoes_outside:
        scope = scope.owner.workflow
    return scope


def undoes(token: Token) -> bool:
    """Whether a completed subprocess is undone at this token: none of its events or flows is alive."""
    return "undoing" in token.internal_data


def undone(token: Token, step: Step) -> None:
    """A handler, or a subprocess with its handlers, has done its work: the event that asked for it goes on."""
    number = token.internal_data.get("compensates")
    if number is not None and (thrower := step.find(number)) is not None:
        step.resume(thrower)
