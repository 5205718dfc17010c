"""The axes of a decision table: representatives of what its columns read, and the rules they pass."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from math import prod
from typing import Final

from engine.dmn.boxed import Literal
from engine.dmn.comparisons import INPUT, Comparisons, Opaque, Path, path_of, paths_in
from engine.dmn.representatives import Representatives, limits, plain, representatives
from engine.dmn.sweep import Axis, Point, TooMuchWork
from engine.dmn.tables import Cell, DecisionTable, InputClause
from engine.dmn.types import ANY, Type, belongs, coerce
from engine.feel import Environment, Expression, UnaryTests, Value

MAX_POINTS: Final = 20_000  # combinations of values that columns read together
_NOW: Final = datetime(2000, 1, 1, tzinfo=UTC)  # no constant depends on it


class NotDecided(Exception):
    """The table cannot be analysed as a whole; the message says why."""


def constants_environment() -> Environment:
    """Return an environment in which to evaluate constants, with a fresh budget."""
    return Environment(_NOW)


@dataclass(frozen=True, slots=True)
class Column:
    """An input column and what it reads; one that is `opaque` is taken as a value of its own, by its text."""

    number: int
    clause: InputClause
    expression: Expression
    opaque: bool
    reads: frozenset[Path]
    results: frozenset[Path]  # whose values the tests of the column see

    @property
    def variable(self) -> Path | None:
        """The path that the column consists of, if it is no more than that."""
        return path_of(self.expression.syntax)

    def value(self, scope: Mapping[str, Value], own: Mapping[Path, Value], environment: Environment) -> Value:
        if self.opaque:
            return own[self.clause.text,]
        return self.expression.evaluate(scope, environment)


class TableAxes:
    """The columns of a table, what they are compared with, and the axes that follow from it."""

    def __init__(self, table: DecisionTable, variables: Mapping[str, Type]) -> None:
        self._table = table
        self._variables = variables
        self._compared = Comparisons(constants_environment())
        self._has_opaque_limits = False
        self.columns = [self._column(number, clause) for number, clause in enumerate(table.inputs, start=1)]
        self.opaque_cells = self._read_cells()
        for column in self.columns:
            self._read_limits(column)

    def type_of(self, column: Column) -> Type:
        """Return the type of the column: its own, else that of the variable it shows."""
        variable = column.variable
        if column.clause.type is ANY and variable is not None:
            return self.declared(variable)
        return column.clause.type

    def declared(self, path: Path) -> Type:
        """Return the type that the model declares for a path, Any for none."""
        type_ = self._variables.get(path[0], ANY)
        for name in path[1:]:
            inner = plain(type_)
            type_ = next((each for component, each in inner.components() if component == name), ANY)
        return type_

    def axes(self) -> tuple[list[Axis], bool]:
        """Return the axes, and whether their points stand for every combination. Raises NotDecided, TooMuchWork."""
        self._refuse_dependent_values()
        axes, exact = [], True
        for columns in _together(self.columns):
            points, is_exact = self._points(columns)
            axes.append(points)
            exact = exact and is_exact
        return axes, exact

    def _column(self, number: int, clause: InputClause) -> Column:
        if not isinstance(clause.expression, Literal):
            raise NotDecided(f"{number} 列目の式を読めません。")
        expression = clause.expression.expression
        compared = Comparisons(constants_environment())
        try:
            results = compared.read(expression.syntax)
        except Opaque:
            own = frozenset({(clause.text,)})
            return Column(number, clause, expression, True, own, own)
        for path in compared.paths:
            self._compared.constants[path] += compared.constants[path]
            self._compared.members[path] += compared.members[path]
        return Column(number, clause, expression, False, frozenset(compared.paths), results)

    def _read_cells(self) -> list[Cell]:
        """Take in what the cells compare their columns with; return those that do something else."""
        cells = {id(cell): cell for rule in self._table.rules for cell in rule.cells}
        return [
            cell
            for cell in cells.values()
            if cell.tests is not None and not self._compares(cell.tests, self.columns[cell.column].results)
        ]

    def _read_limits(self, column: Column) -> None:
        tests = [*limits(column.clause.type), *([column.clause.allowed] if column.clause.allowed else [])]
        for each in tests:
            if not self._compares(each, column.results):
                self._has_opaque_limits = True
        for path in column.results:
            for each in limits(self.declared(path)):
                if not self._compares(each, frozenset({path})):
                    self._has_opaque_limits = True

    def _compares(self, tests: UnaryTests, results: frozenset[Path]) -> bool:
        """Take in tests of these values; tell whether they only compare."""
        compared = Comparisons(self._compared.environment)
        try:
            compared.read_tests(tests)
        except Opaque:
            return False
        for path in results:
            self._compared.constants[path] += compared.constants[INPUT]
            self._compared.members[path] += compared.members[INPUT]
        return True

    def _refuse_dependent_values(self) -> None:
        """Raise NotDecided where columns take the same value apart in ways that cannot be followed."""
        for one, other in product(self.columns, self.columns):
            if one.opaque and one.reads != other.reads and _share(_sources(one), _sources(other)):
                raise NotDecided(
                    f"{one.number} 列目「{one.clause.text}」と {other.number} 列目「{other.clause.text}」が"
                    "同じ値をもとにしているため、どの組み合わせが起こるかを調べられません。"
                )
        for column in self.columns:
            for whole in column.reads:
                if self._is_taken_apart(whole) and not self._is_only_asked_for_null(whole):
                    raise NotDecided(
                        f"{column.number} 列目「{column.clause.text}」は「{'.'.join(whole)}」の全体を使い、"
                        "ほかではその一部を使っているため、どの組み合わせが起こるかを調べられません。"
                    )

    def _is_taken_apart(self, whole: Path) -> bool:
        return any(_is_part(path, whole) for column in self.columns for path in column.reads)

    def _is_only_asked_for_null(self, whole: Path) -> bool:
        is_tested = any(whole in column.results for column in self.columns)
        others = [each for each in self._compared.constants[whole] if each is not None]
        return not is_tested and not others and not self._compared.members[whole]

    def _points(self, columns: Sequence[Column]) -> tuple[Axis, bool]:
        """Return the points of columns that read common values: one for each set of rules that they pass."""
        paths = sorted(frozenset[Path]().union(*(column.reads for column in columns)))
        found = [self._representatives(path, columns) for path in paths]
        if prod(len(each.values) for each in found) > MAX_POINTS:
            raise TooMuchWork
        exact = all(each.exact for each in found)
        environment = constants_environment()
        points: dict[int, Point] = {}
        for values in product(*(each.values for each in found)):
            rules = self._passed(columns, dict(zip(paths, values, strict=True)), environment)
            if rules is None:
                exact = exact and not self._has_opaque_limits
            elif rules not in points:
                points[rules] = Point(rules, _inputs(dict(zip(paths, values, strict=True))))
        if not points:
            raise NotDecided(f"{columns[0].number} 列目「{columns[0].clause.text}」に使える値が見つかりません。")
        return list(points.values()), exact

    def _representatives(self, path: Path, columns: Sequence[Column]) -> Representatives:
        if self._is_taken_apart(path):
            return Representatives(({}, None), True)
        types = [self.type_of(column) for column in columns if column.variable == path or column.results == {path}]
        type_ = next((each for each in types if each is not ANY), self.declared(path))
        return representatives(type_, self._compared.constants[path], self._compared.members[path])

    def _passed(self, columns: Sequence[Column], own: Mapping[Path, Value], environment: Environment) -> int | None:
        """Return the rules whose tests of these columns hold, as bits; None where a value is not allowed."""
        if not all(belongs(value, self.declared(path), environment) for path, value in own.items() if value != {}):
            return None
        scope = _scope(own)
        passed = -1
        for column in columns:
            value = column.value(scope, own, environment)
            if not _is_allowed(column.clause, value, scope, environment):
                return None
            passed &= self._passed_in(column, value, scope, environment)
        return passed

    def _passed_in(self, column: Column, value: Value, scope: Mapping[str, Value], environment: Environment) -> int:
        known: dict[int, bool] = {}
        passed = 0
        for place, rule in enumerate(self._table.rules):
            cell = rule.cells[column.number - 1]
            if id(cell) not in known:
                known[id(cell)] = cell.tests is None or cell.tests.evaluate(value, scope, environment)
            passed |= known[id(cell)] << place
        return passed


def _is_allowed(clause: InputClause, value: Value, scope: Mapping[str, Value], environment: Environment) -> bool:
    if value is None:
        return True
    if coerce(value, clause.type, environment, clause.text) is None:
        return False
    return clause.allowed is None or clause.allowed.evaluate(value, scope, environment)


def _share(some: Iterable[Path], others: Iterable[Path]) -> bool:
    """Tell whether a path of one side is one of the other, or a part of one, or holds one."""
    return any(a == b or _is_part(a, b) or _is_part(b, a) for a, b in product(some, others))


def _is_part(path: Path, whole: Path) -> bool:
    return len(path) > len(whole) and path[: len(whole)] == whole


def _sources(column: Column) -> frozenset[Path]:
    """Return the paths that the value of the column comes from, without the beginnings of longer ones."""
    if not column.opaque:
        return column.reads
    paths = frozenset(path for path in paths_in(column.expression.syntax) if path[0] in column.expression.names)
    return frozenset(path for path in paths if not any(_is_part(longer, path) for longer in paths))


def _together(columns: Sequence[Column]) -> list[list[Column]]:
    """Group the columns so that those of different groups read nothing in common."""
    groups: list[list[Column]] = []
    for column in columns:
        joined = [group for group in groups if any(_share(column.reads, each.reads) for each in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([each for group in joined for each in group] + [column])
    return groups


def _scope(own: Mapping[Path, Value]) -> dict[str, Value]:
    """Return the scope in which each path has its value; what is a part of null is left out."""
    scope: dict[str, Value] = {}
    for path, value in sorted(own.items(), key=lambda item: len(item[0])):
        place: Value = scope
        for name in path[:-1]:
            place = place.setdefault(name, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[path[-1]] = {} if value == {} else value
    return scope


def _inputs(own: Mapping[Path, Value]) -> dict[str, Value]:
    """Return the values to tell: not those whose parts are told, nor the parts of null."""
    absent = [path for path, value in own.items() if value is None]
    return {
        ".".join(path): value
        for path, value in own.items()
        if value != {} and not any(_is_part(path, whole) for whole in absent)
    }
