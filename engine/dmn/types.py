"""Types: which values belong to one, and the implicit conversions (DMN 1.5, 7.3.3 and 10.3.2.9.4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine import feel
from engine.feel import Environment, FeelFault, UnaryTests, Value

MIDNIGHT = feel.Time(0, 0, 0, 0, 0)  # UTC


class Type(Protocol):
    """A set of values; null belongs to every type."""

    @property
    def name(self) -> str: ...

    def holds(self, value: Value, limits: Environment | None) -> bool:
        """Tell whether a value that is not null belongs to the type.

        `limits` is the environment in which to test allowed values, None to leave them aside.
        """

    def components(self) -> Iterator[tuple[str, "Type"]]:
        """Yield what a path into a value of the type can name."""


class TypeMismatch(FeelFault):
    """A value does not belong to the type of its place, even after conversion; a call refuses it."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A type of FEEL itself; `classes` are the Python classes of its values, none for Any."""

    name: str
    classes: tuple[type, ...]

    def holds(self, value: Value, limits: Environment | None) -> bool:
        return not self.classes or type(value) in self.classes

    def components(self) -> Iterator[tuple[str, Type]]:
        return iter(())


ANY = BuiltIn("Any", ())
_DAYS = BuiltIn("days and time duration", (feel.DaysTimeDuration,))
_MONTHS = BuiltIn("years and months duration", (feel.YearsMonthsDuration,))
DATE_AND_TIME = BuiltIn("date and time", (feel.DateTime,))
_ALL_BUILT_INS = (
    ANY,
    BuiltIn("number", (Decimal,)),
    BuiltIn("string", (str,)),
    BuiltIn("boolean", (bool,)),
    BuiltIn("date", (feel.Date,)),
    BuiltIn("time", (feel.Time,)),
    DATE_AND_TIME,
    _DAYS,
    _MONTHS,
    BuiltIn("list", (list,)),
    BuiltIn("context", (dict,)),
    BuiltIn("range", (feel.Range,)),
    BuiltIn("function", (feel.Function,)),
)
BUILT_INS: Mapping[str, Type] = {
    **{built_in.name: built_in for built_in in _ALL_BUILT_INS},
    "dateTime": DATE_AND_TIME,
    "dayTimeDuration": _DAYS,
    "yearMonthDuration": _MONTHS,
    "Undefined": ANY,
}


@dataclass(frozen=True, slots=True)
class Structure:
    """Contexts that have at least these components, each of its type."""

    name: str
    fields: Mapping[str, Type]

    def holds(self, value: Value, limits: Environment | None) -> bool:
        return isinstance(value, dict) and all(
            name in value and belongs(value[name], type_, limits) for name, type_ in self.fields.items()
        )

    def components(self) -> Iterator[tuple[str, Type]]:
        return iter(self.fields.items())


@dataclass(frozen=True, slots=True)
class Collection:
    """Lists whose elements are all of one type."""

    name: str
    element: Type

    def holds(self, value: Value, limits: Environment | None) -> bool:
        return isinstance(value, list) and all(belongs(item, self.element, limits) for item in value)

    def components(self) -> Iterator[tuple[str, Type]]:
        return self.element.components()


@dataclass(frozen=True, slots=True)
class Restricted:
    """The values of a type that pass its allowed values or its type constraint."""

    name: str
    base: Type
    allowed: UnaryTests
    text: str

    def holds(self, value: Value, limits: Environment | None) -> bool:
        if not self.base.holds(value, limits):
            return False
        return limits is None or self.allowed.evaluate(value, {}, limits)

    def components(self) -> Iterator[tuple[str, Type]]:
        return self.base.components()


@dataclass(frozen=True, slots=True)
class FunctionType:
    """Functions of a number of parameters; `result` converts what they return."""

    name: str
    parameters: tuple[Type, ...]
    result: Type

    def holds(self, value: Value, limits: Environment | None) -> bool:
        return isinstance(value, feel.Function) and len(value.parameters) == len(self.parameters)

    def components(self) -> Iterator[tuple[str, Type]]:
        return self.result.components()


@dataclass(frozen=True, slots=True)
class Reference:
    """An item definition by name, looked up when used: definitions come in any order and may recur."""

    name: str
    definitions: Mapping[str, Type]

    def holds(self, value: Value, limits: Environment | None) -> bool:
        return self.definitions[self.name].holds(value, limits)

    def components(self) -> Iterator[tuple[str, Type]]:
        return self.definitions[self.name].components()


def belongs(value: Value, type_: Type, limits: Environment | None) -> bool:
    """Tell whether the value is null or of the type."""
    return value is None or type_.holds(value, limits)


def convert(value: Value, type_: Type, environment: Environment) -> Value:
    """Return the value as one of the type, after the implicit conversions of DMN 1.5, 10.3.2.9.4.

    These are: to and from a list of one, and date to date and time at midnight UTC. Raises TypeMismatch.
    """
    if value is None or type_.holds(value, environment):
        return value
    for candidate in _conversions(value):
        if belongs(candidate, type_, environment):
            return candidate
    raise TypeMismatch(f"値 {feel.to_text(value)} は型 {type_.name} に合いません。")


def coerce(value: Value, type_: Type, environment: Environment, place: str) -> Value:
    """Return the value as one of the type, or null with a warning that names the place."""
    if value is None or type_.holds(value, environment):
        return value
    try:
        return convert(value, type_, environment)
    except TypeMismatch as mismatch:
        environment.warn(f"{place}: {mismatch}")
        return None


def _conversions(value: Value) -> Iterator[Value]:
    """Yield what the value may stand for."""
    if isinstance(value, list):
        if len(value) == 1:
            yield value[0]
        return
    if isinstance(value, feel.Date):
        yield feel.DateTime(value, MIDNIGHT)
    yield [value]


def allowed_text(type_: Type) -> str:
    """Return the allowed values of the type, or of the elements of a collection, as they are written."""
    match type_:
        case Restricted():
            return type_.text
        case Reference():
            return allowed_text(type_.definitions[type_.name])
        case Collection():
            return allowed_text(type_.element)
        case _:
            return ""


def component_names(types: Sequence[Type]) -> frozenset[str]:
    """Return every name by which a path can reach into values of the types, however deep."""
    names: set[str] = set()
    waiting, seen = list(types), set[str]()
    while waiting:
        type_ = waiting.pop()
        for name, inner in type_.components():
            names.add(name)
            if (mark := f"{type_.name}.{name}.{inner.name}") not in seen:
                seen.add(mark)
                waiting.append(inner)
    return frozenset(names)
