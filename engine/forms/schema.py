"""The shape of what a form takes, as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.forms.model import Field, Fields, Form, Formula, Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SHAPES: Mapping[Kind, Mapping[str, Any]] = {
    "text": {"type": "string"},
    "textarea": {"type": "string"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "enum": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "datetime": {"type": "string", "format": "date-time"},
}


def json_schema(form: Form) -> dict[str, Any]:
    """JSON Schema 2020-12 of the submitted values: names, types and fixed options.

    What depends on other values (hidden, required, checks, computed options) only `submit` can say.
    """
    return {"$schema": DIALECT, "$id": f"{form.id}.schema.json", "title": form.title or form.id, **_object(form.body)}


def _object(fields: Fields) -> dict[str, Any]:
    properties = {key: _property(field) for key, field in fields.by_key.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _property(field: Field) -> dict[str, Any]:
    named = {"title": field.label, **({"description": field.help} if field.help else {})}
    if field.kind == "list":
        return {**named, "type": "array", "items": _object(field.fields)}
    if field.kind == "multi":
        return {**named, "type": "array", "items": _choice(field), "uniqueItems": True}
    if field.kind == "number" and field.digits == 0:
        return {**named, "type": "integer"}
    return {**named, **(_choice(field) if field.kind == "enum" else _SHAPES[field.kind])}


def _choice(field: Field) -> dict[str, Any]:
    if isinstance(field.options, Formula):
        return {"type": "string"}
    return {"type": "string", "enum": [option.value for option in field.options]}
