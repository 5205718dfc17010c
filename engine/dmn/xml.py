"""The hardened XML reader, for DMN and BPMN alike, and small steps through a tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from engine.dmn.errors import Finding, XmlRefused

MAX_BYTES = 4 * 1024 * 1024
NAMED = frozenset(
    {"decision", "businessKnowledgeModel", "decisionService", "inputData", "itemDefinition", "definitions"}
)


def parse_xml(source: bytes, *, limit: int = MAX_BYTES) -> etree._Element:
    """Return the root of the document, without comments and processing instructions.

    Nothing outside `source` is read: no entity, no DTD, no network. Raises XmlRefused for more than
    `limit` bytes, for a DOCTYPE and for what is not well-formed.
    """
    if len(source) > limit:
        raise XmlRefused(f"ファイルが大きすぎます({len(source)} バイト、上限は {limit} バイトです)。")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(source, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise XmlRefused(f"XML として読めません: {fault}") from fault
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("DOCTYPE 宣言を含むファイルは読み込めません。宣言を取り除いてください。")
    return root


def local_name(element: etree._Element) -> str:
    """The tag without its namespace."""
    return etree.QName(element).localname


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the child elements of the parent's own namespace, in order; only those called `names`, if any."""
    namespace = etree.QName(element).namespace
    for child in element.iterchildren(etree.Element):
        name = etree.QName(child)
        if name.namespace == namespace and (not names or name.localname in names):
            yield child


def child(element: etree._Element, *names: str) -> etree._Element | None:
    """The first child element called one of `names`, if there is one."""
    return next(children(element, *names), None)


def text_at(element: etree._Element, *path: str) -> str:
    """The stripped text at a path of child names, empty where the path ends early."""
    found: etree._Element | None = element
    for name in path:
        found = None if found is None else child(found, name)
    return "" if found is None else (found.text or "").strip()


@dataclass(slots=True)
class Findings:
    """What is wrong in a tree: `fatal` things, and `broken` logic, which may become null instead."""

    fatal: list[Finding] = field(default_factory=list)
    broken: list[Finding] = field(default_factory=list)

    def refuse(self, element: etree._Element, message: str) -> None:
        """Record a fault of the file's structure."""
        self.fatal.append(_finding(element, message))

    def break_off(self, element: etree._Element, message: str) -> str:
        """Record logic or a type that cannot be compiled; return the reason with the name of its place."""
        finding = _finding(element, message)
        self.broken.append(finding)
        return str(finding)


def _finding(element: etree._Element, message: str) -> Finding:
    """Return the finding with the id nearest around the element and the name a modeller shows there."""
    line = [element, *element.iterancestors(etree.Element)]
    id_ = next((each.get("id", "") for each in line if each.get("id")), "")
    name = next((each.get("name", "") for each in line if local_name(each) in NAMED and each.get("name")), "")
    return Finding(id_, name, message)
