"""Policies over the control flow of tiny processes: which paths count, and what is told of them."""

from __future__ import annotations

import pytest

from engine import bpmn, policies
from engine.errors import FileUnreadable
from tests.engine.bpmn.conftest import document, flows

MESSAGES = '<bpmn:message id="M" name="called"><bpmn:extensionElements><zeebe:subscription correlationKey="=business_key"/></bpmn:extensionElements></bpmn:message>'
ASK, APPROVE, REFUSE = "ask", "approve", "refuse"


def task(name: str, groups: str | None = "clerks") -> str:
    assigned = f'<zeebe:assignmentDefinition candidateGroups="{groups}"/>' if groups else ""
    inner = f'<bpmn:extensionElements><zeebe:formDefinition formId="{name}"/>{assigned}</bpmn:extensionElements>'
    return f'<bpmn:userTask id="{name}" name="task {name}">{inner}</bpmn:userTask>'


def start(name: str = "s", inner: str = "") -> str:
    return f'<bpmn:startEvent id="{name}">{inner}</bpmn:startEvent>'


def end(name: str = "e", inner: str = "") -> str:
    return f'<bpmn:endEvent id="{name}">{inner}</bpmn:endEvent>'


def bundle(*bodies: str, **named: str) -> bpmn.Bundle:
    files = {f"{index}.bpmn": document(body) for index, body in enumerate(bodies)}
    files |= {f"{key}.bpmn": document(body, process=key, extra=MESSAGES) for key, body in named.items()}
    return bpmn.compile_bundle(files, {}, (ASK, APPROVE, REFUSE, "care"), ())


def judged(of: bpmn.Bundle, rule: str, *messages: str) -> list[tuple[str, str]]:
    read = policies.read(f"policies: [{{id: P1, title: T, {rule}}}]".encode())
    return [(found.element_id, found.message) for found in policies.check(read, of, messages).findings]


APPROVED = "before: {form: refuse}, through: [{form: approve}]"
CARED = "after: {form: ask}, through: [{form: care}]"
THREE = task(ASK) + task(APPROVE, "chiefs") + task(REFUSE)


def split(kind: str, default: str = "") -> str:
    """A gateway `g` after the first task, to the approval or past it, and a merge `m` of the same kind."""
    chosen = f' default="{default}"' if default else ""
    condition = ": =x" if default else ""
    ways = flows(
        "s -> ask", "ask -> g", f"g -> approve{condition}", "g -> m", "approve -> m", "m -> refuse", "refuse -> e"
    )
    return start() + THREE + f'<bpmn:{kind} id="g"{chosen}/><bpmn:{kind} id="m"/>' + end() + ways


def test_a_policy_that_every_path_keeps_finds_nothing():
    straight = start() + THREE + end() + flows("s -> ask", "ask -> approve", "approve -> refuse", "refuse -> e")

    assert judged(bundle(straight), APPROVED) == []


@pytest.mark.parametrize("kind", ["exclusiveGateway", "inclusiveGateway"])
def test_a_way_around_is_told_with_its_steps_whatever_its_condition(kind):
    [(element, message)] = judged(bundle(split(kind, default="g_m")), APPROVED)

    assert element == "refuse"
    assert "「task ask → task refuse」" in message
    assert "「task approve」" in message


def test_all_branches_of_a_parallel_gateway_are_taken_and_its_join_waits_for_all():
    assert judged(bundle(split("parallelGateway")), APPROVED) == []
    assert judged(bundle(split("parallelGateway")), "after: {form: ask}, through: [{form: approve}]") == []


def test_an_interrupting_boundary_event_is_a_way_around_and_a_non_interrupting_one_only_a_way_beside():
    def around(interrupting: str) -> bpmn.Bundle:
        timer = "<bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
        boundary = f'<bpmn:boundaryEvent id="b" attachedToRef="approve" cancelActivity="{interrupting}">{timer}</bpmn:boundaryEvent>'
        ways = flows("s -> ask", "ask -> approve", "approve -> care", "care -> e", "b -> e2")
        return bundle(start() + task(ASK) + task(APPROVE) + task("care") + boundary + end() + end("e2") + ways)

    assert [element for element, _ in judged(around("true"), CARED)] == ["ask"]
    assert judged(around("false"), CARED) == []


def test_a_loop_that_never_ends_is_no_end_and_its_exit_is_judged():
    loop = (
        start()
        + task(ASK)
        + task("care")
        + '<bpmn:exclusiveGateway id="m"/><bpmn:exclusiveGateway id="g" default="g_e"/>'
    )
    ways = ("s -> m", "m -> ask", "g -> m: =again", "g -> e")

    assert judged(bundle(loop + end() + flows(*ways, "ask -> care", "care -> g")), CARED) == []
    before = loop.replace(task("care"), "") + end() + flows(*ways, "ask -> g")
    assert [element for element, _ in judged(bundle(before), "after: {form: ask}, through: [{element: m}]")] == ["ask"]


