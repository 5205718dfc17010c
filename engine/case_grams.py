"""The index of words: which few characters stand side by side in the number and the texts of a case.

A word of Japanese has no end to be found by, and is often of two characters: so each character and each pair of
neighbours is kept once for each case. Of digits and Latin letters there are few, and every case has every pair: they
are kept up to four together, so that a case number or a telephone number is found at once. A word stands only in cases
that have all of its parts; whether it stands in one of them is for the texts to say. Everything here can be written
again from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT is SQLite's too
from sqlalchemy.orm import Session

from engine import columns, tables
from engine.statements import Statement
from engine.texts import fold

WIDE = 2
"""Characters that are kept together."""
NARROW = 4
"""Characters that are kept together where all of them are ASCII."""

_GRAMS = columns.core(tables.CaseGram)
_ADD = Statement(insert(_GRAMS).inline().values(ordinal=tables.ORDINAL_OF_CASE).on_conflict_do_nothing())
_TAKE_OUT = Statement(
    delete(_GRAMS).where(_GRAMS.c.gram == bindparam("each"), _GRAMS.c.ordinal == tables.ORDINAL_OF_CASE)
)


def grams(texts: Iterable[str]) -> set[int]:
    """The codes of what stands in these folded texts; what is apart by a space is in no word together."""
    parts = {
        part[at : at + length]
        for text in texts
        for part in text.split()
        for length in range(1, NARROW + 1)
        for at in range(len(part) - length + 1)
        if length <= WIDE or part[at : at + length].isascii()
    }
    return {_code(part) for part in parts}


def of_word(word: str) -> list[int]:
    """The codes that every case with this folded word, which is not empty, has; each once."""
    length = min(len(word), NARROW if word.isascii() else WIDE)
    return list(dict.fromkeys(_code(word[at : at + length]) for at in range(len(word) - length + 1)))


def _code(part: str) -> int:
    """Whole numbers of 32 bits are the narrowest key on every database; two parts with one code do no harm."""
    return crc32(part.encode()) - 2**31


def add(session: Session, business_key: str, texts: Iterable[str]) -> None:
    """The case, which exists, is found by these folded texts too."""
    found = [{"of_case": business_key, "gram": gram} for gram in sorted(grams(texts))]
    if found:
        _ADD.run(session, *found)


def take_out(session: Session, business_key: str, texts: Iterable[str]) -> None:
    """The case, all of whose texts are given, is found by none of them any more, and by its number alone."""
    gone = [{"of_case": business_key, "each": gram} for gram in sorted(grams(texts) - grams([fold(business_key)]))]
    if gone:
        _TAKE_OUT.run(session, *gone)
