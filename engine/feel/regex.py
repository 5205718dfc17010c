"""Regular expressions of XPath (F&O 3.1 clause 5.6), matched by RE2 in time linear in the text.

The pattern is translated: RE2 has no subtraction of classes and no blocks, and reads `.` and `\\d` otherwise.
Back-references need more than linear time and are refused.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Protocol, cast

import re2

from engine.feel.errors import FeelFault

MAX_PATTERN: Final = 10_000  # characters

Spans = list[tuple[int, int]]

_SETS: Final = {  # the contents of a class, by the letter of its escape
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "s": r" \t\n\r",
    "S": r"\x00-\x08\x0b\x0c\x0e-\x1f!-\x{10ffff}",
    "w": r"\p{L}\p{M}\p{N}\p{S}",
    "W": r"\p{P}\p{Z}\p{C}",
    "i": r"\p{L}_:",
    "c": r"\p{L}\p{M}\p{Nd}_:.\-\x{b7}",
}
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_PLAIN: Final = frozenset("\\|.?*+(){}-[]^$")
_CATEGORY: Final = re.compile(r"L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?")
_BLOCKS: Final = {
    "BasicLatin": (0x0, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "IPAExtensions": (0x250, 0x2AF),
    "SpacingModifierLetters": (0x2B0, 0x2FF),
    "CombiningDiacriticalMarks": (0x300, 0x36F),
    "Greek": (0x370, 0x3FF),
    "GreekandCoptic": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Armenian": (0x530, 0x58F),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Devanagari": (0x900, 0x97F),
    "Bengali": (0x980, 0x9FF),
    "Thai": (0xE00, 0xE7F),
    "HangulJamo": (0x1100, 0x11FF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GreekExtended": (0x1F00, 0x1FFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "SuperscriptsandSubscripts": (0x2070, 0x209F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "LetterlikeSymbols": (0x2100, 0x214F),
    "NumberForms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "MathematicalOperators": (0x2200, 0x22FF),
    "EnclosedAlphanumerics": (0x2460, 0x24FF),
    "BoxDrawing": (0x2500, 0x257F),
    "GeometricShapes": (0x25A0, 0x25FF),
    "MiscellaneousSymbols": (0x2600, 0x26FF),
    "Dingbats": (0x2700, 0x27BF),
    "CJKRadicalsSupplement": (0x2E80, 0x2EFF),
    "KangxiRadicals": (0x2F00, 0x2FDF),
    "CJKSymbolsandPunctuation": (0x3000, 0x303F),
    "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF),
    "Bopomofo": (0x3100, 0x312F),
    "HangulCompatibilityJamo": (0x3130, 0x318F),
    "KatakanaPhoneticExtensions": (0x31F0, 0x31FF),
    "EnclosedCJKLettersandMonths": (0x3200, 0x32FF),
    "CJKCompatibility": (0x3300, 0x33FF),
    "CJKUnifiedIdeographsExtensionA": (0x3400, 0x4DBF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "HangulSyllables": (0xAC00, 0xD7A3),
    "PrivateUse": (0xE000, 0xF8FF),
    "CJKCompatibilityIdeographs": (0xF900, 0xFAFF),
    "HalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}


class Match(Protocol):
    def start(self) -> int: ...
    def end(self) -> int: ...
    def group(self, index: int) -> str | None: ...


class Pattern:
    """A compiled regular expression."""

    def __init__(self, pattern: str, flags: str) -> None:
        options = re2.Options()
        options.log_errors = False
        try:
            self._compiled = re2.compile(_Translation(pattern, flags).text, options)
        except (re2.error, UnicodeEncodeError) as error:
            raise FeelFault(f"not a regular expression: {pattern[:60]!r}") from error
        self.groups: int = self._compiled.groups

    def found_in(self, text: str) -> bool:
        return self._compiled.search(_valid(text)) is not None

    def matching_steps(self, text: str) -> int:
        """The steps of work that matching the text may take."""
        size: int = self._compiled.programsize
        return len(text) * size >> 10

    def matches(self, text: str) -> Iterator[Match]:
        """All matches from left to right; FeelFault if the pattern matches the empty string."""
        if self._compiled.fullmatch("") is not None:
            raise FeelFault("the regular expression matches the empty string")
        return cast(Iterator[Match], self._compiled.finditer(_valid(text)))


def compiling_steps(text: str) -> int:
    """The steps of work that compiling the pattern may take; repetition and subtraction cost most."""
    return len(text) + 1_000 * text.count("{") + 20_000 * text.count("-[")


@lru_cache(maxsize=256)
def pattern(text: str, flags: str) -> Pattern:
    """The compiled pattern with flags of s, m, i, x and q; FeelFault if it is not one."""
    if len(text) > MAX_PATTERN:
        raise FeelFault(f"a regular expression of more than {MAX_PATTERN} characters")
    if not set(flags) <= set("smixq"):
        raise FeelFault(f"no such flags of a regular expression: {flags[:20]!r}")
    return Pattern(text, flags)


def _valid(text: str) -> str:
    """The text with lone surrogates, which no regular expression reads, replaced."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class _Translation:
    """An XPath pattern in RE2's language: `text`."""

    def __init__(self, pattern: str, flags: str) -> None:
        self._pattern = _without_space(pattern) if "x" in flags and "q" not in flags else pattern
        self._position = 0
        self._dot = r"(?s:.)" if "s" in flags else r"[^\n\r]"
        options = "".join(flag for flag in "im" if flag in flags)
        body = re2.escape(pattern) if "q" in flags else self._body()
        self.text = f"(?{options})(?:{body})" if options else body

    def _next(self) -> str:
        if self._position >= len(self._pattern):
            raise FeelFault("the regular expression ends too early")
        self._position += 1
        return self._pattern[self._position - 1]

    def _follows(self, text: str) -> bool:
        return self._pattern.startswith(text, self._position)

    def _body(self) -> str:
        pieces: list[str] = []
        while self._position < len(self._pattern):
            sign = self._next()
            if sign == "(" and self._follows("?") and not self._follows("?:"):
                raise FeelFault("( followed by ? is no group of a regular expression")
            pieces.append({".": self._dot}.get(sign, sign) if sign not in "[\\" else self._set(sign))
        return "".join(pieces)

    def _set(self, sign: str) -> str:
        return self._class() if sign == "[" else self._escape()

    def _escape(self) -> str:
        letter = self._next()
        if letter in "IC":
            return f"[^{_SETS[letter.lower()]}]"
        if letter.isdigit():
            raise FeelFault("a regular expression with back-references is not supported")
        return f"[{self._escaped(letter)}]"

    def _escaped(self, letter: str) -> str:
        """What the escape of the letter stands for inside a class."""
        if letter in _SETS:
            return _SETS[letter]
        if letter in "pP":
            return self._property(negated=letter == "P")
        return _code(_CONTROLS.get(letter) or self._plain(letter))

    def _plain(self, letter: str) -> str:
        if letter not in _PLAIN:
            raise FeelFault(f"\\{letter} is no escape of a regular expression")
        return letter

    def _property(self, *, negated: bool) -> str:
        end = self._pattern.find("}", self._position)
        if self._next() != "{" or end < 0:
            raise FeelFault("a property of characters is written \\p{…}")
        name = self._pattern[self._position : end]
        self._position = end + 1
        if name.startswith("Is") and name[2:] in _BLOCKS:
            block = [_BLOCKS[name[2:]]]
            return _written(_difference([(0, sys.maxunicode)], block) if negated else block)
        if not _CATEGORY.fullmatch(name):
            raise FeelFault(f"no such property of characters: {name[:40]!r}")
        return f"\\{'P' if negated else 'p'}{{{name}}}"

    def _class(self) -> str:
        """The class whose `[` was read, with what `-[…]` takes away from it."""
        spans = self._spans()
        return spans if isinstance(spans, str) else f"[{_written(spans)}]" if spans else r"[^\x00-\x{10ffff}]"

    def _spans(self) -> str | Spans:
        """The class as RE2 writes it, or as spans if another is subtracted from it."""
        negated = self._follows("^")
        self._position += negated
        items: list[str] = []
        while not self._follows("]"):
            if self._follows("-["):
                self._position += 2
                return self._subtracted(items, negated)
            items.append(self._item())
        self._next()
        if not items:
            raise FeelFault("an empty class in a regular expression")
        return f"[{'^' * negated}{''.join(items)}]"

    def _subtracted(self, items: list[str], negated: bool) -> Spans:
        taken = self._spans()
        if self._next() != "]":
            raise FeelFault("a subtraction ends its class")
        spans = _members(f"[{'^' * negated}{''.join(items)}]")
        return _difference(spans, _members(taken) if isinstance(taken, str) else taken)

    def _item(self) -> str:
        first = self._character()
        if not (self._follows("-") and not self._follows("-[") and not self._follows("-]")):
            return first
        self._next()
        last = self._character()
        if not (first.startswith(r"\x{") and last.startswith(r"\x{")):
            raise FeelFault("a span of a class runs from character to character")
        return f"{first}-{last}"

    def _character(self) -> str:
        sign = self._next()
        if sign == "[":
            raise FeelFault("[ inside a class has to be escaped")
        return self._escaped(self._next()) if sign == "\\" else _code(sign)


