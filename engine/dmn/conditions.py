"""What a column of a decision table asks of its value, arranged so that one look finds the rules that it passes.

Entries that compare with constants are tried once for each value that stands for others (between two neighbouring
numbers no comparison can tell values apart), when the table is compiled; the rest are tried when it is evaluated.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from engine.dmn.comparisons import constant, is_constant, points
from engine.dmn.run import Scope
from engine.feel import Environment, UnaryTests, Value
from engine.feel.syntax import Literal

Rules = int  # a set of rules: the bit of the first is 1, of the next 2, and so on
_NOW: Final = datetime(2000, 1, 1, tzinfo=UTC)  # no constant depends on it


@dataclass(frozen=True, slots=True)
class Equals:
    """The rules that each named value passes, and those that all others pass."""

    named: Mapping[Value, Rules]
    others: Rules

    def rules(self, value: Any) -> Rules:
        return self.named.get(value, self.others)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The rules that numbers pass: `passed` has those below the first of `ends`, at it, between it and the next, …"""

    ends: Sequence[Decimal]
    passed: Sequence[Rules]

    def rules(self, value: Any) -> Rules:
        place = bisect_left(self.ends, value)
        is_end = place < len(self.ends) and self.ends[place] == value
        return self.passed[2 * place + is_end]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a column asks of its value.

    `indexes` tells by the type of the value which rules it passes but for those of `others`, the entries that are to
    be evaluated; a value of a type without an index is given to `every` entry. `indifferent` rules take any value.
    """

    indexes: Mapping[type, Equals | Ordered]
    others: tuple[tuple[UnaryTests, Rules], ...]
    every: tuple[tuple[UnaryTests, Rules], ...]
    indifferent: Rules

    @classmethod
    def of(cls, entries: Sequence[UnaryTests | None]) -> "Conditions":
        """The conditions of a column, given its entries from the first rule to the last, None for `-`."""
        distinct: dict[int, tuple[UnaryTests, Rules]] = {}
        indifferent = 0
        for place, tests in enumerate(entries):
            if tests is None:
                indifferent |= 1 << place
            else:
                _, rules = distinct.get(id(tests), (tests, 0))
                distinct[id(tests)] = tests, rules | 1 << place
        every = tuple(distinct.values())
        plain = [(tests, rules, ends) for tests, rules in every if (ends := _ends(tests)) is not None]
        ends = [end for _, _, own in plain for end in own]

        def passing(value: Value) -> Rules:
            environment = Environment(_NOW)
            passed = (rules for tests, rules, _ in plain if tests.evaluate(value, {}, environment))
            return indifferent | sum(passed)  # of different rules, so that none is counted twice

        indexes = _indexes(ends, passing) if plain else {}
        indexed = {id(tests) for tests, _, _ in plain}
        return cls(indexes, tuple(each for each in every if id(each[0]) not in indexed), every, indifferent)

    def passed(self, value: Value, left: Rules, scope: Scope, environment: Environment) -> Rules:
        """The rules whose entry the value passes, of those that are left."""
        if (index := self.indexes.get(type(value))) is not None:
            passed, rest = index.rules(value), self.others
        else:
            passed, rest = self.indifferent, self.every
        for tests, rules in rest:
            if left & rules and tests.evaluate(value, scope, environment):
                passed |= rules
        return left & passed


def _ends(tests: UnaryTests) -> list[Value] | None:
    """The strings, numbers and booleans that the tests compare with; None where they do more, or order strings."""
    found: list[Value] = []
    for node in tests.syntax or ():
        if not is_constant(node):
            return None
        ends = points(constant(node, Environment(_NOW)))
        if not all(type(end) in (Decimal, bool) or (type(end) is str and isinstance(node, Literal)) for end in ends):
            return None
        found += ends
    return found


def _indexes(ends: Sequence[Value], passing: Callable[[Value], Rules]) -> dict[type, Equals | Ordered]:
    strings = [end for end in ends if isinstance(end, str)]
    numbers = sorted({end for end in ends if isinstance(end, Decimal)})
    indexes: dict[type, Equals | Ordered] = {
        str: Equals({string: passing(string) for string in strings}, passing("".join(strings) + "-")),
        bool: Equals({truth: passing(truth) for truth in (False, True)}, 0),
    }
    if not numbers:
        indexes[Decimal] = Equals({}, passing(Decimal(0)))
    elif (gaps := _gaps(numbers)) is not None:
        tried = [gaps[0], *(value for pair in zip(numbers, gaps[1:], strict=True) for value in pair)]
        indexes[Decimal] = Ordered(numbers, [passing(value) for value in tried])
    return indexes


def _gaps(numbers: Sequence[Decimal]) -> list[Decimal] | None:
    """A number below the first, one between each two, one above the last; None where they lie too close for one."""
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    gaps = [numbers[0] - 1, *between, numbers[-1] + 1]
    ordered = all(gap < number < above for gap, number, above in zip(gaps, numbers, gaps[1:], strict=False))
    return gaps if ordered else None
