"""What a form shows for the values that it has now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import feel
from engine.forms.levels import Level, settle
from engine.forms.model import Field, Form, Option, Variables
from engine.forms.values import read_fields


@dataclass(frozen=True, slots=True)
class FieldView:
    """One component as a page shows it now; label, help and kind stand in `field`.

    `path` is the name of the control and of its error, such as `items[0].name`. `value` is a FEEL value, or
    the text as entered where it could not be read. `fields` are the parts of a group; `rows` those of a list,
    and `blank` one more, empty row, named by the next index.
    """

    field: Field
    path: str
    visible: bool
    required: bool = False
    value: object = None
    options: tuple[Option, ...] = ()
    fields: tuple[FieldView, ...] = ()
    rows: tuple[tuple[FieldView, ...], ...] = ()
    blank: tuple[FieldView, ...] = ()


@dataclass(frozen=True, slots=True)
class FormView:
    form: Form
    fields: tuple[FieldView, ...]


def fill(form: Form, values: Mapping[str, object], variables: Variables, environment: feel.Environment) -> FormView:
    """The form as a page shows it with these values (prefill, a draft, or a rejected submission).

    Keys that the form does not have are left aside; null and absent give way to the form's default, an empty
    text does not. Raises FormFault.
    """
    body = form.body
    entered = {key: value for key, value in values.items() if key in body.by_key and value is not None}
    typed, faults = read_fields(body, entered)
    level = settle(body, typed, variables, environment, faults)
    return FormView(form, _views(body.tree, level, True))


def _views(tree: tuple[Field, ...], level: Level, visible: bool) -> tuple[FieldView, ...]:
    return tuple(_view(field, level, visible) for field in tree)


def _view(field: Field, level: Level, around_visible: bool) -> FieldView:
    if not field.key:
        visible = around_visible and (field.hide is None or level.value_of(field.hide) is not True)
        return FieldView(field, "", visible, fields=_views(field.fields.tree, level, visible))
    path = f"{level.path}{field.key}"
    visible = around_visible and field.key in level.values
    required = visible and level.value_of(field.required) is True
    if field.kind == "list":
        return _list_view(field, level, path, visible, required)
    fault = level.faults.get(path)
    value = fault.entered if fault is not None else level.values.get(field.key, level.entered.get(field.key))
    return FieldView(field, path, visible, required, value, level.options(field))


def _list_view(field: Field, level: Level, path: str, visible: bool, required: bool) -> FieldView:
    tree = field.fields.tree
    rows = level.rows(field)
    return FieldView(
        field,
        path,
        visible,
        required,
        value=level.values.get(field.key),
        rows=tuple(_views(tree, row, visible) for row in rows),
        blank=_views(tree, level.row(field, len(rows), {}), visible),
    )
