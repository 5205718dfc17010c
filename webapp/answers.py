"""What people answered in a form, as lines of label and text that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from engine import feel, forms
from webapp.content import content
from webapp.forms_html import ZONE, Pairs
from webapp.language import day, moment
from webapp.language import gettext as _
from webapp.names import Names

_CELL = re.compile(r"([^\[]+)\[(\d{1,6})\]\.(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    text: str


def lines(form: forms.Form, values: Mapping[str, feel.Value], names: Names) -> list[Line]:
    """One line for each answered field in the form's order; what was left empty or unticked has none."""
    return list(_lines(form.body, values, names))


def typed(form: forms.Form | None, pairs: Pairs, names: Names) -> list[Line]:
    """One line for each text of a form as it was posted, so that a person can read and copy it."""
    return [_typed(form, name, text, names) for name, text in pairs if text.strip()]


def _typed(form: forms.Form | None, name: str, text: str, names: Names) -> Line:
    cell = _CELL.fullmatch(name)
    around = form.body.by_key.get(cell[1] if cell else name) if form else None
    field = around.fields.by_key.get(cell[3]) if around and cell else around
    if around is None or field is None:
        return Line(name, text)
    label = f"{content(around.label)} {int(cell[2]) + 1}: {content(field.label)}" if cell else content(field.label)
    return Line(label, plain(True) if field.kind == "bool" else _text(field, text, names))


def _lines(fields: forms.Fields, values: Mapping[str, feel.Value], names: Names) -> Iterator[Line]:
    for key, field in fields.by_key.items():
        value = values.get(key)
        if value is None or value is False or value == []:
            continue
        if field.kind == "list" and isinstance(value, list):
            yield from _rows(field, value, names)
        else:
            yield Line(content(field.label), _text(field, value, names))


def _rows(field: forms.Field, rows: list[feel.Value], names: Names) -> Iterator[Line]:
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict):
            parts = "\n".join(f"{line.label}: {line.text}" for line in _lines(field.fields, row, names))
            yield Line(f"{content(field.label)} {number}", parts)


def _text(field: forms.Field, value: feel.Value, names: Names) -> str:
    if isinstance(value, list):
        return _(", ").join(_text(field, each, names) for each in value)
    if field.kind in ("enum", "multi") and isinstance(value, str):
        return _chosen(field, value, names)
    if field.kind == "text" and isinstance(value, str):
        return names.short(value)
    return names.prose(value) if isinstance(value, str) else plain(value)


def _chosen(field: forms.Field, value: str, names: Names) -> str:
    if isinstance(field.options, tuple):
        return next((content(option.label) for option in field.options if option.value == value), value)
    return names.person(value)  # a computed list: people, or names of things, which stay as they are


def plain(value: feel.Value) -> str:
    """The value in words, whatever its type."""
    if value is True:
        return _("yes")
    if value is False:
        return _("no")
    if isinstance(value, feel.DateTime | feel.Date):
        found = value.to_python()
        if isinstance(found, datetime):
            return moment(found if found.tzinfo else found.replace(tzinfo=ZONE))
        return day(found) if isinstance(found, date) else str(found)
    return str(value) if isinstance(value, str | Decimal) else feel.to_text(value)
