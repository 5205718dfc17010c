"""What the token game plays with: scopes, tokens, and what they wait for."""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .blocks import Block, Boundary, Event, EventSubprocess, Path

Variables = dict[str, Any]


@dataclass(eq=False, slots=True)
class Scope:
    """A process, or a subprocess that runs; only a process has variables of its own."""

    owner: Token | None
    variables: Variables | None
    tokens: list[Token] = field(default_factory=list)
    arrived: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Tokens at joins, by join and branch."""
    armed: list[Token] = field(default_factory=list)
    """Event subprocesses that can begin, which do not keep the scope going."""
    guards: tuple[EventSubprocess, ...] = ()
    completed: list[Done] = field(default_factory=list)

    @property
    def path(self) -> str:
        return "" if self.owner is None else self.owner.path

    def holders(self) -> Iterator[tuple[str, Variables]]:
        """Where variables stand that are seen in this scope, innermost first."""
        if self.variables is not None:
            yield self.path, self.variables
        elif self.owner is not None:
            yield self.path, self.owner.local
            yield from self.owner.scope.holders()

    @property
    def view(self) -> ChainMap[str, Any]:
        return ChainMap(*(values for _, values in self.holders()))


@dataclass(eq=False, slots=True)
class Token:
    """A token that stays: at an event, or as the activation of an activity (`whole`: of which it is one instance)."""

    block: Block | EventSubprocess
    scope: Scope
    local: Variables = field(default_factory=dict)
    whole: Token | None = None
    index: int = 0
    instances: list[Token] = field(default_factory=list)
    completed: int = 0
    collected: list[Any] = field(default_factory=list)
    undoable: list[Done] = field(default_factory=list)
    """What was completed inside a subprocess."""
    pending: list[Done] | None = None
    target: Scope | None = None
    asked_by: Token | None = None

    @property
    def path(self) -> str:
        return f"{self.scope.path}/{self.block.id}".lstrip("/")

    @property
    def view(self) -> ChainMap[str, Any]:
        return self.scope.view.new_child(self.local)


@dataclass(frozen=True, slots=True)
class Done:
    """A completed activation that can be undone."""

    block: Any
    local: Variables
    inner: tuple[Done, ...]


@dataclass(eq=False, slots=True)
class Wait:
    """Something the outside can make happen: the completion of a task, a message or signal, a timer; or a condition."""

    kind: Literal["task", "message", "timer", "condition"]
    element: str
    token: Token
    event: Event | None = None
    boundary: Boundary | None = None
    path: Path | None = None
    left: int = 1
    held: bool = False
    """Whether the condition was true when it was last tested."""
