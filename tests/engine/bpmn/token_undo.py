"""Compensation in the token game: what was completed and has a handler is undone, the last first."""

from __future__ import annotations

from typing import Any

from .blocks import EventSubprocess, Undo
from .token_state import Done, Scope, Token, Wait


class Undoing:
    """The part of the game that undoes. A token with `pending` undoes: a throw, or a subprocess that was completed."""

    waits: list[Wait]
    scopes: list[Scope]
    _stand: Any
    _withdraw: Any
    _go: Any

    def _remember(self, token: Token) -> None:
        handler = getattr(token.block, "undone_by", None)
        if handler is not None or token.undoable:
            inner = () if handler is not None else tuple(token.undoable)
            token.scope.completed.append(Done(token.block, dict(token.local), inner))

    def _undo(self, block: Undo, scope: Scope) -> None:
        token = self._stand(block, scope)
        target = scope
        while target.owner is not None and isinstance(target.owner.block, EventSubprocess):
            target = target.owner.scope
        token.pending, target.completed = target.completed, []
        self._undo_next(token, target)

    def _undo_next(self, token: Token, target: Scope | None = None) -> None:
        """Undo the last that is pending, in the scope of the throw or in the subprocess opened again for it."""
        throws = isinstance(token.block, Undo)
        token.target = target or token.target
        if not token.pending:
            self._withdraw(token)
            if throws:
                self._go("leave", token.block, token.scope)
            else:
                self._was_undone(token)
            return
        done = token.pending.pop()
        if throws:
            assert token.target is not None
            scope = token.target
        else:
            scope = Scope(token, None)
            self.scopes.append(scope)
        handler = getattr(done.block, "undone_by", None)
        standing = self._stand(handler or done.block, scope)
        standing.local.update(done.local)
        standing.asked_by = token if throws else None
        if handler is not None:
            self.waits.append(Wait("task", handler.id, standing))
        else:
            standing.pending = list(done.inner)
            self._undo_next(standing)

    def _was_undone(self, token: Token) -> None:
        """A handler or a subprocess has done its part: the throw that asked for it goes on, if it still stands."""
        asked = token.asked_by
        if asked is not None and asked in asked.scope.tokens:
            self._undo_next(asked)
