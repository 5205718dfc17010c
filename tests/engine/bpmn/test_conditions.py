"""Conditional events: in the flow, at boundaries, as the start of event subprocesses, behind event-based gateways.

BPMN 2.0, clause 10.5.5: the event happens when its condition becomes true, and again only after it was false.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import feel

from .conftest import Run, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
Deploy = Callable[..., Run]


def task(name: str, writes: str = "") -> str:
    """A user task whose field `value` goes to the variable `writes`."""
    mapping = f'<zeebe:ioMapping><zeebe:output source="=form.value" target="{writes}"/></zeebe:ioMapping>'
    form = '<zeebe:userTask/><zeebe:formDefinition formId="form"/>'
    inner = f"<bpmn:extensionElements>{form}{mapping}</bpmn:extensionElements>" if writes else ""
    return f'<bpmn:userTask id="{name}">{inner}</bpmn:userTask>'


def when(condition: str) -> str:
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{condition}</bpmn:condition></bpmn:conditionalEventDefinition>"


def boundary(condition: str, interrupting: bool) -> str:
    cancels = str(interrupting).lower()
    return f'<bpmn:boundaryEvent id="b" attachedToRef="a" cancelActivity="{cancels}">{when(condition)}</bpmn:boundaryEvent>'


def event_subprocess(condition: str, interrupting: bool) -> str:
    start = (
        f'<bpmn:startEvent id="ess" isInterrupting="{str(interrupting).lower()}">{when(condition)}</bpmn:startEvent>'
    )
    inner = start + task("other") + '<bpmn:endEvent id="ese"/>' + flows("ess -> other", "other -> ese")
    return f'<bpmn:subProcess id="es" triggeredByEvent="true">{inner}</bpmn:subProcess>'


def beside(inner: str, *more: str) -> str:
    """`a` with what stands at it, and beside it a task that writes x, again and again."""
    fork = '<bpmn:parallelGateway id="fork"/><bpmn:exclusiveGateway id="again"/>'
    return (
        START
        + fork
        + inner
        + task("write", "x")
        + END
        + flows("s -> fork", "fork -> a", "fork -> again", "again -> write", "write -> again", *more)
    )


def at_boundary(condition: str, interrupting: bool) -> str:
    body = task("a") + boundary(condition, interrupting) + task("other")
    return beside(body, "a -> e", "b -> other", "other -> e")


def in_event_subprocess(condition: str, interrupting: bool) -> str:
    return beside(task("a") + event_subprocess(condition, interrupting), "a -> e")


PLACES = {"boundary": at_boundary, "event subprocess": in_event_subprocess}


def started(deploy: Deploy, body: str, **variables: Any) -> Run:
    return deploy(body, forms={"form"}).start(**variables)


def test_a_catch_event_waits_until_a_write_elsewhere_makes_its_condition_true(anywhere: Deploy) -> None:
    catch = f'<bpmn:intermediateCatchEvent id="a">{when("=x > 5")}</bpmn:intermediateCatchEvent>'
    run = started(anywhere, beside(catch + task("after"), "a -> after", "after -> e"), x=1)
    assert run.open == ["write"]

    run.complete("write", value=5)
    assert run.open == ["write"]
    run.complete("write", value=6)

    assert run.open == ["after", "write"]
    run.complete("write", value=7)
    assert run.open == ["after", "write"]


def test_a_catch_event_whose_condition_holds_already_does_not_wait(anywhere: Deploy) -> None:
    catch = f'<bpmn:intermediateCatchEvent id="a">{when("=x > 5")}</bpmn:intermediateCatchEvent>'

    run = started(anywhere, START + catch + END + flows("s -> a", "a -> e"), x=6)

    assert run.ended


@pytest.mark.parametrize("place", PLACES)
def test_an_interrupting_condition_cancels_when_it_becomes_true(anywhere: Deploy, place: str) -> None:
    run = started(anywhere, PLACES[place]("=x > 5", True), x=1)

    run.complete("write", value=2)
    assert run.open == ["a", "write"]
    run.complete("write", value=9)

    assert run.open == (["other", "write"] if place == "boundary" else ["other"])
    assert ("cancelled", "a") in run.trail


@pytest.mark.parametrize("place", PLACES)
def test_a_condition_that_holds_from_the_beginning_happens_at_once(anywhere: Deploy, place: str) -> None:
    interrupting = started(anywhere, PLACES[place]("=x > 5", True), x=9)
    going_on = started(anywhere, PLACES[place]("=x > 5", False), x=9)

    assert "a" not in interrupting.open
    assert "other" in interrupting.open
    assert going_on.open == ["a", "other", "write"]


@pytest.mark.parametrize("place", PLACES)
def test_a_non_interrupting_condition_happens_again_only_after_it_was_false(anywhere: Deploy, place: str) -> None:
    run = started(anywhere, PLACES[place]("=x > 5", False), x=1)

    happened = []
    for value in (6, 7, 6, 5, 6, 1, 1, 8):
        run.complete("write", value=value)
        happened.append(run.open.count("other"))

    assert happened == [1, 1, 1, 1, 2, 2, 2, 3]
    assert run.open.count("a") == 1


@pytest.mark.parametrize("place", PLACES)
def test_a_variable_that_is_not_there_yet_makes_a_condition_false(anywhere: Deploy, place: str) -> None:
    run = started(anywhere, PLACES[place]("=missing > 5", False))

    assert run.faults == {}
    run.take(change(missing=6))
    assert run.open == ["a", "other", "write"]


def change(**values: Any) -> Any:
    from engine import bpmn

    return bpmn.ChangeVariables({name: feel.from_python(value) for name, value in values.items()})


@pytest.mark.parametrize("place", PLACES)
def test_a_condition_that_is_no_truth_value_is_a_fault_at_its_event_and_can_be_retried(
    anywhere: Deploy, place: str, bpmn: Any
) -> None:
    run = started(anywhere, PLACES[place]("=x", False), x=False)

    run.complete("write", value=3)
    (fault,) = run.faults.values()
    assert fault.place.element == ("b" if place == "boundary" else "es")
    assert run.open == ["a", "write"]
    run.take(change(x=True))
    assert run.open == ["a", "write"]
    run.take(bpmn.Retry(fault.place.token))

    assert run.faults == {}
    assert run.open == ["a", "other", "write"]


def test_of_two_true_conditions_behind_an_event_based_gateway_one_happens(anywhere: Deploy) -> None:
    catches = "".join(
        f'<bpmn:intermediateCatchEvent id="{name}">{when(condition)}</bpmn:intermediateCatchEvent>'
        for name, condition in (("low", "=x > 5"), ("high", "=x > 50"))
    )
    late = (
        '<bpmn:intermediateCatchEvent id="late"><bpmn:timerEventDefinition><bpmn:timeDuration>P1D</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    )
    body = '<bpmn:eventBasedGateway id="a"/>' + catches + late + task("was_low") + task("was_high")
    more = ("a -> low", "a -> high", "a -> late", "low -> was_low", "high -> was_high", "late -> e")
    run = started(anywhere, beside(body, *more, "was_low -> e", "was_high -> e"), x=1)
    assert run.open == ["write"]
    assert len(run.jobs) == 1

    run.complete("write", value=99)

    assert run.open == ["was_low", "write"]
    assert run.jobs == {}


def test_a_condition_sees_the_locals_of_the_activity_it_stands_at(anywhere: Deploy) -> None:
    mapping = '<zeebe:ioMapping><zeebe:input source="=10" target="limit"/></zeebe:ioMapping>'
    local = f'<bpmn:userTask id="a"><bpmn:extensionElements>{mapping}</bpmn:extensionElements></bpmn:userTask>'
    body = beside(local + boundary("=x > limit", True) + task("other"), "a -> e", "b -> other", "other -> e")
    run = started(anywhere, body, x=1, limit=0)

    run.complete("write", value=9)
    assert run.open == ["a", "write"]
    run.complete("write", value=11)

    assert run.open == ["other", "write"]


def test_what_one_event_writes_makes_the_next_happen_and_an_endless_chain_is_stopped(anywhere: Deploy) -> None:
    def flips(name: str, condition: str, value: str) -> str:
        script = f'<zeebe:script expression="={value}" resultVariable="x"/>'
        start = f'<bpmn:startEvent id="{name}s" isInterrupting="false">{when(condition)}</bpmn:startEvent>'
        inner = (
            f'{start}<bpmn:scriptTask id="{name}t"><bpmn:extensionElements>{script}</bpmn:extensionElements>'
            f'</bpmn:scriptTask><bpmn:endEvent id="{name}e"/>{flows(f"{name}s -> {name}t", f"{name}t -> {name}e")}'
        )
        return f'<bpmn:subProcess id="{name}" triggeredByEvent="true">{inner}</bpmn:subProcess>'

    chain = flips("one", "=x = 1", "2") + flips("two", "=x = 2", "3")
    run = started(anywhere, beside(task("a") + chain, "a -> e"), x=0)
    run.complete("write", value=1)
    assert [element for kind, element in run.trail if kind == "entered" and element in ("onet", "twot")] == [
        "onet",
        "twot",
    ]
    assert (run.faults, run.open) == ({}, ["a", "write"])

    endless = flips("one", "=x = 1", "2") + flips("two", "=x = 2", "1")
    run = started(anywhere, beside(task("a") + endless, "a -> e"), x=0)
    run.complete("write", value=1)
    assert len(run.faults) >= 1


def test_a_condition_in_an_inner_scope_sees_what_a_branch_outside_writes(anywhere: Deploy) -> None:
    inner = '<bpmn:startEvent id="is"/>' + task("inside") + '<bpmn:endEvent id="ie"/>'
    inner += flows("is -> inside", "inside -> ie") + event_subprocess("=x > 5", True)
    run = started(anywhere, beside(f'<bpmn:subProcess id="a">{inner}</bpmn:subProcess>', "a -> e"), x=1)
    assert run.open == ["inside", "write"]

    run.complete("write", value=6)

    assert run.open == ["other", "write"]


def test_completing_the_activity_ends_its_condition(anywhere: Deploy) -> None:
    run = started(anywhere, at_boundary("=x > 5", True), x=1)

    run.complete("a")
    run.complete("write", value=9)

    assert run.open == ["write"]
