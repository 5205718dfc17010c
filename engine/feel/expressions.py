"""The compiled forms a caller keeps: expressions and unary tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.feel.compiler import Run, Test, compiled, compiled_test
from engine.feel.environment import Environment, Scope
from engine.feel.errors import FeelLimitExceeded
from engine.feel.parser import Parser
from engine.feel.syntax import Node, mentions
from engine.feel.types import Predicate
from engine.feel.values import Value


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; `names` are the free names it reads."""

    text: str
    names: frozenset[str]
    syntax: Node = field(repr=False)
    _run: Run = field(repr=False, compare=False)

    def evaluate(self, variables: Mapping[str, Value], environment: Environment) -> Value:
        """The value; what is ill typed is null, with a warning. FeelLimitExceeded when it asks too much."""
        try:
            return self._run(Scope(variables, None, environment))
        except FeelLimitExceeded as limit:
            limit.expression = limit.expression or self.text
            raise
        except RecursionError as error:
            raise _too_deep(self.text) from error


@dataclass(frozen=True, slots=True)
class UnaryTests:
    """Compiled unary tests, as in the cell of a decision table; `syntax` is None for `-`."""

    text: str
    names: frozenset[str]
    syntax: tuple[Node, ...] | None = field(repr=False)
    negated: bool
    _tests: tuple[Test, ...] = field(repr=False, compare=False)
    _uses_input: bool = field(repr=False)

    def evaluate(self, value: Value, variables: Mapping[str, Value], environment: Environment) -> bool:
        """Whether the value passes; null counts as False."""
        if self.syntax is None:
            return True
        scope = Scope(variables, None, environment)
        if self._uses_input:
            scope = Scope({"?": value}, scope, environment)
        outcome: bool | None = False
        try:
            for test in self._tests:
                passed = test(scope, value)
                if passed:
                    return not self.negated
                if passed is None:
                    outcome = None
        except FeelLimitExceeded as limit:
            limit.expression = limit.expression or self.text
            raise
        except RecursionError as error:
            raise _too_deep(self.text) from error
        return self.negated and outcome is False


def _too_deep(text: str) -> FeelLimitExceeded:
    limit = FeelLimitExceeded("the evaluation is nested too deep")
    limit.expression = text
    return limit


def parse_expression(text: str, names: Iterable[str] = (), types: Mapping[str, Predicate] | None = None) -> Expression:
    """The compiled expression; FeelSyntaxError where the text is not FEEL.

    `names` are those in scope, and members of contexts in scope, needed where they hold symbols or keywords;
    `types` are the host's types by name, each a predicate of a value and an environment.
    """
    parser = Parser(text, names, types)
    node = parser.expression()
    return Expression(text, frozenset(parser.free), node, compiled(node))


def parse_unary_tests(text: str, names: Iterable[str] = (), types: Mapping[str, Predicate] | None = None) -> UnaryTests:
    """The compiled unary tests, in which `?` is the value tested; FeelSyntaxError where the text is none."""
    parser = Parser(text, names, types)
    nodes, negated = parser.unary_tests()
    tests = nodes or ()
    return UnaryTests(
        text,
        frozenset(parser.free),
        nodes,
        negated,
        tuple(compiled_test(node) for node in tests),
        any(mentions(node, "?") for node in tests),
    )
