"""Standard loops (BPMN 2.0, clause 13.3.6): tested before or after each iteration, with a maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import feel

from .conftest import Run, document, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
Deploy = Callable[..., Run]


def loop(condition: str = "", maximum: str = "", before: bool = False) -> str:
    attributes = f' testBefore="{str(before).lower()}"' + (f' loopMaximum="{maximum}"' if maximum else "")
    inner = f"<bpmn:loopCondition>{condition}</bpmn:loopCondition>" if condition else ""
    return f"<bpmn:standardLoopCharacteristics{attributes}>{inner}</bpmn:standardLoopCharacteristics>"


def task(characteristics: str, boundary: str = "", *more: str) -> str:
    """A user task whose field `again` goes to the variable of that name."""
    mapping = '<zeebe:ioMapping><zeebe:output source="=form.again" target="again"/></zeebe:ioMapping>'
    form = '<zeebe:userTask/><zeebe:formDefinition formId="form"/>'
    extensions = f"<bpmn:extensionElements>{form}{mapping}</bpmn:extensionElements>"
    body = f'<bpmn:userTask id="t">{extensions}{characteristics}</bpmn:userTask>'
    return START + body + boundary + END + flows("s -> t", "t -> e", *more)


def iterations(run: Run, answers: list[bool]) -> int:
    """How many iterations there are when they are answered like this."""
    done = 0
    for again in answers:
        if run.ended:
            break
        assert run.open == ["t"]
        run.complete("t", again=again)
        done += 1
    assert run.ended
    return done


@pytest.mark.parametrize(
    ("characteristics", "first", "answers", "expected"),
    [
        (loop("=again"), False, [False], 1),
        (loop("=again"), False, [True, True, False], 3),
        (loop("=again", before=True), False, [], 0),
        (loop("=again", before=True), True, [True, False], 2),
        (loop("=again", "2"), True, [True, True, True], 2),
        (loop("=again", "2", before=True), True, [True, True, True], 2),
        (loop("=again", "5"), True, [True, False, True], 2),
        (loop("", "3"), False, [False] * 5, 3),
        (loop("", "3", before=True), False, [False] * 5, 3),
        (loop("=loopCounter &lt; 4"), False, [False] * 9, 4),
        (loop("=loopCounter &lt; 4", before=True), False, [False] * 9, 4),
    ],
)
def test_an_activity_is_done_again_while_its_condition_holds(
    anywhere: Deploy, characteristics: str, first: bool, answers: list[bool], expected: int
) -> None:
    run = anywhere(task(characteristics), forms={"form"}).start(again=first)

    assert iterations(run, answers) == expected


def test_each_iteration_knows_its_number(anywhere: Deploy, bpmn: Any) -> None:
    run = anywhere(task(loop("", "3")), forms={"form"}).start()

    seen = []
    while not run.ended:
        assert run.snapshot is not None
        variables = bpmn.task_scope(run.bundle, run.snapshot, next(iter(run.tasks)), run.now).variables
        seen.append(variables["loopCounter"])
        run.complete("t", again=True)

    assert seen == [feel.from_python(number) for number in (1, 2, 3)]


def test_a_boundary_event_stands_at_the_whole_loop(anywhere: Deploy) -> None:
    timer = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
    boundary = f'<bpmn:boundaryEvent id="b" attachedToRef="t">{timer}</bpmn:boundaryEvent>'
    run = anywhere(task(loop("=again"), boundary, "b -> e"), forms={"form"}).start()
    (due,) = [job.due for job in run.jobs.values()]

    run.later(minutes=30).complete("t", again=True)
    assert [job.due for job in run.jobs.values()] == [due]
    run.fire("b")

    assert run.ended
    assert run.tasks == {}


def test_a_condition_that_is_no_truth_value_stops_the_loop_where_it_is_and_can_be_retried(
    anywhere: Deploy, bpmn: Any
) -> None:
    run = anywhere(task(loop("=again and more")), forms={"form"}).start()

    run.complete("t", again=True)
    (number,) = run.faults
    assert run.faults[number].place.element == "t"
    run.take(bpmn.ChangeVariables({"more": feel.from_python(True)}))
    run.take(bpmn.Retry(number))
    assert (run.open, run.faults) == (["t"], {})
    run.complete("t", again=False)

    assert run.ended


def test_a_condition_that_is_no_truth_value_before_the_first_iteration_is_a_fault(anywhere: Deploy, bpmn: Any) -> None:
    run = anywhere(task(loop("=missing", before=True)), forms={"form"}).start()
    (number,) = run.faults

    run.take(bpmn.ChangeVariables({"missing": feel.from_python(False)}))
    run.take(bpmn.Retry(number))

    assert run.ended


def test_a_subprocess_and_a_called_process_are_repeated_with_everything_inside(anywhere: Deploy) -> None:
    def inner(prefix: str) -> str:
        form = '<zeebe:userTask/><zeebe:formDefinition formId="form"/>'
        work = f'<bpmn:userTask id="{prefix}t"><bpmn:extensionElements>{form}</bpmn:extensionElements></bpmn:userTask>'
        ends = f'<bpmn:startEvent id="{prefix}s"/><bpmn:endEvent id="{prefix}e"/>'
        return ends + work + flows(f"{prefix}s -> {prefix}t", f"{prefix}t -> {prefix}e")

    call = '<bpmn:extensionElements><zeebe:calledElement processId="called"/></bpmn:extensionElements>'
    condition = loop("=form.again")
    body = (
        f'{START}<bpmn:subProcess id="sp">{condition}{inner("i")}</bpmn:subProcess>'
        f'<bpmn:callActivity id="c">{call}{condition}</bpmn:callActivity>{END}' + flows("s -> sp", "sp -> c", "c -> e")
    )
    run = anywhere(body, forms={"form"}, more={"called.bpmn": document(inner("c"), "called")}).start()

    for element, again in (("it", True), ("it", False), ("ct", True), ("ct", True), ("ct", False)):
        assert run.open == [element]
        run.complete(element, again=again)

    assert run.ended


def test_a_loop_of_which_no_iteration_waits_is_stopped(anywhere: Deploy) -> None:
    run = anywhere(START + f'<bpmn:task id="t">{loop("=true")}</bpmn:task>' + END + flows("s -> t", "t -> e")).start()

    assert not run.ended
    assert {fault.place.element for fault in run.faults.values()} == {"t"}


def test_the_snapshot_of_a_loop_does_not_grow(anywhere: Deploy) -> None:
    run = anywhere(task(loop("=again")), forms={"form"}).start()

    sizes = []
    for _ in range(200):
        run.complete("t", again=True)
        sizes.append(len(str(run.snapshot)))

    assert max(sizes) - min(sizes) <= 12, "numbers that grew by a digit"
