"""What an evaluation leaves behind: the value, and everything that explains it."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.feel import Value


@dataclass(slots=True)  # one is made for each rule that matches, and a frozen one takes three times as long to make
class MatchedRule:
    """One rule whose input entries all held; `index` counts from 1, as the modeller shows it."""

    index: int
    rule_id: str
    annotation: str
    outputs: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One decision that was evaluated.

    `inputs` are the values of the input expressions of its tables by their text; a decision without a
    table shows the values it required by name.
    """

    decision_id: str
    decision_name: str
    inputs: Mapping[str, Value]
    value: Value
    rules: tuple[MatchedRule, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value asked for, every evaluation on the way in order, and the faults that made a value null."""

    value: Value
    evaluations: tuple[Evaluation, ...]
    faults: tuple[str, ...]
