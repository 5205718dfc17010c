"""What people see as one thing in a diagram or a file of decisions, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

MAX_TEXT = 200
"""Characters of a name or value that is told."""
DIAGRAM = frozenset({"http://www.omg.org/spec/BPMN/20100524/DI", "https://www.omg.org/spec/DMN/20191111/DMNDI/"})
OWNERS = frozenset({"definitions", "process", "subProcess", "adHocSubProcess", "transaction", "collaboration"})
CONTAINERS = frozenset({"laneSet", "childLaneSet"})
_KINDS = {
    "startEvent": "開始イベント",
    "endEvent": "終了イベント",
    "boundaryEvent": "境界イベント",
    "intermediateCatchEvent": "待つイベント",
    "intermediateThrowEvent": "送るイベント",
    "userTask": "人の作業",
    "task": "作業",
    "manualTask": "手作業",
    "sendTask": "送る作業",
    "receiveTask": "受け取る作業",
    "serviceTask": "自動の処理",
    "scriptTask": "式の計算",
    "businessRuleTask": "決定",
    "callActivity": "プロセスの呼出し",
    "subProcess": "サブプロセス",
    "exclusiveGateway": "分岐(どれか一つ)",
    "parallelGateway": "並行",
    "inclusiveGateway": "分岐(一つ以上)",
    "eventBasedGateway": "イベントによる分岐",
    "sequenceFlow": "フロー",
    "messageFlow": "メッセージフロー",
    "lane": "レーン",
    "participant": "プール",
    "process": "プロセス",
    "message": "メッセージ",
    "textAnnotation": "注記",
    "association": "注記の線",
    "decision": "決定",
    "inputData": "入力",
    "businessKnowledgeModel": "知識モデル",
    "itemDefinition": "型",
}


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def of(root: etree._Element) -> dict[str, etree._Element]:
    """What people see as one thing, by id: flow elements, lanes, processes; not what is inside of them."""
    found: dict[str, etree._Element] = {}
    for element in root.iter(etree.Element):
        parent = element.getparent()
        id_ = element.get("id")
        namespace = etree.QName(element).namespace
        if parent is None or id_ is None or namespace in DIAGRAM or local(element) in CONTAINERS:
            continue
        if local(parent) in OWNERS | CONTAINERS and namespace == etree.QName(parent).namespace:
            found[id_] = element
    return found


def names(root: etree._Element) -> dict[str, str]:
    return {str(e.get("id")): str(e.get("name")) for e in root.iter(etree.Element) if e.get("id") and e.get("name")}


class Unit(NamedTuple):
    """What people call a thing by: its kind, and its name or where it leads from and to."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}「{self.name}」"


def called(element: etree._Element, names: Mapping[str, str]) -> Unit:
    kind = _KINDS.get(local(element), local(element))
    source, target = element.get("sourceRef"), element.get("targetRef")
    if element.get("name"):
        return Unit(kind, short(str(element.get("name"))))
    if source and target:
        return Unit(kind, f"{names.get(source, source)} → {names.get(target, target)}")
    return Unit(kind, str(element.get("id")))
