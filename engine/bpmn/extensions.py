"""What stands beside BPMN in a file: extension elements and attributes that are executed, and those that may be let be.

Anything else may change what the element does, so it is told at the element it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.bpmn.triggers import ProcessFile
from engine.bpmn.zeebe import BPMN, CAMUNDA_7, ZEEBE, extensions, local, properties

ACTIVITIES = frozenset(
    "task manualTask userTask serviceTask sendTask receiveTask scriptTask businessRuleTask callActivity "
    "subProcess".split()
)
EVENTS = frozenset("startEvent endEvent intermediateThrowEvent intermediateCatchEvent boundaryEvent".split())
DRAWN = frozenset(
    "documentation extensionElements laneSet dataObject dataObjectReference dataStoreReference textAnnotation "
    "association group".split()
)
"""Parts of a process that say nothing to the engine, and may carry anything."""
GLOBALS = frozenset({"message", "signal", "error", "escalation"})
JOBS = frozenset({"serviceTask", "sendTask", "endEvent", "intermediateThrowEvent"})

PLACES: Mapping[str, frozenset[str] | None] = {
    "userTask": frozenset({"userTask"}),
    "formDefinition": frozenset({"userTask"}),
    "assignmentDefinition": frozenset({"userTask"}),
    "taskSchedule": frozenset({"userTask"}),
    "ioMapping": ACTIVITIES | EVENTS,
    "calledDecision": frozenset({"businessRuleTask"}),
    "calledElement": frozenset({"callActivity"}),
    "taskDefinition": JOBS,
    "taskHeaders": JOBS | {"userTask"},
    "script": frozenset({"scriptTask"}),
    "loopCharacteristics": frozenset({"multiInstanceLoopCharacteristics"}),
    "subscription": frozenset({"message"}),
    "versionTag": frozenset({"process"}),
    "properties": None,
}
"""The elements at which a Zeebe extension is executed, or says nothing to the engine; None: everywhere."""

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "userTask": frozenset(),
    "formDefinition": frozenset({"formId", "formKey", "bindingType"}),
    "assignmentDefinition": frozenset({"assignee", "candidateGroups", "candidateUsers"}),
    "taskSchedule": frozenset({"dueDate"}),
    "ioMapping": frozenset(),
    "input": frozenset({"source", "target"}),
    "output": frozenset({"source", "target"}),
    "calledDecision": frozenset({"decisionId", "resultVariable", "bindingType"}),
    "calledElement": frozenset(
        {"processId", "propagateAllParentVariables", "propagateAllChildVariables", "bindingType"}
    ),
    "taskDefinition": frozenset({"type", "retries"}),
    "taskHeaders": frozenset(),
    "header": frozenset({"key", "value"}),
    "script": frozenset({"expression", "resultVariable"}),
    "loopCharacteristics": frozenset({"inputCollection", "inputElement", "outputCollection", "outputElement"}),
    "subscription": frozenset({"correlationKey"}),
    "versionTag": frozenset({"value"}),
    "properties": frozenset(),
    "property": frozenset({"name", "value"}),
}
"""What may be given in each Zeebe element. A form key is told by whoever reads the form."""

PARTS: Mapping[str, frozenset[str]] = {
    "ioMapping": frozenset({"input", "output"}),
    "taskHeaders": frozenset({"header"}),
    "properties": frozenset({"property"}),
}
BINDINGS = frozenset({"", "latest", "deployment"})
"""How a called process, decision or form is found: always in the deployment of the caller, so never by a tag."""

PROPERTIES = {
    "deadlineDecision": "process",
    "dueEvent": "userTask",
    "dueFrom": "userTask",
    "excludedUsers": "userTask",
}
"""The Zeebe properties that are executed, each with its element; any other is for people."""

EDITORS = (
    "{http://camunda.org/schema/modeler/1.0}",
    "{http://bpmn.io/schema/bpmn/biocolor/1.0}",
    "{http://www.omg.org/spec/BPMN/non-normative/color/1.0}",
    "{http://www.w3.org/2001/XMLSchema-instance}",
)
"""Namespaces of what editors keep for themselves."""
TEMPLATES = frozenset(f"{ZEEBE}modelerTemplate{part}" for part in ("", "Version", "Icon"))


def check_extensions(file: ProcessFile) -> None:
    """Tell of every extension in what executes: the processes with everything in them, messages and the like."""
    _check(file, file.root, file.root)
    for declared in file.root.iterchildren(f"{BPMN}extension"):
        if declared.get("mustUnderstand") == "true":
            file.tell(declared, f"拡張 {declared.get('definition', '')} は、このエンジンでは実行できません。")
    for node in file.root.iterchildren(f"{BPMN}*"):
        if local(node) in GLOBALS or (local(node) == "process" and node.get("isExecutable") == "true"):
            _walk(file, node, node)


def _walk(file: ProcessFile, node: etree._Element, owner: etree._Element) -> None:
    """`owner` is what a person sees in the diagram: a flow node or a flow, and not a part of it."""
    _check(file, node, owner)
    for name in map(str, node.attrib):
        if name.startswith("{") and not name.startswith(EDITORS) and name not in TEMPLATES:
            seventh = name.startswith(CAMUNDA_7)
            told = "Camunda 7 の属性は使えません。" if seventh else f"属性 {_short(name)} は実行できません。"
            file.tell(owner, told)
    for child in node.iterchildren(f"{BPMN}*"):
        if local(child) not in DRAWN:
            holds = local(node) in ("process", "subProcess", "transaction", "adHocSubProcess")
            _walk(file, child, child if holds and child.get("id") else owner)


def _check(file: ProcessFile, node: etree._Element, owner: etree._Element) -> None:
    if len(node.findall(f"{BPMN}extensionElements")) > 1:
        file.tell(owner, "extensionElements が二つ以上あります。一つにまとめてください。")
    tags = [str(found.tag) for found in extensions(node)]
    for tag in sorted({tag for tag in tags if tag.startswith(ZEEBE) and tags.count(tag) > 1}):
        file.tell(owner, f"拡張 {_short(tag)} が二つ以上あります。")
    for name in sorted(properties(node).keys() & PROPERTIES.keys()):
        if PROPERTIES[name] != local(node):
            file.tell(owner, f"プロパティ {name} は、{local(node)} では実行できません。")
    for found in extensions(node):
        for fault in _faults(found, local(node)):
            file.tell(owner, fault)


def _faults(found: etree._Element, place: str) -> Iterator[str]:
    tag, name = str(found.tag), local(found)
    if tag.startswith(EDITORS):
        return
    if tag.startswith(CAMUNDA_7):
        yield f"Camunda 7 の拡張 {name} は使えません。"
    elif not tag.startswith(ZEEBE) or name not in PLACES:
        yield f"拡張 {_short(tag)} は、このエンジンでは実行できません。"
    elif not _stands(name, place):
        yield f"拡張 {name} は、{place} では実行できません。"
    else:
        yield from _unknown_parts(found, place)


def _stands(name: str, place: str) -> bool:
    places = PLACES[name]
    return places is None or place in places


def _unknown_parts(found: etree._Element, place: str) -> Iterator[str]:
    """Attributes and children that say something that is not executed."""
    name = local(found)
    for attribute, value in found.attrib.items():
        if str(attribute) not in ATTRIBUTES[name] and value:
            yield f"{name} の {_short(str(attribute))} は、このエンジンでは実行できません。"
    if found.get("bindingType", "") not in BINDINGS:
        yield f"{name} の bindingType={found.get('bindingType')} は、このエンジンでは実行できません。"
    for part in found.iterchildren(etree.Element):
        if str(part.tag).startswith(ZEEBE) and local(part) in PARTS.get(name, ()):
            yield from _unknown_parts(part, place)
            if local(part) == "input" and place == "boundaryEvent":
                yield "境界イベントには、入力の対応(input)を付けられません。"
        else:
            yield f"{name} の中の {_short(str(part.tag))} は、このエンジンでは実行できません。"


def _short(name: str) -> str:
    """The local name, with its namespace if that is not Zeebe's."""
    found = etree.QName(name)
    known = found.namespace is None or name.startswith(ZEEBE)
    return found.localname if known else f"{found.localname}({found.namespace})"
