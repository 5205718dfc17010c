"""A digest of what decides execution: the files without their diagrams, in canonical XML."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

from engine import dmn

_ORDERED = frozenset({"sequenceFlow", "startEvent", "boundaryEvent"})
"""Of these the order in the file can decide what comes first; an event subprocess has its start as well."""
_SCOPES = ("process", "subProcess", "adHocSubProcess", "transaction")
_BPMN_DIAGRAM = "{http://www.omg.org/spec/BPMN/20100524/DI}"


def execution_digest(processes: Mapping[str, bytes], decisions: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over all files, by name; moving a shape or re-indenting a file does not change it.

    An editor writes the nodes of a process in the order they were last touched, which decides nothing.
    """
    whole = hashlib.sha256()
    for name, source in sorted({**processes, **decisions}.items()):
        whole.update(hashlib.sha256(name.encode()).digest())
        whole.update(hashlib.sha256(_canonical(dmn.parse_xml(source))).digest())
    return whole.hexdigest()


def _canonical(root: etree._Element) -> bytes:
    for child in list(root):
        tag = str(child.tag)
        if tag.startswith(_BPMN_DIAGRAM) or tag.endswith("}DMNDI"):
            root.remove(child)
    for attribute in ("exporter", "exporterVersion"):
        root.attrib.pop(attribute, None)
    for scope in root.iter(*(f"{{*}}{name}" for name in _SCOPES)):
        _put_in_order(scope)
    for lane in root.iter("{*}lane"):
        _put_last(lane, sorted(lane.iterchildren("{*}flowNodeRef"), key=lambda each: each.text or ""))
    return etree.tostring(root, method="c14n2", strip_text=True)


def _put_in_order(scope: etree._Element) -> None:
    free = [node for node in scope.iterchildren(etree.Element) if node.get("id") and not _is_ordered(node)]
    _put_last(scope, sorted(free, key=lambda node: node.get("id", "")))


def _is_ordered(node: etree._Element) -> bool:
    return etree.QName(node).localname in _ORDERED or node.get("triggeredByEvent") == "true"


def _put_last(parent: etree._Element, nodes: list[etree._Element]) -> None:
    for node in nodes:
        node.tail = None
        parent.append(node)
