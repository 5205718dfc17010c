"""Decision tables (DMN 1.5, 8): hit policies, aggregation, and the record of every rule that matched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from engine import feel
from engine.dmn.boxed import Boxed
from engine.dmn.conditions import Conditions, Rules
from engine.dmn.model import MatchedRule
from engine.dmn.run import Run, Scope
from engine.dmn.types import Type, coerce
from engine.feel import Expression, UnaryTests, Value


class HitPolicy(Enum):
    """What becomes of several rules that match (8.2.8)."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    PRIORITY = "PRIORITY"
    FIRST = "FIRST"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"
    COLLECT = "COLLECT"


class Aggregation(Enum):
    """What COLLECT makes of the outputs."""

    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"
    COUNT = "COUNT"


@dataclass(frozen=True, slots=True)
class InputClause:
    """A column to test: the expression, its type, and the values it may have; `name` where it is just a variable."""

    element_id: str
    text: str
    name: str | None
    expression: Boxed
    type: Type
    allowed: UnaryTests | None
    allowed_text: str


@dataclass(frozen=True, slots=True)
class OutputClause:
    """A column of results; `ranking` lists its values from the highest priority to the lowest."""

    element_id: str
    name: str
    type: Type
    allowed: UnaryTests | None
    allowed_text: str
    ranking: Expression | None
    default: Boxed | None


@dataclass(frozen=True, slots=True)
class Cell:
    """An input entry, `column` from 0; `tests` is None where every value will do. Equal entries are one."""

    column: int
    text: str
    tests: UnaryTests | None


@dataclass(frozen=True, slots=True)
class Rule:
    """A row; `index` counts from 1."""

    index: int
    element_id: str
    cells: tuple[Cell, ...]
    conclusions: tuple[Boxed, ...]
    annotation: str


