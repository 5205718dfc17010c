"""A digest of what decides execution: the files without their diagrams, in canonical XML."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lxml import etree

from engine import dmn

_BPMN_DIAGRAM = "{http://www.omg.org/spec/BPMN/20100524/DI}"


def execution_digest(processes: Mapping[str, bytes], decisions: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over all files, by name; moving a shape or re-indenting a file does not change it."""
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
    return etree.tostring(root, method="c14n2", strip_text=True)
