"""What differs between two sets of files, in words: by element, by rule and cell, by field; by line for the rest.

What only lies elsewhere on the diagram is told as moved, and the execution digest proves that nothing else differs.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from lxml import etree

from engine import bpmn, decision_tables, dmn, units
from engine.decision_tables import Table
from engine.units import Unit

Kind = Literal["added", "removed", "changed", "moved"]
Value = TypeVar("Value")

_DERIVED = frozenset({"incoming", "outgoing", "flowNodeRef"})
_LABELS = {
    "@name": "名前",
    "@sourceRef": "元",
    "@targetRef": "先",
    "@default": "既定のフロー",
    "@attachedToRef": "付いている作業",
    "@cancelActivity": "作業を中断するか",
    "formDefinition@formId": "フォーム",
    "assignmentDefinition@candidateGroups": "担当する役割",
    "assignmentDefinition@candidateUsers": "担当する人",
    "assignmentDefinition@assignee": "担当者",
    "taskSchedule@dueDate": "期限",
    "properties/property[dueEvent]@value": "期限",
    "properties/property[excludedUsers]@value": "担当から外す人",
    "calledDecision@decisionId": "呼び出す決定",
    "calledDecision@resultVariable": "結果の変数",
    "calledElement@processId": "呼び出すプロセス",
    "conditionExpression": "条件",
    "documentation": "説明",
    "description": "説明",
    "question": "問い",
    "text": "文",
    "literalExpression/text": "式",
    "timeDuration": "待つ時間",
    "label": "見出し",
    "key": "項目名",
    "type": "種類",
    "values": "選択肢",
    "validate": "入力の条件",
    "conditional": "表示の条件",
    "properties": "追加の設定",
    "defaultValue": "はじめの値",
    "layout": "配置",
}
_TOLD_OF_NEW = (
    "formDefinition@formId",
    "assignmentDefinition@candidateGroups",
    "taskSchedule@dueDate",
    "properties/property[dueEvent]@value",
    "calledDecision@decisionId",
    "calledElement@processId",
    "conditionExpression",
)
"""What an approver has to know of a thing on a diagram that is new."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: `element` is the id of what a diagram or table shows, empty for the whole file."""

    kind: Kind
    file: str
    element: str
    text: str
    rule: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class FileDifference:
    """What differs in one file; `executes_alike` where the execution digests of both are equal, `digest` then."""

    file: str
    kind: Kind
    differences: tuple[Difference, ...]
    digest: str | None = None

    @property
    def marks(self) -> dict[str, list[str]]:
        """Kind of change → the elements of the diagram that it is drawn on."""
        found: dict[str, list[str]] = {}
        for one in self.differences:
            if one.element:
                found.setdefault(one.kind, []).append(one.element)
        return found

    @property
    def executes_alike(self) -> bool:
        return self.digest is not None


