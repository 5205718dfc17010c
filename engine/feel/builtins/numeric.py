"""Numbers (DMN 1.5 table 76)."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Final

from engine.feel.builtins.definition import Library
from engine.feel.errors import FeelFault
from engine.feel.temporal import DaysTimeDuration, YearsMonthsDuration
from engine.feel.values import CONTEXT, Value

LIBRARY: Final = Library()
MIN_SCALE, MAX_SCALE = -6111, 6176
ZERO: Final = Decimal(0)


def _rounded(n: Decimal, scale: Decimal, mode: str) -> Decimal:
    if not MIN_SCALE <= scale <= MAX_SCALE or scale != int(scale):
        raise FeelFault(f"a scale is a whole number from {MIN_SCALE} to {MAX_SCALE}")
    exponent = n.as_tuple().exponent
    assert isinstance(exponent, int)  # noqa: S101 # FEEL numbers are finite
    if -exponent <= scale:
        return n
    return n.quantize(Decimal(1).scaleb(-int(scale), CONTEXT), rounding=mode, context=CONTEXT)


@LIBRARY.declare("decimal", "n, scale")
def decimal(n: Decimal, scale: Decimal) -> Value:
    return _rounded(n, scale, ROUND_HALF_EVEN)


@LIBRARY.declare("floor", "n, scale")
def floor(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_FLOOR)


@LIBRARY.declare("ceiling", "n, scale")
def ceiling(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_CEILING)


@LIBRARY.declare("round up", "n, scale")
def round_up(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_UP)


@LIBRARY.declare("round down", "n, scale")
def round_down(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_DOWN)


@LIBRARY.declare("round half up", "n, scale")
def round_half_up(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_HALF_UP)


@LIBRARY.declare("round half down", "n, scale")
def round_half_down(n: Decimal, scale: Decimal = ZERO) -> Value:
    return _rounded(n, scale, ROUND_HALF_DOWN)


@LIBRARY.declare("abs", "n")
def absolute(n: Decimal | DaysTimeDuration | YearsMonthsDuration) -> Value:
    match n:
        case Decimal():
            return CONTEXT.abs(n)
        case DaysTimeDuration():
            return DaysTimeDuration(abs(n.nanos))
    return YearsMonthsDuration(abs(n.months))


@LIBRARY.declare("modulo", "dividend, divisor")
def modulo(dividend: Decimal, divisor: Decimal) -> Value:
    """The remainder with the divisor's sign: dividend - divisor * floor(dividend / divisor)."""
    remainder = CONTEXT.remainder(dividend, divisor)
    if remainder and (remainder < 0) != (divisor < 0):
        return CONTEXT.add(remainder, divisor)
    return remainder


@LIBRARY.declare("sqrt", "number")
def sqrt(number: Decimal) -> Value:
    return CONTEXT.sqrt(number)


@LIBRARY.declare("log", "number")
def log(number: Decimal) -> Value:
    if number <= 0:
        raise FeelFault("only numbers above 0 have a logarithm")
    return CONTEXT.ln(number)


@LIBRARY.declare("exp", "number")
def exp(number: Decimal) -> Value:
    return CONTEXT.exp(number)


@LIBRARY.declare("odd", "number")
def odd(number: Decimal) -> Value:
    return CONTEXT.remainder(number, Decimal(2)).copy_abs() == 1


@LIBRARY.declare("even", "number")
def even(number: Decimal) -> Value:
    return CONTEXT.remainder(number, Decimal(2)) == 0
