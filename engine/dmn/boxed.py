"""Boxed expressions (DMN 1.5, 7.3 and 10.2), compiled: each evaluates in a scope, within a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine import feel
from engine.dmn.run import Run, Scope
from engine.dmn.types import Type, coerce, convert
from engine.feel import Environment, Expression, Value

_SELECTION = feel.parse_expression("items[index]", ("items", "index"))
_ITERATION = feel.parse_expression("for element in domain return element", ("domain",))


class Boxed(Protocol):
    """Logic that yields one value."""

    def evaluate(self, scope: Scope, run: Run) -> Value: ...


@dataclass(frozen=True, slots=True)
class Variable:
    """A name with a type: what a value must be to be put there."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Broken:
    """Logic that could not be compiled, in a file that was read leniently: null, with the reason."""

    reason: str

    def evaluate(self, scope: Scope, run: Run) -> Value:
        return run.fault(self.reason)


@dataclass(frozen=True, slots=True)
class Literal:
    """A FEEL expression."""

    expression: Expression

    def evaluate(self, scope: Scope, run: Run) -> Value:
        return self.expression.evaluate(scope, run.environment)


@dataclass(frozen=True, slots=True)
class Constant(Literal):
    """A FEEL expression that is a number, a string, a boolean or null as it is written."""

    value: Value

    def evaluate(self, scope: Scope, run: Run) -> Value:
        return self.value


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a boxed context; the result line has no variable."""

    variable: Variable | None
    logic: Boxed


@dataclass(frozen=True, slots=True)
class Context:
    """A boxed context: later entries see earlier ones; a result entry replaces the context itself."""

    entries: tuple[Entry, ...]

    def evaluate(self, scope: Scope, run: Run) -> Value:
        context: dict[str, Value] = {}
        for entry in self.entries:
            value = entry.logic.evaluate({**scope, **context}, run)
            if entry.variable is None:
                return value
            name = entry.variable.name
            context[name] = coerce(value, entry.variable.type, run.environment, name)
        return context


@dataclass(frozen=True, slots=True)
class Listing:
    """A boxed list."""

    items: tuple[Boxed, ...]

    def evaluate(self, scope: Scope, run: Run) -> Value:
        return [item.evaluate(scope, run) for item in self.items]


@dataclass(frozen=True, slots=True)
class Relation:
    """A list of contexts that share their entry names, written as rows."""

    columns: tuple[Variable, ...]
    rows: tuple[tuple[Boxed, ...], ...]

    def evaluate(self, scope: Scope, run: Run) -> Value:
        return [self._row(cells, scope, run) for cells in self.rows]

    def _row(self, cells: tuple[Boxed, ...], scope: Scope, run: Run) -> dict[str, Value]:
        return {
            column.name: coerce(cell.evaluate(scope, run), column.type, run.environment, column.name)
            for column, cell in zip(self.columns, cells, strict=True)
        }


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A boxed function: its value is a function that closes over the scope it stands in."""

    name: str
    parameters: tuple[Variable, ...]
    body: Boxed
    result: Type

    def evaluate(self, scope: Scope, run: Run) -> feel.Function:
        def call(arguments: tuple[Value, ...], environment: Environment) -> Value:
            bound = bind(self.parameters, arguments, environment)
            inner = {**scope, self.name: defined, **dict(zip(defined.parameters, bound, strict=True))}
            value = self.body.evaluate(inner, run)
            return coerce(value, self.result, environment, self.name)

        defined = feel.Function(tuple(parameter.name for parameter in self.parameters), call, self.name)
        return defined


def bind(parameters: tuple[Variable, ...], arguments: tuple[Value, ...], environment: Environment) -> tuple[Value, ...]:
    """Return the arguments as their parameters want them; raises TypeMismatch, and nothing is invoked."""
    return tuple(
        convert(argument, parameter.type, environment)
        for parameter, argument in zip(parameters, arguments, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call with named bindings; a parameter without a binding is null."""

    callee: Boxed
    bindings: Mapping[str, Boxed]

    def evaluate(self, scope: Scope, run: Run) -> Value:
        function = self.callee.evaluate(scope, run)
        if not isinstance(function, feel.Function):
            return run.fault(f"呼び出し先 {feel.to_text(function)} は関数ではありません。")
        arguments = {name: logic.evaluate(scope, run) for name, logic in self.bindings.items()}
        unbound = dict.fromkeys(function.parameters)
        return function.invoke_named({**unbound, **arguments}, run.environment)


@dataclass(frozen=True, slots=True)
class Conditional:
    """If, then, else; a condition that is no boolean makes the whole null."""

    condition: Boxed
    then: Boxed
    otherwise: Boxed

    def evaluate(self, scope: Scope, run: Run) -> Value:
        condition = self.condition.evaluate(scope, run)
        if isinstance(condition, bool):
            return (self.then if condition else self.otherwise).evaluate(scope, run)
        if condition is None:
            return self.otherwise.evaluate(scope, run)
        run.environment.warn(f"条件が真偽値ではありません: {feel.to_text(condition)}")
        return None


@dataclass(frozen=True, slots=True)
class Filter:
    """What FEEL's `source[match]` is; the match sees `item`, and the entries of an element that is a context."""

    source: Boxed
    match: Boxed

    def evaluate(self, scope: Scope, run: Run) -> Value:
        source = self.source.evaluate(scope, run)
        items: list[Value] = source if isinstance(source, list) else [] if source is None else [source]
        kept: list[Value] = []
        for item in _paid(items, run):
            entries = item if isinstance(item, dict) else {}
            passed = self.match.evaluate({**scope, "item": item, **entries}, run)
            if isinstance(passed, Decimal):
                return _SELECTION.evaluate({"items": items, "index": passed}, run.environment)
            if passed is not None and not isinstance(passed, bool):
                run.environment.warn(f"絞り込みの条件が真偽値ではありません: {feel.to_text(passed)}")
                return None
            if passed:
                kept.append(item)
        return kept


@dataclass(frozen=True, slots=True)
class For:
    """One value for each element; a body that asks for `partial` sees what has been returned so far."""

    variable: str
    source: Boxed
    body: Boxed
    shows_partial: bool

    def evaluate(self, scope: Scope, run: Run) -> Value:
        items = elements(self.source.evaluate(scope, run), run)
        if items is None:
            return None
        results: list[Value] = []
        for item in items:
            inner = {**scope, self.variable: item}
            if self.shows_partial:
                run.environment.step(len(results))
                inner["partial"] = list(results)
            results.append(self.body.evaluate(inner, run))
        return results


@dataclass(frozen=True, slots=True)
class Quantified:
    """Whether some, or every, element satisfies; undecided where a result is no boolean (Table 50)."""

    decisive: bool  # the result that decides at once: true for some, false for every
    variable: str
    source: Boxed
    condition: Boxed

    def evaluate(self, scope: Scope, run: Run) -> Value:
        items = elements(self.source.evaluate(scope, run), run)
        if items is None:
            return None
        undecided = False
        for item in items:
            result = self.condition.evaluate({**scope, self.variable: item}, run)
            if result is self.decisive:
                return self.decisive
            undecided = undecided or not isinstance(result, bool)
        return None if undecided else not self.decisive


def elements(value: Value, run: Run) -> Iterator[Value] | None:
    """Return what an iteration of FEEL goes over, each element paid from the work budget."""
    items = _ITERATION.evaluate({"domain": value}, run.environment)
    return _paid(items, run) if isinstance(items, list) else None


def _paid(items: list[Value], run: Run) -> Iterator[Value]:
    for item in items:
        run.environment.step()
        yield item
