"""Lists, sorting included (DMN 1.5 tables 75 and 79)."""

from collections.abc import Callable, Hashable
from decimal import Decimal
from functools import cmp_to_key
from itertools import pairwise
from typing import Final

from engine.feel.builtins.definition import Library, whole
from engine.feel.environment import Environment
from engine.feel.errors import FeelFault
from engine.feel.operations import add, equal, identity, less, order
from engine.feel.temporal import DaysTimeDuration, YearsMonthsDuration
from engine.feel.values import CONTEXT, Function, Value

LIBRARY: Final = Library()


@LIBRARY.declare("list contains", "list, element")
def list_contains(items: list[Value], element: Value) -> Value:
    for item in items:  # noqa: SIM110 # the most frequent test of lists: twice as fast as with any
        if equal(item, element):
            return True
    return False


@LIBRARY.declare("count", "list...")
def count(items: list[Value]) -> Value:
    return Decimal(len(items))


@LIBRARY.declare("min", "list...")
def minimum(items: list[Value]) -> Value:
    return _extreme(items, -1)


@LIBRARY.declare("max", "list...")
def maximum(items: list[Value]) -> Value:
    return _extreme(items, 1)


def _extreme(items: list[Value], sign: int) -> Value:
    """The first item none comes after (before, for -1), null for none; all items must be comparable."""
    best: Value = items[0] if items else None
    for item in items:
        position = order(item, best)
        if position is None:
            raise FeelFault("the items cannot be compared")
        if position * sign > 0:
            best = item
    return best


@LIBRARY.declare("sum", "list...")
def total(items: list[Value]) -> Value:
    """The sum of numbers or of durations of one kind; null for an empty list."""
    if not items:
        return None
    result, *rest = items
    if not isinstance(result, Decimal | DaysTimeDuration | YearsMonthsDuration):
        raise FeelFault("only numbers or durations have a sum")
    for item in rest:
        if type(item) is not type(result):
            raise FeelFault("only items of one type have a sum")
        result = add(result, item)
    return result


@LIBRARY.declare("mean", "list...")
def mean(items: list[Value]) -> Value:
    numbers = _numbers(items)
    return CONTEXT.divide(_sum(numbers), Decimal(len(numbers))) if numbers else None


@LIBRARY.declare("product", "list...")
def product(items: list[Value]) -> Value:
    numbers = _numbers(items)
    result = Decimal(1)
    for number in numbers:
        result = CONTEXT.multiply(result, number)
    return result if numbers else None


@LIBRARY.declare("median", "list...")
def median(items: list[Value]) -> Value:
    numbers = sorted(_numbers(items))
    if not numbers:
        return None
    middle = len(numbers) // 2
    if len(numbers) % 2:
        return numbers[middle]
    return CONTEXT.divide(CONTEXT.add(numbers[middle - 1], numbers[middle]), Decimal(2))


@LIBRARY.declare("stddev", "list...")
def stddev(items: list[Value]) -> Value:
    """The standard deviation of a sample, null for fewer than two numbers."""
    numbers = _numbers(items)
    if len(numbers) < 2:
        return None
    middle = CONTEXT.divide(_sum(numbers), Decimal(len(numbers)))
    distances = [CONTEXT.subtract(number, middle) for number in numbers]
    squares = _sum([CONTEXT.multiply(distance, distance) for distance in distances])
    return CONTEXT.sqrt(CONTEXT.divide(squares, Decimal(len(numbers) - 1)))


