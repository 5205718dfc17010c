"""The values FEEL computes with, their conversion from Python, and their text.

Null is None, a number is a Decimal, a context a dict, a list a list; everything else has its own type.
"""

from __future__ import annotations

import datetime as python
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.temporal import Date, DateTime, DaysTimeDuration, Temporal, Time, YearsMonthsDuration, Zone, zone_names

if TYPE_CHECKING:
    from engine.feel.environment import Environment
    from engine.feel.types import FunctionType

Value: TypeAlias = (
    "bool | Decimal | str | Date | Time | DateTime | DaysTimeDuration | YearsMonthsDuration"
    " | Range | Function | list[Value] | dict[str, Value] | None"
)

CONTEXT: Final = Context(  # IEEE 754 decimal128, DMN 1.5 clause 10.3.2.3.1
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
MAX_TEXT: Final = 1_000_000  # characters of a string
MAX_NESTING: Final = 100  # levels of lists and contexts within each other


@dataclass(frozen=True, slots=True)
class Range:
    """All values between two ends; `operator` is set for the form of a unary test such as `(< 10)`."""

    start: Value
    end: Value
    start_included: bool = True
    end_included: bool = True
    operator: str = ""

    @classmethod
    def of_test(cls, operator: str, bound: Value) -> Range:
        """The range that a unary test such as `<= 10` stands for."""
        start = None if operator in ("<", "<=") else bound
        end = None if operator in (">", ">=") else bound
        return cls(start, end, operator in (">=", "="), operator in ("<=", "="), operator)


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """Something FEEL can call: a lambda, a business knowledge model, a decision service, a host function.

    `call` receives one value per parameter, and may raise FeelFault, which becomes null and a warning.
    """

    parameters: tuple[str, ...]
    call: Callable[[tuple[Value, ...], Environment], Value]
    name: str = ""
    required: int | None = None  # how many leading parameters must be given; all unless told
    type: FunctionType | None = None
    height: int = 8  # levels of evaluation one call takes, for the depth limit

    def invoke(self, arguments: Sequence[Value], environment: Environment) -> Value:
        """The result for positional arguments; null and a warning if their number is wrong."""
        required = len(self.parameters) if self.required is None else self.required
        if not required <= len(arguments) <= len(self.parameters):
            environment.warn(
                f"{self.name or 'a function'} takes {len(self.parameters)} arguments, got {len(arguments)}"
            )
            return None
        environment.enter(self.height)
        try:
            return self.call(tuple(arguments), environment)
        except FeelLimitExceeded:
            raise
        except FeelFault as fault:
            environment.warn(fault.message)
            return None
        finally:
            environment.leave(self.height)

    def invoke_named(self, arguments: Mapping[str, Value], environment: Environment) -> Value:
        """The result for named arguments; null and a warning if a name is unknown or missing."""
        given = [name for name in self.parameters if name in arguments]
        if len(given) != len(arguments) or given != list(self.parameters[: len(given)]):
            expected = ", ".join(self.parameters)
            environment.warn(f"{self.name or 'a function'} takes the parameters {expected}, got {', '.join(arguments)}")
            return None
        return self.invoke([arguments[name] for name in given], environment)


def number(value: int | float | str | Decimal) -> Decimal:
    """The number rounded to 34 digits; FeelFault if it is none or not finite."""
    try:
        result = CONTEXT.create_decimal(repr(value) if isinstance(value, float) else value)
    except (DecimalException, ValueError, OverflowError) as error:
        what = f"{value[:40]!r}" if isinstance(value, str) else f"a Python {type(value).__name__} out of range"
        raise FeelFault(f"not a FEEL number: {what}") from error
    if not result.is_finite():
        raise FeelFault(f"not a FEEL number: {result}")
    return result


def from_python(obj: object) -> Value:
    """The FEEL value for a Python one; FeelFault if it has none."""
    return _from_python(obj, 0)


def _from_python(obj: object, depth: int) -> Value:
    if depth > MAX_NESTING:
        raise FeelLimitExceeded(f"a value nested deeper than {MAX_NESTING} levels")
    if obj is None or isinstance(obj, bool | str | Range | Function | Temporal):
        return obj
    if isinstance(obj, int | float | Decimal):
        return number(obj)
    if isinstance(obj, Mapping):
        return {_key(key): _from_python(value, depth + 1) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [_from_python(item, depth + 1) for item in obj]
    if isinstance(obj, set | frozenset):
        return sorted((_from_python(item, depth + 1) for item in obj), key=to_text)
    return _temporal(obj)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise FeelFault(f"a context's keys are strings, not {type(key).__name__}")
    return key


def _temporal(obj: object) -> Value:
    match obj:
        case python.datetime():
            return date_time(obj)
        case python.date():
            return Date(obj.year, obj.month, obj.day)
        case python.time():
            return _time(obj, obj.utcoffset())
        case python.timedelta():
            return DaysTimeDuration((obj.days * 86_400 + obj.seconds) * 1_000_000_000 + obj.microseconds * 1000)
    raise FeelFault(f"FEEL has no value for a Python {type(obj).__name__}")


def date_time(moment: python.datetime) -> DateTime:
    """The FEEL value of a Python moment, with its zone or offset if it has one."""
    return DateTime(Date(moment.year, moment.month, moment.day), _time(moment.timetz(), moment.utcoffset()))


def _time(time: python.time, offset: python.timedelta | None) -> Time:
    zone: Zone = None if offset is None else round(offset.total_seconds())
    if isinstance(time.tzinfo, ZoneInfo) and time.tzinfo.key in zone_names():
        zone = time.tzinfo.key
    return Time(time.hour, time.minute, time.second, time.microsecond * 1000, zone)


def type_name(value: Value) -> str:
    """The FEEL name of the value's type, `Null` for null."""
    return _TYPE_NAMES.get(type(value), "function")


_TYPE_NAMES: Final[dict[type, str]] = {
    type(None): "Null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysTimeDuration: "days and time duration",
    YearsMonthsDuration: "years and months duration",
    Range: "range",
    list: "list",
    dict: "context",
}


def to_text(value: Value) -> str:
    """The text FEEL's `string()` gives; strings stand unquoted at the top and quoted inside."""
    if isinstance(value, str):
        return value
    pieces: list[str] = []
    _Writer(pieces).write(value, 0)
    return "".join(pieces)


class _Writer:
    """Appends the literal form of values to `pieces`, up to the longest string allowed."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._length = 0

    def put(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise FeelLimitExceeded(f"a string longer than {MAX_TEXT} characters")
        self._pieces.append(text)

    def write(self, value: Value, depth: int) -> None:
        if depth > MAX_NESTING:
            raise FeelLimitExceeded(f"a value nested deeper than {MAX_NESTING} levels")
        match value:
            case str():
                self.put(quoted(value))
            case Decimal():
                self.put(number_text(value))
            case list():
                self._sequence("[", ((None, item) for item in value), "]", depth)
            case dict():
                self._sequence("{", value.items(), "}", depth)
            case Range():
                self._range(value, depth)
            case Function():
                self.put(f"function({', '.join(value.parameters)})")
            case None | bool():
                self.put({None: "null", True: "true", False: "false"}[value])
            case _:
                self.put(f'@"{value}"' if depth else str(value))

    def _sequence(self, start: str, items: Iterable[tuple[str | None, Value]], end: str, depth: int) -> None:
        self.put(start)
        for index, (key, item) in enumerate(items):
            self.put(", " if index else "")
            if key is not None:
                self.put(f"{key if _is_plain(key) else quoted(key)}: ")
            self.write(item, depth + 1)
        self.put(end)

    def _range(self, value: Range, depth: int) -> None:
        if value.operator:
            self.put(f"({value.operator} ")
            self.write(value.end if value.end is not None else value.start, depth + 1)
            self.put(")")
            return
        self.put("[" if value.start_included else "(")
        self.write(value.start, depth + 1)
        self.put("..")
        self.write(value.end, depth + 1)
        self.put("]" if value.end_included else ")")


def number_text(value: Decimal) -> str:
    """The number in plain decimal notation."""
    return format(value.copy_abs() if value.is_zero() else value, "f")


def quoted(text: str) -> str:
    """The text as a FEEL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def _is_plain(key: str) -> bool:
    return key.replace(" ", "a").isidentifier()
