"""FEEL, the expression language of DMN 1.5: read once, compiled to closures, evaluated within bounds."""

from engine.feel.codec import decode, encode
from engine.feel.environment import Environment, host_function
from engine.feel.errors import FeelError, FeelFault, FeelLimitExceeded, FeelSyntaxError
from engine.feel.expressions import Expression, UnaryTests, parse_expression, parse_unary_tests
from engine.feel.operations import contains, equal, includes, order
from engine.feel.temporal import (
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from engine.feel.types import is_type
from engine.feel.values import CONTEXT, Function, Range, Value, from_python, to_text, type_name

__all__ = [
    "CONTEXT",
    "Date",
    "DateTime",
    "DaysTimeDuration",
    "Environment",
    "Expression",
    "FeelError",
    "FeelFault",
    "FeelLimitExceeded",
    "FeelSyntaxError",
    "Function",
    "Range",
    "Time",
    "UnaryTests",
    "Value",
    "YearsMonthsDuration",
    "contains",
    "decode",
    "encode",
    "equal",
    "from_python",
    "host_function",
    "includes",
    "is_type",
    "order",
    "parse_date",
    "parse_date_time",
    "parse_duration",
    "parse_expression",
    "parse_time",
    "parse_unary_tests",
    "to_text",
    "type_name",
]
