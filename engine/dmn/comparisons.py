"""What FEEL compares the values it reads with: the points at which the outcome can change.

Between two such points an expression of comparisons cannot tell values apart, so that one of them stands for all.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from engine.feel import Environment, Range, UnaryTests, Value, syntax
from engine.feel.compiler import compiled
from engine.feel.environment import Scope
from engine.feel.syntax import Node

Path = tuple[str, ...]
INPUT: Final[Path] = ("?",)  # what the tests of a cell are about
_CONSTRUCTORS: Final = frozenset({"date", "time", "date and time", "duration", "number"})
_NOTHING: Final[frozenset[Path]] = frozenset()


class Opaque(Exception):
    """The expression does more than compare values with constants."""


@dataclass(slots=True)
class Comparisons:
    """What the expressions read so far compare each path with: constants, and members asked of lists."""

    environment: Environment
    paths: set[Path] = field(default_factory=set)
    constants: defaultdict[Path, list[Value]] = field(default_factory=lambda: defaultdict(list))
    members: defaultdict[Path, list[Value]] = field(default_factory=lambda: defaultdict(list))

    def read(self, node: Node) -> frozenset[Path]:
        """Take in an expression; return the paths whose values can be its value. Raises Opaque."""
        if is_constant(node):
            return _NOTHING
        if (path := path_of(node)) is not None:
            self.paths.add(path)
            return frozenset({path})
        match node:
            case syntax.If(condition, then, otherwise):
                self._condition(condition)
                return self.read(then) | self.read(otherwise)
            case syntax.Conjunction(operands) | syntax.Disjunction(operands):
                for operand in operands:
                    self._condition(operand)
            case syntax.Comparison(_, left, right):
                self._compare(left, right)
            case syntax.Between(value, low, high):
                self._compare(value, low)
                self._compare(value, high)
            case syntax.In(value, tests):
                for test in tests:
                    self._compare(value, test)
            case syntax.Call(syntax.Name("not"), (operand,)):
                self._condition(operand)
            case syntax.Call(syntax.Name("list contains"), (container, member)):
                self._contains(container, member)
            case _:
                raise Opaque
        return _NOTHING

    def read_tests(self, tests: UnaryTests) -> None:
        """Take in the tests of a cell as comparisons of INPUT. Raises Opaque, also for other variables."""
        for node in tests.syntax or ():
            if is_constant(node):
                self.constants[INPUT] += points(constant(node, self.environment))
            elif not self.read(node) <= {INPUT}:
                raise Opaque
        if not self.paths <= {INPUT}:
            raise Opaque

    def _condition(self, node: Node) -> None:
        for path in self.read(node):
            self.constants[path].append(True)

    def _compare(self, left: Node, right: Node) -> None:
        value, bound = (left, right) if is_constant(right) else (right, left)
        if not is_constant(bound):
            raise Opaque
        for path in self.read(value):
            self.constants[path] += points(constant(bound, self.environment))

    def _contains(self, container: Node, member: Node) -> None:
        if is_constant(container):
            self._compare(member, container)
        elif is_constant(member):
            for path in self.read(container):
                self.members[path].append(constant(member, self.environment))
        else:
            raise Opaque


def path_of(node: Node) -> Path | None:
    """Return the names of a path such as `conduct.emergency`, None for any other expression."""
    match node:
        case syntax.Name(name):
            return (name,)
        case syntax.Path(value, name) if (owner := path_of(value)) is not None:
            return (*owner, name)
    return None


def paths_in(node: Node) -> Iterator[Path]:
    """Yield every path of the expression, and the beginnings of each."""
    return (path for part, _ in syntax.walk(node) if (path := path_of(part)) is not None)


def is_constant(node: Node) -> bool:
    """Tell whether the expression has the same value in every scope."""
    match node:
        case syntax.Literal() | syntax.AtLiteral():
            return True
        case syntax.Negation(part) | syntax.Comparator(_, part):
            return is_constant(part)
        case syntax.Interval(start, end):
            return is_constant(start) and is_constant(end)
        case syntax.ListDisplay(items):
            return all(map(is_constant, items))
        case syntax.Call(syntax.Name(name), arguments):
            return name in _CONSTRUCTORS and all(map(is_constant, arguments))
    return False


def constant(node: Node, environment: Environment) -> Value:
    """Return the value of a constant expression."""
    return compiled(node)(Scope({}, None, environment))


def points(value: Value) -> list[Value]:
    """Return the values that a comparison with this one sets apart: its ends, or its items and itself."""
    match value:
        case Range(start=start, end=end):
            return [each for each in (start, end) if each is not None]
        case list():
            return [value, *(point for item in value for point in points(item))]
    return [value]
