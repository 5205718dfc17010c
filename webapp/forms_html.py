"""A form between the engine and the browser: what a post says, and what the page shows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

from engine import feel, forms

ZONE = ZoneInfo("Asia/Tokyo")  # of what people type and read
OWN_NAMES = frozenset({"csrf_token", "_do", "_key"})  # of the page, not of the form

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Posted:
    """What a person sent with a form: which button, and the form's own pairs of name and text."""

    action: str
    pairs: tuple[tuple[str, str], ...]
    added: frozenset[str] = frozenset()

    @property
    def entered(self) -> frozenset[str]:
        """The names of what the person wrote or chose."""
        return frozenset(name for name, text in self.pairs if text.strip())

    @classmethod
    def read(cls, pairs: Pairs) -> Posted:
        """The button `_do` taken apart: `add:LIST`, `remove:LIST[INDEX]` (then the row is gone), or a word alone."""
        pairs = tuple(pairs)
        action, _, target = dict(pairs).get("_do", "").partition(":")
        own = tuple((name, text) for name, text in pairs if name not in OWN_NAMES)
        if action == "remove":
            return cls(action, tuple(pair for pair in own if not pair[0].startswith(f"{target}.")))
        return cls(action, own, frozenset({target}) if action == "add" else frozenset())


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form as the page shows it now.

    `errors` by path of the control; `added` are lists that get one more empty row; `withheld` are fields with a
    recorded value that this person may not read back.
    """

    view: forms.FormView
    errors: Mapping[str, str] = field(default_factory=dict)
    added: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()

    def rows(self, view: forms.FieldView) -> tuple[tuple[forms.FieldView, ...], ...]:
        """The rows of a list to show: those it has, and an empty one where a person asked for it or must fill one."""
        if view.path in self.added or (view.required and not view.rows):
            return (*view.rows, view.blank)
        return view.rows

    def described_by(self, view: forms.FieldView) -> str:
        """The ids of the remarks that stand at the control."""
        base = anchor(view.path)
        remarks = (
            ("help", bool(view.field.help)),
            ("withheld", view.path in self.withheld),
            ("error", view.path in self.errors),
        )
        return " ".join(f"{base}-{name}" for name, there in remarks if there)


def init_app(app: Flask) -> None:
    """Templates have the filters `anchor`, `entered` and `prose`."""
    app.jinja_env.filters.update(anchor=anchor, entered=entered, prose=prose)


def anchor(path: str) -> str:
    """The element id of the control at this path."""
    return "f-" + re.sub(r"[^A-Za-z0-9_]+", "-", path).strip("-")


def entered(view: forms.FieldView) -> list[str]:
    """The texts that the control at this field sends when nobody touches it."""
    if view.value is None or view.value is False or view.field.kind == "list":
        return []
    if isinstance(view.value, list):
        return [str(each) for each in view.value]
    return [_control_text(view.value)]


def prose(text: str) -> Markup:
    """Paragraphs and `- ` lists of a note; every other sign stays what it is."""
    blocks = (block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return Markup("").join(_block(block) for block in blocks if block)


def _block(block: str) -> Markup:
    lines = [re.sub(r"\*\*|^#+\s*", "", line.strip()) for line in block.split("\n")]
    if all(line.startswith("- ") for line in lines):
        items = Markup("").join(Markup("<li>{}</li>").format(line[2:]) for line in lines)
        return Markup("<ul>{}</ul>").format(items)
    return Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in lines))


def _control_text(value: object) -> str:
    if value is True:
        return "true"
    if isinstance(value, feel.DateTime):
        moment = value.to_python()
        return (moment if moment.tzinfo is None else moment.astimezone(ZONE)).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, feel.Time):
        return value.to_python().strftime("%H:%M")
    return feel.to_text(value) if isinstance(value, feel.Date | Decimal) else str(value)


def withhold(
    view: forms.FormView, marks: Collection[str], entered: Collection[str]
) -> tuple[forms.FormView, frozenset[str]]:
    """The form without recorded values that a reader with these `marks` may not read back, and their paths.

    What somebody `entered` (names of the post) they may see again, and so may anyone a constant of the form.
    """
    kept: set[str] = set()

    def secret(field: forms.Field, path: str, value: object) -> bool:
        marked = field.visibility is not None and field.visibility not in marks
        return marked and path not in entered and value not in (None, "", [], False) and value != field.default

    def clean(part: forms.FieldView) -> forms.FieldView:
        hidden = secret(part.field, part.path, part.value)
        if hidden:
            kept.add(part.path)
        return replace(
            part,
            value=None if hidden else part.value,
            fields=tuple(map(clean, part.fields)),
            rows=() if hidden else tuple(tuple(map(clean, row)) for row in part.rows),
        )

    return replace(view, fields=tuple(map(clean, view.fields))), frozenset(kept)


def without_empty(submitted: Mapping[str, object], keys: Iterable[str]) -> dict[str, object]:
    """`submitted` less those of `keys` where nothing was entered, so that what is recorded there stays."""
    empty = {key for key in keys if submitted.get(key) in (None, "", [], False)}
    return {key: value for key, value in submitted.items() if key not in empty}
