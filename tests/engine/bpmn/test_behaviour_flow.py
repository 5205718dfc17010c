"""Gateways and scopes: what BPMN 2.0 clause 13 says of tokens, on tiny processes."""

from .conftest import flows

TASK = '<bpmn:userTask id="{0}" name="{0}"/>'
START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'


def tasks(*names: str) -> str:
    return "".join(TASK.format(name) for name in names)


def test_completing_a_task_opens_the_next_and_the_last_ends_the_instance(deploy):
    run = deploy(START + tasks("review", "archive") + END + flows("s -> review", "review -> archive", "archive -> e"))

    run.start()
    assert run.open == ["review"]
    run.complete("review")
    assert run.open == ["archive"]
    run.complete("archive")

    assert run.ended
    assert run.snapshot["scopes"] == []
    assert run.trail == [
        ("entered", "s"),
        ("left", "s"),
        ("entered", "review"),
        ("left", "review"),
        ("entered", "archive"),
        ("left", "archive"),
        ("entered", "e"),
        ("left", "e"),
    ]


def test_an_exclusive_gateway_takes_the_first_true_flow_in_document_order_and_else_the_default(deploy):
    body = (
        START
        + '<bpmn:exclusiveGateway id="g" default="g_c"/>'
        + tasks("a", "b", "c")
        + END
        + flows("s -> g", "g -> a: =x &gt; 10", "g -> b: =x &gt; 5", "g -> c", "a -> e", "b -> e", "c -> e")
    )

    assert deploy(body).start(x=20).open == ["a"]
    assert deploy(body).start(x=7).open == ["b"]
    assert deploy(body).start(x=1).open == ["c"]


def test_a_condition_that_is_not_boolean_is_a_fault_at_the_gateway_and_a_retry_after_correction_goes_on(deploy, bpmn):
    run = deploy(
        START
        + '<bpmn:exclusiveGateway id="g" default="g_b"/>'
        + tasks("a", "b")
        + END
        + flows("s -> g", "g -> a: =approved", "g -> b", "a -> e", "b -> e")
    )

    run.start()
    assert [fault.place.element for fault in run.faults.values()] == ["g"]
    assert run.open == []

    run.take(bpmn.ChangeVariables({"approved": True}))
    run.take(bpmn.Retry(next(iter(run.faults))))

    assert run.faults == {}
    assert run.open == ["a"]


PARALLEL_IN_LOOP = (
    START
    + '<bpmn:exclusiveGateway id="m"/><bpmn:parallelGateway id="split"/><bpmn:parallelGateway id="join"/>'
    + tasks("a", "b", "r")
    + '<bpmn:exclusiveGateway id="again" default="again_e"/>'
    + END
    + flows(
        "s -> m",
        "m -> split",
        "split -> a",
        "split -> b",
        "a -> join",
        "b -> join",
        "join -> r",
        "r -> again",
        "again -> m: =loop",
        "again -> e",
    )
)


def test_a_parallel_join_in_a_loop_waits_for_both_branches_in_every_pass(deploy):
    run = deploy(PARALLEL_IN_LOOP).start(loop=True)

    for order in (("a", "b"), ("b", "a"), ("b", "a"), ("a", "b")):
        run.complete(order[0])
        assert run.open == [order[1]]
        run.complete(order[1])
        assert run.open == ["r"]
        run.complete("r")

    assert run.open == ["a", "b"]


def test_the_snapshot_of_a_loop_does_not_grow(deploy):
    run = deploy(PARALLEL_IN_LOOP).start(loop=True)
    sizes = []
    for _ in range(60):
        for element in ("a", "b", "r"):
            run.complete(element)
        sizes.append(len(str(run.snapshot)))

    assert sizes[-1] < sizes[9] * 1.1


def test_an_inclusive_join_waits_for_every_branch_that_can_still_reach_it(deploy):
    run = deploy(
        START
        + '<bpmn:inclusiveGateway id="split" default="split_c"/><bpmn:inclusiveGateway id="join"/>'
        + tasks("a", "a2", "b", "c", "after")
        + END
        + flows(
            "s -> split",
            "split -> a: =x",
            "split -> b: =y",
            "split -> c",
            "a -> a2",
            "a2 -> join",
            "b -> join",
            "c -> join",
            "join -> after",
            "after -> e",
        )
    )

    run.start(x=True, y=True)
    run.complete("b")
    assert run.open == ["a"]
    run.complete("a")
    assert run.open == ["a2"]
    run.complete("a2")

    assert run.open == ["after"]


def test_an_inclusive_gateway_without_a_true_condition_takes_the_default(deploy):
    run = deploy(
        START
        + '<bpmn:inclusiveGateway id="split" default="split_b"/><bpmn:inclusiveGateway id="join"/>'
        + tasks("a", "b", "after")
        + END
        + flows("s -> split", "split -> a: =x", "split -> b", "a -> join", "b -> join", "join -> after", "after -> e")
    )

    run.start(x=False)
    assert run.open == ["b"]
    run.complete("b")

    assert run.open == ["after"]


def test_terminate_ends_its_own_scope_only(deploy):
    run = deploy(
        START
        + '<bpmn:subProcess id="sub"><bpmn:startEvent id="is"/><bpmn:parallelGateway id="p"/>'
        + tasks("a", "b")
        + '<bpmn:endEvent id="stop"><bpmn:terminateEventDefinition/></bpmn:endEvent><bpmn:endEvent id="ie"/>'
        + flows("is -> p", "p -> a", "p -> b", "a -> stop", "b -> ie")
        + "</bpmn:subProcess>"
        + tasks("after")
        + END
        + flows("s -> sub", "sub -> after", "after -> e")
    )

    run.start()
    run.complete("a")

    assert run.open == ["after"]
    assert ("cancelled", "b") in run.trail


def test_a_value_written_in_one_branch_is_visible_in_the_other_at_once(deploy):
    mapping = '<bpmn:userTask id="a"><bpmn:extensionElements><zeebe:ioMapping><zeebe:output source="=5" target="x"/></zeebe:ioMapping></bpmn:extensionElements></bpmn:userTask>'
    run = deploy(
        START
        + '<bpmn:parallelGateway id="p"/><bpmn:exclusiveGateway id="g" default="g_no"/>'
        + mapping
        + tasks("b", "yes", "no")
        + END
        + flows("s -> p", "p -> a", "p -> b", "a -> e", "b -> g", "g -> yes: =x = 5", "g -> no", "yes -> e", "no -> e")
    )

    run.start()
    run.complete("a")
    run.complete("b")

    assert run.open == ["yes"]


def test_a_loop_with_nothing_to_wait_for_becomes_a_fault_instead_of_hanging(deploy):
    run = deploy(
        START
        + '<bpmn:exclusiveGateway id="m"/><bpmn:exclusiveGateway id="g" default="g_m"/>'
        + END
        + flows("s -> m", "m -> g", "g -> m", "g -> e: =false")
    )

    run.start()

    assert len(run.faults) == 1