Outputs = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A compiled decision table."""

    name: str
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    conditions: tuple[Conditions, ...]  # of each input

    def evaluate(self, scope: Scope, run: Run) -> Value:
        """Return what the hit policy makes of the rules that match, null with a fault if it forbids them."""
        faults_before = len(run.faults)
        matched = self._matching(scope, run)
        if len(run.faults) > faults_before:
            return None
        results = [self._conclude(rule, scope, run) for rule in matched]
        if len(run.faults) > faults_before:
            return None
        if not results:
            return self._default(scope, run)
        return _POLICIES[self.hit_policy](self, results, run)

    def _matching(self, scope: Scope, run: Run) -> list[Rule]:
        """Return the rules whose every input entry holds, in order; only the first under FIRST.

        Column by column, each entry that a rule still depends on is tested once.
        """
        left: Rules = (1 << len(self.rules)) - 1
        for clause, conditions in zip(self.inputs, self.conditions, strict=True):
            left = conditions.passed(self._input(clause, scope, run), left, scope, run.environment)
        if self.hit_policy is HitPolicy.FIRST:
            left &= -left
        return [self.rules[place] for place in _places(left)]

    def _input(self, clause: InputClause, scope: Scope, run: Run) -> Value:
        name, environment = clause.name, run.environment
        value = scope[name] if name is not None and name in scope else clause.expression.evaluate(scope, run)
        value = coerce(value, clause.type, environment, clause.text)
        run.trace.inputs[clause.text] = value
        if value is None or clause.allowed is None or clause.allowed.evaluate(value, scope, environment):
            return value
        return run.fault(
            f"{self.name}: 入力 {clause.text} の値 {feel.to_text(value)} は、"
            f"使える値({clause.allowed_text})にありません。"
        )

    def _conclude(self, rule: Rule, scope: Scope, run: Run) -> Outputs:
        outputs = {
            clause.name: self._output(clause, conclusion, scope, run)
            for clause, conclusion in zip(self.outputs, rule.conclusions, strict=True)
        }
        run.trace.rules.append(MatchedRule(rule.index, rule.element_id, rule.annotation, outputs))
        return outputs

    def _output(self, clause: OutputClause, conclusion: Boxed, scope: Scope, run: Run) -> Value:
        value = coerce(conclusion.evaluate(scope, run), clause.type, run.environment, clause.name)
        if value is None or clause.allowed is None or clause.allowed.evaluate(value, scope, run.environment):
            return value
        return run.fault(
            f"{self.name}: 出力 {clause.name} の値 {feel.to_text(value)} は、"
            f"使える値({clause.allowed_text})にありません。"
        )

    def _default(self, scope: Scope, run: Run) -> Value:
        """Return the default output entries where no rule matched, null where there are none (8.2.11)."""
        if all(clause.default is None for clause in self.outputs):
            return None
        return self.result(
            {
                clause.name: None if clause.default is None else self._output(clause, clause.default, scope, run)
                for clause in self.outputs
            }
        )

    def result(self, outputs: Outputs) -> Value:
        """Return the value of one rule: that of the only output, else a context of all."""
        return dict(outputs) if len(self.outputs) > 1 else outputs[self.outputs[0].name]

    def rank(self, outputs: Outputs, run: Run) -> tuple[int, ...]:
        """Return the place of the outputs in the lists of output values, column by column, 0 the highest."""
        return tuple(
            _place(outputs[clause.name], clause.ranking, run) for clause in self.outputs if clause.ranking is not None
        )


def _places(rules: Rules) -> list[int]:
    """Return the places of the rules in the set, in order."""
    places = []
    while rules:
        lowest = rules & -rules
        places.append(lowest.bit_length() - 1)
        rules ^= lowest
    return places


def _place(value: Value, ranking: Expression, run: Run) -> int:
    listed = ranking.evaluate({}, run.environment)
    values = listed if isinstance(listed, list) else [listed]
    return next((place for place, each in enumerate(values) if feel.equal(each, value)), len(values))


def _unique(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    if len(results) > 1:
        return run.fault(
            f"{table.name}: ヒットポリシー UNIQUE の表で、{len(results)} 行が同時に当てはまりました"
            f"({_rule_numbers(run, len(results))})。"
        )
    return table.result(results[0])


def _rule_numbers(run: Run, count: int) -> str:
    return "、".join(f"{rule.index} 行目" for rule in run.trace.rules[-count:])


def _any(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    first = table.result(results[0])
    if all(feel.equal(table.result(outputs), first) for outputs in results):
        return first
    return run.fault(
        f"{table.name}: ヒットポリシー ANY の表で、当てはまった行の出力が一致しません"
        f"({_rule_numbers(run, len(results))})。"
    )


def _priority(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    return table.result(min(results, key=lambda outputs: table.rank(outputs, run)))


def _first(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    return table.result(results[0])


def _output_order(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    return [table.result(outputs) for outputs in sorted(results, key=lambda outputs: table.rank(outputs, run))]


def _rule_order(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    return [table.result(outputs) for outputs in results]


def _collect(table: DecisionTable, results: list[Outputs], run: Run) -> Value:
    values = [table.result(outputs) for outputs in results]
    if table.aggregation is None:
        return values
    aggregate = _AGGREGATES[table.aggregation].evaluate({"outputs": values}, run.environment)
    if aggregate is None:
        return run.fault(f"{table.name}: 出力 {feel.to_text(values)} を {table.aggregation.value} で集計できません。")
    return aggregate


_AGGREGATES: Mapping[Aggregation, Expression] = {
    Aggregation.SUM: feel.parse_expression("sum(outputs)"),
    Aggregation.MIN: feel.parse_expression("min(outputs)"),
    Aggregation.MAX: feel.parse_expression("max(outputs)"),
    Aggregation.COUNT: feel.parse_expression("count(outputs)"),
}

_Policy = Callable[[DecisionTable, list[Outputs], Run], Value]
_POLICIES: Mapping[HitPolicy, _Policy] = {
    HitPolicy.UNIQUE: _unique,
    HitPolicy.ANY: _any,
    HitPolicy.PRIORITY: _priority,
    HitPolicy.FIRST: _first,
    HitPolicy.RULE_ORDER: _rule_order,
    HitPolicy.OUTPUT_ORDER: _output_order,
    HitPolicy.COLLECT: _collect,
}
