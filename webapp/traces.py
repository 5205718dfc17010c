"""Where a process stands and the way it came: for its picture, and in words for those who cannot see one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from engine.diagrams import Diagram
from webapp.content import content, title
from webapp.language import gettext as _

FELT = frozenset(
    (
        *("userTask", "manualTask", "receiveTask", "callActivity"),
        *("startEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent", "endEvent"),
    )
)
"""What people notice of a process; gateways and automatic steps say nothing to them."""

UNSEEN = tuple(
    f"{{*}}{name}" for name in "extensionElements conditionExpression documentation incoming outgoing".split()
)
"""What is not drawn, or says again what the flows say: half of a file."""

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)


@dataclass(frozen=True, slots=True)
class Trace:
    """`marks` are element ids for the picture; `here`, `failed` and `way` names, the way in the order it was gone."""

    process: str
    name: str
    marks: dict[str, list[str]]
    here: list[str]
    failed: list[str]
    way: list[str]


def trace(drawn: Diagram) -> Trace:
    """The diagram in words; an element without a name has no place in them."""
    noticed = felt(drawn.xml)
    return Trace(
        drawn.process,
        drawn.name,
        {name: sorted(getattr(drawn, name)) for name in ("open", "completed", "flows", "failed")},
        words(drawn.open, noticed),
        words(drawn.failed, {element: title(name) for (element, _kind), name in names(drawn.xml).items()}),
        words(drawn.completed, noticed),
    )


def named(xml: bytes) -> bytes:
    """What is drawn of the file, with its names in the reader's language."""
    tree = etree.fromstring(xml, _PARSER)
    for part in list(tree.iter(*UNSEEN)):
        if (whole := part.getparent()) is not None:
            whole.remove(part)
    for each in _named(tree):
        each.attrib["name"] = content(str(each.attrib["name"]))
    return etree.tostring(tree, encoding="utf-8", xml_declaration=True)


def texts() -> dict[str, str]:
    """What the script of the diagram says."""
    return {
        "label": _("Diagram of the process"),
        "larger": _("Larger"),
        "smaller": _("Smaller"),
        "whole": _("All of it"),
        "here": _("It stands here"),
        "failed": _("Stopped"),
        "missing": _("The diagram cannot be shown. The list says the same."),
    }


def felt(xml: bytes) -> dict[str, str]:
    """Element id → the name, as people say it, of each element that they notice."""
    return {element: title(name) for (element, kind), name in names(xml).items() if kind in FELT}


def words(elements: Iterable[str], called: Mapping[str, str]) -> list[str]:
    """The names of the elements that have one, each once, in their order."""
    return list(dict.fromkeys(called[element] for element in elements if element in called))


@lru_cache(maxsize=64)
def names(xml: bytes) -> Mapping[tuple[str, str], str]:
    """The name of each element by its id and kind."""
    found = _named(etree.fromstring(xml, _PARSER))
    return {(str(each.get("id")), etree.QName(each).localname): str(each.get("name")) for each in found}


def _named(tree: etree._Element) -> Iterable[etree._Element]:
    return (each for each in tree.iter("{*}*") if "id" in each.attrib and "name" in each.attrib)
