"""Representatives of a type: one value from every class that comparisons with given constants can tell apart."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Final

from engine import feel
from engine.dmn.types import ANY, BuiltIn, Collection, Reference, Restricted, Structure, Type
from engine.feel import CONTEXT, Date, DateTime, DaysTimeDuration, FeelFault, Time, Value, YearsMonthsDuration

MAX_MEMBERS: Final = 8  # of a list, whose every subset is a representative
_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_SUFFIXES: Final = ("〜", "a", " ", "\0")  # one of them leads from a string to one before the next


@dataclass(frozen=True, slots=True)
class Representatives:
    """Values that stand for all others; not `exact` where some class may have none."""

    values: tuple[Value, ...]
    exact: bool


def representatives(type_: Type, constants: Sequence[Value], members: Sequence[Value]) -> Representatives:
    """Return values of the type: every constant, and one between and beyond them, the plainest first.

    A type that is not known is taken from the constants. Null stands for itself only, where it is a constant.
    """
    kinds = _kinds(type_) or {type(each) for each in constants} | ({list} if members else set())
    values: list[Value] = []
    exact = True
    for kind in sorted(kinds, key=lambda each: each.__name__):
        own = [each for each in constants if type(each) is kind]
        if kind is list:
            exact = exact and len(distinct(members)) <= MAX_MEMBERS
            values += _lists(distinct(members), own)
        elif kind in _LINES:
            exact = exact and not (kind is Time and len({_zone(each) for each in own}) > 1)
            values += _on_line(_LINES[kind], own)
        elif kind is str:
            values += _strings([each for each in own if isinstance(each, str)])
        elif kind is bool:
            values += [True, False]
    if not values:
        values.append({} if isinstance(plain(type_), Structure) else "その他" if plain(type_) is ANY else None)
    if None in constants:
        values.append(None)
    return Representatives(tuple(distinct(values)), exact)


def distinct(values: Iterable[Value]) -> list[Value]:
    """Return the values without repetitions of type and text, in order."""
    return list({(type(value), feel.to_text(value)): value for value in reversed(list(values))}.values())[::-1]


def plain(type_: Type) -> Type:
    """Return the type without names and without limits on its values."""
    while True:
        match type_:
            case Reference(name, definitions):
                type_ = definitions[name]
            case Restricted(base=base):
                type_ = base
            case _:
                return type_


def limits(type_: Type) -> Iterator[feel.UnaryTests]:
    """Yield the tests that values of the type have to pass."""
    while True:
        match type_:
            case Reference(name, definitions):
                type_ = definitions[name]
            case Restricted(base=base, allowed=allowed):
                yield allowed
                type_ = base
            case _:
                return


def _kinds(type_: Type) -> set[type]:
    match plain(type_):
        case BuiltIn(classes=classes):
            return set(classes)
        case Collection():
            return {list}
    return set()


def _lists(members: list[Value], constants: list[Value]) -> list[Value]:
    """Return lists of all subsets (where too many: none, each, all), and the constants with lists unlike them."""
    sizes = range(len(members) + 1) if len(members) <= MAX_MEMBERS else (0, 1, len(members))
    subsets: list[Value] = [list(subset) for size in sizes for subset in combinations(members, size)]
    if not constants:
        return subsets
    unlike: list[Value] = [[*subset, "その他"] for subset in subsets if isinstance(subset, list)]
    unlike += [[*subset, subset[-1]] for subset in subsets if isinstance(subset, list) and subset]
    return [*subsets, *constants, *unlike]


def _strings(points: list[str]) -> Iterator[Value]:
    if "その他" not in points:
        yield "その他"
    yield from points
    ordered = sorted(set(points))
    for left, right in pairwise(ordered):
        yield from [left + suffix for suffix in _SUFFIXES if left < left + suffix < right][:1]
    if ordered:
        yield from ("", ordered[-1] + _SUFFIXES[0])


@dataclass(frozen=True, slots=True)
class _Line:
    """An ordered type: where a value lies, which value lies there, a place and a stride for want of others."""

    place: Callable[..., Fraction | int]
    at: Callable[[Fraction | int, int | str | None], Value]
    origin: int
    stride: int
    coarse: int = 0  # equality looks at whole multiples of this only


def _number(place: Fraction | int, _: int | str | None) -> Value:
    fraction = Fraction(place)
    return CONTEXT.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))


def _time(place: Fraction | int, zone: int | str | None) -> Value:
    nanos = int(place) + (Time(0, 0, 0, 0, zone).offset or 0) * _SECOND
    if not 0 <= nanos < _DAY:
        raise FeelFault("no such time of day")
    return Time.from_nanos(nanos, zone)


_LINES: Final[Mapping[type, _Line]] = {
    Decimal: _Line(Fraction, _number, 0, 1),
    Date: _Line(lambda date: date.ordinal, lambda place, _: Date.from_ordinal(int(place)), 730_000, 1),
    DateTime: _Line(
        lambda moment: moment.instant,
        lambda place, zone: DateTime.from_instant(int(place), zone),
        730_000 * _DAY,
        3600 * _SECOND,
        _SECOND,
    ),
    Time: _Line(lambda time: time.utc_nanos, _time, _DAY // 2, 3600 * _SECOND, _SECOND),
    DaysTimeDuration: _Line(
        lambda duration: duration.nanos, lambda place, _: DaysTimeDuration(int(place)), 0, 3600 * _SECOND
    ),
    YearsMonthsDuration: _Line(
        lambda duration: duration.months, lambda place, _: YearsMonthsDuration(int(place)), 0, 1
    ),
}


def _zone(value: Value) -> int | str | None:
    match value:
        case DateTime(time=Time(zone=zone)) | Time(zone=zone):
            return zone
    return None


def _on_line(line: _Line, constants: list[Value]) -> Iterator[Value]:
    """Yield the constants, then what lies between and beyond; apart for values with and without a time zone."""
    zones = {_zone(each) is None: _zone(each) for each in reversed(constants)} or {True: None}
    for is_local, zone in zones.items():
        own = [each for each in constants if (_zone(each) is None) is is_local]
        yield from own
        for place in _places(line, [line.place(each) for each in own]):
            try:
                yield line.at(place, zone)
            except (FeelFault, ArithmeticError):  # beyond the last value of the type
                continue


def _places(line: _Line, given: list[Fraction | int]) -> list[Fraction | int]:
    edges = set(given) or {line.origin}
    if line.coarse:
        edges |= {place // line.coarse * line.coarse + more for place in edges for more in (0, line.coarse)}
    ordered = sorted(edges)
    between = [_middle(left, right) for left, right in pairwise(ordered)]
    return [*ordered, *between, ordered[0] - line.stride, ordered[-1] + line.stride]


def _middle(left: Fraction | int, right: Fraction | int) -> Fraction | int:
    """Return a whole number between the two where there is one, else the middle."""
    whole = left // 1 + 1
    return whole if whole < right else Fraction(left + right) / 2
