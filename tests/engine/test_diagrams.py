"""Where an instance stands on its drawing, and the way it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import diagrams, feel, incidents, instances, jobs
from engine.errors import InstanceNotFound

FOLDER = Path(__file__).parent / "processes"
CALLER = """<?xml version='1.0' encoding='UTF-8'?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="https://example.test/processes">
  <bpmn:process id="caller" name="二度たのむ" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:callActivity id="ask" name="たずねてもらう">
      <bpmn:extensionElements><zeebe:calledElement processId="twice"/></bpmn:extensionElements>
    </bpmn:callActivity>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="start_ask" sourceRef="start" targetRef="ask"/>
    <bpmn:sequenceFlow id="ask_end" sourceRef="ask" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>
"""


@pytest.fixture(scope="session")
def bundle_files() -> Mapping[str, bytes]:
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    return {**files, "caller.bpmn": CALLER.encode()}


def drawn(office: Any, by: str = "carla") -> tuple[diagrams.Diagram, ...]:
    with office.database.reading() as session:
        return diagrams.of_instance(session, office.instance, office.person(by))


def test_a_diagram_is_the_file_as_deployed_with_where_it_stands_and_the_way_it_came(office: Any) -> None:
    office.start("twice")

    (diagram,) = drawn(office)

    assert (diagram.process, diagram.name) == ("twice", "二度たずねる")
    assert diagram.xml == (FOLDER / "twice.bpmn").read_bytes()
    assert diagram.open == {"TW_01_ask"}
    assert diagram.completed == {"start", "enter"}
    assert diagram.flows == {"start_enter", "enter_TW_01_ask"}
    assert diagram.failed == frozenset()


def test_an_element_that_was_completed_and_entered_again_is_both(office: Any) -> None:
    office.start("twice")
    office.complete("TW_01_ask", by="anna", note="一回目")

    (diagram,) = drawn(office)

    assert diagram.open == {"TW_01_ask"}
    assert diagram.completed == {"start", "enter", "TW_01_ask", "again"}
    assert diagram.flows == {"start_enter", "enter_TW_01_ask", "TW_01_ask_again", "again_enter"}


def test_an_instance_that_ended_stands_nowhere(office: Any) -> None:
    office.start("twice")
    office.complete("TW_01_ask", by="anna", note="一回目")
    office.complete("TW_01_ask", by="anna", note="二回目")

    (diagram,) = drawn(office)

    assert diagram.open == frozenset()
    assert {"again_end"} <= diagram.flows
    assert {"end"} <= diagram.completed


def test_a_called_process_has_a_diagram_of_its_own(office: Any) -> None:
    office.start("caller")

    caller, called = drawn(office)

    assert (caller.process, caller.open, caller.flows) == ("caller", {"ask"}, {"start_ask"})
    assert (called.process, called.name, called.open) == ("twice", "二度たずねる", {"TW_01_ask"})
    assert (caller.xml, called.xml) == (CALLER.encode(), (FOLDER / "twice.bpmn").read_bytes())


def test_where_execution_stopped_is_failed_until_it_goes_on(office: Any) -> None:
    office.start("choice")

    (diagram,) = drawn(office)

    assert diagram.failed == diagram.open == {"which"}

    with office.database.transaction() as session:
        ten = {"amount": feel.from_python(10)}
        instances.change_variables(session, office.instance, ten, actor="carla", at=office.now)
        jobs.retry(session, incidents.open_ones(session)[0].id, actor="carla", at=office.now)
    (diagram,) = drawn(office)

    assert (diagram.failed, diagram.open) == (frozenset(), {"low"})


def test_who_may_not_read_the_case_sees_no_diagram(office: Any) -> None:
    office.start("twice")

    with pytest.raises(InstanceNotFound):
        drawn(office, by="gus")
    office.instance = 4711
    with pytest.raises(InstanceNotFound):
        drawn(office)


def test_what_was_walked_before_is_not_taken_for_the_way_of_another_past(office: Any) -> None:
    """As after a restore: the instance has the same number, and fewer events."""
    office.start("twice")
    (begun,) = drawn(office)
    office.complete("TW_01_ask", by="anna", note="一回目")
    (later,) = drawn(office)

    other = dict(diagrams._kept)
    diagrams._kept.clear()
    (anew,) = drawn(office)
    walked = diagrams._kept[office.instance]
    diagrams._kept[office.instance] = replace(walked, hash="0" * 64, ways={"twice": diagrams.Way()})
    (mended,) = drawn(office)

    assert set(begun.completed) < set(later.completed)
    assert list(later.completed) == list(anew.completed) == list(mended.completed)
    assert other[office.instance] == walked
