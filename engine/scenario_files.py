"""Scenario files: who starts what and when, how each form is answered, what else happens, what must come of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from engine import deployments, feel
from engine.catalogue import load_yaml
from engine.columns import JST
from engine.errors import FileUnreadable

_KEYS = ("id", "title", "start", "answers", "delays", "events", "until", "leave_open", "expect", "calls")
_MARK = re.compile(rb"^(start|answers|expect)\s*:", re.MULTILINE)

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Happening:
    """`message` is published `wait` after the form `after` was answered for the first time."""

    after: str
    message: str
    wait: feel.Value
    values: Mapping[str, Any]
    by: str | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file, checked. `answers` per form: one mapping for every time, or a list in order.

    `calls` per job type: what a call outside gives, which a scenario does not make.
    """

    id: str
    title: str
    process: str
    by: str | None
    at: datetime
    variables: Mapping[str, Any]
    answers: Mapping[str, Answer | Sequence[Answer]]
    delays: Mapping[str, feel.Value]
    events: tuple[Happening, ...]
    until: feel.Value
    leave_open: frozenset[str]
    expect: Mapping[str, Any]
    calls: Mapping[str, Mapping[str, Any]]


def find(paths: Iterable[Path]) -> list[Path]:
    """The files, and what looks like a scenario below the folders; raises FileUnreadable if there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix in (".yaml", ".yml") and _is_scenario(one))
        elif path.is_file():
            found.append(path)
        else:
            raise FileUnreadable(f"{path} がありません。")
    if not found:
        raise FileUnreadable("シナリオのファイルがありません。")
    return found


def _is_scenario(path: Path) -> bool:
    """Whether the file has a key that only scenarios have; other files may lie beside them."""
    return _MARK.search(path.read_bytes()) is not None


def read(path: Path) -> Scenario:
    """The scenario; raises FileUnreadable naming the key that is wrong, missing or unknown."""
    try:
        source = path.read_bytes()
    except OSError as fault:
        raise FileUnreadable(f"{path} を読めません({fault.strerror})。") from fault
    return parse(path.name, source)


def parse(name: str, source: bytes) -> Scenario:
    """The scenario in a file of this name and content; raises as `read`."""
    return _Reader(name).scenario(load_yaml(source, name))


@dataclass(frozen=True, slots=True)
class _Reader:
    file: str

    def refuse(self, where: str, what: str) -> NoReturn:
        raise FileUnreadable(f"{self.file} {where}: {what}")

    def mapping(self, value: Any, where: str, known: Sequence[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.refuse(where, "名前と値の組で書いてください。")
        for key in value:
            if not isinstance(key, str) or (known is not None and key not in known):
                self.refuse(f"{where} {key}".strip(), f"知らない項目です({'、'.join(known or ())} のどれか)。")
        return value

    def text(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value:
            self.refuse(where, "文字列で書いてください。")
        return str(value)

    def optional(self, value: Any, where: str) -> str | None:
        return None if value is None else self.text(value, where)

    def duration(self, value: Any, where: str) -> feel.Value:
        found = feel.parse_expression("duration(text)").evaluate(
            {"text": self.text(value, where)}, feel.Environment(now=datetime(2000, 1, 1, tzinfo=JST))
        )
        if found is None:
            self.refuse(where, f"「{value}」は期間として読めません(P10D、PT3H のように書いてください)。")
        if str(value).startswith("-"):
            self.refuse(where, f"「{value}」は負の期間です。P10D のように、0 以上で書いてください。")
        return found

    def moment(self, value: Any, where: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(value, where))
        except ValueError:
            self.refuse(where, f"「{value}」は日時として読めません。")
        return moment.replace(tzinfo=JST) if moment.tzinfo is None else moment.astimezone(JST)

    def scenario(self, value: Any) -> Scenario:
        if value is None:
            raise FileUnreadable(f"{self.file}: 何も書かれていません。")
        top = self.mapping(value, "", _KEYS)
        start = self.mapping(top.get("start"), "start", ("process", "by", "at", "variables"))
        answers = self.mapping(top.get("answers") or {}, "answers")
        delays = self.mapping(top.get("delays") or {}, "delays")
        calls = self.mapping(top.get("calls") or {}, "calls", deployments.OUTSIDE)
        events = top.get("events") or []
        leave_open = top.get("leave_open") or []
        if not isinstance(events, list) or not isinstance(leave_open, list):
            self.refuse("events / leave_open", "リストで書いてください。")
        return Scenario(
            id=self.text(top.get("id"), "id"),
            title=self.text(top.get("title", top.get("id")), "title"),
            process=self.text(start.get("process"), "start.process"),
            by=self.optional(start.get("by"), "start.by"),
            at=self.moment(start.get("at"), "start.at"),
            variables=self.mapping(start.get("variables") or {}, "start.variables"),
            answers={form: self.answer(given, f"answers.{form}") for form, given in answers.items()},
            delays={form: self.duration(wait, f"delays.{form}") for form, wait in delays.items()},
            events=tuple(self.happening(event, f"events[{index}]") for index, event in enumerate(events)),
            until=None if top.get("until") is None else self.duration(top["until"], "until"),
            leave_open=frozenset(self.text(form, "leave_open") for form in leave_open),
            expect=self.mapping(top.get("expect") or {}, "expect"),
            calls={kind: self.mapping(given or {}, f"calls.{kind}") for kind, given in calls.items()},
        )

    def answer(self, given: Any, where: str) -> Answer | Sequence[Answer]:
        if isinstance(given, list):
            return [self.mapping({} if one is None else one, f"{where}[{n}]") for n, one in enumerate(given)]
        return self.mapping({} if given is None else given, where)

    def happening(self, value: Any, where: str) -> Happening:
        event = self.mapping(value, where, ("after", "wait", "message", "values", "by"))
        return Happening(
            after=self.text(event.get("after"), f"{where}.after"),
            message=self.text(event.get("message"), f"{where}.message"),
            wait=self.duration(event.get("wait", "PT0S"), f"{where}.wait"),
            values=self.mapping(event.get("values") or {}, f"{where}.values"),
            by=self.optional(event.get("by"), f"{where}.by"),
        )
