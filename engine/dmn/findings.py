"""What the analysis of a decision table can find."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from engine.feel import Value


class FindingKind(Enum):
    """What is wrong with a table, or what could not be found out."""

    GAP = "gap"
    OVERLAP = "overlap"
    NEVER_MATCHES = "never_matches"
    TYPE_ERROR = "type_error"
    OUTSIDE_DECLARED_VALUES = "outside_declared_values"
    NOT_FEEL = "not_feel"
    NOT_DECIDED = "not_decided"


@dataclass(frozen=True, slots=True)
class TableFinding:
    """One finding: rules by index from 1; column from 1, outputs after inputs; values of inputs that show it."""

    kind: FindingKind
    decision_id: str
    decision_name: str
    message: str
    rules: tuple[int, ...] = ()
    column: int | None = None
    example: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The element whose tables are analysed, to which findings belong."""

    decision_id: str
    decision_name: str

    def finding(
        self,
        kind: FindingKind,
        message: str,
        rules: Sequence[int] = (),
        column: int | None = None,
        example: Mapping[str, Value] | None = None,
    ) -> TableFinding:
        text = f"{self.decision_name}: {message}"
        return TableFinding(kind, self.decision_id, self.decision_name, text, tuple(rules), column, example or {})
