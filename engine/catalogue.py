"""`bundle.yaml`: what of a bundle is neither process nor decision nor form, as a frozen value.

Who may start what from a page, which messages people may send, what groups may read, which variables tell of a
whole case, what the others are called, and the first accounts.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver

from engine import feel
from engine.errors import FileUnreadable

FILE = "bundle.yaml"
EVERYONE = "everyone"
"""As a group: every active person who may do more than read."""
MAX_BYTES = 1024 * 1024
CACHED = 16  # files of a kind, as they were read last

CaseReading = Literal["all", "own", "none"]
ProcessRight = Literal["none", "edit", "approve"]
"""What members of a group may do with the definitions: nothing, write revisions, or approve those of others."""


@dataclass(frozen=True, slots=True)
class Start:
    """Something that people of `groups` can begin; `variables` go into the new instance of `process`."""

    id: str
    label: str
    process: str
    groups: tuple[str, ...]
    variables: Mapping[str, feel.Value] = field(default_factory=dict)
    help: str = ""


@dataclass(frozen=True, slots=True)
class MessageOffer:
    """A message that people of `groups` can send to a running case."""

    name: str
    label: str
    groups: tuple[str, ...]
    help: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    label: str
    cases: CaseReading = "none"
    read_only: bool = False
    masked: bool = False
    processes: ProcessRight = "none"


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    label: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A variable that says something of the whole case: shown with it, and cases can be chosen by it.

    `name` is a variable of a process, or `variable.entry` for an entry of a context. `values` are the labels of
    its values; a fact without any shows its value as it stands. `group` is the heading it stands under.
    `visibility`: only who may read this mark sees it.
    """

    name: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    visibility: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What something that the files name for themselves (a variable, an entry, a message between processes) is called
    where a person reads it; `values` are the labels of its values.
    """

    name: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    title: str = ""
    starts: tuple[Start, ...] = ()
    messages: tuple[MessageOffer, ...] = ()
    groups: tuple[Group, ...] = ()
    visibility: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: tuple[Account, ...] = ()
    facts: tuple[Fact, ...] = ()
    labels: tuple[Label, ...] = ()


class _CoreResolver(VersionedResolver):
    """YAML 1.2 core schema: a timestamp is text."""

    def add_version_implicit_resolver(self, version: Any, tag: str, regexp: Any, first: Any) -> None:
        if not tag.endswith(":timestamp"):
            super().add_version_implicit_resolver(version, tag, regexp, first)


def load_yaml(source: bytes, name: str) -> Any:
    """The document as plain Python: `yes` is text, a date is text. Raises FileUnreadable with line and reason."""
    if len(source) > MAX_BYTES:
        raise FileUnreadable(f"{name}: 大きすぎます({len(source)} バイト、上限 {MAX_BYTES})。")
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _CoreResolver
    try:
        return yaml.load(io.BytesIO(source))
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError) as fault:
        mark = getattr(fault, "problem_mark", None)
        where = name if mark is None else f"{name} {mark.line + 1} 行目"
        reason = getattr(fault, "problem", None) or str(fault).splitlines()[0]
        raise FileUnreadable(f"{where}: YAML として読めません({reason})。") from fault


@lru_cache(CACHED)
def read(source: bytes) -> Catalogue:
    """The catalogue; raises FileUnreadable naming the first place that is not as it should be."""
    top = Entry(load_yaml(source, FILE) or {}, "")
    top.only("title", "starts", "messages", "groups", "visibility", "people", "facts", "labels")
    return Catalogue(
        title=top.text("title", ""),
        starts=tuple(_start(entry) for entry in top.entries("starts")),
        messages=tuple(_message(entry) for entry in top.entries("messages")),
        groups=tuple(_group(name, entry) for name, entry in top.named("groups")),
        visibility={mark: top.within("visibility").names(mark) for mark in top.within("visibility").keys},
        people=tuple(
            Account(entry.text("name"), entry.text("label"), entry.names("groups")) for entry in top.entries("people")
        ),
        facts=tuple(_fact(entry) for entry in top.entries("facts")),
        labels=tuple(_label(entry) for entry in top.entries("labels")),
    )


def _start(entry: Entry) -> Start:
    entry.only("id", "label", "process", "groups", "variables", "help")
    variables = cast("dict[str, feel.Value]", feel.from_python(entry.within("variables").value))
    return Start(
        entry.text("id"),
        entry.text("label"),
        entry.text("process"),
        entry.names("groups"),
        variables,
        entry.text("help", ""),
    )


def _message(entry: Entry) -> MessageOffer:
    entry.only("name", "label", "groups", "help")
    return MessageOffer(entry.text("name"), entry.text("label"), entry.names("groups"), entry.text("help", ""))


def _group(name: str, entry: Entry) -> Group:
    entry.only("label", "cases", "read_only", "masked", "processes")
    cases = entry.text("cases", "none")
    if cases not in ("all", "own", "none"):
        entry.refuse("cases", "all・own・none のどれか")
    processes = entry.text("processes", "none")
    if processes not in ("none", "edit", "approve"):
        entry.refuse("processes", "none・edit・approve のどれか")
    return Group(
        name,
        entry.text("label"),
        cast(CaseReading, cases),
        entry.flag("read_only"),
        entry.flag("masked"),
        cast(ProcessRight, processes),
    )


def _fact(entry: Entry) -> Fact:
    entry.only("name", "label", "values", "group", "visibility")
    return Fact(
        entry.text("name"),
        entry.text("label"),
        _values(entry),
        entry.text("group", ""),
        entry.text("visibility") if "visibility" in entry.keys else None,
    )


def _label(entry: Entry) -> Label:
    entry.only("name", "label", "values")
    return Label(entry.text("name"), entry.text("label"), _values(entry))


def _values(entry: Entry) -> Mapping[str, str]:
    labels = entry.within("values")
    return {value: labels.text(value) for value in labels.keys}


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping of a YAML file, and the path to it for what is told."""

    value: Any
    path: str
    file: str = FILE

    def __post_init__(self) -> None:
        if not isinstance(self.value, Mapping):
            raise FileUnreadable(f"{self.file} {self.path}: 名前と値の組で書いてください。")

    @property
    def keys(self) -> list[str]:
        return [str(key) for key in self.value]

    def refuse(self, key: str, wanted: str) -> None:
        raise FileUnreadable(f"{self.file} {self.path}{key}: {wanted}で書いてください。")

    def only(self, *known: str) -> None:
        for key in self.keys:
            if key not in known:
                raise FileUnreadable(f"{self.file} {self.path}{key}: 知らない項目です({'、'.join(known)} のどれか)。")

    def text(self, key: str, absent: str | None = None) -> str:
        value = self.value.get(key, absent)
        if not isinstance(value, str):
            self.refuse(key, "文字列")
        return str(value)

    def flag(self, key: str) -> bool:
        value = self.value.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, "true か false")
        return bool(value)

    def names(self, key: str) -> tuple[str, ...]:
        value = self.value.get(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, Sequence) or not all(isinstance(name, str) for name in value):
            self.refuse(key, "名前のリスト")
        return tuple(value)

    def within(self, key: str) -> Entry:
        return Entry(self.value.get(key) or {}, f"{self.path}{key}.", self.file)

    def entries(self, key: str) -> list[Entry]:
        value = self.value.get(key) or []
        if not isinstance(value, list):
            self.refuse(key, "リスト")
        return [Entry(item, f"{self.path}{key}[{index}].", self.file) for index, item in enumerate(value)]

    def named(self, key: str) -> list[tuple[str, Entry]]:
        inner = self.within(key)
        return [(name, inner.within(name)) for name in inner.keys]
