"""Reading the item definitions of a file into types."""

from collections.abc import Mapping

from lxml import etree

from engine import feel
from engine.dmn.types import (
    ANY,
    BUILT_INS,
    Collection,
    FunctionType,
    Reference,
    Restricted,
    Structure,
    Type,
    belongs,
)
from engine.dmn.xml import Findings, child, children, text_at
from engine.feel import Environment, FeelSyntaxError, UnaryTests, Value


class TypeNames:
    """The types a file can name: those of FEEL, its own, and those of its imports under their alias."""

    def __init__(self, imported: Mapping[str, Type], findings: Findings) -> None:
        self.defined: dict[str, Type] = dict(imported)
        self._findings = findings

    def read(self, root: etree._Element) -> None:
        """Add every item definition of the file; report those that are defined twice or by themselves."""
        items = list(children(root, "itemDefinition"))
        for item in items:
            name = item.get("name", "")
            if name in self.defined:
                self._findings.refuse(item, f"型「{name}」が二重に定義されています。")
            self.defined[name] = ANY
        for item in items:
            self.defined[item.get("name", "")] = self._item(item)
        for item in items:
            if _rests_on_itself(self.defined[item.get("name", "")]):
                self._findings.refuse(item, "型の定義が自分自身を指しています。")
                self.defined[item.get("name", "")] = ANY

    def named(self, name: str, place: etree._Element) -> Type:
        """Return the type a typeRef names, Any for an empty one; an unknown name is reported."""
        if not name.strip():
            return ANY
        if (type_ := self.find(name, place)) is not None:
            return type_
        self._findings.break_off(place, f"型「{name}」は定義されていません。")
        return ANY

    def find(self, name: str, place: etree._Element) -> Type | None:
        """Return the type of that name, as prefixes are declared at the place."""
        name = _without_prefix(name.strip(), place)
        return Reference(name, self.defined) if name in self.defined else BUILT_INS.get(name)

    def unary_tests(self, element: etree._Element | None) -> UnaryTests | None:
        """Return the compiled allowedValues or the like; None where there is none or it is broken."""
        if element is None or not (text := text_at(element, "text")):
            return None
        try:
            return feel.parse_unary_tests(text)
        except FeelSyntaxError as fault:
            self._findings.break_off(element, f"使える値「{text}」を FEEL として読めません: {fault}")
            return None

    def predicates(self) -> dict[str, "Predicate"]:
        """Return, for FEEL's `instance of`, a test for each type defined by a file."""
        return {name: Predicate(type_) for name, type_ in self.defined.items()}

    def _item(self, item: etree._Element) -> Type:
        name = item.get("name", "")
        type_ = self._restricted(name, self._base(name, item), child(item, "allowedValues"))
        if item.get("isCollection") == "true":
            type_ = Collection(name, type_)
        return self._restricted(name, type_, child(item, "typeConstraint"))

    def _base(self, name: str, item: etree._Element) -> Type:
        if (function := child(item, "functionItem")) is not None:
            return self._function(name, function)
        fields = {each.get("name", ""): self._item(each) for each in children(item, "itemComponent")}
        if fields:
            return Structure(name, fields)
        return self.named(text_at(item, "typeRef"), item)

    def _function(self, name: str, function: etree._Element) -> FunctionType:
        parameters = tuple(self.named(each.get("typeRef", ""), each) for each in children(function, "parameters"))
        return FunctionType(name, parameters, self.named(function.get("outputTypeRef", ""), function))

    def _restricted(self, name: str, base: Type, limits: etree._Element | None) -> Type:
        tests = self.unary_tests(limits)
        if limits is None or tests is None:
            return base
        return Restricted(name, base, tests, text_at(limits, "text"))


class Predicate:
    """The test whether a value belongs to a type, callable by FEEL; allowed values are no part of a type."""

    __slots__ = ("_type",)

    def __init__(self, type_: Type) -> None:
        self._type = type_

    def __call__(self, value: Value, environment: Environment) -> bool:
        return belongs(value, self._type, None)


def _without_prefix(name: str, place: etree._Element) -> str:
    """Return the local part of a qualified name whose prefix is declared, as DMN 1.1 wrote type names."""
    prefix, colon, local = name.partition(":")
    return local if colon and prefix in place.nsmap else name


def _rests_on_itself(type_: Type) -> bool:
    """Tell whether the definition leads back to itself without passing through a component."""
    seen: set[tuple[str, int]] = set()
    while True:
        match type_:
            case Reference(name=name, definitions=definitions):
                if (name, id(definitions)) in seen:
                    return True
                seen.add((name, id(definitions)))
                type_ = definitions[name]
            case Restricted(base=inner) | Collection(element=inner) | FunctionType(result=inner):
                type_ = inner
            case _:
                return False
