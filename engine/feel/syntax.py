"""The parsed forms of FEEL (DMN 1.5 clause 10.3.1.2); immutable, without behaviour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.feel.types import Type
from engine.feel.values import Value


@dataclass(frozen=True, slots=True)
class Literal:
    value: Value


@dataclass(frozen=True, slots=True)
class AtLiteral:
    """`@"…"`; null where the text is no temporal value."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class ListDisplay:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextDisplay:
    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    start: Node
    end: Node
    start_included: bool
    end_included: bool


@dataclass(frozen=True, slots=True)
class Comparator:
    """A unary test such as `< 10`."""

    operator: str
    bound: Node


@dataclass(frozen=True, slots=True)
class Negation:
    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conjunction:
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between:
    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class InstanceOf:
    value: Node
    type: Type


@dataclass(frozen=True, slots=True)
class Path:
    value: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    value: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call:
    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NamedCall:
    function: Node
    arguments: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class If:
    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Iteration:
    """`name in domain`, or `name in domain .. end`."""

    name: str
    domain: Node
    end: Node | None = None


@dataclass(frozen=True, slots=True)
class For:
    iterations: tuple[Iteration, ...]
    result: Node


@dataclass(frozen=True, slots=True)
class Quantified:
    every: bool
    iterations: tuple[Iteration, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    parameters: tuple[tuple[str, Type], ...]
    body: Node | None  # None for an external function


Node = (
    Literal
    | AtLiteral
    | Name
    | ListDisplay
    | ContextDisplay
    | Interval
    | Comparator
    | Negation
    | Arithmetic
    | Comparison
    | Conjunction
    | Disjunction
    | Between
    | In
    | InstanceOf
    | Path
    | Filter
    | Call
    | NamedCall
    | If
    | For
    | Quantified
    | FunctionDefinition
)


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """Every node of the tree with its level; the root's is 1."""
    pending: list[tuple[object, int]] = [(node, 1)]
    while pending:
        part, level = pending.pop()
        if isinstance(part, tuple):
            pending.extend((item, level) for item in part)
        elif isinstance(part, Iteration):
            pending.extend([(part.domain, level), (part.end, level)])
        elif isinstance(part, Node):
            yield part, level
            pending.extend((getattr(part, field), level + 1) for field in part.__slots__)


def height(node: Node) -> int:
    """The number of levels of the tree."""
    return max(level for _, level in walk(node))


def mentions(node: Node, name: str) -> bool:
    """Whether the name occurs anywhere in the tree."""
    return any(isinstance(part, Name) and part.name == name for part, _ in walk(node))
