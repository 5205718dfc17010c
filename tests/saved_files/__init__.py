"""Files as the desktop modeler and the editors at bpmn.io save them, and what of them an editor must not lose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lxml import etree

FOLDER = Path(__file__).parent
SAVED = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in (".bpmn", ".dmn", ".form")}
BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
STANDARD = ("omg.org/spec/BPMN/20100524/", "omg.org/spec/DD/20100524/", "w3.org/2001/XMLSchema-instance")
"""What stands in these namespaces is BPMN's own; everything else is an extension."""


def crlf(content: bytes) -> bytes:
    """The file as a program on Windows saves it."""
    assert b"\r" not in content
    return content.replace(b"\n", b"\r\n")


def extensions(source: bytes) -> Counter[tuple[str, str]]:
    """(id of the nearest element around it, what it says) of every extension: attributes, and elements with all inside."""
    found: Counter[tuple[str, str]] = Counter()
    for element in etree.fromstring(source).iter(etree.Element):
        owner = next((str(each.get("id")) for each in (element, *element.iterancestors()) if each.get("id")), "")
        for name, value in element.attrib.items():
            if _foreign(str(name)):
                found[owner, f"{name}={value}"] += 1
        if _foreign(str(element.tag)):
            found[owner, f"<{element.tag}> {sorted(element.attrib.items())} {(element.text or '').strip()}"] += 1
    return found


def _foreign(name: str) -> bool:
    return name.startswith("{") and not any(own in name.partition("}")[0] for own in STANDARD)
