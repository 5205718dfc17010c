"""New files: what a process, a decision, a form or a scenario begins with, so that its editor can open it at once.

What is made here can be executed as it is, but for what only its writer can know; the findings ask for that.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Literal
from xml.sax.saxutils import escape

from engine import bundle_files, catalogue, deployments, scenario_outcomes, texts
from engine.bundles import Compiled
from engine.errors import FileRefused
from engine.forms import Field, Form
from engine.studio import deadlines

Kind = Literal["bpmn", "dmn", "form", "scenario"]
ENDINGS: Mapping[Kind, str] = {"bpmn": "bpmn", "dmn": "dmn", "form": "form", "scenario": "yaml"}
MAX_TITLE = 100
BLANK = Path(__file__).with_name("blank")
"""The folder of what new files begin with."""
_DEADLINES = """
    <bpmn:extensionElements>
      <zeebe:properties>
        <zeebe:property name="deadlineDecision" value="{}"/>
      </zeebe:properties>
    </bpmn:extensionElements>"""
_ROLES = """
        <zeebe:assignmentDefinition candidateGroups="{}"/>"""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}", re.ASCII)
_LISTED = re.compile(r"^starts:[ \t]*(?:#.*)?\r?\n(?P<indent> *)(?=- )", re.MULTILINE)


def make(
    kind: Kind,
    key: str,
    title: str,
    files: Mapping[str, bytes],
    compiled: Compiled,
    *,
    process: str = "",
    groups: Sequence[str] = (),
    at: datetime,
) -> dict[str, bytes]:
    """Name → content of the new file, which comes first, and of what changes with it.

    `files` are those of the revision, `compiled` what of them executes. A process can be begun from the pages by
    `groups`; a scenario begins `process` at the time `at`. Raises FileRefused, with what to write instead.
    """
    title = " ".join(texts.usable(title).split())
    name = _name(kind, key, title, files)
    match kind:
        case "bpmn":
            return {name: _process(key, title, compiled, groups), **_with_start(files, key, title, groups)}
        case "dmn":
            return {name: _filled("decision.dmn", key=key, title=_quoted(title))}
        case "form":
            return {name: _filled("form.form", key=_text(key), title=_text(title))}
        case "scenario":
            return {name: _scenario(key, title, process, compiled, at)}


def _name(kind: Kind, key: str, title: str, files: Mapping[str, bytes]) -> str:
    """Where the new file belongs."""
    if not _KEY.fullmatch(key):
        raise FileRefused(key[:60], "ID は、半角の英字で始め、英字・数字・_ だけで 60 文字までにしてください。")
    if not title or len(title) > MAX_TITLE:
        raise FileRefused(key, f"名前を {MAX_TITLE} 文字までで書いてください。")
    name = f"{key}.{ENDINGS[kind]}"
    if any(one.rpartition("/")[2].casefold() == name.casefold() for one in files):
        raise FileRefused(name, "同じ名前のファイルが、もうあります。ほかの ID にしてください。")
    if kind != "scenario":
        return bundle_files.place(name, files)
    folders = Counter(one.rpartition("/")[0] for one in files if scenario_outcomes.is_scenario(one))
    return f"{folders.most_common(1)[0][0] if folders else deployments.SCENARIOS}/{name}"


def _process(key: str, title: str, compiled: Compiled, groups: Sequence[str]) -> bytes:
    """A start, one task of a person of these groups and an end, with the deadlines that most other processes have."""
    decision = deadlines.decision(compiled)
    due = "" if decision is None else _DEADLINES.format(_quoted(decision))
    roles = _ROLES.format(_quoted(", ".join(groups))) if groups else ""
    return _filled("process.bpmn", key=key, title=_quoted(title), deadlines=due, roles=roles)


def _with_start(files: Mapping[str, bytes], process: str, label: str, groups: Sequence[str]) -> dict[str, bytes]:
    """The catalogue with one button more, by which people of these groups begin the process; all else as it is."""
    name = next((one for one in files if one.rpartition("/")[2] == catalogue.FILE), None)
    if not groups or name is None:
        return {}
    before, text = catalogue.read(files[name]), files[name].decode("utf-8")
    entry = f"- {{id: {process}, label: {_text(label)}, process: {process}, groups: [{', '.join(groups)}]}}\n"
    listed = _LISTED.search(text)
    if listed:
        text = f"{text[: listed.end()]}{entry}{listed['indent']}{text[listed.end() :]}"
    else:
        text = f"{text.rstrip()}\n\nstarts:\n  {entry}"
    wanted = replace(before, starts=(catalogue.Start(process, label, process, tuple(groups)), *before.starts))
    if catalogue.read(text.encode()) != wanted:
        raise FileRefused(name, "始めるボタンを書き足せませんでした。starts に、テキストとして書いてください。")
    return {name: text.encode()}


def _scenario(key: str, title: str, process: str, compiled: Compiled, at: datetime) -> bytes:
    """A case of this process that answers each of its forms as little as it must."""
    found = compiled.processes.processes.get(process)
    if found is None:
        raise FileRefused(key, "シナリオで始めるプロセスを選んでください。")
    asked = dict.fromkeys(task.form_id for task in found.user_tasks.values() if task.form_id)
    answers = "".join(f"\n{line}" for form in asked for line in _answers(compiled.forms[form]))
    when = at.isoformat(timespec="seconds")
    return _filled("scenario.yaml", key=key, title=_text(title), process=process, at=when, answers=answers or " {}")


def _filled(blank: str, **words: str) -> bytes:
    return Template((BLANK / blank).read_text("utf-8")).substitute(words).encode()


# What a scenario answers --------------------------------------------------------------------------------


def _answers(form: Form) -> Iterator[str]:
    required = [field for field in form.body.by_key.values() if field.required]
    yield f"  {form.id}:{'' if required else ' {}'}  # {_line(form.title)}"
    yield from (f"    {field.key}: {_example(field)}  # {_hint(field)}" for field in required)


def _example(field: Field) -> str:
    first = field.options[0].value if isinstance(field.options, tuple) and field.options else ""
    examples: dict[str, str] = {
        "enum": _text(first),
        "multi": f"[{_text(first)}]" if first else "[]",
        "bool": "true",
        "number": "0",
        "datetime": "'=now()'",
        "date": "'=today()'",
        "list": "[]",
    }
    return examples.get(field.kind, '""')


def _hint(field: Field) -> str:
    values = [option.value for option in field.options] if isinstance(field.options, tuple) else []
    return _line(field.label) + (f"({_line(' / '.join(values))})" if values else "")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    return escape(text, {'"': "&quot;"})
