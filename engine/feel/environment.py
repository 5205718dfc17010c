"""What one evaluation may know and spend: the time, the host's functions, its warnings and its work."""

from __future__ import annotations

import datetime as python
import inspect
from collections.abc import Callable, Mapping
from typing import Final

from engine.feel.errors import FeelLimitExceeded
from engine.feel.values import Function, Value, date_time, from_python

MAX_STEPS: Final = 1_000_000  # iterations, calls, and items or characters handled by built-ins
MAX_DEPTH: Final = 400  # levels of evaluation within each other, calls of functions included
MAX_WARNINGS: Final = 100  # later ones are dropped


class Environment:
    """The world of one step: `now`, host functions, warnings and a budget of work.

    A host function is a FEEL function, such as `host_function` makes once for many environments, or a Python one,
    of which it is made here.
    """

    __slots__ = ("_depth", "_steps", "functions", "now", "warnings")

    def __init__(
        self, now: python.datetime, functions: Mapping[str, Function | Callable[..., object]] | None = None
    ) -> None:
        if now.tzinfo is None:
            raise ValueError("the time of an evaluation needs a time zone")
        self.now = date_time(now)
        self.functions = {
            name: given if isinstance(given, Function) else host_function(name, given)
            for name, given in (functions or {}).items()
        }
        self.warnings: list[str] = []
        self._steps = MAX_STEPS
        self._depth = 0

    def warn(self, message: str) -> None:
        """Notes why something became null."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(message)

    def step(self, count: int = 1) -> None:
        """Spends `count` steps of the budget; FeelLimitExceeded when none are left."""
        self._steps -= count
        if self._steps < 0:
            raise FeelLimitExceeded(f"the evaluation needs more than {MAX_STEPS} steps")

    def enter(self, levels: int) -> None:
        """Goes `levels` deeper, and spends a step; every call is followed by a `leave`."""
        self._steps -= 1
        self._depth += levels
        if self._steps < 0 or self._depth > MAX_DEPTH:
            self.step(0)
            raise FeelLimitExceeded(f"the evaluation is nested deeper than {MAX_DEPTH} levels")

    def leave(self, levels: int) -> None:
        self._depth -= levels


def host_function(name: str, call: Callable[..., object]) -> Function:
    """The FEEL function that calls a Python one with FEEL values.

    Its parameters bear the Python names with spaces for underscores; what the Python function returns may be
    anything that `from_python` knows.
    """
    parameters = [p for p in inspect.signature(call).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    required = sum(1 for p in parameters if p.default is p.empty)

    def run(arguments: tuple[Value, ...], _environment: Environment) -> Value:
        return from_python(call(*arguments))

    names = tuple(p.name.strip("_").replace("_", " ") for p in parameters)
    return Function(names, run, name, required)


class Scope:
    """The names an expression sees: its own, then those of the scope around it."""

    __slots__ = ("environment", "names", "parent")

    def __init__(self, names: Mapping[str, Value], parent: Scope | None, environment: Environment) -> None:
        self.names = names
        self.parent = parent
        self.environment = environment
