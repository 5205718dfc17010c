"""Two parallel branches that write the same variable are warned of, with both elements and the variable."""

from __future__ import annotations

import pytest

from engine import bpmn

from .conftest import document, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
FORK, JOIN = '<bpmn:parallelGateway id="fork"/>', '<bpmn:parallelGateway id="join"/>'
TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"


def extended(*elements: str) -> str:
    return f"<bpmn:extensionElements>{''.join(elements)}</bpmn:extensionElements>"


def script(name: str, variable: str) -> str:
    content = extended(f'<zeebe:script expression="=1" resultVariable="{variable}"/>')
    return f'<bpmn:scriptTask id="{name}" name="The {name}">{content}</bpmn:scriptTask>'


def mapped(name: str, variable: str) -> str:
    mapping = f'<zeebe:ioMapping><zeebe:output source="=1" target="{variable}"/></zeebe:ioMapping>'
    return f'<bpmn:userTask id="{name}">{extended(mapping)}</bpmn:userTask>'


def form(name: str) -> str:
    return f'<bpmn:userTask id="{name}">{extended("<zeebe:userTask/>", _FORM)}</bpmn:userTask>'


_FORM = '<zeebe:formDefinition formId="form"/>'


def subprocess(name: str, inner: str, local: str = "") -> str:
    mapping = f'<zeebe:ioMapping><zeebe:input source="=0" target="{local}"/></zeebe:ioMapping>' if local else ""
    ends = f'<bpmn:startEvent id="{name}s"/><bpmn:endEvent id="{name}e"/>'
    way = flows(f"{name}s -> {name}i", f"{name}i -> {name}e")
    return f'<bpmn:subProcess id="{name}">{extended(mapping)}{ends}{inner}{way}</bpmn:subProcess>'


def call(name: str, *outputs: str, more: str = "") -> str:
    mapping = "".join(f'<zeebe:output source="=1" target="{output}"/>' for output in outputs)
    called = f'<zeebe:calledElement processId="called"{more}/>'
    return f'<bpmn:callActivity id="{name}">{extended(called, f"<zeebe:ioMapping>{mapping}</zeebe:ioMapping>")}</bpmn:callActivity>'


CALLED = document(
    '<bpmn:startEvent id="cs"/><bpmn:endEvent id="ce"/>' + script("ci", "v") + flows("cs -> ci", "ci -> ce"), "called"
)


def side_by_side(a: str, b: str) -> str:
    """`a` and `b` between a fork and its join."""
    return (
        START
        + FORK
        + a
        + b
        + JOIN
        + END
        + flows("s -> fork", "fork -> a", "fork -> b", "a -> join", "b -> join", "join -> e")
    )


def warned(body: str) -> list[tuple[str, str]]:
    """The elements that the warnings stand at, with what they say."""
    files = {"process.bpmn": document(body), "called.bpmn": CALLED}
    bundle = bpmn.compile_bundle(files, {}, {"form"}, ())
    assert {warning.file for warning in bundle.warnings} <= {"process.bpmn"}
    return [(warning.element_id, warning.message) for warning in bundle.warnings]


