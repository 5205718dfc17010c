"""The state of one level of names: which fields are visible now, their values, and what conditions read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import feel
from engine.forms.errors import Unreadable
from engine.forms.model import Field, Fields, Formula, Option, Variables
from engine.forms.values import Fault, empty, read


@dataclass(frozen=True, slots=True)
class Level:
    """`entered` are the typed entries, `values` those of the visible fields only, in the file's order.

    `scope` is what an expression reads here: own fields over everything around, hidden ones null. `path`
    stands before the names of this level: empty, or `items[0].`.
    """

    fields: Fields
    entered: Variables
    values: Variables
    scope: Variables
    environment: feel.Environment
    faults: Mapping[str, Fault]
    path: str

    def value_of(self, rule: feel.Value | Formula) -> feel.Value:
        """The constant, or the value of the formula here."""
        return rule.evaluate(self.scope, self.environment) if isinstance(rule, Formula) else rule

    def rows(self, field: Field) -> tuple[Level, ...]:
        """One level per row of this list; none if it is hidden or empty."""
        entered = self.entered.get(field.key) if field.key in self.values else None
        rows = entered if isinstance(entered, list) else []
        return tuple(self.row(field, index, row) for index, row in enumerate(rows) if isinstance(row, dict))

    def row(self, field: Field, index: int, entered: Variables) -> Level:
        path = f"{self.path}{field.key}[{index}]."
        return settle(field.fields, entered, self.scope, self.environment, self.faults, path)

    def options(self, field: Field) -> tuple[Option, ...]:
        """The options now; of a computed list only the members with a text as label and as value."""
        if not isinstance(field.options, Formula):
            return field.options
        found = self.value_of(field.options)
        return tuple(option for each in (found if isinstance(found, list) else []) for option in _option(each))


def settle(
    fields: Fields,
    entered: Variables,
    outer: Variables,
    environment: feel.Environment,
    faults: Mapping[str, Fault],
    path: str = "",
) -> Level:
    """The level with every condition applied; a default stands where nothing was entered, not even emptied.

    One pass in dependency order is the fixpoint: the reader refuses conditions that form a circle.
    """
    entered = {**_defaults(fields), **entered}
    scope = {**outer, **dict.fromkeys(fields.by_key)}
    visible = set()
    for key in fields.order:
        if any(condition.evaluate(scope, environment) is True for condition in fields.hides[key]):
            continue
        visible.add(key)
        scope[key] = _settled(fields.by_key[key], entered.get(key), scope, environment)
    values = {key: scope[key] for key in fields.by_key if key in visible}
    return Level(fields, entered, values, scope, environment, faults, path)


def _defaults(fields: Fields) -> dict[str, feel.Value]:
    return {key: field.default for key, field in fields.by_key.items() if not isinstance(field.default, Formula | None)}


def _settled(field: Field, entered: feel.Value, scope: Variables, environment: feel.Environment) -> feel.Value:
    if field.kind == "list":
        rows = [row for row in entered if isinstance(row, dict)] if isinstance(entered, list) else []
        return [dict(settle(field.fields, row, scope, environment, {}).values) for row in rows]
    if entered is None and isinstance(field.default, Formula):
        try:
            return read(field, field.default.evaluate(scope, environment))
        except Unreadable:
            return None  # a default that does not fit leaves the field empty, and `required` says so
    return empty(field) if entered is None else entered


def _option(member: feel.Value) -> tuple[Option, ...]:
    if not isinstance(member, dict):
        return ()
    label, value = member.get("label"), member.get("value")
    return (Option(label, value),) if isinstance(label, str) and isinstance(value, str) else ()
