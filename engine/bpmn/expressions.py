"""What stands in an attribute of a process file: FEEL after `=`, or the text itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import business_days, feel
from engine.bpmn.errors import ElementFault

Variables = Mapping[str, feel.Value]
HOST_NAMES = tuple(business_days.FUNCTIONS)


def shown(value: feel.Value) -> str:
    """The value as a fault tells it; of one that is too large only that."""
    try:
        return feel.to_text(value)
    except feel.FeelLimitExceeded:
        return "大きすぎる値"


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled FEEL expression, or a constant if `compiled` is None."""

    text: str
    compiled: feel.Expression | None = None

    @classmethod
    def read(cls, text: str) -> Expression:
        """Compile `text`; raises feel.FeelSyntaxError."""
        text = text.strip()
        if not text.startswith("="):
            return cls(text)
        return cls(text, feel.parse_expression(text[1:], HOST_NAMES))

    def evaluate(self, variables: Variables, environment: feel.Environment) -> feel.Value:
        """The value; a budget that is used up or a host function that told off is a fault of the element."""
        if self.compiled is None:
            return self.text
        try:
            return self.compiled.evaluate(variables, environment)
        except feel.FeelFault as fault:
            raise ElementFault(f"式 {self.text} を計算できません: {fault}") from fault

    def text_value(self, variables: Variables, environment: feel.Environment, what: str) -> str:
        value = self.evaluate(variables, environment)
        if not isinstance(value, str):
            raise ElementFault(f"{what} {self.text} が文字列になりません({shown(value)})。")
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a constant is, between its commas."""
        return tuple(name.strip() for name in self.text.split(",") if name.strip())

    def names_value(self, variables: Variables, environment: feel.Environment, what: str) -> tuple[str, ...]:
        """A list of names: from FEEL as a list, from a constant as comma-separated text."""
        if self.compiled is None:
            return self.names
        value = self.evaluate(variables, environment)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(dict.fromkeys(str(name) for name in value))
        raise ElementFault(f"{what} {self.text} が名前のリストになりません({shown(value)})。")


@dataclass(frozen=True, slots=True)
class VariableMapping:
    """`zeebe:input` or `zeebe:output`: the value of `source` goes to `target`, a name or a path of names."""

    source: Expression
    target: tuple[str, ...]


def evaluate_mappings(
    mappings: tuple[VariableMapping, ...], variables: Variables, environment: feel.Environment
) -> dict[str, feel.Value]:
    """The targets' values, in order; a later mapping sees what an earlier one gave (as in Camunda 8)."""
    results: dict[str, feel.Value] = {}
    for mapping in mappings:
        value = mapping.source.evaluate({**variables, **results}, environment)
        name, *path = mapping.target
        results[name] = _placed(results.get(name, variables.get(name)), path, value) if path else value
    return results


def _placed(context: feel.Value, path: list[str], value: feel.Value) -> feel.Value:
    if not path:
        return value
    entries = dict(context) if isinstance(context, dict) else {}
    entries[path[0]] = _placed(entries.get(path[0]), path[1:], value)
    return entries
