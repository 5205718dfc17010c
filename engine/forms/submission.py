"""What a form takes when it is submitted, and what it says where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import re2

from engine import feel
from engine.forms import messages
from engine.forms.errors import SubmissionRejected
from engine.forms.levels import Level, settle
from engine.forms.model import Field, Form, Variables
from engine.forms.values import read_fields


@dataclass(frozen=True, slots=True)
class Submission:
    """The visible fields, each with its value: null, false or an empty list where nothing was entered."""

    values: dict[str, feel.Value]


def submit(
    form: Form,
    submitted: Mapping[str, object],
    *,
    prefill: Mapping[str, feel.Value],
    variables: Variables,
    environment: feel.Environment,
) -> Submission:
    """The values that the form takes: submitted ones over the prefill over the form's defaults.

    A hidden field is dropped before anything is checked. Values may be FEEL or Python values, or the texts of
    an HTML form. A read-only field keeps its prefill. Raises SubmissionRejected with a sentence for every
    field that must be mended, and FormFault.
    """
    body = form.body
    known = {key: value for key, value in prefill.items() if key in body.by_key and value is not None}
    fixed = {key: value for key, value in known.items() if body.by_key[key].readonly}
    typed, faults = read_fields(body, {**known, **submitted, **fixed})
    level = settle(body, typed, variables, environment, faults)
    errors = {path: fault.message for path, fault in faults.items() if fault.stray}
    errors.update(_errors(level))
    if errors:
        raise SubmissionRejected(errors)
    return Submission(dict(level.values))


def _errors(level: Level) -> Iterator[tuple[str, str]]:
    """What the person must do, by path, about the visible fields of this level and of the rows in it."""
    for key, value in level.values.items():
        field = level.fields.by_key[key]
        path = f"{level.path}{key}"
        fault = level.faults.get(path)
        message = fault.message if fault is not None else _error(field, value, level)
        if message is not None:
            yield path, message
        for row in level.rows(field) if field.kind == "list" else ():
            yield from _errors(row)


def _error(field: Field, value: feel.Value, level: Level) -> str | None:
    message = _missing(field, level) if value is None or value is False or value == [] else _misfit(field, value, level)
    if message is not None or field.check is None or level.value_of(field.check) is True:
        return message
    told = level.value_of(field.check_message)
    return told if isinstance(told, str) else messages.CHECK_FAILED.format(label=field.label)


def _missing(field: Field, level: Level) -> str | None:
    if level.value_of(field.required) is not True:
        return None
    message = {
        "bool": messages.TICK,
        "enum": messages.CHOOSE,
        "multi": messages.CHOOSE,
        "list": messages.ADD_ROW,
    }.get(field.kind, messages.ENTER)
    return message.format(label=field.label)


def _misfit(field: Field, value: feel.Value, level: Level) -> str | None:
    """How a value that was entered is out of what the field allows."""
    if isinstance(value, Decimal):
        return _out_of_range(field, value, level)
    if field.kind in ("enum", "multi"):
        allowed = {option.value for option in level.options(field)}
        chosen = value if isinstance(value, list) else [value]
        return None if allowed.issuperset(chosen) else messages.NOT_AN_OPTION.format(label=field.label)
    return _text_misfit(field, value, level) if isinstance(value, str) else None


def _out_of_range(field: Field, value: Decimal, level: Level) -> str | None:
    least, most = level.value_of(field.minimum), level.value_of(field.maximum)
    if isinstance(least, Decimal) and value < least:
        return messages.TOO_SMALL.format(label=field.label, limit=least)
    if isinstance(most, Decimal) and value > most:
        return messages.TOO_LARGE.format(label=field.label, limit=most)
    return None


def _text_misfit(field: Field, value: str, level: Level) -> str | None:
    length = len(value.encode("utf-16-le")) // 2  # as a browser counts
    least, most = level.value_of(field.min_length), level.value_of(field.max_length)
    if isinstance(least, Decimal) and length < least:
        return messages.TOO_SHORT.format(label=field.label, limit=least)
    if isinstance(most, Decimal) and length > most:
        return messages.TOO_LONG.format(label=field.label, limit=most, length=length)
    if field.pattern is not None and re2.search(field.pattern, value) is None:
        return messages.NOT_AS_ASKED.format(label=field.label)
    return None
