"""Compensation (BPMN 2.0, clause 10.7 and 13.5.5): what was completed is undone by its handlers, the last first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import feel

from .conftest import Run, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
ERROR = '<bpmn:error id="error" errorCode="E"/>'
Deploy = Callable[..., Run]


def task(name: str, inner: str = "") -> str:
    return f'<bpmn:userTask id="{name}">{inner}</bpmn:userTask>'


def handler(host: str, undo: str = "") -> str:
    """What undoes `host`: a user task unless it is given, whose id is `undo_` and that of the host."""
    undo = undo or f'<bpmn:userTask id="undo_{host}" isForCompensation="true"/>'
    event = f'<bpmn:boundaryEvent id="at_{host}" attachedToRef="{host}"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
    return f'{event}{undo}<bpmn:association id="as_{host}" sourceRef="at_{host}" targetRef="undo_{host}"/>'


def throw(name: str = "throw", activity: str = "", tag: str = "intermediateThrowEvent") -> str:
    reference = f' activityRef="{activity}"' if activity else ""
    return f'<bpmn:{tag} id="{name}"><bpmn:compensateEventDefinition{reference}/></bpmn:{tag}>'


def sequence(*elements: str) -> str:
    """Elements one after the other, between a start and an end; each is its own id or (id, XML)."""
    return flows(*(f"{a} -> {b}" for a, b in zip(("s", *elements), (*elements, "e"), strict=True)))


def subprocess(name: str, body: str, extra: str = "") -> str:
    """`body` with the start `{name}s` and the end `{name}e`."""
    ends = f'<bpmn:startEvent id="{name}s"/><bpmn:endEvent id="{name}e"/>'
    return f'<bpmn:subProcess id="{name}">{extra}{ends}{body}</bpmn:subProcess>'


@pytest.mark.parametrize("tag", ["intermediateThrowEvent", "endEvent"])
def test_what_was_completed_is_undone_the_last_first_and_then_it_goes_on(anywhere: Deploy, tag: str) -> None:
    ends = tag == "endEvent"
    way = flows("s -> a", "a -> b", "b -> throw") if ends else sequence("a", "b", "throw", "after")
    parts = START + task("a") + handler("a") + task("b") + handler("b") + throw(tag=tag)
    run = anywhere(parts + ("" if ends else task("after") + END) + way).start()

    run.complete("a")
    run.complete("b")
    assert run.open == ["undo_b"]
    run.complete("undo_b")
    assert run.open == ["undo_a"]
    run.complete("undo_a")

    assert run.ended if ends else run.open == ["after"]


def test_what_was_not_completed_or_has_no_handler_is_not_undone(anywhere: Deploy) -> None:
    fork = '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
    body = START + fork + task("a") + handler("a") + task("b") + handler("b") + task("c") + throw() + END
    run = anywhere(
        body + flows("s -> fork", "fork -> a", "fork -> b", "fork -> c", "c -> throw", "throw -> join")
        + flows("a -> join", "b -> join", "join -> e")
    ).start()  # fmt: skip

    run.complete("b")
    run.complete("c")
    assert run.open == ["a", "undo_b"]
    run.complete("undo_b")
    run.complete("a")

    assert run.ended


def test_a_throw_that_names_an_activity_undoes_it_alone_however_often_it_was_completed(anywhere: Deploy) -> None:
    again = '<bpmn:exclusiveGateway id="merge"/><bpmn:exclusiveGateway id="again" default="again_throw"/>'
    body = (
        START + again + task("a") + handler("a") + task("b") + handler("b") + throw(activity="a") + task("after") + END
    )
    run = anywhere(
        body + flows("s -> merge", "merge -> a", "a -> b", "b -> again", "again -> merge: =more", "again -> throw")
        + flows("throw -> after", "after -> e")
    ).start(more=True)  # fmt: skip

    for element in ("a", "b", "a", "b", "a"):
        run.complete(element)
    run.take(change(more=False))
    run.complete("b")

    for _ in range(3):
        assert run.open == ["undo_a"]
        run.complete("undo_a")
    assert run.open == ["after"]


def change(**values: Any) -> Any:
    from engine import bpmn

    return bpmn.ChangeVariables({name: feel.from_python(value) for name, value in values.items()})


def test_nothing_is_undone_twice_and_nothing_to_undo_is_no_wait(anywhere: Deploy) -> None:
    body = START + throw("first") + task("a") + handler("a") + throw("second") + throw("third") + task("after") + END
    run = anywhere(body + sequence("first", "a", "second", "third", "after")).start()
    assert run.open == ["a"]

    run.complete("a")
    run.complete("undo_a")

    assert run.open == ["after"]


INNER = (
    task("a") + handler("a") + task("b") + handler("b") + flows("ss -> a", "a -> b", "b -> se")
)  # the body of the subprocess `s…`


def with_subprocess(more: str = "", extra: str = "", activity: str = "") -> str:
    ends = '<bpmn:startEvent id="os"/><bpmn:endEvent id="oe"/>'
    parts = ends + task("before") + handler("before") + subprocess("s", INNER, extra) + more
    way = flows("os -> before", "before -> s", "s -> throw", "throw -> after", "after -> oe")
    return parts + throw(activity=activity) + task("after") + way


def test_a_completed_subprocess_is_undone_by_the_handlers_inside_in_its_turn(anywhere: Deploy) -> None:
    run = anywhere(with_subprocess()).start()

    for element in ("before", "a", "b"):
        run.complete(element)
    for element in ("undo_b", "undo_a", "undo_before"):
        assert run.open == [element]
        run.complete(element)

    assert run.open == ["after"]


def test_a_throw_may_name_the_subprocess(anywhere: Deploy) -> None:
    run = anywhere(with_subprocess(activity="s")).start()

    for element in ("before", "a", "b", "undo_b", "undo_a"):
        run.complete(element)

    assert run.open == ["after"]


def test_a_subprocess_with_a_handler_of_its_own_is_undone_by_it_alone(anywhere: Deploy) -> None:
    run = anywhere(with_subprocess(handler("s"))).start()

    for element in ("before", "a", "b", "undo_s", "undo_before"):
        run.complete(element)

    assert run.open == ["after"]


def test_subprocesses_within_each_other_are_undone_from_the_inside_of_the_last(anywhere: Deploy) -> None:
    deep = subprocess("d", task("a") + handler("a") + flows("ds -> a", "a -> de"))
    middle = subprocess("m", deep + task("b") + handler("b") + flows("ms -> d", "d -> b", "b -> me"))
    run = anywhere(START + middle + throw() + task("after") + END + sequence("m", "throw", "after")).start()

    for element in ("a", "b", "undo_b", "undo_a"):
        assert run.open == [element]
        run.complete(element)

    assert run.open == ["after"]


def test_each_instance_of_a_multi_instance_subprocess_is_undone_with_its_own_variables(
    anywhere: Deploy, bpmn: Any
) -> None:
    details = '<zeebe:loopCharacteristics inputCollection="=[7, 8]" inputElement="item"/>'
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics isSequential="true"><bpmn:extensionElements>'
        f"{details}</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    body = task("a") + handler("a") + flows("ps -> a", "a -> pe")
    run = anywhere(
        START + subprocess("p", body, loop) + throw() + task("after") + END + sequence("p", "throw", "after")
    ).start()

    run.complete("a")
    run.complete("a")

    items = []
    while run.open == ["undo_a"]:
        assert run.snapshot is not None
        seen = bpmn.task_scope(run.bundle, run.snapshot, run.token(run.tasks, "undo_a"), run.now).variables
        items.append(seen["item"])
        run.complete("undo_a")
    assert items == [feel.from_python(8), feel.from_python(7)]
    assert run.open == ["after"]


def test_a_handler_sees_what_the_activity_had_for_itself_and_writes_where_it_stands(
    anywhere: Deploy, bpmn: Any
) -> None:
    given = '<zeebe:ioMapping><zeebe:input source="=amount * 2" target="paid"/></zeebe:ioMapping>'
    back = '<zeebe:ioMapping><zeebe:output source="=paid" target="returned"/></zeebe:ioMapping>'
    undo = (
        '<bpmn:task id="undo_a" isForCompensation="true"><bpmn:extensionElements>'
        f"{back}</bpmn:extensionElements></bpmn:task>"
    )
    host = task("a", f"<bpmn:extensionElements>{given}</bpmn:extensionElements>")
    run = anywhere(START + host + handler("a", undo) + throw() + task("after") + END + sequence("a", "throw", "after"))
    run.start(amount=5)
    run.take(change(amount=100))

    run.complete("a")

    assert run.variables["returned"] == feel.from_python(10)
    assert run.open == ["after"]


def test_compensation_in_an_event_subprocess_is_for_the_scope_it_belongs_to(anywhere: Deploy) -> None:
    fails = '<bpmn:endEvent id="fails"><bpmn:errorEventDefinition errorRef="error"/></bpmn:endEvent>'
    start = '<bpmn:startEvent id="ess"><bpmn:errorEventDefinition errorRef="error"/></bpmn:startEvent>'
    inner = start + throw() + task("told") + '<bpmn:endEvent id="ese"/>'
    inner += flows("ess -> throw", "throw -> told", "told -> ese")
    outer = f'<bpmn:subProcess id="es" triggeredByEvent="true">{inner}</bpmn:subProcess>'
    body = START + task("a") + handler("a") + task("b") + fails + outer + flows("s -> a", "a -> b", "b -> fails")
    run = anywhere(body, extra=ERROR).start()

    run.complete("a")
    run.complete("b")
    assert run.open == ["undo_a"]
    run.complete("undo_a")
    assert run.open == ["told"]
    run.complete("told")

    assert run.ended


def test_what_ends_the_scope_ends_its_compensation(anywhere: Deploy) -> None:
    timer = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    late = f'<bpmn:boundaryEvent id="late" attachedToRef="s">{timer}</bpmn:boundaryEvent>'
    body = task("a") + handler("a") + throw() + flows("ss -> a", "a -> throw", "throw -> se")
    ends = '<bpmn:startEvent id="os"/><bpmn:endEvent id="oe"/>' + flows(
        "os -> s", "s -> oe", "late -> other", "other -> oe"
    )
    run = anywhere(ends + subprocess("s", body) + late + task("other")).start()

    run.complete("a")
    assert run.open == ["undo_a"]
    run.fire("late")

    assert run.open == ["other"]
    assert run.snapshot is not None
    run.complete("other")
    assert run.ended


def test_a_cancelled_subprocess_leaves_nothing_to_undo(anywhere: Deploy) -> None:
    message = (
        '<bpmn:message id="m" name="stop"><bpmn:extensionElements><zeebe:subscription correlationKey="=business_key"/>'
        "</bpmn:extensionElements></bpmn:message>"
    )
    stop = '<bpmn:boundaryEvent id="stop" attachedToRef="s"><bpmn:messageEventDefinition messageRef="m"/></bpmn:boundaryEvent>'
    ends = '<bpmn:startEvent id="os"/><bpmn:endEvent id="oe"/>'
    way = flows("os -> s", "s -> oe", "stop -> throw", "throw -> after", "after -> oe")
    run = anywhere(ends + subprocess("s", INNER) + stop + throw() + task("after") + way, extra=message).start()

    run.complete("a")
    run.receive("stop")

    assert run.open == ["after"]


def test_a_handler_that_stops_is_an_incident_at_it_and_goes_on_after_a_retry(anywhere: Deploy, bpmn: Any) -> None:
    script = '<zeebe:script expression="=1" resultVariable="x"/>'
    mapping = '<zeebe:ioMapping><zeebe:output source="=x" target="y"/></zeebe:ioMapping>'
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements><zeebe:loopCharacteristics"
        ' inputCollection="=things"/></bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>'
    )
    undo = (
        '<bpmn:scriptTask id="undo_a" isForCompensation="true"><bpmn:extensionElements>'
        f"{script}{mapping}</bpmn:extensionElements>{loop}</bpmn:scriptTask>"
    )
    run = anywhere(
        START + task("a") + handler("a", undo) + throw() + task("after") + END + sequence("a", "throw", "after")
    )
    run.start()

    run.complete("a")
    (number,) = run.faults
    assert run.faults[number].place.element == "undo_a"
    assert run.open == []
    run.take(change(things=[1, 2]))
    run.take(bpmn.Retry(number))

    assert (run.faults, run.open) == ({}, ["after"])


def test_a_handler_may_be_a_subprocess_which_is_not_undone_itself(anywhere: Deploy) -> None:
    inner = task("inside") + handler("inside") + flows("undo_as -> inside", "inside -> undo_ae")
    undo = subprocess("undo_a", inner).replace('id="undo_a"', 'id="undo_a" isForCompensation="true"', 1)
    body = START + task("a") + handler("a", undo) + throw("first") + throw("second") + task("after") + END
    run = anywhere(body + sequence("a", "first", "second", "after")).start()

    run.complete("a")
    assert run.open == ["inside"]
    run.complete("inside")

    assert run.open == ["after"]


def test_what_can_be_undone_is_kept_in_the_snapshot_until_its_scope_ends(anywhere: Deploy) -> None:
    run = anywhere(with_subprocess()).start()
    assert "undo" not in str(run.snapshot)

    for element in ("before", "a", "b", "undo_b", "undo_a", "undo_before"):
        assert run.snapshot is not None
        run.complete(element)

    kept = [scope.get("completed", []) for scope in run.snapshot["scopes"]]
    assert not any(kept)


def test_an_error_of_a_handler_is_not_caught_by_the_subprocess_that_is_over_but_outside(anywhere: Deploy) -> None:
    fails = '<bpmn:endEvent id="undo_ae"><bpmn:errorEventDefinition errorRef="error"/></bpmn:endEvent>'
    inner = '<bpmn:startEvent id="undo_as"/>' + task("tried") + fails + flows("undo_as -> tried", "tried -> undo_ae")
    undo = f'<bpmn:subProcess id="undo_a" isForCompensation="true">{inner}</bpmn:subProcess>'

    def catch(name: str, host: str, end: str) -> str:
        definition = '<bpmn:errorEventDefinition errorRef="error"/>'
        event = f'<bpmn:boundaryEvent id="{name}" attachedToRef="{host}">{definition}</bpmn:boundaryEvent>'
        return event + task(f"{name}_task") + flows(f"{name} -> {name}_task", f"{name}_task -> {end}")

    start = '<bpmn:startEvent id="ess"><bpmn:errorEventDefinition errorRef="error"/></bpmn:startEvent>'
    guard = f'<bpmn:subProcess id="es" triggeredByEvent="true">{start}<bpmn:endEvent id="ese"/>{flows("ess -> ese")}</bpmn:subProcess>'
    done = subprocess("d", task("a") + handler("a", undo) + guard + flows("ds -> a", "a -> de"))
    body = done + catch("over", "d", "we") + throw() + flows("ws -> d", "d -> throw", "throw -> we")
    ends = '<bpmn:startEvent id="os"/><bpmn:endEvent id="oe"/>' + flows("os -> w", "w -> oe")
    run = anywhere(ends + subprocess("w", body) + catch("outside", "w", "oe"), extra=ERROR).start()

    run.complete("a")
    run.complete("tried")

    assert run.open == ["outside_task"]


def test_a_subprocess_that_is_undone_does_not_hold_back_an_inclusive_join(anywhere: Deploy) -> None:
    gateways = '<bpmn:inclusiveGateway id="split" default="split_w"/><bpmn:inclusiveGateway id="join"/>'
    gateways += '<bpmn:parallelGateway id="fork"/><bpmn:exclusiveGateway id="merge"/>'
    gateways += '<bpmn:exclusiveGateway id="again" default="again_last"/>'
    sub = subprocess("d", task("a") + handler("a") + flows("ds -> a", "a -> de"))
    tasks = task("w") + task("between") + task("b") + task("last")
    way = flows("s -> fork", "fork -> merge", "fork -> b", "b -> throw", "throw -> e", "merge -> split")
    way += flows("split -> d: =first", "split -> w", "d -> join", "w -> join", "join -> again")
    way += flows("again -> between: =first", "between -> merge", "again -> last", "last -> e")
    run = anywhere(START + gateways + sub + tasks + throw() + END + way).start(first=True)
    run.complete("a")
    run.take(change(first=False))
    run.complete("between")
    run.complete("b")
    assert run.open == ["undo_a", "w"]

    run.complete("w")

    assert run.open == ["last", "undo_a"]
