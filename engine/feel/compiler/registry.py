"""Which function compiles which kind of syntax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from engine.feel.environment import Environment, Scope
from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.syntax import Node
from engine.feel.values import Value

Run = Callable[[Scope], Value]
_Compiler = TypeVar("_Compiler", bound=Callable[[Any], Run])

_COMPILERS: Final[dict[type, Callable[[Any], Run]]] = {}


def compiles(kind: type) -> Callable[[_Compiler], _Compiler]:
    """Makes the decorated function the one that compiles that kind of syntax."""

    def register(compiler: _Compiler) -> _Compiler:
        _COMPILERS[kind] = compiler
        return compiler

    return register


def compiled(node: Node) -> Run:
    """A function that evaluates the node in a scope."""
    return _COMPILERS[type(node)](node)


def noted(environment: Environment, error: Exception) -> Value:
    """Null and a warning for an error inside an evaluation; limits are raised on."""
    if isinstance(error, FeelLimitExceeded):
        raise error
    message = error.message if isinstance(error, FeelFault) else "the result is not a number FEEL can hold"
    environment.warn(message)
    return None
