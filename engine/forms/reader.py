"""From a `.form` file (form-js JSON) to a Form. Everything is compiled here; filling never parses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, NoReturn

import re2

from engine import feel
from engine.forms import messages
from engine.forms.errors import Finding, FormInvalid, Unreadable
from engine.forms.model import Field, Fields, Form, Formula, Kind, Option
from engine.forms.values import read as read_value

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 8

KINDS: Mapping[str, Kind] = {
    "textfield": "text",
    "textarea": "textarea",
    "number": "number",
    "checkbox": "bool",
    "radio": "enum",
    "select": "enum",
    "checklist": "multi",
    "taglist": "multi",
    "datetime": "datetime",
    "dynamiclist": "list",
    "group": "group",
    "text": "note",
}
UNSUPPORTED = {"disabled", "disallowPassedDates", "increment", "serializeToString", "valuesKey"}
VALIDATIONS = {"required", "min", "max", "minLength", "maxLength", "pattern", "validationType"}
DATETIME_KINDS: Mapping[str, Kind] = {"date": "date", "time": "time", "datetime": "datetime"}

CACHED = 256  # forms
_QUIET = re2.Options()
_QUIET.log_errors = False


def read(source: bytes, names: Iterable[str] = ()) -> Form:
    """The compiled form. `names` are names with spaces that its expressions may use (host functions).

    Raises FormInvalid with every finding: not JSON, a name twice in one object, an unknown component type,
    FEEL that does not parse, a missing key or label, conditions that depend on each other in a circle …
    """
    return _read(source, tuple(names))


@lru_cache(CACHED)  # a writer changes one form of many at a time
def _read(source: bytes, names: tuple[str, ...]) -> Form:
    document = _parse(source)
    reader = _Reader(names)
    form = reader.form(document)
    if reader.findings:
        raise FormInvalid(tuple(reader.findings))
    return form


def _parse(source: bytes) -> Any:
    if len(source) > MAX_BYTES:
        _refuse(messages.TOO_BIG.format(size=len(source), limit=MAX_BYTES))
    try:
        return json.loads(
            source.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=Decimal,
            parse_constant=lambda name: _refuse(messages.NO_CONSTANT.format(name=name)),
        )
    except UnicodeDecodeError:
        _refuse(messages.NOT_UTF8)
    except (ValueError, RecursionError) as fault:
        _refuse(messages.NOT_JSON.format(fault=fault))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse(messages.DUPLICATE_NAME.format(name=name))
        found[name] = value
    return found


def _refuse(message: str) -> NoReturn:
    raise FormInvalid((Finding("", message),))


class _Reader:
    """Walks the components once, noting everything that is wrong under the id of its component."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.findings: list[Finding] = []
        self.ids: set[str] = set()
        self.labels: dict[str, str] = {}
        self.at = ""

    def note(self, message: str, **facts: object) -> None:
        self.findings.append(Finding(self.at, message.format(**facts), self.labels.get(self.at, "")))

    def form(self, document: Any) -> Form:
        if not isinstance(document, dict) or document.get("type") != "default":
            _refuse(messages.NOT_A_FORM)
        identifier = self.text(document, "id")
        if not identifier:
            self.note(messages.NO_FORM_ID)
        title = self.text(document, "title")
        return Form(identifier, title, self.level(document.get("components"), depth=1))

    def level(self, components: Any, depth: int, rows: bool = False) -> Fields:
        """One level of names, with the order in which its conditions can be computed."""
        tree = self.components(components, depth, rows)
        by_key: dict[str, Field] = {}
        hides: dict[str, tuple[Formula, ...]] = {}
        for field, conditions in _keyed(tree):
            if field.key in by_key:
                self.at = field.id
                self.note(messages.SAME_KEY, key=field.key)
            by_key[field.key] = field
            hides[field.key] = conditions
        return Fields(tree, by_key, self.order(by_key, hides), hides)

    def order(self, by_key: Mapping[str, Field], hides: Mapping[str, tuple[Formula, ...]]) -> tuple[str, ...]:
        reads = {key: _reads(field, hides[key]) & by_key.keys() for key, field in by_key.items()}
        try:
            return tuple(TopologicalSorter(reads).static_order())
        except CycleError as circle:
            self.at = by_key[circle.args[1][0]].id
            self.note(messages.CIRCULAR, keys=" → ".join(circle.args[1]))
            return ()

    def components(self, components: Any, depth: int, rows: bool) -> tuple[Field, ...]:
        if depth > MAX_DEPTH:
            self.note(messages.TOO_DEEP, limit=MAX_DEPTH)
            return ()
        if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
            self.note(messages.WRONG_SHAPE, name="components", shape="部品の一覧")
            return ()
        found = [self.component(each, depth, rows) for each in components]
        return tuple(field for field in found if field is not None)

    def component(self, source: dict[str, Any], depth: int, rows: bool) -> Field | None:
        self.identify(source)
        component = self.text(source, "type")
        kind = self.kind(source, component)
        if kind is None:
            return None
        for name in UNSUPPORTED & source.keys():
            if source[name]:
                self.note(messages.NOT_SUPPORTED, name=name)
        field = Field(
            self.at,
            kind,
            component,
            label=self.label(source, kind),
            help=self.text(source, "text" if kind == "note" else "description"),
            hide=self.formula(self.part(source, "conditional"), "hide"),
        )
        if kind == "group":
            if source.get("path"):
                self.note(messages.NO_PATH_IN_GROUP)
            parts = self.components(source.get("components"), depth + 1, rows)
            return replace(field, fields=Fields(parts, {}, (), {}))
        return field if kind == "note" else self.keyed(field, source, depth, rows)

    def identify(self, source: dict[str, Any]) -> None:
        self.at = self.text(source, "id")
        if not self.at:
            self.note(messages.NO_COMPONENT_ID)
        elif self.at in self.ids:
            self.note(messages.SAME_COMPONENT_ID)
        self.ids.add(self.at)
        shown = (source.get(name) for name in ("label", "dateLabel", "timeLabel"))
        self.labels.setdefault(self.at, next((text.strip() for text in shown if isinstance(text, str)), ""))

    def kind(self, source: dict[str, Any], component: str) -> Kind | None:
        kind = KINDS.get(component)
        if kind is None:
            self.note(messages.UNKNOWN_TYPE, type=component)
        elif kind == "datetime":
            subtype = self.text(source, "subtype")
            kind = DATETIME_KINDS.get(subtype)
            if kind is None:
                self.note(messages.UNKNOWN_SUBTYPE, subtype=subtype)
        return kind

    def label(self, source: dict[str, Any], kind: Kind) -> str:
        named = self.text(
            source, {"date": "dateLabel", "datetime": "dateLabel", "time": "timeLabel"}.get(kind, "label")
        )
        label = named or self.text(source, "label")
        if not label and kind not in ("group", "note"):
            self.note(messages.NO_LABEL)
        return label

    def keyed(self, field: Field, source: dict[str, Any], depth: int, rows: bool) -> Field:
        """The field with everything that only one with a value has."""
        validate = self.validations(source)
        properties = self.part(source, "properties")
        field = replace(
            field,
            key=self.key(source, field.kind),
            readonly=self.flag(source, "readonly"),
            required=self.required(validate),
            pattern=self.pattern(validate),
            digits=self.digits(source),
            visibility=self.text(properties, "visibility") or None,
            grants=self.text(properties, "grants") or None,
            conceals=self.text(properties, "conceals") or None,
            minimum=self.number(validate, "min"),
            maximum=self.number(validate, "max"),
            min_length=self.number(validate, "minLength"),
            max_length=self.number(validate, "maxLength"),
            check=self.formula(properties, "check"),
            check_message=self.check_message(properties),
        )
        if field.conceals and (field.kind != "bool" or rows):
            self.note(messages.NO_CONCEALMENT)
        if field.kind in ("enum", "multi"):
            field = replace(field, options=self.options(source))
        if field.kind == "list":
            field = self.rows(field, source, depth, rows)
        return replace(field, default=self.default(field, source, properties))

    def key(self, source: dict[str, Any], kind: Kind) -> str:
        key = self.text(source, "path" if kind == "list" else "key")
        if not key.isidentifier():
            self.note(messages.NO_KEY)
        return key

    def rows(self, field: Field, source: dict[str, Any], depth: int, rows: bool) -> Field:
        if rows:
            self.note(messages.NO_NESTED_ROWS)
            return field
        at = self.at
        columns = self.level(source.get("components"), depth + 1, rows=True)
        self.at = at
        return replace(field, fields=columns)

    def options(self, source: dict[str, Any]) -> tuple[Option, ...] | Formula:
        formula = self.formula(source, "valuesExpression")
        values = source.get("values")
        if formula is not None and values is None:
            return formula
        if formula is not None or not isinstance(values, list) or not values:
            self.note(messages.NO_OPTIONS)
            return ()
        options: dict[str, Option] = {}
        for each in values:
            option = self.option(each)
            if option.value in options:
                self.note(messages.SAME_OPTION, value=option.value)
            options[option.value] = option
        return tuple(options.values())

    def option(self, source: Any) -> Option:
        label, value = (source.get("label"), source.get("value")) if isinstance(source, dict) else (None, None)
        if not (isinstance(label, str) and label and isinstance(value, str) and value):
            self.note(messages.WRONG_SHAPE, name="values", shape="label と value の一覧")
            return Option("", "")
        return Option(label, value)

    def validations(self, source: dict[str, Any]) -> dict[str, Any]:
        validate = self.part(source, "validate")
        for name in validate.keys() - VALIDATIONS:
            self.note(messages.NOT_SUPPORTED, name=f"validate.{name}")
        if validate.get("validationType", "custom") != "custom":
            self.note(messages.NOT_SUPPORTED, name="validate.validationType")
        return validate

    def flag(self, source: dict[str, Any], name: str) -> bool:
        flag = source.get(name, False)
        if not isinstance(flag, bool):
            self.note(messages.WRONG_SHAPE, name=name, shape="true か false")
        return flag is True

    def required(self, validate: dict[str, Any]) -> bool | Formula:
        required = validate.get("required", False)
        if isinstance(required, bool):
            return required
        return self.formula(validate, "required") or False

    def number(self, validate: dict[str, Any], name: str) -> Decimal | Formula | None:
        limit = validate.get(name)
        if isinstance(limit, int | Decimal) and not isinstance(limit, bool):
            return Decimal(limit)
        return self.formula(validate, name)

    def pattern(self, validate: dict[str, Any]) -> str | None:
        pattern = self.text(validate, "pattern")
        try:
            re2.compile(pattern, _QUIET)
        except re2.error as fault:
            self.note(messages.BAD_PATTERN, fault=fault)
        return pattern or None

    def digits(self, source: dict[str, Any]) -> int | None:
        digits = source.get("decimalDigits")
        if digits is None or (isinstance(digits, int) and not isinstance(digits, bool) and 0 <= digits <= 15):
            return digits
        self.note(messages.WRONG_SHAPE, name="decimalDigits", shape="0 から 15 の整数")
        return None

    def check_message(self, properties: dict[str, Any]) -> str | Formula:
        message = self.text(properties, "checkMessage", formula=True)
        if "check" in properties and not message:
            self.note(messages.CHECK_WITHOUT_MESSAGE)
        if message and "check" not in properties:
            self.note(messages.MESSAGE_WITHOUT_CHECK)
        computed = self.formula(properties, "checkMessage") if message.startswith("=") else None
        return computed or message

    def default(self, field: Field, source: dict[str, Any], properties: dict[str, Any]) -> feel.Value | Formula:
        computed = self.formula(properties, "default")
        constant = source.get("defaultValue")
        if computed is not None or constant is None or field.kind == "list":
            return computed
        try:
            return read_value(field, constant)
        except Unreadable:
            self.note(messages.BAD_DEFAULT)
            return None

    def formula(self, source: dict[str, Any], name: str) -> Formula | None:
        text = source.get(name)
        if text is None:
            return None
        if not isinstance(text, str) or not text.strip().startswith("="):
            self.note(messages.NOT_AN_EXPRESSION, name=messages.PROPERTIES.get(name, name))
            return None
        try:
            return Formula(text.strip(), feel.parse_expression(text.strip()[1:], self.names))
        except feel.FeelError as fault:
            self.note(messages.BAD_EXPRESSION, name=messages.PROPERTIES.get(name, name), fault=fault)
            return None

    def part(self, source: dict[str, Any], name: str) -> dict[str, Any]:
        part = source.get(name)
        if part is None or isinstance(part, dict):
            return part or {}
        self.note(messages.WRONG_SHAPE, name=name, shape="オブジェクト")
        return {}

    def text(self, source: dict[str, Any], name: str, formula: bool = False) -> str:
        """The trimmed text, empty where there is none; what a page shows is never computed by a template."""
        text = source.get(name)
        if text is None:
            return ""
        if not isinstance(text, str):
            self.note(messages.WRONG_SHAPE, name=name, shape="文字列")
            return ""
        text = text.strip()
        if not formula and (text.startswith("=") or "{{" in text):
            self.note(messages.NO_TEMPLATE, name=name)
        return text


def _keyed(tree: Iterable[Field], around: tuple[Formula, ...] = ()) -> Iterable[tuple[Field, tuple[Formula, ...]]]:
    """Every field with a value on this level, with all conditions that hide it."""
    for field in tree:
        conditions = around if field.hide is None else (*around, field.hide)
        if field.kind == "group":
            yield from _keyed(field.fields.tree, conditions)
        elif field.key:
            yield field, conditions


def _reads(field: Field, hides: Iterable[Formula]) -> set[str]:
    """The names that the value of a field depends on; a list depends on what its columns read outside it."""
    formulas = [*hides, *([field.default] if isinstance(field.default, Formula) else [])]
    names = {name for formula in formulas for name in formula.expression.names}
    if field.kind == "list":
        columns = field.fields
        for column in columns.by_key.values():
            names |= _reads(column, columns.hides[column.key]) - columns.by_key.keys()
    return names
