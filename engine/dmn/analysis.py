"""Analysis of decision tables: gaps, overlaps, rules that never match, and cells that contradict their column.

What a column reads is represented by one value for each class that the cells can tell apart, and all combinations
are swept within a budget of work. An input counts as answered: null is a value only where a test speaks of it.
What cannot be decided is a finding as well, never silence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import combinations
from typing import Final

from engine import feel
from engine.dmn.axes import NotDecided, TableAxes, constants_environment
from engine.dmn.boxed import Broken, FunctionDefinition, Literal
from engine.dmn.cells import input_findings, output_findings, shown
from engine.dmn.comparisons import constant, is_constant
from engine.dmn.findings import FindingKind, Place, TableFinding
from engine.dmn.graph import BusinessKnowledge, Decision, Definitions
from engine.dmn.sweep import Axis, Point, Sweep, TooMuchWork
from engine.dmn.tables import DecisionTable, HitPolicy, Rule
from engine.dmn.types import Type
from engine.feel import Value

MAX_EXAMPLES: Final = 20  # gaps, and overlaps, told for one table
_SINGLE_HIT: Final = frozenset({HitPolicy.UNIQUE, HitPolicy.ANY, HitPolicy.PRIORITY, HitPolicy.FIRST})
_INNER: Final = frozenset("logic entries items rows body callee bindings condition then otherwise source match".split())
_MORE = "ほかにもあります。"


def analyse(definitions: Definitions) -> tuple[TableFinding, ...]:
    """Return what is wrong with the decision tables of the file, in its order; nothing where all is well."""
    found: list[TableFinding] = []
    for decision in definitions.decisions.values():
        found += _in_element(definitions, decision, decision.logic)
    for knowledge in definitions.business_knowledge.values():
        found += _in_element(definitions, knowledge, knowledge.function)
    return tuple(found)


def _in_element(
    definitions: Definitions, element: Decision | BusinessKnowledge, logic: object
) -> Iterator[TableFinding]:
    place = Place(element.id, element.name)
    required = [definitions.elements[each.key].variable for each in element.requirements if not each.alias]
    variables = {variable.name: variable.type for variable in required}
    for part in _parts(logic):
        match part:
            case Broken(reason):
                yield place.finding(FindingKind.NOT_FEEL, reason)
            case FunctionDefinition(parameters=parameters):
                variables |= {parameter.name: parameter.type for parameter in parameters}
            case DecisionTable():
                yield from _in_table(place, part, variables)


def _parts(logic: object) -> Iterator[object]:
    """Yield every boxed expression of the logic, outer ones first; tables are not looked into."""
    yield logic
    inner: Iterable[object] = ()
    if isinstance(logic, tuple):
        inner = logic
    elif isinstance(logic, Mapping):
        inner = logic.values()
    elif is_dataclass(logic) and not isinstance(logic, DecisionTable | Literal):
        inner = (getattr(logic, each.name) for each in fields(logic) if each.name in _INNER)
    for each in inner:
        yield from _parts(each)


def _in_table(place: Place, table: DecisionTable, variables: Mapping[str, Type]) -> Iterator[TableFinding]:
    try:
        yield from output_findings(place, table)
    except feel.FeelLimitExceeded:
        message = "使える値を調べる式の計算が多すぎるため、出力の値を最後までは調べられませんでした。"
        yield place.finding(FindingKind.NOT_DECIDED, message)
    try:
        axes = TableAxes(table, variables)
        yield from input_findings(place, table, axes)
        for cell in axes.opaque_cells:
            message = f"{cell.column + 1} 列目の「{cell.text}」は、決まった値との比較ではないため調べられません。"
            rules = [rule.index for rule in table.rules if rule.cells[cell.column] is cell]
            yield place.finding(FindingKind.NOT_DECIDED, message, rules, cell.column + 1)
        if not axes.opaque_cells:
            yield from _Combinations.of(place, table, axes).findings()
    except NotDecided as reason:
        yield place.finding(FindingKind.NOT_DECIDED, str(reason))
    except (TooMuchWork, feel.FeelLimitExceeded):
        message = "値の組み合わせが多すぎるため、行の抜けや重なりを最後までは調べられませんでした。"
        yield place.finding(FindingKind.NOT_DECIDED, message)


@dataclass(frozen=True, slots=True)
class _Combinations:
    """What the rules of a table are together; `exact` where the axes stand for every combination of values."""

    place: Place
    table: DecisionTable
    sweep: Sweep
    exact: bool

    @classmethod
    def of(cls, place: Place, table: DecisionTable, axes: TableAxes) -> "_Combinations":
        found, exact = axes.axes()
        return cls(place, table, Sweep(found), exact)

    def findings(self) -> Iterator[TableFinding]:
        never = list(self._never_matching())
        if self.exact:
            yield from never
        if self.table.hit_policy in (HitPolicy.UNIQUE, HitPolicy.ANY):
            yield from self._overlaps()
        is_complete = self.table.hit_policy not in _SINGLE_HIT or any(
            each.default is not None for each in self.table.outputs
        )
        if not is_complete:
            yield from self._gaps()
        if not self.exact and (never or not is_complete or self.table.hit_policy in _SINGLE_HIT):
            message = "入力に考えられる値が多く、行の抜けや重なりがほかにないかは調べられませんでした。"
            yield self.place.finding(FindingKind.NOT_DECIDED, message)

    def _never_matching(self) -> Iterator[TableFinding]:
        for rule in self.table.rules:
            if self.sweep.find(_bit(rule), 0) is None:
                message = f"{rule.index} 行目の条件をすべて満たす値はありません。"
                yield self.place.finding(FindingKind.NEVER_MATCHES, message, [rule.index])
            elif self.table.hit_policy is HitPolicy.FIRST and self.sweep.find(_bit(rule), _bit(rule) - 1) is None:
                yield self._shadowed(rule)

    def _shadowed(self, rule: Rule) -> TableFinding:
        before = [
            other.index
            for other in self.table.rules[: rule.index - 1]
            if self.sweep.find(_bit(rule) | _bit(other), 0) is not None
        ]
        message = f"{rule.index} 行目には決して届きません。その前の {_numbers(before)}が、いつも先に当てはまります。"
        return self.place.finding(FindingKind.NEVER_MATCHES, message, [rule.index, *before])

    def _overlaps(self) -> Iterator[TableFinding]:
        told = 0
        for one, other in combinations(self.table.rules, 2):
            same = self.table.hit_policy is HitPolicy.ANY and self._same_outputs(one, other)
            if same or (points := self.sweep.find(_bit(one) | _bit(other), 0)) is None:
                continue
            told += 1
            yield self._overlap(one, other, points, is_sure=same is False, is_last=told == MAX_EXAMPLES)
            if told == MAX_EXAMPLES:
                return

    def _overlap(
        self, one: Rule, other: Rule, points: Sequence[Point], *, is_sure: bool, is_last: bool
    ) -> TableFinding:
        decisive = [
            point
            for point, axis in zip(points, self.sweep.axes, strict=True)
            if any(each.rules & _bit(one) == 0 or each.rules & _bit(other) == 0 for each in axis)
        ]
        message = f"{one.index} 行目と {other.index} 行目が同時に当てはまります({_example(decisive)})。"
        if not is_sure:
            message += "出力が同じになるかは調べられません。"
        kind = FindingKind.OVERLAP if is_sure else FindingKind.NOT_DECIDED
        rules = [one.index, other.index]
        return self.place.finding(kind, message + (_MORE if is_last else ""), rules, None, _inputs(points))

    def _same_outputs(self, one: Rule, other: Rule) -> bool | None:
        """Tell whether both rules come to the same outputs; None where that depends on other values."""
        unknown = False
        for left, right in zip(one.conclusions, other.conclusions, strict=True):
            if not (isinstance(left, Literal) and isinstance(right, Literal)):
                return None
            first, second = left.expression.syntax, right.expression.syntax
            if first == second:
                continue
            if not (is_constant(first) and is_constant(second)):
                unknown = True
                continue
            environment = constants_environment()
            if not feel.equal(constant(first, environment), constant(second, environment)):
                return False
        return None if unknown else True

    def _gaps(self) -> Iterator[TableFinding]:
        """Yield gaps, each around a combination that no rule and no earlier gap covers."""
        axes: list[Axis] = list(self.sweep.axes)
        covered = (1 << len(self.table.rules)) - 1
        for told in range(1, MAX_EXAMPLES + 1):
            sweep = Sweep(axes, self.sweep.left)
            points = sweep.find(0, covered)
            if points is None:
                return
            box = sweep.around(points)
            decisive = [point for point, part, axis in zip(points, box, axes, strict=True) if len(part) < len(axis)]
            message = f"当てはまる行がありません({_example(decisive)})。"
            if told == MAX_EXAMPLES:
                message += _MORE
            yield self.place.finding(FindingKind.GAP, message, (), None, _inputs(points))
            gap = covered + 1
            axes = [_with_gap(axis, part, gap) for axis, part in zip(axes, box, strict=True)]
            covered |= gap


def _with_gap(axis: Axis, part: Sequence[Point], gap: int) -> Axis:
    """Return the axis where the points of the part pass one more rule, which stands for a gap already told."""
    inside = {id(point) for point in part}
    return [Point(point.rules | gap, point.inputs) if id(point) in inside else point for point in axis]


def _bit(rule: Rule) -> int:
    return 1 << (rule.index - 1)


def _inputs(points: Sequence[Point]) -> dict[str, Value]:
    return {name: value for point in points for name, value in point.inputs.items()}


def _example(points: Sequence[Point]) -> str:
    inputs = _inputs(points)
    values = "、".join(f"{name} = {shown(value)}" for name, value in inputs.items())
    return f"例: {values}" if values else "どの値でも"


def _numbers(rules: Sequence[int]) -> str:
    return "、".join(f"{index} 行目" for index in rules)
