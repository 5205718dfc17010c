"""Messages, timers, errors, escalations: at boundaries, in the flow, in event subprocesses."""

from datetime import datetime, timedelta

import pytest

from .conftest import flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
MESSAGE = '<bpmn:message id="m" name="stop"><bpmn:extensionElements><zeebe:subscription correlationKey="=business_key"/></bpmn:extensionElements></bpmn:message>'
ERROR = '<bpmn:error id="err" errorCode="E1"/><bpmn:escalation id="esc" escalationCode="C1"/>'


def task(name: str) -> str:
    return f'<bpmn:userTask id="{name}" name="{name}"/>'


def boundary(definition: str, interrupting: bool = True, host: str = "a") -> str:
    return f'<bpmn:boundaryEvent id="b" attachedToRef="{host}" cancelActivity="{str(interrupting).lower()}">{definition}</bpmn:boundaryEvent>'


TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
CYCLE = "<bpmn:timerEventDefinition><bpmn:timeCycle>R2/PT1H</bpmn:timeCycle></bpmn:timerEventDefinition>"
ON_MESSAGE = '<bpmn:messageEventDefinition messageRef="m"/>'
AFTER = flows("s -> a", "a -> after", "b -> other", "after -> e", "other -> e")


def with_boundary(deploy, definition: str, interrupting: bool = True):
    return deploy(
        START + task("a") + boundary(definition, interrupting) + task("after") + task("other") + END + AFTER,
        extra=MESSAGE,
    )


def test_an_interrupting_timer_cancels_its_activity(deploy):
    run = with_boundary(deploy, TIMER).start()
    assert next(iter(run.jobs.values())).due == run.now + timedelta(hours=1)

    run.fire("b")

    assert run.open == ["other"]
    assert run.jobs == {}


def test_completing_the_activity_drops_its_timer(deploy):
    run = with_boundary(deploy, TIMER).start()

    run.complete("a")

    assert run.open == ["after"]
    assert run.jobs == {}


def test_a_non_interrupting_cycle_fires_as_often_as_it_says(deploy):
    run = with_boundary(deploy, CYCLE, interrupting=False).start()

    run.fire("b")
    assert run.open == ["a", "other"]
    run.fire("b")

    assert run.open == ["a", "other", "other"]
    assert run.jobs == {}


def test_a_non_interrupting_message_may_come_again(deploy):
    run = with_boundary(deploy, ON_MESSAGE, interrupting=False).start()

    run.receive("stop", reason="first")
    run.receive("stop", reason="second")

    assert run.open == ["a", "other", "other"]
    assert run.variables["reason"] == "second"
    run.complete("a")
    assert run.subscriptions == {}


def test_an_interrupting_message_on_a_subprocess_cancels_everything_inside(deploy):
    sub = (
        '<bpmn:subProcess id="a"><bpmn:startEvent id="is"/>'
        + task("inner")
        + '<bpmn:endEvent id="ie"/>'
        + flows("is -> inner", "inner -> ie")
        + "</bpmn:subProcess>"
    )
    run = deploy(
        START + sub + boundary(ON_MESSAGE) + task("after") + task("other") + END + AFTER, extra=MESSAGE
    ).start()
    assert run.open == ["inner"]

    run.receive("stop")

    assert run.open == ["other"]
    assert ("cancelled", "inner") in run.trail


def test_of_the_events_behind_an_event_based_gateway_the_first_wins(deploy):
    body = (
        START + '<bpmn:eventBasedGateway id="g"/>'
        f'<bpmn:intermediateCatchEvent id="msg">{ON_MESSAGE}</bpmn:intermediateCatchEvent>'
        f'<bpmn:intermediateCatchEvent id="late">{TIMER}</bpmn:intermediateCatchEvent>'
        + task("came")
        + task("gone")
        + END
        + flows("s -> g", "g -> msg", "g -> late", "msg -> came", "late -> gone", "came -> e", "gone -> e")
    )

    by_message = deploy(body, extra=MESSAGE).start()
    by_message.receive("stop")
    assert (by_message.open, by_message.jobs) == (["came"], {})

    by_time = deploy(body, extra=MESSAGE).start()
    by_time.fire("late")
    assert (by_time.open, by_time.subscriptions) == (["gone"], {})


