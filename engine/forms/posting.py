"""From the pairs of an HTML form post to what `submit` takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from engine.forms.model import Field, Fields, Form

_CELL = re.compile(r"([^\[\].]+)\[(\d{1,6})\]\.([^\[\].]+)", re.ASCII)
_Texts = Mapping[str, list[str]]


def from_pairs(form: Form, pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    """What the page had entered: names `key` and `list[0].key`, a name repeated for each choice of a multi.

    A box or choice that the browser did not send was not ticked. An entirely empty row is no row; the others
    move up. A name that the form does not have is kept, so that `submit` can refuse it: take out the page's
    own names (a token, a button) first.
    """
    texts: dict[str, list[str]] = {}
    rows: dict[str, dict[int, dict[str, list[str]]]] = {}
    lists = {key: field.fields for key, field in form.body.by_key.items() if field.kind == "list"}
    for name, text in pairs:
        cell = _CELL.fullmatch(name)
        if cell and cell[1] in lists:
            rows.setdefault(cell[1], {}).setdefault(int(cell[2]), {}).setdefault(cell[3], []).append(text)
        else:
            texts.setdefault(name, []).append(text)
    entered = {key: _rows(columns, rows.get(key, {})) for key, columns in lists.items()}
    return {**entered, **_entered(form.body, texts)}


def _rows(columns: Fields, rows: Mapping[int, _Texts]) -> list[object]:
    filled = (row for _, row in sorted(rows.items()) if any(text.strip() for texts in row.values() for text in texts))
    return [_entered(columns, row) for row in filled]


def _entered(fields: Fields, texts: _Texts) -> dict[str, object]:
    unticked = {key: _choice(field, []) for key, field in fields.by_key.items() if field.kind in ("bool", "multi")}
    named = {
        name: _choice(fields.by_key[name], found) if name in fields.by_key else found[-1]
        for name, found in texts.items()
    }
    return {**unticked, **named}


def _choice(field: Field, texts: list[str]) -> object:
    if field.kind == "multi":
        return [text for text in texts if text]
    return texts[-1] if texts else False
