"""A form as it was deployed: a tree of fields, and the order in which their conditions can be computed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from engine import feel
from engine.forms import messages
from engine.forms.errors import FormFault

Variables = Mapping[str, feel.Value]
Kind = Literal[
    "text", "textarea", "number", "bool", "enum", "multi", "date", "time", "datetime", "list", "group", "note"
]


@dataclass(frozen=True, slots=True)
class Formula:
    """A FEEL expression of the form; `text` is how the file writes it, with the leading `=`."""

    text: str
    expression: feel.Expression

    def evaluate(self, variables: Variables, environment: feel.Environment) -> feel.Value:
        """The value; null where FEEL finds none. Raises FormFault when a limit of FEEL is reached."""
        try:
            return self.expression.evaluate(variables, environment)
        except feel.FeelFault as fault:
            raise FormFault(messages.UNCOMPUTABLE.format(text=self.text, fault=fault)) from fault


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands on one level of names: the whole form, or one row of a list.

    `tree` is what the page shows, in order; `by_key` every field with a value, also inside groups; `order`
    the keys so that each comes after all that its conditions read; `hides` all conditions that hide it,
    those of the groups around it included.
    """

    tree: tuple[Field, ...]
    by_key: Mapping[str, Field]
    order: tuple[str, ...]
    hides: Mapping[str, tuple[Formula, ...]]


NO_FIELDS = Fields((), {}, (), {})


@dataclass(frozen=True, slots=True)
class Field:
    """One component. `key` is empty for a group and a note; the text of a note stands in `help`.

    `component` is the form-js type (radio or select, checklist or taglist …). `default` is the value that
    stands before anybody entered one, as a formula the value that replaces an empty one. `check` must be true
    whenever the field is visible. `visibility` is a mark: only some may read the value back. `grants` names
    what the person chosen here is let into. `conceals` is a mark: if this is ticked, who completes the form is named
    only to those who may read it. `fields` are the parts of a group or the columns of a list.
    """

    id: str
    kind: Kind
    component: str
    key: str = ""
    label: str = ""
    help: str = ""
    options: tuple[Option, ...] | Formula = ()
    required: bool | Formula = False
    readonly: bool = False
    hide: Formula | None = None
    default: feel.Value | Formula = None
    minimum: feel.Value | Formula = None
    maximum: feel.Value | Formula = None
    min_length: feel.Value | Formula = None
    max_length: feel.Value | Formula = None
    pattern: str | None = None
    digits: int | None = None
    check: Formula | None = None
    check_message: str | Formula = ""
    visibility: str | None = None
    grants: str | None = None
    conceals: str | None = None
    fields: Fields = NO_FIELDS


@dataclass(frozen=True, slots=True)
class Form:
    id: str
    title: str
    body: Fields

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.body.tree


def concealed_under(form: Form, values: Variables) -> str | None:
    """The mark under which these answers ask to conceal who gave them."""
    asked = (field.conceals for key, field in form.body.by_key.items() if field.conceals and values.get(key) is True)
    return next(asked, None)


def redact(form: Form, values: Variables, marks_readable: Collection[str]) -> dict[str, feel.Value]:
    """`values` without every field whose visibility mark is not among `marks_readable`, also in rows."""
    return _redact(form.body, values, marks_readable)


def _redact(fields: Fields, values: Variables, marks: Collection[str]) -> dict[str, feel.Value]:
    readable: dict[str, feel.Value] = {}
    for key, value in values.items():
        field = fields.by_key.get(key)
        if field is not None and field.visibility is not None and field.visibility not in marks:
            continue
        if field is not None and field.kind == "list" and isinstance(value, list):
            columns = field.fields
            readable[key] = [_redact(columns, row, marks) for row in value if isinstance(row, dict)]
        else:
            readable[key] = value
    return readable
