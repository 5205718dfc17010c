"""The cells of a decision table by themselves: constants of another type than their column, or not declared."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine import feel
from engine.dmn.axes import Column, TableAxes, constants_environment
from engine.dmn.boxed import Literal
from engine.dmn.comparisons import constant, is_constant
from engine.dmn.findings import FindingKind, Place, TableFinding
from engine.dmn.representatives import plain
from engine.dmn.tables import DecisionTable, InputClause, OutputClause
from engine.dmn.types import ANY, BuiltIn, Type, belongs
from engine.feel import Range, UnaryTests, Value


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a column may hold; `number` counts from 1, outputs after inputs."""

    number: int
    type: Type
    clause: InputClause | OutputClause

    def objection(self, value: Value) -> tuple[FindingKind, str] | None:
        """Return what speaks against the value, None for nothing."""
        environment = constants_environment()
        what = f"{self.number} 列目の値 {shown(value)}"
        if not any(belongs(each, self.type, None) for each in _readings(value)):
            return FindingKind.TYPE_ERROR, f"{what} は、列の型 {self.type.name} に合いません。"
        allowed = self.clause.allowed
        fits = any(belongs(each, self.type, environment) for each in _readings(value))
        if fits and (allowed is None or allowed.evaluate(value, {}, environment)):
            return None
        allowed_text = self.clause.allowed_text
        told = (
            f"{what} は、使える値({allowed_text})にありません。"
            if allowed_text
            else f"{what} は、使える値にありません。"
        )
        return FindingKind.OUTSIDE_DECLARED_VALUES, told


def input_findings(place: Place, table: DecisionTable, axes: TableAxes) -> Iterator[TableFinding]:
    """Yield what is wrong with the input entries, each text of a column once."""
    for column in axes.columns:
        yield from _column_type(place, axes, column)
        declared = _Declared(column.number, axes.type_of(column), column.clause)
        cells = {id(rule.cells[column.number - 1]): rule.cells[column.number - 1] for rule in table.rules}
        for cell in cells.values():
            rules = [rule.index for rule in table.rules if rule.cells[cell.column] is cell]
            for value in _constants(cell.tests, declared.type):
                if (objection := declared.objection(value)) is not None:
                    yield place.finding(*objection, rules, column.number)


def output_findings(place: Place, table: DecisionTable) -> Iterator[TableFinding]:
    """Yield what is wrong with output entries that are constants, and with default ones."""
    for index, clause in enumerate(table.outputs):
        declared = _Declared(len(table.inputs) + index + 1, clause.type, clause)
        conclusions = [([rule.index], rule.conclusions[index]) for rule in table.rules]
        for rules, logic in [*conclusions, ([], clause.default)]:
            if isinstance(logic, Literal) and is_constant(logic.expression.syntax):
                value = constant(logic.expression.syntax, constants_environment())
                if value is not None and (objection := declared.objection(value)) is not None:
                    yield place.finding(*objection, rules, declared.number)


def shown(value: Value) -> str:
    """Return the value as one would write it in a cell."""
    return feel.to_text([value])[1:-1]


def _column_type(place: Place, axes: TableAxes, column: Column) -> Iterator[TableFinding]:
    own = plain(column.clause.type)
    declared = ANY if column.variable is None else plain(axes.declared(column.variable))
    if isinstance(own, BuiltIn) and isinstance(declared, BuiltIn) and ANY not in (own, declared) and own != declared:
        message = (
            f"{column.number} 列目「{column.clause.text}」の型は {own.name} ですが、"
            f"この値の型は {declared.name} と宣言されています。"
        )
        yield place.finding(FindingKind.TYPE_ERROR, message, (), column.number)


def _constants(tests: UnaryTests | None, type_: Type) -> Iterator[Value]:
    """Yield the constants that the tests name, but null: the ends of ranges, the items of lists."""
    for node in (tests and tests.syntax) or ():
        if not is_constant(node):
            continue
        value = constant(node, constants_environment())
        named = [value]
        if isinstance(value, Range):
            named = [value.start, value.end]
        elif isinstance(value, list) and not belongs(value, type_, None):
            named = value
        yield from (each for each in named if each is not None)


def _readings(value: Value) -> list[Value]:
    """Return the value, and what it counts as in a place for lists, or for single values."""
    if isinstance(value, list):
        return [value, *value] if len(value) == 1 else [value]
    return [value]
