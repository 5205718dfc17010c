"""Literals, names, lists, contexts, ranges, and what `.` and `[ ]` take from them."""

from __future__ import annotations

from decimal import Decimal

from engine.feel import builtins, syntax
from engine.feel.compiler.registry import Run, compiled, compiles, noted
from engine.feel.environment import Environment, Scope
from engine.feel.errors import FeelFault
from engine.feel.properties import member
from engine.feel.temporal import parse_temporal
from engine.feel.values import Range, Value, type_name


@compiles(syntax.Literal)
def _literal(node: syntax.Literal) -> Run:
    value = node.value
    return lambda scope: value


@compiles(syntax.AtLiteral)
def _at_literal(node: syntax.AtLiteral) -> Run:
    try:
        value = parse_temporal(node.text)
    except FeelFault as fault:
        message = fault.message

        def ill_formed(scope: Scope) -> Value:
            scope.environment.warn(message)
            return None

        return ill_formed
    return lambda scope: value


@compiles(syntax.Name)
def _name(node: syntax.Name) -> Run:
    name = node.name

    def run(scope: Scope) -> Value:
        if name in scope.names:
            return scope.names[name]
        return _outer(scope, name)

    return run


def _outer(scope: Scope, name: str) -> Value:
    outer = scope.parent
    while outer is not None:
        if name in outer.names:
            return outer.names[name]
        outer = outer.parent
    function = scope.environment.functions.get(name) or builtins.FUNCTIONS.get(name)
    if function is None:
        scope.environment.warn(f"there is no {name!r} here")
    return function


@compiles(syntax.ListDisplay)
def _list(node: syntax.ListDisplay) -> Run:
    items = [compiled(item) for item in node.items]
    return lambda scope: [item(scope) for item in items]


@compiles(syntax.ContextDisplay)
def _context(node: syntax.ContextDisplay) -> Run:
    entries = [(key, compiled(value)) for key, value in node.entries]
    twice = len({key for key, _ in entries}) < len(entries)

    def run(scope: Scope) -> Value:
        if twice:
            scope.environment.warn("a context has two entries of one name")
            return None
        context: dict[str, Value] = {}
        inner = Scope(context, scope, scope.environment)
        for key, value in entries:
            context[key] = value(inner)
        return context

    return run


@compiles(syntax.Interval)
def _interval(node: syntax.Interval) -> Run:
    start, end = compiled(node.start), compiled(node.end)
    start_included, end_included = node.start_included, node.end_included
    if isinstance(node.start, syntax.Literal) and isinstance(node.end, syntax.Literal):
        constant = Range(node.start.value, node.end.value, start_included, end_included)
        return lambda scope: constant
    return lambda scope: Range(start(scope), end(scope), start_included, end_included)


@compiles(syntax.Comparator)
def _comparator(node: syntax.Comparator) -> Run:
    operator, bound = node.operator, compiled(node.bound)
    return lambda scope: Range.of_test(operator, bound(scope))


@compiles(syntax.Path)
def _path(node: syntax.Path) -> Run:
    value, name = compiled(node.value), node.name

    def run(scope: Scope) -> Value:
        owner = value(scope)
        if type(owner) is dict and name in owner:
            return owner[name]
        try:
            return member(owner, name)
        except FeelFault as fault:
            return noted(scope.environment, fault)

    return run


@compiles(syntax.Filter)
def _filter(node: syntax.Filter) -> Run:
    value, condition = compiled(node.value), compiled(node.condition)

    def run(scope: Scope) -> Value:
        subject = value(scope)
        items: list[Value] = subject if isinstance(subject, list) else [] if subject is None else [subject]
        if not items:
            return _of_none(condition, scope)
        kept: list[Value] = []
        for item in items:
            scope.environment.step()
            passed = condition(_item_scope(item, scope))
            if passed is True:
                kept.append(item)
            elif isinstance(passed, Decimal):
                return _at(items, passed, scope.environment)
            elif passed is not False and passed is not None:
                scope.environment.warn(f"a filter is a condition or a number, not a {type_name(passed)}")
                return None
        return kept

    return run


def _of_none(condition: Run, scope: Scope) -> Value:
    """The filter of an empty list: null for a position, else empty; names of items are missing without a warning."""
    warnings = scope.environment.warnings
    before = len(warnings)
    index = condition(scope)
    del warnings[before:]
    return None if isinstance(index, Decimal) else []


def _item_scope(item: Value, scope: Scope) -> Scope:
    inner = Scope({"item": item}, scope, scope.environment)
    return Scope(item, inner, scope.environment) if isinstance(item, dict) else inner


def _at(items: list[Value], index: Decimal, environment: Environment) -> Value:
    position = int(index) if index.copy_abs() <= len(items) else 0
    if index == position and position != 0:
        return items[position - 1 if position > 0 else position]
    environment.warn(f"the list of {len(items)} items has none at {index}")
    return None
