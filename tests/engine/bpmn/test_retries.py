"""Trying again what stopped: its inputs are made anew from the values around it, never from their own results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import bpmn, feel

from .conftest import NOW, Run, document, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
DOUBLED = '<zeebe:ioMapping><zeebe:input source="=amount * 2" target="amount"/></zeebe:ioMapping>'
"""An input mapping that reads the very name it fills."""
COUNTED = "count(for i in 1..amount return i)"
"""More than may be evaluated, if the amount is large."""
EACH = (
    "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>"
    '<zeebe:loopCharacteristics inputCollection="=amounts" inputElement="amount"/>'
    "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
)
Deploy = Callable[..., Run]


def element(tag: str, name: str, extensions: str, inner: str = "", attributes: str = "") -> str:
    return (
        f'<bpmn:{tag} id="{name}" {attributes}><bpmn:extensionElements>{extensions}</bpmn:extensionElements>'
        f"{inner}</bpmn:{tag}>"
    )


def call(mapping: str = DOUBLED, inner: str = "") -> str:
    return element("serviceTask", "call", '<zeebe:taskDefinition type="post"/>' + mapping, inner)


def change(token: int | None = None, **values: Any) -> bpmn.ChangeVariables:
    return bpmn.ChangeVariables({name: feel.from_python(value) for name, value in values.items()}, token)


def amounts(run: Run) -> list[Any]:
    """What each wanted job is called with."""
    return [job.values["amount"] for job in run.jobs.values()]


def gives_up(run: Run) -> int:
    """The first wanted job gave up; gives its token."""
    number = next(iter(run.jobs))
    run.take(bpmn.JobFailed(number, "no answer"))
    return number


def local_amount(run: Run, number: int) -> Any:
    """The amount that the page of the open task at `number` starts with."""
    assert run.snapshot is not None
    return bpmn.task_scope(run.bundle, run.snapshot, number, run.now).prefill["amount"]


def around(body: str, *names: str) -> str:
    """Elements one after the other, between a start and an end."""
    return START + body + END + flows(*(f"{a} -> {b}" for a, b in zip(("s", *names), (*names, "e"), strict=True)))


def message(key: str) -> str:
    subscription = f'<zeebe:subscription correlationKey="={key}"/>'
    return f'<bpmn:message id="m" name="paid"><bpmn:extensionElements>{subscription}</bpmn:extensionElements></bpmn:message>'


# Jobs ---------------------------------------------------------------------------------------------------


def test_a_call_that_gave_up_is_wanted_with_the_same_inputs_however_often_it_is_tried_again(anywhere: Deploy) -> None:
    run = anywhere(around(call(), "call"), job_types={"post"}).start(amount=3)

    for _ in range(3):
        assert amounts(run) == [6]
        run.take(bpmn.Retry(gives_up(run)))

    run.job_done("call")
    assert run.ended


def test_a_value_corrected_in_the_process_reaches_the_inputs_of_the_retry(anywhere: Deploy) -> None:
    run = anywhere(around(call(), "call"), job_types={"post"}).start(amount=3)
    number = gives_up(run)

    run.take(change(amount=5))
    run.take(bpmn.Retry(number))

    assert amounts(run) == [10]


def test_an_input_corrected_where_it_stopped_is_taken_as_it_is(anywhere: Deploy) -> None:
    run = anywhere(around(call(), "call"), job_types={"post"}).start(amount=3)

    number = gives_up(run)
    run.take(change(number, amount=7))
    run.take(bpmn.Retry(number))
    assert amounts(run) == [7]

    gives_up(run)
    run.take(change(amount=100))
    run.take(bpmn.Retry(number))
    assert amounts(run) == [7]


def test_an_input_that_cannot_be_made_anew_is_an_incident_there_again(anywhere: Deploy) -> None:
    mapping = DOUBLED.replace("amount * 2", COUNTED)
    run = anywhere(around(call(mapping), "call"), job_types={"post"}).start(amount=1)
    number = gives_up(run)

    run.take(change(amount=10**9))
    run.take(bpmn.Retry(number))
    assert (list(run.faults), run.jobs) == ([number], {})
    run.take(change(amount=5))
    run.take(bpmn.Retry(number))

    assert amounts(run) == [5]


def test_each_item_of_a_multi_instance_call_keeps_its_own_value(anywhere: Deploy) -> None:
    run = anywhere(around(call(inner=EACH), "call"), job_types={"post"}).start(amounts=[1, 2], amount=50)
    assert amounts(run) == [2, 4]

    for _ in range(2):
        run.take(bpmn.Retry(gives_up(run)))
        assert sorted(amounts(run)) == [2, 4]


def test_what_waits_beside_a_call_that_gave_up_goes_on_waiting_and_is_not_armed_again(anywhere: Deploy) -> None:
    timer = (
        '<bpmn:boundaryEvent id="late" attachedToRef="call" cancelActivity="false"><bpmn:timerEventDefinition>'
        "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
        '<bpmn:endEvent id="late_e"/>'
    )
    run = anywhere(around(call() + timer, "call") + flows("late -> late_e"), job_types={"post"}).start(amount=1)
    number = run.token(run.jobs, "call")
    run.take(bpmn.JobFailed(number, "no answer"))
    assert [job.place.element for job in run.jobs.values()] == ["late"]

    run.fire("late")
    run.take(bpmn.Retry(number))

    assert [job.place.element for job in run.jobs.values()] == ["call"]


# Activations --------------------------------------------------------------------------------------------


def test_a_task_that_could_not_open_opens_with_inputs_mapped_once(anywhere: Deploy) -> None:
    groups = '<zeebe:assignmentDefinition candidateGroups="=groups"/>'
    run = anywhere(around(element("userTask", "do", groups + DOUBLED), "do")).start(amount=3, groups=1)

    for _ in range(2):
        run.take(bpmn.Retry(*run.faults))
    run.take(change(groups=["clerks"]))
    run.take(bpmn.Retry(*run.faults))

    (number,) = run.tasks
    assert local_amount(run, number) == 6


def test_an_event_that_could_not_wait_waits_with_the_corrected_value(anywhere: Deploy) -> None:
    catch = element("intermediateCatchEvent", "wait", DOUBLED, '<bpmn:messageEventDefinition messageRef="m"/>')
    run = anywhere(around(catch, "wait"), extra=message("amount")).start(amount="none")

    run.take(change(amount=4))
    run.take(bpmn.Retry(*run.faults))

    assert [wait.key for wait in run.subscriptions.values()] == ["8"]


def test_a_called_process_is_given_inputs_made_anew_from_what_was_corrected(anywhere: Deploy) -> None:
    activity = element("callActivity", "run", '<zeebe:calledElement processId="=which"/>' + DOUBLED)
    same = DOUBLED.replace("amount * 2", "amount")
    called = {"called.bpmn": document(around(call(same), "call"), process="called")}
    run = anywhere(around(activity, "run"), more=called, job_types={"post"}).start(amount=3, which="nowhere")
    assert [fault.place.element for fault in run.faults.values()] == ["run"]

    run.take(bpmn.Retry(*run.faults))
    run.take(change(amount=5, which="called"))
    run.take(bpmn.Retry(*run.faults))

    assert amounts(run) == [10]


def test_a_message_that_could_not_be_thrown_is_thrown_with_the_corrected_key(anywhere: Deploy) -> None:
    order = '<zeebe:input source="=order" target="order"/></zeebe:ioMapping>'
    mapping = DOUBLED.replace("</zeebe:ioMapping>", order)
    definition = '<bpmn:messageEventDefinition messageRef="m"/>'
    thrown = element("intermediateThrowEvent", "tell", mapping, definition)
    run = anywhere(around(thrown, "tell"), extra=message("order")).start(amount=3)

    run.take(bpmn.Retry(*run.faults))
    run.take(change(order="A-1"))
    advance = run.take(bpmn.Retry(*run.faults))

    assert [(one.key, one.values["amount"]) for one in advance.messages] == [("A-1", 6)]


def test_a_handler_keeps_what_the_activity_that_it_undoes_had_for_itself(anywhere: Deploy) -> None:
    undo = element(
        "serviceTask", "undo", '<zeebe:taskDefinition type="post"/>' + DOUBLED, attributes='isForCompensation="true"'
    )
    body = element("userTask", "do", DOUBLED) + (
        '<bpmn:boundaryEvent id="at" attachedToRef="do"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
        f'{undo}<bpmn:association id="as" sourceRef="at" targetRef="undo"/>'
        '<bpmn:intermediateThrowEvent id="throw"><bpmn:compensateEventDefinition/></bpmn:intermediateThrowEvent>'
    )
    run = anywhere(around(body, "do", "throw"), job_types={"post"}).start(amount=3)
    run.complete("do")
    assert amounts(run) == [12]

    run.take(bpmn.Retry(gives_up(run)))

    assert amounts(run) == [12]
    run.job_done("undo")
    assert run.ended


def test_what_failed_in_leaving_is_left_again_with_the_inputs_that_it_had(anywhere: Deploy) -> None:
    output = f'<zeebe:output source="={COUNTED}" target="counted"/></zeebe:ioMapping>'
    body = around(call(DOUBLED.replace("</zeebe:ioMapping>", output)), "call")
    run = anywhere(body, job_types={"post"}).start(amount=10**9)
    run.job_done("call")
    (number,) = run.faults

    run.take(change(amount=1))
    run.take(bpmn.Retry(number))
    assert list(run.faults) == [number]
    run.take(change(number, amount=4))
    run.take(bpmn.Retry(number))

    assert run.ended
    assert run.variables["counted"] == 4


# Earlier releases ---------------------------------------------------------------------------------------


def as_before(run: Run, cause: bpmn.Cause) -> bpmn.Advance:
    advance = bpmn.advance(run.bundle, run.snapshot, cause, NOW, 2)
    run.snapshot = dict(advance.snapshot)
    return advance


def test_a_retry_of_an_earlier_release_folds_as_it_was_taken(deploy: Deploy) -> None:
    run = deploy(around(call(), "call"), job_types={"post"})
    (job,) = as_before(run, bpmn.Start("process", "2026-0001", {"amount": feel.from_python(3)})).wanted_jobs
    as_before(run, bpmn.JobFailed(job.place.token, "no answer"))

    (again,) = as_before(run, bpmn.Retry(job.place.token)).wanted_jobs

    assert again.values["amount"] == 12


@pytest.mark.parametrize("step", [as_before, Run.take])
def test_what_an_earlier_release_began_is_tried_again_as_today(deploy: Deploy, step: Any) -> None:
    run = deploy(around(call(), "call"), job_types={"post"})
    (job,) = as_before(run, bpmn.Start("process", "2026-0001", {"amount": feel.from_python(3)})).wanted_jobs
    run.jobs[job.place.token] = job
    step(run, bpmn.JobFailed(job.place.token, "no answer"))
    run.jobs.clear()

    again = bpmn.advance(run.bundle, run.snapshot, bpmn.Retry(job.place.token), NOW).wanted_jobs

    assert [one.values["amount"] for one in again] == [6]