def between(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[FileDifference, ...]:
    """The files that differ, in order of name. A file that cannot be read is compared line by line."""
    return tuple(
        _file(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _file(name: str, old: bytes | None, new: bytes | None) -> FileDifference:
    if old is None or new is None:
        kind: Kind = "added" if old is None else "removed"
        told = "新しいファイルです。" if old is None else "ファイルを取り除きます。"
        return FileDifference(name, kind, (Difference(kind, name, "", told),))
    try:
        found = tuple(_READERS[name.rpartition(".")[2]](name, old, new))
    except (KeyError, TypeError, AttributeError, ValueError, dmn.XmlRefused):
        found = tuple(_lines(name, old, new))
    digest = _alike(name, old, new)
    if not found and digest is not None:
        found = (Difference("moved", name, "", "書き方だけの変更です(空白や並べ方など)。"),)
    if not found:
        found = (Difference("changed", name, "", "書いてある順番や書き方を変えます。"),)
    kind = "moved" if digest is not None and all(one.kind == "moved" for one in found) else "changed"
    return FileDifference(name, kind, found, digest)


def _alike(name: str, old: bytes, new: bytes) -> str | None:
    """The execution digest, if both files have the same one."""
    if not name.endswith((".bpmn", ".dmn")):
        return None
    try:
        digests = {bpmn.execution_digest({name: content}, {}) for content in (old, new)}
    except dmn.XmlRefused:
        return None
    return digests.pop() if len(digests) == 1 else None


def _pairs(old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[tuple[str, Value | None, Value | None]]:
    """What stands under each key before and after, in the new order, what is gone at the end."""
    for key in (*new, *(key for key in old if key not in new)):
        yield key, old.get(key), new.get(key)


def _quoted(text: str | None) -> str:
    return "なし" if text is None or not text.strip() else f"「{units.short(text)}」"


def _turned(unit: Unit, label: str, old: str | None, new: str | None) -> str:
    return f"{unit.kind}「{unit.name}」の{label}を {_quoted(old)} から {_quoted(new)} に変えます。"


def _come_or_gone(unit: Unit, is_new: bool, facts: Iterable[tuple[str, str]] = ()) -> str:
    if not is_new:
        return f"{unit}を取り除きます。"
    told = "、".join(f"{label}: {units.short(text)}" for label, text in facts)
    return f"{unit}を加えます({told})。" if told else f"{unit}を加えます。"


# Diagrams -----------------------------------------------------------------------------------------------


def _diagrams(file: str, old: bytes, new: bytes) -> Iterator[Difference]:
    return _drawn(file, old, new, partial(_told, file))


_Contents = Mapping[str, str]
_Inside = Callable[[str, Unit, _Contents, _Contents], Iterator[Difference]]
"""What differs inside of one thing that both have, by its id, what it is called, and what it says before and after."""


def _drawn(file: str, old: bytes, new: bytes, inside: _Inside) -> Iterator[Difference]:
    """What differs between two files that can be drawn, thing by thing."""
    before, after = dmn.parse_xml(old), dmn.parse_xml(new)
    names = units.names(before) | units.names(after)
    old_places, new_places = _places(before), _places(after)
    for id_, was, now in _pairs(units.of(before), units.of(after)):
        unit = _called(was, now, names)
        if was is None or now is None:
            said = {} if now is None else _contents(now, names)
            facts = [(_LABELS[path], said[path]) for path in _TOLD_OF_NEW if path in said]
            yield Difference("added" if was is None else "removed", file, id_, _come_or_gone(unit, was is None, facts))
            continue
        yield from inside(id_, unit, _contents(was, names), _contents(now, names))
        if old_places.get(id_, ()) != new_places.get(id_, ()):
            yield Difference("moved", file, id_, f"{unit}の、図の上での位置だけを変えます。")


def _told(file: str, id_: str, unit: Unit, was: _Contents, now: _Contents) -> Iterator[Difference]:
    for label, one, other in _changed(was, now):
        yield Difference("changed", file, id_, _turned(unit, label, one, other))


def _called(was: etree._Element | None, now: etree._Element | None, names: Mapping[str, str]) -> Unit:
    found = now if was is None else was
    assert found is not None  # noqa: S101 - one of the two is there
    return units.called(found, names)


def _contents(unit: etree._Element, names: Mapping[str, str]) -> dict[str, str]:
    """Path → value of all that is inside of the unit itself, references by the names of what they lead to."""
    found: dict[str, str] = {}
    counted: dict[str, int] = {}

    def walk(element: etree._Element, path: str) -> None:
        for attribute, value in sorted(element.attrib.items()):
            local = etree.QName(str(attribute)).localname
            if local != "id" and not (path and local == "type"):
                referred = local.endswith("Ref") or local == "default"
                found[f"{path}@{local}"] = names.get(str(value), str(value)) if referred else str(value)
        if element.text and element.text.strip():
            found[path or "text"] = element.text.strip()
        for child in element.iterchildren(etree.Element):
            local = units.local(child)
            if (
                local in _DERIVED
                or local in units.CONTAINERS
                or (units.local(element) in units.OWNERS and child.get("id"))
            ):
                continue
            named = child.get("target") or child.get("name") or child.get("key")
            step = local if local in ("extensionElements",) else f"{local}[{named}]" if named else local
            inner = step if path in ("", "extensionElements") else f"{path}/{step}"
            counted[inner] = counted.get(inner, 0) + 1
            walk(child, inner if counted[inner] == 1 else f"{inner}({counted[inner]})")

    walk(unit, "")
    return found


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    for path, was, now in _pairs(old, new):
        if was != now:
            yield _LABELS.get(path, path.replace("@", " ").strip()), was, now


def _places(root: etree._Element) -> dict[str, tuple[str, ...]]:
    """Element id → where the diagram draws it: bounds of the shape, or the points of the line."""
    found: dict[str, tuple[str, ...]] = {}
    for drawn in root.iter(etree.Element):
        of = drawn.get("bpmnElement") or drawn.get("dmnElementRef")
        if of is not None and units.local(drawn) != "BPMNPlane" and etree.QName(drawn).namespace in units.DIAGRAM:
            inner = [e for e in drawn.iter(etree.Element) if units.local(e) in ("Bounds", "waypoint")]
            found[of] = tuple(",".join(f"{float(e.get(axis) or 0):.1f}" for axis in _AXES) for e in inner)
    return found


_AXES = ("x", "y", "width", "height")


# Decision tables ----------------------------------------------------------------------------------------


def _decisions(file: str, old: bytes, new: bytes) -> Iterator[Difference]:
    before, after = ({table.decision: table for table in decision_tables.read(one)} for one in (old, new))

    def inside(id_: str, unit: Unit, was: _Contents, now: _Contents) -> Iterator[Difference]:
        if id_ in before and id_ in after:
            yield from _rules(file, id_, unit, before[id_], after[id_])
        yield from _told(file, id_, unit, _without_table(was), _without_table(now))

    return _drawn(file, old, new, inside)


def _without_table(contents: _Contents) -> dict[str, str]:
    return {path: value for path, value in contents.items() if not path.startswith("decisionTable")}


def _columns(table: Table) -> list[str]:
    return [column.label for column in (*table.inputs, *table.outputs)]


def _by_id(table: Table) -> dict[str, tuple[str, ...]]:
    """Rule → its cells and its remark, however they are broken into lines."""
    cells = {row.id or f"#{row.index}": (*row.conditions, *row.results, row.remark) for row in table.rows}
    return {id_: tuple(" ".join(cell.split()) for cell in row) for id_, row in cells.items()}


def _rules(file: str, id_: str, unit: Unit, was: Table, now: Table) -> Iterator[Difference]:
    if was.hit_policy != now.hit_policy:
        yield Difference("changed", file, id_, _turned(unit, "ヒットポリシー", was.hit_policy, now.hit_policy))
    columns, new_columns = _columns(was), _columns(now)
    if columns != new_columns:
        yield Difference("changed", file, id_, _turned(unit, "列", "、".join(columns), "、".join(new_columns)))
    old, new = _by_id(was), _by_id(now)
    before, after = list(old), list(new)
    for rule, cells, new_cells in _pairs(old, new):
        if new_cells is None:
            told = f"{unit}の {before.index(rule) + 1} 行目を取り除きます: {_row(columns, cells or ())}"
            yield Difference("removed", file, id_, told)
            continue
        number = after.index(rule) + 1
        if cells is None:
            told = f"{unit}の {number} 行目に、新しい規則を加えます: {_row(new_columns, new_cells)}"
            yield Difference("added", file, id_, told, number)
        elif columns == new_columns:
            for column, (one, other) in enumerate(zip(cells, new_cells, strict=False), 1):
                if one != other:
                    label = new_columns[column - 1] if column <= len(new_columns) else "説明"
                    turned = f"「{label}」を {_quoted(one)} から {_quoted(other)} に変えます。"
                    told = f"{unit}の {number} 行目で、{turned}"
                    yield Difference("changed", file, id_, told, number, column)
    if [rule for rule in before if rule in new] != [rule for rule in after if rule in old]:
        yield Difference("changed", file, id_, f"{unit}の規則の順番を変えます。")


def _row(columns: Sequence[str], cells: Sequence[str]) -> str:
    told = [f"{label} = {cell}" for label, cell in zip(columns, cells, strict=False) if cell and cell != "-"]
    return units.short("、".join(told)) or "条件なし"


# Forms --------------------------------------------------------------------------------------------------


def _forms(file: str, old: bytes, new: bytes) -> Iterator[Difference]:
    before, after = json.loads(old), json.loads(new)
    was_fields, now_fields = dict(_fields(before["components"])), dict(_fields(after["components"]))
    for key, was, now in _pairs(was_fields, now_fields):
        unit = Unit("項目", _field_name(now if was is None else was))
        if was is None or now is None:
            told = _come_or_gone(unit, was is None, _asked(now or {}))
            yield Difference("added" if was is None else "removed", file, key, told)
            continue
        for name, one, other in _pairs(_told_of(was), _told_of(now)):
            if one != other:
                told = _turned(unit, _LABELS.get(name, name), _json(one), _json(other))
                yield Difference("moved" if name == "layout" else "changed", file, key, told)
    kept = [key for key in was_fields if key in now_fields], [key for key in now_fields if key in was_fields]
    if kept[0] != kept[1]:
        yield Difference("changed", file, "", "項目の順番を変えます。")
    for name, one, other in _pairs(before, after):
        if name not in ("components", "exporter", "schemaVersion") and one != other:
            told = f"フォームの {name} を {_quoted(_json(one))} から {_quoted(_json(other))} に変えます。"
            yield Difference("changed", file, "", told)


def _fields(components: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, component in enumerate(components):
        key = prefix + str(component.get("key") or component.get("path") or component.get("id") or number)
        yield key, component
        if isinstance(component.get("components"), list):
            yield from _fields(component["components"], prefix if component.get("type") == "group" else f"{key}.")


def _field_name(component: Mapping[str, Any] | None) -> str:
    assert component is not None  # noqa: S101 - one of the two is there
    return units.short(
        str(component.get("label") or component.get("text") or component.get("key") or component.get("id"))
    )


def _asked(component: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an approver has to know of a field that is new."""
    conditional, validate = (component.get(part) or {} for part in ("conditional", "validate"))
    yield from ((_LABELS[name], str(component[name])) for name in ("key", "type") if component.get(name))
    if isinstance(conditional, Mapping) and conditional.get("hide"):
        yield "隠す条件", str(conditional["hide"])
    if isinstance(validate, Mapping) and validate.get("required"):
        yield "必須", "はい"
    if isinstance(component.get("values"), list):
        yield _LABELS["values"], str(_json(component["values"]))


def _told_of(component: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in component.items() if name not in ("components", "id")}


def _json(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, dict) and "label" in one for one in value):
        return "、".join(str(one["label"]) for one in value)
    return json.dumps(value, ensure_ascii=False)


# Everything else ----------------------------------------------------------------------------------------


def _lines(file: str, old: bytes, new: bytes) -> Iterator[Difference]:
    try:
        before, after = old.decode("utf-8").splitlines(), new.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        yield Difference("changed", file, "", "中身を置き換えます。")
        return
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "insert":
            yield Difference("added", file, "", f"{c + 1} 行目に加えます: {_quoted(chr(10).join(after[c:d]))}")
        elif tag == "delete":
            yield Difference("removed", file, "", f"{a + 1} 行目から取り除きます: {_quoted(chr(10).join(before[a:b]))}")
        elif tag == "replace":
            one, other = "\n".join(before[a:b]), "\n".join(after[c:d])
            yield Difference("changed", file, "", f"{a + 1} 行目を {_quoted(one)} から {_quoted(other)} に変えます。")


_READERS = {"bpmn": _diagrams, "dmn": _decisions, "form": _forms}