def test_a_called_process_is_part_of_the_path():
    called = '<bpmn:extensionElements><zeebe:calledElement processId="inner"/></bpmn:extensionElements>'
    calls = f'<bpmn:callActivity id="c">{called}</bpmn:callActivity>'
    ways = flows("s -> ask", "ask -> c", "c -> refuse", "refuse -> e")
    inner = start() + task(APPROVE) + end() + flows("s -> approve", "approve -> e")
    of = bundle(outer=start() + task(ASK) + calls + task(REFUSE) + end() + ways, inner=inner)

    assert judged(of, APPROVED) == []
    turned = "before: {form: approve}, through: [{form: refuse}]"
    assert [element for element, _ in judged(of, turned)] == ["approve"]


def test_a_thrown_message_leads_into_the_process_that_it_starts():
    event = '<bpmn:messageEventDefinition messageRef="M"/>'
    throw = end(
        "e", '<bpmn:extensionElements><zeebe:taskDefinition type="publish-message"/></bpmn:extensionElements>' + event
    )
    thrower = start() + task(ASK) + throw + flows("s -> ask", "ask -> e")
    begun = start("s", event) + task(REFUSE) + end() + flows("s -> refuse", "refuse -> e")
    of = bundle(thrower=thrower, begun=begun)

    assert judged(of, "before: {form: refuse}, through: [{form: ask}]") == []
    assert judged(of, "after: {form: ask}, through: [{process: begun}]") == []
    assert judged(of, "after: {form: ask}, through: [{message: called}]") == []
    [(element, message)] = judged(of, "before: {form: refuse}, through: [{process: nobody}]")[1:]
    assert (element, "「task ask → task refuse」" in message) == ("refuse", True)


def test_a_message_from_outside_is_a_way_in():
    begun = (
        start("s", '<bpmn:messageEventDefinition messageRef="M"/>')
        + task(REFUSE)
        + end()
        + flows("s -> refuse", "refuse -> e")
    )
    other = start() + task(APPROVE) + end() + flows("s -> approve", "approve -> e")
    both = bundle(begun=begun, other=other)

    assert judged(both, APPROVED) == []
    assert [element for element, _ in judged(both, APPROVED, "called")] == ["refuse"]


def test_a_waiver_leaves_out_what_it_names_and_stands_in_what_is_told():
    of = bundle(split("exclusiveGateway", default="g_m"))
    rule = f"{APPROVED}, waivers: [{{element: g, takes: approve, reason: 別の道は使わない}}]"
    read = policies.read(f"policies: [{{id: P1, title: T, {rule}}}]".encode())
    judgement = policies.check(read, of, ())

    assert judgement.findings == ()
    assert [(one.element_id, one.message) for one in judgement.waived] == [("g", "P1 T: 免除(別の道は使わない)")]


def test_the_same_role_on_both_sides_is_told():
    straight = start() + THREE + end() + flows("s -> ask", "ask -> approve", "approve -> refuse", "refuse -> e")
    rule = f"{APPROVED}, unlike: {{form: ask}}"

    assert judged(bundle(straight), rule) == []
    [(element, message)] = judged(bundle(straight.replace('"chiefs"', '"chiefs, clerks"')), rule)
    assert (element, "clerks" in message) == ("approve", True)
    [(element, message)] = judged(bundle(straight.replace('"chiefs"', '"=[&quot;chiefs&quot;]"')), rule)
    assert (element, "確かめられません" in message) == ("approve", True)


def test_a_task_without_what_every_task_has_is_told_with_what_is_missing():
    bare = start() + task(ASK, None) + end() + flows("s -> ask", "ask -> e")

    [(element, message)] = judged(bundle(bare), "every_task: [group, form, deadline]")

    assert element == "ask"
    assert "担当する役割・期限がありません" in message


def test_a_policy_about_nothing_is_told():
    straight = start() + task(ASK) + end() + flows("s -> ask", "ask -> e")

    found = judged(
        bundle(straight), "before: {form: gone}, through: [{form: ask}], waivers: [{element: lost, reason: r}]"
    )

    assert [message for _, message in found] == [
        "P1 の form「gone」に当たる要素がありません。",
        "P1 の element「lost」に当たる要素がありません。",
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "before: {form: a}",
        "before: {form: a}, after: {form: b}, through: [{form: c}]",
        "before: {form: a, element: b}, through: [{form: c}]",
        "every_task: [colour]",
        "before: {form: a}, through: [{form: c}], waivers: [{element: g, reason: ' '}]",
        "before: {form: a}, through: [{form: c}], colour: red",
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_with_the_place(rule):
    with pytest.raises(FileUnreadable, match=r"policies\.yaml policies\[0\]"):
        policies.read(f"policies: [{{id: P1, title: T, {rule}}}]".encode())