@LIBRARY.declare("mode", "list...")
def mode(items: list[Value]) -> Value:
    """The most frequent numbers, ascending."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(items):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    return [*sorted(number for number, times in counts.items() if times == most)]


def _numbers(items: list[Value]) -> list[Decimal]:
    numbers = [item for item in items if isinstance(item, Decimal)]
    if len(numbers) < len(items):
        raise FeelFault("all items must be numbers")
    return numbers


def _sum(numbers: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for number in numbers:
        result = CONTEXT.add(result, number)
    return result


@LIBRARY.declare("all", "list...")
def all_of(items: list[Value]) -> Value:
    return _logic(items, False)


@LIBRARY.declare("any", "list...")
def any_of(items: list[Value]) -> Value:
    return _logic(items, True)


def _logic(items: list[Value], decisive: bool) -> bool | None:
    if any(item is decisive for item in items):
        return decisive if all(isinstance(item, bool | None) for item in items) else None
    return not decisive if all(isinstance(item, bool) for item in items) else None


@LIBRARY.declare("sublist", "list, start position, length")
def sublist(items: list[Value], start: Decimal, length: Decimal | None = None) -> Value:
    begin = _position(items, start, len(items))
    if length is None:
        return items[begin:]
    size = whole(length, "the length")
    if size < 0 or begin + size > len(items):
        raise FeelFault("the list has no such part")
    return items[begin : begin + size]


@LIBRARY.declare("append", "list, item *")
def append(items: list[Value], *item: Value) -> Value:
    return [*items, *item]


@LIBRARY.declare("concatenate", "list *")
def concatenate(*lists: list[Value]) -> Value:
    return [item for items in lists for item in items]


@LIBRARY.declare("insert before", "list, position, newItem")
def insert_before(items: list[Value], position: Decimal, new_item: Value) -> Value:
    begin = _position(items, position, len(items))
    return [*items[:begin], new_item, *items[begin:]]


@LIBRARY.declare("remove", "list, position")
def remove(items: list[Value], position: Decimal) -> Value:
    begin = _position(items, position, len(items))
    return [*items[:begin], *items[begin + 1 :]]


@LIBRARY.declare("list replace", "list, position, newItem")
def list_replace_at(items: list[Value], position: Decimal, new_item: Value) -> Value:
    begin = _position(items, position, len(items))
    return [*items[:begin], new_item, *items[begin + 1 :]]


@LIBRARY.declare("list replace", "list, match, newItem")
def list_replace(environment: Environment, items: list[Value], match: Function, new_item: Value) -> Value:
    """The list with every item replaced for which `match(item, newItem)` is true."""
    replaced: list[Value] = []
    for item in items:
        matched = match.invoke([item, new_item], environment)
        if not isinstance(matched, bool):
            raise FeelFault("the match function has to answer true or false")
        replaced.append(new_item if matched else item)
    return replaced


def _position(items: list[Value], position: Decimal, size: int) -> int:
    """The index from 0 of a position from 1, or from -1 backwards."""
    index = whole(position, "the position")
    if index == 0 or abs(index) > size:
        raise FeelFault(f"the list has no position {position}")
    return index - 1 if index > 0 else size + index


@LIBRARY.declare("reverse", "list")
def reverse(items: list[Value]) -> Value:
    return items[::-1]


@LIBRARY.declare("index of", "list, match")
def index_of(items: list[Value], match: Value) -> Value:
    return [Decimal(index) for index, item in enumerate(items, 1) if equal(item, match)]


@LIBRARY.declare("union", "list *")
def union(environment: Environment, *lists: list[Value]) -> Value:
    return _distinct(environment, [item for items in lists for item in items])


@LIBRARY.declare("distinct values", "list")
def distinct_values(environment: Environment, items: list[Value]) -> Value:
    return _distinct(environment, items)


def _distinct(environment: Environment, items: list[Value]) -> list[Value]:
    found: dict[Hashable, Value] = {}
    for item in items:
        found.setdefault(identity(item, environment.step), item)
    return list(found.values())


@LIBRARY.declare("flatten", "list")
def flatten(environment: Environment, items: list[Value]) -> Value:
    flat: list[Value] = []
    _flatten(items, flat, environment)
    return flat


def _flatten(items: list[Value], flat: list[Value], environment: Environment) -> None:
    environment.enter(1)
    for item in items:
        if isinstance(item, list):
            _flatten(item, flat, environment)
        else:
            environment.step()
            flat.append(item)
    environment.leave(1)


@LIBRARY.declare("sort", "list, precedes")
def sort(environment: Environment, items: list[Value], precedes: Function) -> Value:
    """The list in the order in which `precedes(x, y)` holds; equals keep their order."""

    def position(left: Value, right: Value) -> int:
        if precedes.invoke([left, right], environment) is True:
            return -1
        return 1 if precedes.invoke([right, left], environment) is True else 0

    return _sorted(items, position)


@LIBRARY.declare("sort", "list")
def sort_ascending(items: list[Value]) -> Value:
    """The list in ascending order; all items must be comparable."""
    ordered = _sorted(items, lambda left, right: order(left, right) or 0)
    if any(less(right, left) is not False for left, right in pairwise(ordered)):
        raise FeelFault("the items cannot be compared")
    return ordered


def _sorted(items: list[Value], position: Callable[[Value, Value], int]) -> list[Value]:
    return sorted(items, key=cmp_to_key(position))
