"""Texts of the deployed files — labels, names of steps, reasons — in the reader's language.

The files are written in Japanese and bring their English with them. What people typed is never translated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from flask import Flask, g

from engine import deployments, guidance
from webapp import edge
from webapp.language import spoken as reader_language

_CODE = re.compile(r"\A(?:P\d|[A-Z]{2}-\d+(?:(?:・| and )\d+)*)\s+")
"""What a file's author numbers things with: `P1 `, `ST-05 `."""
_LITERAL = re.compile(r'"([^"\\]+)"')
"""A text in FEEL."""


def init_app(app: Flask) -> None:
    """Templates have the filters `content`, for a text of the files, `cell`, for one of a decision table, `spoken`, for
    one that they hold in both languages, `title`, for the name of a process, and `process`, for its key.
    """
    app.jinja_env.filters.update(cell=cell, content=content, spoken=spoken, process=process, title=title)


def content(text: str) -> str:
    """The text as the reader's language has it; one without a translation stays as it was written.

    A text that the files put together (`"Filed (" + number + ")"`) is translated in its parts.
    """
    language = reader_language()
    if language == "ja" or not text:
        return text
    known = _translations(language)
    if text in known:
        return known[text]
    return _parts(tuple(known)).sub(lambda part: known[part[0]], text)


def translation(text: str) -> str | None:
    """The text in the reader's language as the files have it, as a whole; None where they have none."""
    return _translations(reader_language()).get(text)


def cell(text: str) -> str:
    """The cell of a decision table, or the remark on a row, with the texts in it as the reader's language has them."""
    if reader_language() == "ja":
        return text
    return translation(text) or _LITERAL.sub(lambda found: f'"{content(found[1])}"', text)


def spoken(text: guidance.Text) -> str:
    """The text in the reader's language."""
    return text[reader_language()]


def process(key: str) -> str:
    """The name of the process that is deployed under this key."""
    if "processes" not in g:
        g.processes = deployments.process_names(edge.reading())
    return title(g.processes.get(key, key))


def title(name: str) -> str:
    """The name of a process as people say it, without its number in the files."""
    return _CODE.sub("", content(name))


def _translations(language: str) -> Mapping[str, str]:
    if "translations" not in g:
        g.translations = deployments.translations(edge.reading(), language)
    found: Mapping[str, str] = g.translations
    return found


@lru_cache(maxsize=4)
def _parts(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Finds the longest of the texts at each place; single signs mean too little by themselves."""
    longest_first = sorted((text for text in texts if len(text) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