def test_a_timer_may_be_a_feel_date_and_is_due_at_its_first_moment_in_japan(deploy):
    catch = '<bpmn:intermediateCatchEvent id="wait"><bpmn:timerEventDefinition><bpmn:timeDate>=date("2026-12-01")</bpmn:timeDate></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>'
    run = deploy(START + catch + END + flows("s -> wait", "wait -> e")).start()

    assert next(iter(run.jobs.values())).due == datetime.fromisoformat("2026-12-01T00:00:00+09:00")


def test_the_wall_clock_fires_nothing(deploy):
    from freezegun import freeze_time

    run = with_boundary(deploy, TIMER)
    with freeze_time("2031-01-01"):
        run.start()
        run.complete("a")

    assert run.open == ["after"]


def error_end(reference: str) -> str:
    return f'<bpmn:endEvent id="thrown"><bpmn:errorEventDefinition errorRef="{reference}"/></bpmn:endEvent>'


def test_an_error_is_caught_by_the_activity_that_owns_the_scope_not_by_its_sibling(deploy):
    def sub(name: str, end: str) -> str:
        return f'<bpmn:subProcess id="{name}"><bpmn:startEvent id="{name}s"/>{task(name + "t")}{end}{flows(f"{name}s -> {name}t", f"{name}t -> {name}x")}</bpmn:subProcess>'

    error = '<bpmn:endEvent id="onex"><bpmn:errorEventDefinition errorRef="err"/></bpmn:endEvent>'
    catches = "".join(
        f'<bpmn:boundaryEvent id="b{name}" attachedToRef="{name}"><bpmn:errorEventDefinition errorRef="err"/></bpmn:boundaryEvent>'
        for name in ("two", "one")
    )
    run = deploy(
        START
        + '<bpmn:parallelGateway id="p"/>'
        + sub("one", error)
        + sub("two", '<bpmn:endEvent id="twox"/>')
        + catches
        + task("caught_one")
        + task("caught_two")
        + END
        + flows(
            "s -> p",
            "p -> one",
            "p -> two",
            "one -> e",
            "two -> e",
            "bone -> caught_one",
            "btwo -> caught_two",
            "caught_one -> e",
            "caught_two -> e",
        ),
        extra=ERROR,
    ).start()

    run.complete("onet")

    assert run.open == ["caught_one", "twot"]


def test_an_error_that_nothing_catches_is_a_fault_at_its_end_event(deploy):
    run = deploy(START + task("a") + error_end("err") + flows("s -> a", "a -> thrown"), extra=ERROR).start()

    run.complete("a")

    assert [fault.place.element for fault in run.faults.values()] == ["thrown"]
    assert not run.ended


def test_a_failed_job_with_an_error_code_goes_to_the_boundary_of_its_task(deploy, bpmn):
    service = '<bpmn:serviceTask id="a"><bpmn:extensionElements><zeebe:taskDefinition type="post"/></bpmn:extensionElements></bpmn:serviceTask>'
    run = deploy(
        START
        + service
        + boundary('<bpmn:errorEventDefinition errorRef="err"/>')
        + task("after")
        + task("other")
        + END
        + AFTER,
        extra=ERROR,
        job_types={"post"},
    ).start()

    run.take(bpmn.JobFailed(next(iter(run.jobs)), "refused", "E1"))

    assert (run.open, run.faults) == (["other"], {})


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_reaches_the_boundary_and_the_thrower_goes_on_unless_interrupted(deploy, interrupting):
    throw = '<bpmn:intermediateThrowEvent id="up"><bpmn:escalationEventDefinition escalationRef="esc"/></bpmn:intermediateThrowEvent>'
    sub = (
        '<bpmn:subProcess id="a"><bpmn:startEvent id="is"/>'
        + throw
        + task("inner")
        + '<bpmn:endEvent id="ie"/>'
        + flows("is -> up", "up -> inner", "inner -> ie")
        + "</bpmn:subProcess>"
    )
    run = deploy(
        START
        + sub
        + boundary('<bpmn:escalationEventDefinition escalationRef="esc"/>', interrupting)
        + task("after")
        + task("other")
        + END
        + AFTER,
        extra=ERROR,
    ).start()

    assert run.open == (["other"] if interrupting else ["inner", "other"])


