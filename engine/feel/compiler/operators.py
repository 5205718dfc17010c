"""Arithmetic, comparison, logic, and unary tests."""

from __future__ import annotations

from collections.abc import Callable

from engine.feel import syntax
from engine.feel.compiler.registry import Run, compiled, compiles, noted
from engine.feel.environment import Scope
from engine.feel.errors import FeelFault
from engine.feel.operations import ARITHMETIC, COMPARISONS, contains, equal, less_or_equal, negate
from engine.feel.syntax import Node, mentions
from engine.feel.types import belongs
from engine.feel.values import Value, type_name

Test = Callable[[Scope, Value], "bool | None"]


def compiled_test(node: Node) -> Test:
    """A function that answers whether a value passes the unary test, in a scope where `?` is that value."""
    if isinstance(node, syntax.Comparator):
        bound, compare = compiled(node.bound), COMPARISONS[node.operator]
        if isinstance(node.bound, syntax.Literal):
            limit = node.bound.value
            return lambda scope, value: compare(value, limit)
        return lambda scope, value: compare(value, bound(scope))
    if isinstance(node, syntax.Literal):
        constant, kind = node.value, type(node.value)
        return lambda scope, value: value == constant if type(value) is kind else equal(value, constant)
    run = compiled(node)
    if not mentions(node, "?"):
        return lambda scope, value: _passes(run(scope), value)

    def condition(scope: Scope, value: Value) -> bool | None:
        result = run(scope)
        return result if result is None or isinstance(result, bool) else contains(result, value)

    return condition


def _passes(result: Value, value: Value) -> bool | None:
    """Whether the value is, or is in, what a test without `?` came to; a condition speaks for itself."""
    if isinstance(result, bool) and not isinstance(value, bool):
        return result
    return contains(result, value)


@compiles(syntax.Negation)
def _negation(node: syntax.Negation) -> Run:
    operand = compiled(node.operand)

    def run(scope: Scope) -> Value:
        value = operand(scope)
        try:
            return negate(value)
        except FeelFault as fault:
            return noted(scope.environment, fault)

    return run


@compiles(syntax.Arithmetic)
def _arithmetic(node: syntax.Arithmetic) -> Run:
    operation, left, right = ARITHMETIC[node.operator], compiled(node.left), compiled(node.right)

    def run(scope: Scope) -> Value:
        first, second = left(scope), right(scope)
        try:
            return operation(first, second)
        except (FeelFault, ArithmeticError) as error:
            return noted(scope.environment, error)

    return run


@compiles(syntax.Comparison)
def _comparison(node: syntax.Comparison) -> Run:
    operator, left, right = node.operator, compiled(node.left), compiled(node.right)
    compare = COMPARISONS[operator]

    def run(scope: Scope) -> Value:
        first, second = left(scope), right(scope)
        result = compare(first, second)
        if result is None:
            scope.environment.warn(f"{operator} is not defined for {type_name(first)} and {type_name(second)}")
        return result

    return run


@compiles(syntax.Conjunction)
def _conjunction(node: syntax.Conjunction) -> Run:
    return _logic([compiled(operand) for operand in node.operands], decisive=False)


@compiles(syntax.Disjunction)
def _disjunction(node: syntax.Disjunction) -> Run:
    return _logic([compiled(operand) for operand in node.operands], decisive=True)


def _logic(operands: list[Run], *, decisive: bool) -> Run:
    """Three-valued logic: the decisive value wins, then null (anything but a boolean), then the other value."""

    def run(scope: Scope) -> Value:
        result: bool | None = not decisive
        for operand in operands:
            value = operand(scope)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                result = None
        return result

    return run


@compiles(syntax.Between)
def _between(node: syntax.Between) -> Run:
    value, low, high = compiled(node.value), compiled(node.low), compiled(node.high)

    def run(scope: Scope) -> Value:
        middle = value(scope)
        above, below = less_or_equal(low(scope), middle), less_or_equal(middle, high(scope))
        if above is None or below is None:
            scope.environment.warn("between is not defined for these values")
            return None
        return above and below

    return run


@compiles(syntax.In)
def _in(node: syntax.In) -> Run:
    value, tests = compiled(node.value), [compiled_test(test) for test in node.tests]
    uses_input = any(mentions(test, "?") for test in node.tests)

    def run(scope: Scope) -> Value:
        subject = value(scope)
        if uses_input:
            scope = Scope({"?": subject}, scope, scope.environment)
        result: bool | None = False
        for test in tests:
            passed = test(scope, subject)
            if passed:
                return True
            if passed is None and len(tests) == 1:
                result = None
        return result

    return run


@compiles(syntax.InstanceOf)
def _instance_of(node: syntax.InstanceOf) -> Run:
    value, type_ = compiled(node.value), node.type
    return lambda scope: belongs(value(scope), type_, scope.environment)
