"""Reading a DMN file (1.2 to 1.5) into compiled definitions; evaluation never parses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from lxml import etree

from engine.dmn.boxed import Boxed, Variable
from engine.dmn.errors import DmnInvalid
from engine.dmn.graph import (
    BusinessKnowledge,
    Decision,
    DecisionService,
    Definitions,
    Element,
    InputData,
    Key,
    Requirement,
    reachable,
)
from engine.dmn.item_definitions import TypeNames
from engine.dmn.logic import EXPRESSIONS, Compiler, names_in, type_refs_in
from engine.dmn.types import Type, component_names
from engine.dmn.xml import Findings, child, children, local_name, parse_xml

NAMESPACES = frozenset(
    {
        "http://www.omg.org/spec/DMN/20180521/MODEL/",  # 1.2
        "https://www.omg.org/spec/DMN/20191111/MODEL/",  # 1.3
        "https://www.omg.org/spec/DMN/20211108/MODEL/",  # 1.4
        "https://www.omg.org/spec/DMN/20230324/MODEL/",  # 1.5
    }
)
MAX_CHAIN = 100  # requirements, one resting on the next
MAX_NESTING = 64  # elements, one inside the other
CACHED = 32  # files
NODES = ("inputData", "decision", "businessKnowledgeModel", "decisionService")
REQUIREMENTS = ("informationRequirement", "knowledgeRequirement")
REQUIRED = ("requiredInput", "requiredDecision", "requiredKnowledge")


def read(source: bytes, imports: Mapping[str, Definitions] | None = None, *, lenient: bool = False) -> Definitions:
    """Return the compiled file.

    `imports` are the compiled files it may import, by namespace. Raises XmlRefused, and DmnInvalid with
    every finding. A `lenient` reader lets logic that is no FEEL become null with a fault in the outcome,
    as the standard has it; what concerns the structure of the file is refused all the same.
    """
    return _read(source, imports, lenient) if imports else _read_alone(source, lenient)


@lru_cache(CACHED)  # a writer changes one file of many at a time
def _read_alone(source: bytes, lenient: bool) -> Definitions:
    return _read(source, {}, lenient)


def _read(source: bytes, imports: Mapping[str, Definitions], lenient: bool) -> Definitions:
    root = parse_xml(source)
    findings = Findings()
    namespace = etree.QName(root).namespace
    if local_name(root) != "definitions" or namespace not in NAMESPACES:
        findings.refuse(root, f"DMN 1.2〜1.5 のファイルではありません(名前空間 {namespace})。")
        raise DmnInvalid(tuple(findings.fatal))
    if any(_is_too_deep(element) for element in root.iter(etree.Element)):
        findings.refuse(root, f"要素の入れ子が {MAX_NESTING} 段を超えています。")
        raise DmnInvalid(tuple(findings.fatal))
    definitions = _Reader(root, imports, findings).definitions()
    told = findings.fatal if lenient else findings.fatal + findings.broken
    if told:
        raise DmnInvalid(tuple(told))
    return definitions


@dataclass(slots=True)
class _Reader:
    """One file being read, together with what it imports."""

    root: etree._Element
    available: Mapping[str, Definitions]
    findings: Findings
    aliases: dict[str, str] = field(init=False, default_factory=dict)  # namespace -> name of the import
    elements: dict[Key, Element] = field(init=False, default_factory=dict)
    nodes: dict[Key, etree._Element] = field(init=False, default_factory=dict)
    types: TypeNames = field(init=False)

    def definitions(self) -> Definitions:
        self.types = TypeNames(self._imported_types(), self.findings)
        self.types.read(self.root)
        self._find_nodes()
        own: list[Element] = []
        if self._is_acyclic():
            own = [self._element(key) for key in self.nodes]
        return Definitions(
            id=self.root.get("id", ""),
            name=self.root.get("name", ""),
            namespace=self._namespace,
            decisions={each.id: each for each in own if isinstance(each, Decision)},
            business_knowledge={each.id: each for each in own if isinstance(each, BusinessKnowledge)},
            decision_services={each.id: each for each in own if isinstance(each, DecisionService)},
            elements=self.elements,
            declared=frozenset(each.output_name for each in self.elements.values() if isinstance(each, InputData)),
            types=self.types.defined,
        )

    @property
    def _namespace(self) -> str:
        return self.root.get("namespace", "")

    def _imported_types(self) -> dict[str, Type]:
        """Take over the elements of the imported files, and return their types under the names seen here."""
        types: dict[str, Type] = {}
        for each in children(self.root, "import"):
            namespace, alias = each.get("namespace", ""), each.get("name", "")
            if namespace == self._namespace:
                self.findings.refuse(each, "ファイルが自分自身を取り込んでいます。")
                continue
            if namespace not in self.available:
                self.findings.refuse(each, f"取り込む定義 {namespace} が見つかりません。先に登録してください。")
                continue
            imported = self.available[namespace]
            self.aliases[namespace] = alias
            self.elements.update(imported.elements)
            prefix = alias and f"{alias}."
            types.update({prefix + name: type_ for name, type_ in imported.types.items()})
        return types

    def _find_nodes(self) -> None:
        for node in children(self.root, *NODES):
            key = (self._namespace, node.get("id", "") or node.get("name", ""))
            if not node.get("name"):
                self.findings.refuse(node, "名前がありません。")
            if key in self.nodes:
                self.findings.refuse(node, f"識別子「{key[1]}」が二重に使われています。")
            self.nodes[key] = node

    def _is_acyclic(self) -> bool:
        """Report requirements that lead nowhere, in a circle, or too far; tell whether there are none."""
        before = len(self.findings.fatal)
        depth = dict.fromkeys(self.elements, 1)
        waiting = {key: set(self._arrows(node)) for key, node in self.nodes.items()}
        while ready := [key for key, targets in waiting.items() if targets <= depth.keys()]:
            for key in ready:
                depth[key] = 1 + max((depth[target] for target in waiting.pop(key)), default=0)
                if depth[key] > MAX_CHAIN:
                    self.findings.refuse(self.nodes[key], f"決定の連なりが {MAX_CHAIN} 段を超えています。")
        if len(self.findings.fatal) == before:
            for key in waiting:
                self.findings.refuse(self.nodes[key], "必要とする要素をたどると、自分自身に戻ります。")
        return len(self.findings.fatal) == before

    def _arrows(self, node: etree._Element) -> Iterator[Key]:
        """Yield what the node rests on; a reference to nothing is reported."""
        for arrow in chain(_requirements(node), _hrefs(node, "outputDecision", "inputDecision", "inputData")):
            key = self._key(arrow)
            if key in self.nodes or key in self.elements:
                yield key
            else:
                self.findings.refuse(arrow, f"参照先 {arrow.get('href', '')} が見つかりません。")

    def _key(self, arrow: etree._Element) -> Key:
        namespace, _, id_ = arrow.get("href", "").rpartition("#")
        return namespace or self._namespace, id_

    def _element(self, key: Key) -> Element:
        """Return the compiled element, made on first use, after those it requires."""
        if key not in self.elements:
            self.elements[key] = self._compiled(key, self.nodes[key])
        return self.elements[key]

    def _compiled(self, key: Key, node: etree._Element) -> Element:
        requirements = tuple(self._requirement(arrow) for arrow in _requirements(node))
        required = [self._element(requirement.key) for requirement in requirements]
        variable = self._variable(node)
        mentioned = (self.types.find(name, node) for name in type_refs_in(node))
        vocabulary = component_names([type_ for type_ in mentioned if type_ is not None]).union(
            names_in(node), *(each.vocabulary | {each.output_name} for each in required)
        )
        heads = {requirement.alias for requirement in requirements}
        names = tuple(sorted((vocabulary | heads | {variable.name}) - {""}))
        compiler = Compiler(names, self.types, self.types.predicates(), self.findings, variable)
        common = (key, node.get("name", ""), variable, requirements, vocabulary)
        match local_name(node):
            case "decision":
                return Decision(*common, self._logic(compiler, node), self._inputs_below(requirements))
            case "businessKnowledgeModel":
                logic = child(node, "encapsulatedLogic")
                return BusinessKnowledge(*common, None if logic is None else compiler.function(logic, variable))
            case "decisionService":
                inputs = chain(_hrefs(node, "inputData"), _hrefs(node, "inputDecision"))
                return DecisionService(*common, self._keys(inputs), self._keys(_hrefs(node, "outputDecision")))
            case _:
                return InputData(*common)

    def _requirement(self, arrow: etree._Element) -> Requirement:
        key = self._key(arrow)
        return Requirement(key, self.aliases.get(key[0], ""))

    def _variable(self, node: etree._Element) -> Variable:
        name, variable = node.get("name", ""), child(node, "variable")
        if variable is None:
            return Variable(name, self.types.named("", node))
        return Variable(variable.get("name") or name, self.types.named(variable.get("typeRef", ""), variable))

    def _logic(self, compiler: Compiler, node: etree._Element) -> Boxed | None:
        expression = child(node, *EXPRESSIONS)
        return None if expression is None else compiler.compile(expression)

    def _inputs_below(self, requirements: tuple[Requirement, ...]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for requirement in requirements:
            for each in (self.elements[requirement.key], *reachable(self.elements, requirement.key)):
                if isinstance(each, InputData):
                    found[each.output_name] = None
        return tuple(found)

    def _keys(self, arrows: Iterator[etree._Element]) -> tuple[Key, ...]:
        keys = tuple(map(self._key, arrows))
        for key in keys:
            self._element(key)
        return keys


def _is_too_deep(element: etree._Element) -> bool:
    """Tell whether a leaf lies deeper than recursion can safely follow."""
    return len(element) == 0 and sum(1 for _ in element.iterancestors()) > MAX_NESTING


def _requirements(node: etree._Element) -> Iterator[etree._Element]:
    """Yield the arrows of information and knowledge that lead into the node."""
    for requirement in children(node, *REQUIREMENTS):
        yield from children(requirement, *REQUIRED)


def _hrefs(node: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the references of a decision service of these kinds, in the order of the kinds."""
    return (arrow for name in names for arrow in children(node, name))
