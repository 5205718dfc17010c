"""Cuts FEEL text into tokens (DMN 1.5 clause 10.3.1.2, rules 27-35 and 60)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.feel.errors import FeelSyntaxError

KEYWORDS: Final = frozenset(
    "if then else for in return some every satisfies and or between instance true false null function".split()
)

_START = (
    r"?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    r"\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
_TOKEN = re.compile(
    r"(?P<space>(?:[\s\ufeff]|//[^\n\r]*|/\*(?s:.*?)\*/)+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[{_START}][{_START}0-9\u00b7\u0300-\u036f\u203f\u2040]*)"
    r'|(?P<string>"(?:[^"\\]|\\(?s:.))*")'
    r"|(?P<symbol>\.\.|\*\*|->|<=|>=|!=|[=<>+\-*/()\[\]{},:.@'’])"
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; `kind` is number, name, string, symbol or end."""

    kind: str
    text: str
    start: int
    spaced: bool  # whether space or a comment stands before it


def tokens(text: str) -> list[Token]:
    """All tokens of the text with an end token; FeelSyntaxError at the first that is none."""
    found: list[Token] = []
    position, spaced = 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            unclosed = text[position] == '"'
            expected = "a closing quotation mark" if unclosed else "a name, a value or an operator"
            raise syntax_error(text, position, f"unexpected {text[position]!r}", expected)
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match.group(), position, spaced))
        spaced = kind == "space"
        position = match.end()
    found.append(Token("end", "", position, spaced))
    return found


def unescaped(literal: str) -> str:
    """The string a literal with its quotation marks stands for; an unknown escape stays as written."""
    if "\\" not in literal:
        return literal[1:-1]
    text = _ESCAPE.sub(_character, literal[1:-1])
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(match: re.Match[str]) -> str:
    if match[3] is not None:
        return _ESCAPES.get(match[3], match[0])
    code = int(match[1] or match[2], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def syntax_error(text: str, position: int, message: str, expected: str) -> FeelSyntaxError:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return FeelSyntaxError(message, line=line, column=column, expected=expected)
