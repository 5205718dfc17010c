"""`translations/<language>.po`: the words of a bundle in another language than its own."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import lru_cache

from babel.messages.pofile import PoFileError, read_po

from engine.catalogue import CACHED, MAX_BYTES
from engine.errors import FileUnreadable

SUFFIX = ".po"

_LINE = re.compile(r'\s*(#.*|(msg(ctxt|id|id_plural|str|str\[\d\])\s+)?"([^"\\]|\\.)*")?\s*')


def language_of(name: str) -> str:
    """The language that a file is of: its name without folder and suffix."""
    return name.rpartition("/")[2].removesuffix(SUFFIX)


@lru_cache(CACHED)
def read(source: bytes, name: str) -> Mapping[str, str]:
    """Own words → those of the language, without what is empty or marked unsure; raises FileUnreadable."""
    if len(source) > MAX_BYTES:
        raise FileUnreadable(f"{name}: 大きすぎます({len(source)} バイト、上限 {MAX_BYTES})。")
    try:
        for number, line in enumerate(source.decode("utf-8").split("\n"), 1):
            if not _LINE.fullmatch(line):
                raise FileUnreadable(f"{name} {number} 行目: 翻訳(.po)として読めません。")
        found = read_po(io.BytesIO(source), abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError, LookupError) as fault:
        raise FileUnreadable(f"{name}: 翻訳(.po)として読めません({fault})。") from fault
    return {
        entry.id: entry.string
        for entry in found
        if isinstance(entry.id, str) and isinstance(entry.string, str) and entry.id and entry.string and not entry.fuzzy
    }
