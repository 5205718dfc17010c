"""Strings (DMN 1.5 table 74); patterns are XPath's regular expressions."""

import re
from decimal import Decimal
from typing import Final

from engine.feel.builtins.definition import Library, whole
from engine.feel.environment import Environment
from engine.feel.errors import FeelFault, FeelLimitExceeded
from engine.feel.regex import Match, Pattern, compiling_steps, pattern
from engine.feel.values import MAX_TEXT, Value

LIBRARY: Final = Library()

_MATCH_STEPS: Final = 4  # for each replacement or part
_REFERENCE: Final = re.compile(r"\\(.?)|\$([0-9]*)", re.DOTALL)


@LIBRARY.declare("substring", "string, start position, length")
def substring(string: str, start_position: Decimal, length: Decimal | None = None) -> Value:
    """The characters from a position, counted from 1, or backwards from -1."""
    start = whole(start_position, "the start position")
    if start == 0 or abs(start) > max(len(string), 1):
        raise FeelFault(f"the string has no position {start}")
    begin = start - 1 if start > 0 else len(string) + start
    if length is None:
        return string[begin:]
    size = whole(length, "the length")
    if size < 0:
        raise FeelFault("a length below 0")
    return string[begin : begin + size]


@LIBRARY.declare("string length", "string")
def string_length(string: str) -> Value:
    return Decimal(len(string))


@LIBRARY.declare("upper case", "string")
def upper_case(string: str) -> Value:
    return string.upper()


@LIBRARY.declare("lower case", "string")
def lower_case(string: str) -> Value:
    return string.lower()


@LIBRARY.declare("substring before", "string, match")
def substring_before(string: str, match: str) -> Value:
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@LIBRARY.declare("substring after", "string, match")
def substring_after(string: str, match: str) -> Value:
    """What follows the first occurrence; all of it after an empty match, nothing if there is none."""
    return string.partition(match)[2] if match else string


@LIBRARY.declare("contains", "string, match")
def contains(string: str, match: str) -> Value:
    return match in string


@LIBRARY.declare("starts with", "string, match")
def starts_with(string: str, match: str) -> Value:
    return string.startswith(match)


@LIBRARY.declare("ends with", "string, match")
def ends_with(string: str, match: str) -> Value:
    return string.endswith(match)


def _compiled(environment: Environment, text: str, expression: str, flags: str | None) -> Pattern:
    """The pattern, after the steps to compile it and to match the text are spent."""
    environment.step(compiling_steps(expression))
    compiled = pattern(expression, flags or "")
    environment.step(compiled.matching_steps(text))
    return compiled


@LIBRARY.declare("matches", "input, pattern, flags")
def matches(environment: Environment, text: str, expression: str, flags: str | None = None) -> Value:
    return _compiled(environment, text, expression, flags).found_in(text)


@LIBRARY.declare("replace", "input, pattern, replacement, flags")
def replace(environment: Environment, text: str, expression: str, replacement: str, flags: str | None = None) -> Value:
    """The text with all matches replaced; `$1` stands for what the first group matched, `$0` for all."""
    compiled = _compiled(environment, text, expression, flags)
    literal = "q" in (flags or "")
    pieces: list[str] = []
    position = size = 0
    for match in compiled.matches(text):
        environment.step(_MATCH_STEPS)
        new = replacement if literal else _replacement(match, replacement, compiled.groups)
        pieces += [text[position : match.start()], new]
        position = match.end()
        size += len(new)
        if size > MAX_TEXT:
            raise FeelLimitExceeded(f"a string longer than {MAX_TEXT} characters")
    return "".join([*pieces, text[position:]])


def _replacement(match: Match, template: str, groups: int) -> str:
    def expanded(reference: re.Match[str]) -> str:
        escaped, digits = reference[1], reference[2]
        if escaped is not None:
            if escaped not in ("\\", "$"):
                raise FeelFault("in a replacement \\ stands before \\ or $ only")
            return escaped
        if not digits:
            raise FeelFault("in a replacement $ stands before a number only")
        used = 1  # of the digits, as many as number a group that exists
        while used < len(digits) and int(digits[: used + 1]) <= groups:
            used += 1
        index = int(digits[:used])
        return ((match.group(index) or "") if index <= groups else "") + digits[used:]

    return _REFERENCE.sub(expanded, template)


@LIBRARY.declare("split", "string, delimiter")
def split(environment: Environment, string: str, delimiter: str) -> Value:
    parts: list[Value] = []
    position = 0
    for match in _compiled(environment, string, delimiter, None).matches(string):
        environment.step(_MATCH_STEPS)
        parts.append(string[position : match.start()])
        position = match.end()
    return [*parts, string[position:]]


@LIBRARY.declare("string join", "list, delimiter")
def string_join(items: list[Value], delimiter: str | None = None) -> Value:
    """The strings with the delimiter between them; nulls are left out."""
    strings = [item for item in items if isinstance(item, str)]
    if len(strings) + sum(1 for item in items if item is None) < len(items):
        raise FeelFault("only strings can be joined")
    between = delimiter or ""
    if sum(map(len, strings)) + len(between) * len(strings) > MAX_TEXT:
        raise FeelLimitExceeded(f"a string longer than {MAX_TEXT} characters")
    return between.join(strings)
