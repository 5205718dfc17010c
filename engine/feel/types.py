"""FEEL's types: which values belong to one, which types conform to another (DMN 1.5 clause 10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine.feel.errors import FeelFault
from engine.feel.operations import at_midnight_utc
from engine.feel.temporal import Date
from engine.feel.values import Function, Range, Value, type_name

if TYPE_CHECKING:
    from engine.feel.environment import Environment

Predicate = Callable[[Value, "Environment"], bool]


@dataclass(frozen=True, slots=True)
class AnyType:
    """Every value but null."""


@dataclass(frozen=True, slots=True)
class BasicType:
    name: str


@dataclass(frozen=True, slots=True)
class ListType:
    element: Type


@dataclass(frozen=True, slots=True)
class RangeType:
    element: Type


@dataclass(frozen=True, slots=True)
class ContextType:
    """Contexts with at least these entries."""

    entries: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class FunctionType:
    parameters: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type the host defines, such as an item definition."""

    name: str
    includes: Predicate = field(compare=False)


Type = AnyType | BasicType | ListType | RangeType | ContextType | FunctionType | NamedType

ANY: Final = AnyType()
_NULL: Final = BasicType("Null")
BASIC_NAMES: Final = (
    "number",
    "string",
    "boolean",
    "date",
    "time",
    "date and time",
    "days and time duration",
    "years and months duration",
    "Null",
)


def is_type(value: Value, name: str) -> bool:
    """Whether a value is of the built-in type of that name; null is of none but `Null`."""
    return type_name(value) == name or (name == "Any" and value is not None)


def belongs(value: Value, type_: Type, environment: Environment) -> bool:
    """Whether the value is an instance of the type; null is one of `Null` only."""
    match type_:
        case AnyType():
            return value is not None
        case BasicType(name):
            return type_name(value) == name
        case NamedType():
            return value is not None and type_.includes(value, environment)
        case ListType(element):
            return isinstance(value, list) and all(_member(item, element, environment) for item in value)
        case RangeType(element):
            return isinstance(value, Range) and all(
                _member(end, element, environment) for end in (value.start, value.end)
            )
        case ContextType(entries):
            return isinstance(value, dict) and all(
                name in value and _member(value[name], element, environment) for name, element in entries
            )
        case FunctionType():
            return isinstance(value, Function) and conforms(_function_type(value), type_)
    raise AssertionError(type_)


def _member(value: Value, type_: Type, environment: Environment) -> bool:
    environment.step()
    return value is None or belongs(value, type_, environment)


def conforms(source: Type, target: Type) -> bool:
    """Whether every value of `source` may stand where `target` is asked for."""
    if isinstance(target, AnyType) or source in (target, _NULL):
        return True
    match source, target:
        case (ListType(one), ListType(other)) | (RangeType(one), RangeType(other)):
            return conforms(one, other)
        case ContextType(), ContextType():
            known = dict(source.entries)
            return all(name in known and conforms(known[name], type_) for name, type_ in target.entries)
        case FunctionType(), FunctionType():
            return (
                len(source.parameters) == len(target.parameters)
                and all(conforms(b, a) for a, b in zip(source.parameters, target.parameters, strict=True))
                and conforms(source.result, target.result)
            )
    return False


def _function_type(function: Function) -> FunctionType:
    return function.type or FunctionType((ANY,) * len(function.parameters), ANY)


def coerced(value: Value, type_: Type, environment: Environment) -> Value:
    """The value as one of the type, by the implicit conversions of clause 10.3.2.9.4; else FeelFault."""
    if value is None or belongs(value, type_, environment):
        return value
    if isinstance(value, list) and len(value) == 1 and belongs(value[0], type_, environment):
        return value[0]
    if isinstance(type_, ListType) and belongs(value, type_.element, environment):
        return [value]
    if isinstance(value, Date) and type_ == BasicType("date and time"):
        return at_midnight_utc(value)
    raise FeelFault(f"a {type_name(value)} does not conform to the type asked for")
