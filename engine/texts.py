"""Texts that people give, made fit for keeping and for searching."""

from __future__ import annotations

import re
import unicodedata

_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def usable(text: str) -> str:
    """The text without control characters and halves of a character, which not every database keeps."""
    return _UNUSABLE.sub("", text)


def fold(text: str) -> str:
    """The text with full and half width, and capitals and small letters, made alike (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", usable(text)).casefold()
