"""Variables that two parallel branches write: the later value replaces the other, and nothing says which is later.

Told as a warning, because the branches may be exclusive in a way that only their conditions say. What a message, a
signal or a job brings without an output mapping is not known beforehand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations, product

from engine.bpmn import activities as act
from engine.bpmn import gateways as gw
from engine.bpmn.elements import Element
from engine.bpmn.errors import Finding
from engine.bpmn.loops import COUNTER, MultiInstance
from engine.bpmn.scopes import ProcessSpec

Specs = Mapping[str, ProcessSpec]


def parallel_writes(spec: ProcessSpec, specs: Specs) -> Iterator[Finding]:
    """A warning for each two elements of this scope, or of those within, that write the same side by side."""
    found: dict[tuple[str, str], tuple[Element, Element, set[str]]] = {}
    for one, other in _side_by_side(spec):
        first, second = _writers(one, specs), _writers(other, specs)
        for name in first.keys() & second.keys():
            for a, b in product(first[name], second[name]):
                writer, rival = sorted((a, b), key=lambda element: str(element.bpmn_id))
                if writer is not rival:
                    found.setdefault((writer.bpmn_id, rival.bpmn_id), (writer, rival, set()))[2].add(name)
    for _, (writer, rival, names) in sorted(found.items()):
        variables = "".join(f"「{name}」" for name in sorted(names))
        beside = f"「{rival.bpmn_name}」({rival.bpmn_id})"
        message = f"変数{variables}を、並行して進む{beside}も書きます。あとから書いた値だけが残ります。"
        yield Finding(spec.file, writer.bpmn_id, writer.bpmn_name, message)
    for element in spec.elements.values():
        if isinstance(element, act.Subprocess):
            yield from parallel_writes(element.body, specs)


# What goes on side by side ------------------------------------------------------------------------------


def _side_by_side(spec: ProcessSpec) -> Iterator[tuple[list[Element], list[Element]]]:
    """Each two branches, without what both of them come to."""
    for element in spec.elements.values():
        for one, other in combinations(_branches(spec, element), 2):
            yield _elements(spec, one - other), _elements(spec, other - one)
        if isinstance(element, act.EventSubprocess) and not element.interrupting:
            yield [element], [other for other in spec.elements.values() if other is not element]


def _elements(spec: ProcessSpec, names: Iterable[str]) -> list[Element]:
    return [spec.task_specs[name] for name in sorted(names)]


def _branches(spec: ProcessSpec, element: Element) -> list[set[str]]:
    """The elements of each branch that begins here: behind a split, or beside an activity that goes on."""
    if isinstance(element, gw.ParallelGateway | gw.InclusiveGateway) and len(element.outgoing) > 1:
        return [_reached(spec, [flow.target], {element.bpmn_id}) for flow in element.outgoing]
    beside = [b.bpmn_id for b in getattr(element, "boundaries", ()) if not b.interrupting]
    if not beside:
        return []
    return [_reached(spec, [element.bpmn_id], beside), *(_reached(spec, [name], {element.bpmn_id}) for name in beside)]


def _reached(spec: ProcessSpec, begin: list[str], limits: Collection[str]) -> set[str]:
    """Everything that a token comes to from there without passing one of the limits."""
    found: set[str] = set()
    pending = list(begin)
    while pending:
        name = pending.pop()
        if name not in found and name not in limits:
            found.add(name)
            element = spec.task_specs[name]
            pending += [flow.target for flow in element.outgoing]
            pending += [boundary.bpmn_id for boundary in getattr(element, "boundaries", ())]
    return found


# What they write ----------------------------------------------------------------------------------------


def _writers(
    elements: Iterable[Element], specs: Specs, called: frozenset[str] = frozenset()
) -> dict[str, list[Element]]:
    """By variable: the elements that set it in the scope around them, from inside of subprocesses as well."""
    found: dict[str, list[Element]] = {}
    for element in elements:
        for name in _results(element, specs, called):
            found.setdefault(name, []).append(element)
        if isinstance(element, act.Subprocess):
            inner = _writers(element.body.elements.values(), specs, called)
            for name in inner.keys() - _locals(element):
                found.setdefault(name, []).extend(inner[name])
    return found


def _results(element: Element, specs: Specs, called: frozenset[str]) -> set[str]:
    names = {mapping.target[0] for mapping in element.output_mappings}
    if not element.output_mappings:
        match element:
            case act.UserTask(form_id=str(form)):
                names = {form}
            case act.ScriptTask() | act.BusinessRuleTask():
                names = {element.result_variable}
            case act.CallActivity(all_child_variables=True):
                key = element.process.text
                if key in specs and key not in called:
                    names = set(_writers(specs[key].elements.values(), specs, called | {key}))
    loop = getattr(element, "loop", None)
    return names | ({loop.output_collection} if isinstance(loop, MultiInstance) and loop.output_collection else set())


def _locals(element: act.Subprocess) -> set[str]:
    """The names that stand in the subprocess itself, so that writing them inside changes nothing outside."""
    names = {mapping.target[0] for mapping in element.input_mappings}
    if element.loop is not None:
        names |= {COUNTER, getattr(element.loop, "element", None) or COUNTER}
    return names
