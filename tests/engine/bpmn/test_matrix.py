"""The matrix of event × place × level, and the elements: nothing is missing, and what executes does what it says.

`test_refusals.py` has the cells, each accepted or refused. Here they are counted against the standard's own lists (the
event definitions and flow nodes of BPMN 2.0, clause 10 and 11), and each event that executes takes place.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from engine import bpmn

from . import test_refusals as cells
from .conftest import Run, flows

EVENTS = frozenset(
    ("message", "timer", "signal", "error", "escalation", "conditional", "compensate", "link", "cancel", "terminate")
)
PLACES = {
    "start": r"<bpmn:startEvent id=\"x\">",
    "interrupting event subprocess": r"triggeredByEvent=\"true\"><bpmn:startEvent id=\"x\" isInterrupting=\"true\">",
    "non-interrupting event subprocess": r"triggeredByEvent=\"true\"><bpmn:startEvent id=\"x\" isInterrupting=\"false\">",
    "catch": r"<bpmn:intermediateCatchEvent id=\"x\">",
    "throw": r"<bpmn:intermediateThrowEvent id=\"x\">",
    "interrupting boundary": r"<bpmn:boundaryEvent id=\"x\" attachedToRef=\"host\" cancelActivity=\"true\">",
    "non-interrupting boundary": r"<bpmn:boundaryEvent id=\"x\" attachedToRef=\"host\" cancelActivity=\"false\">",
    "end": r"<bpmn:endEvent id=\"x\">",
}
NODES = (
    *("task", "manualTask", "userTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "businessRuleTask"),
    *("callActivity", "subProcess", "adHocSubProcess", "transaction"),
    *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"),
    *("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
    *("choreographyTask", "subChoreography", "callChoreography", "implicitThrowEvent"),
)


def shown(test: Any) -> list[tuple[str, ...]]:
    """The cells that a test is given."""
    (mark,) = (mark for mark in test.pytestmark if mark.name == "parametrize")
    return list(mark.args[1])


ACCEPTED = shown(cells.test_an_event_that_executes_is_accepted_and_takes_its_first_step)
REFUSED = shown(cells.test_any_other_event_is_refused_with_file_element_and_reason)


def test_every_event_at_every_place_and_level_is_either_accepted_or_refused() -> None:
    kinds = {event: set(re.findall(r"<bpmn:(\w+)EventDefinition", text)) for event, text in cells.DEFINITIONS.items()}
    single = {next(iter(kind)) for kind in kinds.values() if len(kind) == 1}

    assert single == EVENTS
    assert [set(), {"message", "timer"}] == [kinds["none"], kinds["multiple"]]
    assert sorted(ACCEPTED + REFUSED) == sorted(product(("process", "subprocess"), PLACES, kinds))


@pytest.mark.parametrize("place", PLACES)
def test_a_cell_stands_where_it_says(place: str) -> None:
    for definition in cells.DEFINITIONS.values():
        assert re.search(PLACES[place] + re.escape(definition), cells.event_at(place, definition))


@pytest.mark.parametrize("tag", NODES)
def test_every_element_is_either_accepted_or_refused(tag: str) -> None:
    places = [*cells.ACCEPTED.values(), *cells.REFUSED.values()]

    assert any(re.search(rf"<bpmn:{tag}[ >/]", body) for body in places)


# What executes takes place ------------------------------------------------------------------------------


def throwing(event: str) -> str:
    """An activity `host` inside which the event is thrown."""
    inner = f'<bpmn:startEvent id="hs"/><bpmn:endEvent id="he">{cells.DEFINITIONS[event]}</bpmn:endEvent>'
    return f'<bpmn:subProcess id="host">{inner}{flows("hs -> he")}</bpmn:subProcess>'


def catching(event: str) -> str:
    """What catches the event in the scope in which it is thrown: the task `caught` opens."""
    start = f'<bpmn:startEvent id="cs">{cells.DEFINITIONS[event]}</bpmn:startEvent>'
    inner = f'{start}<bpmn:userTask id="caught"/><bpmn:endEvent id="ce"/>{flows("cs -> caught", "caught -> ce")}'
    return f'<bpmn:subProcess id="catcher" triggeredByEvent="true">{inner}</bpmn:subProcess>'


def started(level: str, body: str, message: str | None = None) -> Run:
    return Run(cells.compiled(cells.at_level(level, body))).start(message=message)


def happens(run: Run, event: str, element: str) -> None:
    """What `element` waits for comes."""
    if event in cells.TIMERS:
        run.fire(element)
    elif event == "conditional":
        run.take(bpmn.ChangeVariables({"x": True}))
    else:
        run.receive({"message": "told", "signal": "seen"}[event])


def assert_caught(level: str, place: str, event: str) -> None:
    body, interrupting = cells.event_at(place, cells.DEFINITIONS[event]), not place.startswith("non-")
    if event == "compensation":
        ends = f'<bpmn:endEvent id="e">{cells.DEFINITIONS[event]}</bpmn:endEvent>'
        run = started(level, body.replace(cells.END, ends))
        run.complete("host")
        assert run.open == ["undo"]
        return
    if event in ("error", "escalation"):
        run = started(level, body.replace(cells.HOST, throwing(event)))
        assert (run.trail.count(("left", "x")), ("left", "host") in run.trail) == (1, not interrupting)
        return
    run = started(level, body)
    assert (run.open, ("left", "x") in run.trail) == (["host"], False)
    happens(run, event, "es" if "subprocess" in place else "x")
    assert run.open == ([] if interrupting else ["host"])
    assert run.trail.count(("left", "x")) == 1
    assert run.ended is interrupting


def assert_thrown(level: str, place: str, event: str) -> None:
    body = cells.event_at(place, cells.DEFINITIONS[event])
    if event in ("error", "escalation"):
        run = started(level, body + catching(event))
        assert run.open == ["caught"]
    elif event == "terminate":
        fork = '<bpmn:parallelGateway id="fork"/><bpmn:userTask id="beside"/>' + cells.END
        body = body.replace(flows("s -> x"), flows("s -> fork", "fork -> beside", "beside -> e", "fork -> x"))
        run = started(level, body + fork)
        assert (("cancelled", "beside") in run.trail, run.ended) == (True, True)
    elif event == "compensation":
        undone = cells.HOST + cells.HANDLER + cells.ASSOCIATION.replace('"x"', '"at"')
        undone += f'<bpmn:boundaryEvent id="at" attachedToRef="host">{cells.DEFINITIONS[event]}</bpmn:boundaryEvent>'
        run = started(level, body.replace(flows("s -> x"), flows("s -> host", "host -> x") + undone))
        run.complete("host")
        assert (run.open, run.ended) == (["undo"], False)
        run.complete("undo")
        assert run.ended
    else:
        run = started(level, body)
        assert run.last is not None
        told = [(one.name, one.key) for one in run.last.messages] + [(one.name, "") for one in run.last.signals]
        assert told == {"message": [("told", "2026-0001")], "signal": [("seen", "")]}.get(event, [])
        assert (run.ended, ("entered", "other") in run.trail) == (True, event == "link")


@pytest.mark.parametrize(("level", "place", "event"), ACCEPTED)
def test_an_event_that_executes_takes_place(level: str, place: str, event: str) -> None:
    match place:
        case "start":
            run = started(
                level, cells.event_at(place, cells.DEFINITIONS[event]), "told" if event == "message" else None
            )
            assert (run.trail.count(("left", "x")), run.ended) == (1, True)
        case "catch":
            run = started(level, cells.event_at(place, cells.DEFINITIONS[event]))
            if event != "link":
                assert (("left", "x") in run.trail, run.ended) == (False, False)
                happens(run, event, "x")
            assert (run.trail.count(("left", "x")), run.ended) == (1, True)
        case "throw" | "end":
            assert_thrown(level, place, event)
        case _:
            assert_caught(level, place, event)
