"""What the engine tells a person by itself, in the reader's language: it speaks Japanese, in files, history and logs.

`translations/en/LC_MESSAGES/engine.po` holds every sentence of the engine as its code does, with numbered or named
places, and its English. A page knows a sentence again by its words, so that what was recorded years ago, or in a
message that a fault passed on, is told in English too; what stands in the places is told in its turn. FEEL, which is
a language by itself, speaks English within those sentences; `translations/ja/LC_MESSAGES/feel.po` has its Japanese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from babel.messages.pofile import read_po
from flask import Flask

from webapp.content import content, translation
from webapp.language import spoken

_TRANSLATIONS = Path(__file__).parent / "translations"
CATALOGUE = _TRANSLATIONS / "en" / "LC_MESSAGES" / "engine.po"
FEEL = _TRANSLATIONS / "ja" / "LC_MESSAGES" / "feel.po"

PLACE = re.compile(r"\{(\w+)\}")
_JAPANESE = re.compile(r"[\u3001-\u30ff\u3400-\u9fff\uff00-\uffef]")
_JOINTS: Sequence[tuple[str, str]] = (
    ("\n", "\n"),
    ("。", " "),
    (": ", ": "),
    ("、", ", "),
    ("・", ", "),
    ("か", " or "),
    (" → ", " → "),
)
"""What the engine puts sentences and words together with, the widest first, and what English does."""
_BEFORE_FEEL = re.compile(r"^|(?<=: )|(?<=\()")
"""Where FEEL begins to speak in a sentence of the engine: to the end of it, or of the bracket."""
_TELLING = 8
"""Characters of its own that a phrase has at least, to be known among words of others."""
_DEEPEST = 6
"""How many sentences within each other are told; what a file has nested deeper stays as it is."""
_MOST_BEGINNINGS = 100


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence with places: `literals` are the words around them, `names` what the places are called."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    translated: str

    @classmethod
    def of(cls, own: str, translated: str) -> Phrase:
        parts = PLACE.split(own)
        return cls(tuple(parts[::2]), tuple(parts[1::2]), translated)

    @property
    def own(self) -> int:
        """How many characters it says by itself."""
        return sum(map(len, self.literals))

    def found_in(self, text: str) -> Mapping[str, str] | None:
        """What stands in the places, each as short as it can be; None for another sentence. Takes linear time."""
        first, *between, last = self.literals
        if not text.startswith(first) or not text.endswith(last):
            return None
        found, start, end = [], len(first), len(text) - len(last)
        for literal in between:
            at = text.find(literal, start, end)
            if at < 0:
                return None
            found.append(text[start:at])
            start = at + len(literal)
        return dict(zip(self.names, [*found, text[start:end]], strict=True)) if start <= end else None

    def said(self, values: Mapping[str, str]) -> str:
        return PLACE.sub(lambda place: values[place[1]], self.translated)


def init_app(app: Flask) -> None:
    """Templates have the filter `told`."""
    app.jinja_env.filters["told"] = told


def told(sentence: object) -> str:
    """The engine's sentence, or that of a form's own check, in the reader's language."""
    return _japanese(str(sentence)) if spoken() == "ja" else _english(str(sentence))


def _japanese(text: str) -> str:
    for begin in islice((match.start() for match in _BEFORE_FEEL.finditer(text)), _MOST_BEGINNINGS):
        end = text.rfind(")", begin) if text[begin - 1 : begin] == "(" else len(text)
        said = _whole(text[begin:end])
        if said is not None:
            return text[:begin] + said + text[end:]
    return text


def _whole(text: str) -> str | None:
    """What FEEL says, of which some must be its own words; None for what others wrote."""
    words, phrases = catalogue(FEEL)
    if " " in text and text in words:
        return words[text]
    phrase, values = _closest(text, (phrase for phrase in phrases if phrase.own >= _TELLING))
    if phrase is None:
        return None
    return phrase.said({name: _of_feel(value, _DEEPEST) for name, value in values.items()})


def _of_feel(text: str, depth: int) -> str:
    words, phrases = catalogue(FEEL)
    phrase, values = (None, {}) if text in words or depth == 0 else _closest(text, phrases)
    if phrase is None:
        return words.get(text, text)
    return phrase.said({name: _of_feel(value, depth - 1) for name, value in values.items()})


def _english(text: str, depth: int = _DEEPEST) -> str:
    if not _JAPANESE.search(text):
        return text
    known = _known(text, depth)
    return content(text) if known is None else known


def _known(text: str, depth: int) -> str | None:
    """The English of what the engine said, None for what it cannot have said."""
    words, phrases = catalogue(CATALOGUE)
    found = words.get(text) or translation(text)
    if found is not None or depth == 0:
        return found
    phrase, values = _closest(text, phrases)
    if phrase is None or not all(map(_is_one, values.values())):
        parts = _apart(text, depth)
        if parts is not None or phrase is None:
            return parts
    return phrase.said({name: _english(value, depth - 1) for name, value in values.items()})


def _closest(text: str, phrases: Iterable[Phrase]) -> tuple[Phrase | None, Mapping[str, str]]:
    for phrase in phrases:
        values = phrase.found_in(text)
        if values is not None:
            return phrase, values
    return None, {}


def _apart(text: str, depth: int) -> str | None:
    """The parts one by one, where each can be told by itself."""
    for own, english in _JOINTS:
        parts = _split(text, own)
        if len(parts) > 1:
            known = [_known(part, depth - 1) if _JAPANESE.search(part) else part for part in parts]
            if None not in known:
                return english.join(str(part).strip() for part in known)
    return None


def _is_one(text: str) -> bool:
    """Nothing in it is joined, and no quotation or bracket is cut; so it is likely what stands in one place."""
    opened = 0
    for sign in text:
        opened += (sign in "「(") - (sign in "」)")
        if opened < 0 or (opened == 0 and sign in "\n。、か"):
            return False
    return opened == 0


def _split(text: str, joint: str) -> list[str]:
    """The parts between the joints that stand in no quotation or bracket; a sentence keeps its full stop, and a
    colon parts what is before from all that follows.
    """
    if joint not in text:
        return [text]
    parts, start, opened = [], 0, 0
    for at, sign in enumerate(text):
        opened += (sign in "「(") - (sign in "」)")
        if opened == 0 and text.startswith(joint, at):
            parts.append(text[start : at + (joint == "。")])
            start = at + len(joint)
            if joint == ": ":
                break
    return [*parts, text[start:]] if text[start:] else parts


@cache
def catalogue(path: Path) -> tuple[Mapping[str, str], Sequence[Phrase]]:
    """The texts without places, and the others, those first that say most by themselves."""
    with path.open("rb") as source:
        known = {str(entry.id): str(entry.string) for entry in read_po(source, abort_invalid=True) if entry.id}
    phrases = [Phrase.of(own, english) for own, english in known.items() if PLACE.search(own)]
    phrases.sort(key=lambda phrase: -phrase.own)
    return {own: english for own, english in known.items() if not PLACE.search(own)}, phrases
