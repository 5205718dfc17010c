"""Turns syntax into closures, once; evaluating is calling them with a scope, and never parses."""

from engine.feel.compiler import control, operands  # noqa: F401 # each registers its compilers
from engine.feel.compiler.operators import Test, compiled_test
from engine.feel.compiler.registry import Run, compiled

__all__ = ["Run", "Test", "compiled", "compiled_test"]