CONFLICTS = {
    "two scripts": (side_by_side(script("a", "v"), script("b", "v")), "a", "「The b」(b)"),
    "script and mapping": (side_by_side(script("a", "v"), mapped("b", "v")), "a", "(b)"),
    "mapping of a path in a context": (side_by_side(script("a", "v"), mapped("b", "v.part")), "a", "(b)"),
    "called process": (side_by_side(script("a", "v"), call("b")), "a", "(b)"),
    "output of a called process": (side_by_side(script("a", "v"), call("b", "v")), "a", "(b)"),
    "inside a subprocess": (side_by_side(subprocess("a", script("ai", "v")), script("b", "v")), "ai", "「The b」(b)"),
    "behind a task of the branch": (
        START + FORK + script("a", "v") + '<bpmn:userTask id="b"/>' + script("later", "v") + JOIN + END
        + flows("s -> fork", "fork -> a", "fork -> b", "b -> later", "a -> join", "later -> join", "join -> e"),
        "a",
        "(later)",
    ),
    "boundary event that lets its activity go on": (
        START + mapped("a", "v") + script("told", "v") + END
        + f'<bpmn:boundaryEvent id="x" attachedToRef="a" cancelActivity="false">{TIMER}</bpmn:boundaryEvent>'
        + flows("s -> a", "a -> e", "x -> told", "told -> e"),
        "a",
        "「The told」(told)",
    ),
    "event subprocess that lets its process go on": (
        START + mapped("a", "v") + END + flows("s -> a", "a -> e")
        + '<bpmn:subProcess id="es" triggeredByEvent="true">'
        + f'<bpmn:startEvent id="ess" isInterrupting="false">{TIMER}</bpmn:startEvent><bpmn:endEvent id="ese"/>'
        + script("told", "v") + flows("ess -> told", "told -> ese") + "</bpmn:subProcess>",
        "a",
        "「The told」(told)",
    ),
    "in a loop": (
        START + '<bpmn:exclusiveGateway id="again"/>' + FORK + script("a", "v") + script("b", "v") + JOIN
        + '<bpmn:exclusiveGateway id="more" default="more_e"/>' + END
        + flows(
            "s -> again", "again -> fork", "fork -> a", "fork -> b", "a -> join", "b -> join", "join -> more",
            "more -> again: =true", "more -> e",
        ),
        "a",
        "(b)",
    ),
    "within a subprocess": (
        START + END + flows("s -> sub", "sub -> e")
        + '<bpmn:subProcess id="sub"><bpmn:startEvent id="is"/><bpmn:endEvent id="ie"/>'
        + FORK + script("a", "v") + script("b", "v") + JOIN
        + flows("is -> fork", "fork -> a", "fork -> b", "a -> join", "b -> join", "join -> ie") + "</bpmn:subProcess>",
        "a",
        "(b)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_what_both_of_two_parallel_branches_write_is_told_with_both(conflict: str) -> None:
    body, element, rival = CONFLICTS[conflict]

    ((where, message),) = warned(body)

    assert where == element
    assert "「v」" in message
    assert rival in message


def test_one_form_in_two_branches_is_told_and_all_variables_of_a_pair_together() -> None:
    assert [where for where, _ in warned(side_by_side(form("a"), form("b")))] == ["a"]

    both = '<zeebe:ioMapping><zeebe:output source="=1" target="v"/><zeebe:output source="=1" target="w"/></zeebe:ioMapping>'
    tasks = [f'<bpmn:userTask id="{name}">{extended(both)}</bpmn:userTask>' for name in ("a", "b")]
    ((_, message),) = warned(side_by_side(*tasks))
    assert "「v」「w」" in message


HARMLESS = {
    "other variables": side_by_side(script("a", "v"), script("b", "w")),
    "one after the other": START + script("a", "v") + script("b", "v") + END + flows("s -> a", "a -> b", "b -> e"),
    "after the join": START + FORK + script("a", "v") + '<bpmn:userTask id="b"/>' + JOIN + script("c", "v") + END
    + flows("s -> fork", "fork -> a", "fork -> b", "a -> join", "b -> join", "join -> c", "c -> e"),
    "one of two ways": START + '<bpmn:exclusiveGateway id="fork" default="fork_b"/>' + script("a", "v")
    + script("b", "v") + END + flows("s -> fork", "fork -> a: =true", "fork -> b", "a -> e", "b -> e"),
    "a variable of the subprocess alone": side_by_side(
        subprocess("a", script("ai", "v"), local="v"), subprocess("b", script("bi", "v"), local="v")
    ),
    "a called process that keeps its own": side_by_side(
        script("a", "v"), call("b", more=' propagateAllChildVariables="false"')
    ),
    "a boundary event that ends its activity": START + mapped("a", "v") + script("told", "v") + END
    + f'<bpmn:boundaryEvent id="x" attachedToRef="a">{TIMER}</bpmn:boundaryEvent>'
    + flows("s -> a", "a -> e", "x -> told", "told -> e"),
}  # fmt: skip


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_is_not_written_side_by_side_is_not_told(harmless: str) -> None:
    assert warned(HARMLESS[harmless]) == []
