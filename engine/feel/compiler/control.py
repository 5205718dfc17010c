"""Calls, conditions, iterations and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from engine.feel import syntax
from engine.feel.compiler.registry import Run, compiled, compiles, noted
from engine.feel.domains import NoDomain, between_ends, items_of
from engine.feel.environment import Environment, Scope
from engine.feel.errors import FeelFault
from engine.feel.syntax import Node, height, mentions
from engine.feel.types import ANY, BasicType, ContextType, FunctionType, ListType, Type, coerced
from engine.feel.values import Function, Value, type_name

Domain = Callable[[Scope], Iterable[Value]]


@compiles(syntax.Call)
def _call(node: syntax.Call) -> Run:
    function, arguments = compiled(node.function), [compiled(argument) for argument in node.arguments]

    def run(scope: Scope) -> Value:
        called = function(scope)
        if not isinstance(called, Function):
            return _not_a_function(called, scope.environment)
        return called.invoke([argument(scope) for argument in arguments], scope.environment)

    return run


@compiles(syntax.NamedCall)
def _named_call(node: syntax.NamedCall) -> Run:
    function = compiled(node.function)
    arguments = [(name, compiled(argument)) for name, argument in node.arguments]

    def run(scope: Scope) -> Value:
        called = function(scope)
        if not isinstance(called, Function):
            return _not_a_function(called, scope.environment)
        return called.invoke_named({name: argument(scope) for name, argument in arguments}, scope.environment)

    return run


def _not_a_function(called: Value, environment: Environment) -> Value:
    environment.warn(f"a {type_name(called)} cannot be called")
    return None


@compiles(syntax.If)
def _if(node: syntax.If) -> Run:
    condition, then, otherwise = compiled(node.condition), compiled(node.then), compiled(node.otherwise)
    return lambda scope: then(scope) if condition(scope) is True else otherwise(scope)


@compiles(syntax.For)
def _for(node: syntax.For) -> Run:
    domains, result = _domains(node.iterations), compiled(node.result)
    uses_partial = mentions(node.result, "partial")

    def run(scope: Scope) -> Value:
        results: list[Value] = []
        try:
            for inner in _scopes(domains, scope):
                if uses_partial:
                    scope.environment.step(len(results))
                    inner = Scope({"partial": list(results)}, inner, scope.environment)
                results.append(result(inner))
        except NoDomain as fault:
            return noted(scope.environment, fault)
        return results

    return run


@compiles(syntax.Quantified)
def _quantified(node: syntax.Quantified) -> Run:
    domains, condition = _domains(node.iterations), compiled(node.condition)
    decisive = not node.every

    def run(scope: Scope) -> Value:
        outcome: bool | None = not decisive
        try:
            for inner in _scopes(domains, scope):
                value = condition(inner)
                if value is decisive:
                    return decisive
                if not isinstance(value, bool):
                    outcome = None
        except NoDomain as fault:
            return noted(scope.environment, fault)
        return outcome

    return run


def _domains(iterations: tuple[syntax.Iteration, ...]) -> list[tuple[str, Domain]]:
    return [(iteration.name, _domain(iteration)) for iteration in iterations]


def _domain(iteration: syntax.Iteration) -> Domain:
    start = compiled(iteration.domain)
    if iteration.end is None:
        return lambda scope: items_of(start(scope))
    end = compiled(iteration.end)
    return lambda scope: between_ends(start(scope), end(scope))


def _scopes(domains: list[tuple[str, Domain]], scope: Scope, index: int = 0) -> Iterator[Scope]:
    """One scope for every combination of the domains' items, the last domain running fastest."""
    name, domain = domains[index]
    for value in domain(scope):
        scope.environment.step()
        inner = Scope({name: value}, scope, scope.environment)
        if index + 1 == len(domains):
            yield inner
        else:
            yield from _scopes(domains, inner, index + 1)


@compiles(syntax.FunctionDefinition)
def _function(node: syntax.FunctionDefinition) -> Run:
    names, types = tuple(name for name, _ in node.parameters), tuple(type_ for _, type_ in node.parameters)
    if node.body is None:
        return lambda scope: Function(names, _external, type=FunctionType(types, ANY))
    body, levels = compiled(node.body), height(node.body) + 3
    signature = FunctionType(types, _static_type(node.body))
    typed = any(type_ is not ANY for type_ in types)

    def run(scope: Scope) -> Value:
        def call(arguments: tuple[Value, ...], environment: Environment) -> Value:
            values: Iterable[Value] = arguments
            if typed:
                values = (coerced(value, type_, environment) for value, type_ in zip(arguments, types, strict=True))
            return body(Scope(dict(zip(names, values, strict=True)), scope, environment))

        return Function(names, call, type=signature, height=levels)

    return run


def _external(arguments: tuple[Value, ...], environment: Environment) -> Value:
    raise FeelFault("functions outside FEEL are not called")


def _static_type(node: Node) -> Type:
    """The type of every value of the expression, as far as its form tells."""
    match node:
        case syntax.Literal(value) if value is not None:
            return BasicType(type_name(value))
        case syntax.ContextDisplay(entries):
            return ContextType(tuple((key, _static_type(value)) for key, value in entries))
        case syntax.ListDisplay(items) if items and len({_static_type(item) for item in items}) == 1:
            return ListType(_static_type(items[0]))
        case (
            syntax.Comparison()
            | syntax.Conjunction()
            | syntax.Disjunction()
            | syntax.Between()
            | syntax.In()
            | syntax.InstanceOf()
            | syntax.Quantified()
        ):
            return BasicType("boolean")
    return ANY
