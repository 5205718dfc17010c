"""How a built-in function is declared: FEEL's signature beside a Python function whose annotations are its types.

The modules that declare built-ins do not postpone the evaluation of annotations, for they are read here.
"""

from __future__ import annotations

import inspect
import types as python_types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from engine.feel.environment import Environment
from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.operations import at_midnight_utc
from engine.feel.temporal import Date, DateTime
from engine.feel.values import MAX_TEXT, Function, Value, type_name

_Call = TypeVar("_Call", bound=Callable[..., Any])
_HEIGHT: Final = 3  # levels of evaluation a built-in takes
_SIZED: Final = frozenset({str, list, dict})  # types whose values take work by their length


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, the Python types it takes (None: any), and whether it may be left out."""

    name: str
    types: frozenset[type] | None
    nullable: bool = False
    optional: bool = False
    default: Value = None

    def accept(self, value: Value) -> Value:
        """The argument, by the implicit conversions of DMN 1.5 clause 10.3.2.9.4; else FeelFault."""
        types = self.types
        if types is None or type(value) in types or (value is None and self.nullable):
            return value
        if isinstance(value, Function) and Function in types:
            return value
        if value is not None and list in types:
            return [value]
        if isinstance(value, list) and len(value) == 1 and type(value[0]) in types:
            return value[0]
        if isinstance(value, Date) and DateTime in types:
            return at_midnight_utc(value)
        raise FeelFault(f"{self.name} cannot be a {type_name(value)}")


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature; `packed` takes all positional arguments as its list, `rest` any number of last ones."""

    call: Callable[..., Value]
    parameters: tuple[Parameter, ...]
    packed: bool = False
    rest: bool = False
    uses_environment: bool = False

    def fits(self, arguments: Sequence[Value]) -> bool:
        """Whether the arguments need no conversion: one for each parameter, and of its types."""
        if len(arguments) != len(self.parameters) or self.rest:
            return False
        for parameter, value in zip(self.parameters, arguments, strict=True):  # plain loop: every call passes here
            types = parameter.types
            if types is not None and type(value) not in types:
                return False
        return not self.packed or isinstance(arguments[0], list)

    def bound(self, arguments: Sequence[Value]) -> list[Value]:
        """The arguments for `call`; FeelFault if their number or types do not fit."""
        if self.packed and not (len(arguments) == 1 and (isinstance(arguments[0], list) or arguments[0] is None)):
            if not arguments:
                raise FeelFault("it needs arguments")
            return [list(arguments)]
        parameters = self.parameters
        if self.rest:
            parameters += parameters[-1:] * (len(arguments) - len(parameters))
        required = sum(1 for parameter in parameters if not parameter.optional)
        if not required <= len(arguments) <= len(parameters):
            raise FeelFault(f"it does not take {len(arguments)} arguments")
        return [parameter.accept(value) for parameter, value in zip(parameters, arguments, strict=False)]

    def bound_named(self, arguments: Mapping[str, Value]) -> list[Value]:
        """The arguments for `call`, the defaults of those left out included; FeelFault if they do not fit."""
        names = {parameter.name for parameter in self.parameters}
        if not names.issuperset(arguments):
            raise FeelFault(f"it takes no parameters of the names {', '.join(arguments)}")
        bound: list[Value] = []
        for parameter in self.parameters:
            if parameter.name in arguments:
                bound.append(parameter.accept(arguments[parameter.name]))
            elif self.rest and parameter is self.parameters[-1]:
                break
            elif parameter.optional or parameter.nullable:
                bound.append(parameter.default)
            else:
                raise FeelFault(f"it needs {parameter.name}")
        return bound


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIn(Function):
    """A built-in function: the first overload that the arguments fit is called."""

    overloads: tuple[Overload, ...] = ()

    def invoke(self, arguments: Sequence[Value], environment: Environment) -> Value:
        """The result for positional arguments; null and a warning if no signature fits."""
        first = self.overloads[0]
        if first.fits(arguments):
            return self._run(first, arguments, environment)
        return self._first_fit(lambda overload: overload.bound(arguments), environment)

    def invoke_named(self, arguments: Mapping[str, Value], environment: Environment) -> Value:
        """The result for named arguments; null and a warning if no signature fits."""
        return self._first_fit(lambda overload: overload.bound_named(arguments), environment)

    def _first_fit(self, bind: Callable[[Overload], list[Value]], environment: Environment) -> Value:
        message = ""
        for overload in self.overloads:
            try:
                arguments = bind(overload)
            except FeelFault as misfit:
                message = misfit.message
                continue
            return self._run(overload, arguments, environment)
        environment.warn(f"{self.name}: {message}")
        return None

    def _run(self, overload: Overload, arguments: Sequence[Value], environment: Environment) -> Value:
        environment.enter(_HEIGHT)
        try:
            for value in arguments:
                if type(value) in _SIZED and (size := _size(value)):
                    environment.step(size)
            result = overload.call(environment, *arguments) if overload.uses_environment else overload.call(*arguments)
            if type(result) in _SIZED and (size := _size(result)):
                environment.step(size)
        except FeelLimitExceeded:
            raise
        except (FeelFault, ArithmeticError) as error:
            reason = error.message if isinstance(error, FeelFault) else "the result is not a number FEEL can hold"
            environment.warn(f"{self.name}: {reason}")
            return None
        finally:
            environment.leave(_HEIGHT)
        return result