def _code(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def _without_space(pattern: str) -> str:
    """The pattern without the white space outside classes (flag x)."""
    kept: list[str] = []
    level = 0
    escaped = False
    for sign in pattern:
        if sign in " \t\n\r" and level == 0:
            continue
        if not escaped:
            level += (sign == "[") - (sign == "]" and level > 0)
        escaped = sign == "\\" and not escaped
        kept.append(sign)
    return "".join(kept)


@lru_cache(maxsize=64)
def _members(class_text: str) -> Spans:
    """All characters of a class in RE2's language, as spans."""
    found: Spans = []
    for match in re2.compile(f"{class_text}+").finditer(_every_character()):
        for code in map(ord, match.group()):
            if found and found[-1][1] == code - 1:
                found[-1] = (found[-1][0], code)
            else:
                found.append((code, code))
    return found


@lru_cache(maxsize=1)
def _every_character() -> str:
    """All assigned characters in order, but for surrogates."""
    codes = (chr(code) for code in range(sys.maxunicode + 1))
    return "".join(sign for sign in codes if unicodedata.category(sign) not in ("Cs", "Cn"))


def _difference(spans: Spans, taken: Spans) -> Spans:
    left: Spans = []
    for start, end in spans:
        for first, last in sorted(taken):
            if last < start or first > end:
                continue
            if first > start:
                left.append((start, first - 1))
            start = last + 1
        if start <= end:
            left.append((start, end))
    return left


def _written(spans: Spans) -> str:
    return "".join(f"\\x{{{start:x}}}-\\x{{{end:x}}}" for start, end in spans)