def event_subprocess(definition: str, interrupting: bool) -> str:
    return (
        f'<bpmn:subProcess id="es" triggeredByEvent="true"><bpmn:startEvent id="es_s" isInterrupting="{str(interrupting).lower()}">{definition}</bpmn:startEvent>'
        + task("care")
        + '<bpmn:endEvent id="es_e"/>'
        + flows("es_s -> care", "care -> es_e")
        + "</bpmn:subProcess>"
    )


def test_an_interrupting_event_subprocess_replaces_what_went_on_in_its_scope(deploy):
    run = deploy(
        START + task("a") + END + event_subprocess(ON_MESSAGE, True) + flows("s -> a", "a -> e"), extra=MESSAGE
    ).start()

    run.receive("stop", why="danger")
    assert run.open == ["care"]
    assert run.variables["why"] == "danger"
    assert run.subscriptions == {}
    run.complete("care")

    assert run.ended


def test_a_non_interrupting_event_subprocess_runs_beside_and_may_start_again(deploy):
    run = deploy(
        START + task("a") + END + event_subprocess(ON_MESSAGE, False) + flows("s -> a", "a -> e"), extra=MESSAGE
    ).start()

    run.receive("stop")
    run.receive("stop")
    assert run.open == ["a", "care", "care"]
    run.complete("a")
    assert not run.ended
    run.complete("care")
    run.complete("care")

    assert run.ended


def test_an_event_subprocess_that_waits_does_not_keep_its_scope_from_ending(deploy):
    run = deploy(
        START + task("a") + END + event_subprocess(ON_MESSAGE, False) + flows("s -> a", "a -> e"), extra=MESSAGE
    ).start()

    run.complete("a")

    assert run.ended
    assert run.subscriptions == {}


def test_an_event_subprocess_catches_the_error_of_its_own_scope_before_the_boundary_does(deploy):
    inner = '<bpmn:startEvent id="is"/>' + task("t") + error_end("err") + flows("is -> t", "t -> thrown")
    sub = f'<bpmn:subProcess id="a">{inner}{event_subprocess("<bpmn:errorEventDefinition errorRef=" + chr(34) + "err" + chr(34) + "/>", True)}</bpmn:subProcess>'
    run = deploy(
        START
        + sub
        + boundary('<bpmn:errorEventDefinition errorRef="err"/>')
        + task("after")
        + task("other")
        + END
        + AFTER,
        extra=ERROR,
    ).start()

    run.complete("t")
    assert run.open == ["care"]
    run.complete("care")

    assert run.open == ["after"]


def test_a_message_start_takes_the_payload_as_variables(deploy):
    start = '<bpmn:startEvent id="ms"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent>'
    run = deploy(start + task("a") + END + flows("ms -> a", "a -> e"), extra=MESSAGE)

    run.start(message="stop", level=3)

    assert run.open == ["a"]
    assert run.variables["level"] == 3


def test_a_thrown_message_carries_key_payload_and_time_to_live(deploy):
    throw = (
        '<bpmn:endEvent id="told"><bpmn:extensionElements><zeebe:taskDefinition type="publish-message"/><zeebe:taskHeaders><zeebe:header key="timeToLive" value="P30D"/></zeebe:taskHeaders>'
        f'<zeebe:ioMapping><zeebe:input source="=x + 1" target="y"/></zeebe:ioMapping></bpmn:extensionElements>{ON_MESSAGE}</bpmn:endEvent>'
    )
    run = deploy(START + throw + flows("s -> told"), extra=MESSAGE).start(x=1)

    (message,) = run.last.messages
    assert (message.name, message.key, dict(message.values), message.time_to_live) == (
        "stop",
        "2026-0001",
        {"y": 2},
        timedelta(days=30),
    )


def test_a_link_leads_to_the_catch_of_its_name(deploy):
    body = (
        START
        + '<bpmn:intermediateThrowEvent id="to"><bpmn:linkEventDefinition name="L"/></bpmn:intermediateThrowEvent>'
        '<bpmn:intermediateCatchEvent id="from"><bpmn:linkEventDefinition name="L"/></bpmn:intermediateCatchEvent>'
        + task("a")
        + END
        + flows("s -> to", "from -> a", "a -> e")
    )

    assert deploy(body).start().open == ["a"]


def test_cancelling_the_instance_takes_back_everything_it_offered(deploy, bpmn):
    run = with_boundary(deploy, TIMER).start()

    run.take(bpmn.Cancel("entered by mistake"))

    assert (run.open, run.jobs, run.ended) == ([], {}, True)