def _size(value: Value) -> int:
    """The steps that handling the value takes, by its length."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise FeelLimitExceeded(f"a string longer than {MAX_TEXT} characters")
        return len(value) >> 6
    return len(value) if isinstance(value, list | dict) else 0


class Library:
    """The built-ins one module declares."""

    def __init__(self) -> None:
        self.functions: dict[str, BuiltIn] = {}

    def declare(self, name: str, signature: str) -> Callable[[_Call], _Call]:
        """Makes the decorated function the built-in `name`, or one more overload of it.

        `signature` names the parameters as the standard does; `list...` takes the arguments as one list,
        `item *` any number of them.
        """

        def register(call: _Call) -> _Call:
            self.add(name, _overload(signature, call))
            return call

        return register

    def add(self, name: str, overload: Overload) -> None:
        """Makes the overload the built-in `name`, or one more overload of it."""
        earlier = self.functions[name].overloads if name in self.functions else ()
        names = tuple(parameter.name for parameter in overload.parameters)
        self.functions[name] = BuiltIn(names, _never, name, overloads=(*earlier, overload))


def _never(arguments: tuple[Value, ...], environment: Environment) -> Value:
    raise AssertionError("a built-in is called by its overloads")


def _overload(signature: str, call: Callable[..., Value]) -> Overload:
    python = list(inspect.signature(call).parameters.values())
    uses_environment = bool(python) and python[0].annotation is Environment
    names = [name.strip() for name in signature.split(",")] if signature else []
    parameters = tuple(
        _parameter(name.rstrip(".* "), parameter)
        for name, parameter in zip(names, python[uses_environment:], strict=True)
    )
    return Overload(call, parameters, signature.endswith("..."), signature.endswith("*"), uses_environment)


def _parameter(name: str, parameter: inspect.Parameter) -> Parameter:
    annotation = parameter.annotation
    default = None if parameter.default is parameter.empty else parameter.default
    optional = parameter.default is not parameter.empty or parameter.kind is parameter.VAR_POSITIONAL
    if annotation is Value:
        return Parameter(name, None, True, optional, default)
    is_union = get_origin(annotation) in (Union, python_types.UnionType)
    kinds = get_args(annotation) if is_union else (annotation,)
    types = frozenset(get_origin(kind) or kind for kind in kinds)
    return Parameter(name, types - {type(None)}, type(None) in types, optional, default)


def whole(value: Decimal, what: str) -> int:
    """The number as an integer, its fraction cut off; FeelFault if it is too large to count with."""
    if value.adjusted() > 18:
        raise FeelFault(f"{what} is too large")
    return int(value)
