"""User tasks, jobs, decisions, subprocesses, called processes, multi-instance."""

from datetime import datetime, timedelta

import pytest

from engine import feel

from .conftest import document, flows

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'


def task(name: str, extensions: str = "", inner: str = "", tag: str = "userTask", attributes: str = "") -> str:
    return (
        f'<bpmn:{tag} id="{name}" name="{name}" {attributes}><bpmn:extensionElements>{extensions}</bpmn:extensionElements>'
        f"{inner}</bpmn:{tag}>"
    )


def mapping(inputs: dict[str, str] | None = None, outputs: dict[str, str] | None = None) -> str:
    lines = [f'<zeebe:input source="{s}" target="{t}"/>' for t, s in (inputs or {}).items()]
    lines += [f'<zeebe:output source="{s}" target="{t}"/>' for t, s in (outputs or {}).items()]
    return f"<zeebe:ioMapping>{''.join(lines)}</zeebe:ioMapping>"


def test_a_user_task_opens_with_its_form_candidates_and_exclusions(deploy):
    review = task(
        "review",
        '<zeebe:formDefinition formId="review_form"/><zeebe:assignmentDefinition candidateGroups="clerks, heads" candidateUsers="=[&quot;anna&quot;]"/>'
        '<zeebe:properties><zeebe:property name="excludedUsers" value="=victims"/></zeebe:properties>',
    )
    run = deploy(START + review + END + flows("s -> review", "review -> e"), forms={"review_form"})

    run.start(victims=["ben"])

    opened = next(iter(run.tasks.values()))
    assert (opened.form_id, opened.candidate_groups, opened.candidate_users) == (
        "review_form",
        ("clerks", "heads"),
        ("anna",),
    )
    assert opened.excluded_users == ("ben",)


def test_an_excluded_person_cannot_complete_even_if_excluded_after_the_task_opened(deploy, bpmn):
    review = task(
        "review", '<zeebe:properties><zeebe:property name="excludedUsers" value="=victims"/></zeebe:properties>'
    )
    run = deploy(START + review + END + flows("s -> review", "review -> e")).start(victims=["ben"])
    run.take(bpmn.ChangeVariables({"victims": ["ben", "anna"]}))

    with pytest.raises(bpmn.ActorExcluded):
        run.complete("review", by="anna")

    run.complete("review", by="cleo")
    assert run.ended


def test_a_completed_form_is_one_context_and_completion_tells_who_and_when(deploy):
    review = task(
        "review",
        '<zeebe:formDefinition formId="review_form"/>'
        + mapping(
            {"hint": "=&quot;look&quot;"},
            {"answer": "=review_form", "judges": "=append([], completion.by)", "at": "=completion.at"},
        ),
    )
    run = deploy(
        START + review + task("next") + END + flows("s -> review", "review -> next", "next -> e"), forms={"review_form"}
    )

    run.start()
    run.complete("review", by="anna", agree=True)

    assert run.variables["answer"] == {"agree": True}
    assert run.variables["judges"] == ["anna"]
    assert run.variables["at"] == feel.from_python(run.now)
    assert "hint" not in run.variables


def test_prefill_is_what_the_input_mappings_give(deploy, bpmn):
    review = task("review", mapping({"channel": "=contact.channel", "empty": "=null"}))
    run = deploy(START + review + END + flows("s -> review", "review -> e"))

    run.start(contact={"channel": "phone"})

    scope = bpmn.task_scope(run.bundle, run.snapshot, next(iter(run.tasks)), run.now)
    assert scope.prefill == {"channel": "phone"}
    assert scope.variables["contact"] == {"channel": "phone"}
    assert scope.variables["business_key"] == "2026-0001"


def test_a_fault_in_an_output_mapping_keeps_what_the_person_sent_and_a_retry_needs_no_second_answer(deploy, bpmn):
    condition = mapping({}, {"big": "=sum(limit)"})
    gate = '<bpmn:exclusiveGateway id="g" default="g_no"/>'
    run = deploy(
        START
        + task("review", '<zeebe:formDefinition formId="f"/>' + mapping({}, {"answer": "=f"}))
        + gate
        + task("yes")
        + task("no")
        + END
        + flows("s -> review", "review -> g", "g -> yes: =answer.n &gt; limit", "g -> no", "yes -> e", "no -> e"),
        forms={"f"},
    )
    del condition

    run.start()
    run.complete("review", n=5)
    assert [fault.place.element for fault in run.faults.values()] == ["g"]
    run.take(bpmn.ChangeVariables({"limit": feel.from_python(3)}))
    run.take(bpmn.Retry(next(iter(run.faults))))

    assert run.open == ["yes"]


def test_the_same_task_cannot_be_completed_twice(deploy, bpmn):
    run = deploy(START + task("a") + task("b") + END + flows("s -> a", "a -> b", "b -> e")).start()
    number = next(iter(run.tasks))
    run.complete("a")

    with pytest.raises(bpmn.TokenGone):
        run.take(bpmn.CompleteTask(number, {}, "anna"))


def test_a_service_task_is_a_job_whose_result_is_mapped(deploy):
    service = task(
        "call",
        '<zeebe:taskDefinition type="post" retries="5"/>' + mapping({"to": "=name"}, {"receipt": "=number"}),
        tag="serviceTask",
    )
    run = deploy(START + service + END + flows("s -> call", "call -> e"), job_types={"post"})

    run.start(name="Anna")
    job = next(iter(run.jobs.values()))
    assert (job.kind, job.type, job.retries, dict(job.values)) == ("service", "post", 5, {"to": "Anna"})
    run.job_done("call", number=7)

    assert run.variables["receipt"] == 7
    assert run.ended


def test_a_job_that_gives_up_is_a_fault_and_a_retry_wants_the_job_again(deploy, bpmn):
    service = task("call", '<zeebe:taskDefinition type="post"/>', tag="serviceTask")
    run = deploy(START + service + END + flows("s -> call", "call -> e"), job_types={"post"}).start()
    number = next(iter(run.jobs))

    run.take(bpmn.JobFailed(number, "no answer"))
    assert run.faults[number].message == "no answer"
    run.take(bpmn.Retry(number))
    assert list(run.jobs) == [number]
    run.job_done("call")

    assert run.ended


def test_a_decision_is_evaluated_with_the_visible_variables_and_recorded_with_its_rule(deploy):
    table = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="d">
      <inputData id="i" name="amount"><variable name="amount" typeRef="number"/></inputData>
      <decision id="Size" name="Size"><informationRequirement id="r"><requiredInput href="#i"/></informationRequirement>
      <decisionTable id="t" hitPolicy="UNIQUE"><input id="in"><inputExpression id="ie"><text>amount</text></inputExpression></input>
      <output id="o" name="size"/>
      <rule id="r1"><inputEntry id="a"><text>&lt; 10</text></inputEntry><outputEntry id="b"><text>"small"</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="c"><text>&gt;= 10</text></inputEntry><outputEntry id="f"><text>"large"</text></outputEntry></rule>
      </decisionTable></decision></definitions>"""
    rule = task("decide", '<zeebe:calledDecision decisionId="Size" resultVariable="size"/>', tag="businessRuleTask")
    run = deploy(START + rule + END + flows("s -> decide", "decide -> e"), decisions={"d.dmn": table.encode()})

    run.start(amount=12)

    assert run.variables["size"] == "large"
    (evaluated,) = run.last.decisions
    assert [rule.index for rule in evaluated.outcome.evaluations[-1].rules] == [2]


def test_a_decision_that_asks_too_much_is_told_with_the_inner_decision_and_its_expression(deploy):
    count = "count(for i in 1..amount return i)"
    model = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="d">
      <inputData id="i" name="amount"><variable name="amount" typeRef="number"/></inputData>
      <decision id="inner" name="Inner"><variable name="Inner"/><informationRequirement id="r1"><requiredInput href="#i"/>
      </informationRequirement><literalExpression><text>{count}</text></literalExpression></decision>
      <decision id="outer" name="Outer"><variable name="Outer"/><informationRequirement id="r2">
      <requiredDecision href="#inner"/></informationRequirement><literalExpression><text>Inner + 1</text>
      </literalExpression></decision></definitions>"""
    rule = task("ask", '<zeebe:calledDecision decisionId="outer" resultVariable="n"/>', tag="businessRuleTask")
    body = START + rule + END + flows("s -> ask", "ask -> e")

    assert deploy(body, decisions={"d.dmn": model.encode()}).start(amount=3).variables["n"] == 4
    (fault,) = deploy(body, decisions={"d.dmn": model.encode()}).start(amount=10**9).faults.values()

    assert fault.place.element == "ask"
    assert all(part in fault.message for part in ("outer", "Inner", count, "1000000"))


def test_a_value_too_large_to_be_told_is_a_fault_at_its_element_all_the_same(deploy):
    groups = '<zeebe:assignmentDefinition candidateGroups="=for i in 1..90000 return 123456789012345"/>'
    run = deploy(START + task("do", groups) + END + flows("s -> do", "do -> e")).start()

    (fault,) = run.faults.values()

    assert fault.place.element == "do"
    assert "for i in 1..90000" in fault.message


def test_the_deadline_decision_gives_due_reason_and_escalation(deploy):
    table = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="d">
      <decision id="Deadline" name="Deadline"><variable name="Deadline"/>
      <literalExpression><text>{due: add business days(opened_at, 2), due_reason: "within two days: " + event, escalate_to: ["heads"]}</text></literalExpression>
      </decision></definitions>"""
    review = task("review", '<zeebe:properties><zeebe:property name="dueEvent" value="reply"/></zeebe:properties>')
    deadline = '<bpmn:extensionElements><zeebe:properties><zeebe:property name="deadlineDecision" value="Deadline"/></zeebe:properties></bpmn:extensionElements>'
    run = deploy(
        deadline + START + review + END + flows("s -> review", "review -> e"), decisions={"d.dmn": table.encode()}
    )
    run.now = datetime.fromisoformat("2026-11-20T10:00:00+09:00")  # a Friday; Monday the 23rd is a holiday

    run.start()

    opened = next(iter(run.tasks.values()))
    assert opened.due == datetime.fromisoformat("2026-11-25T10:00:00+09:00")
    assert (opened.due_reason, opened.escalate_to) == ("within two days: reply", ("heads",))
    assert [call.name for call in run.last.host_calls] == ["add business days"]


def test_a_deadline_may_count_from_another_moment_than_the_opening(deploy):
    table = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="d">
      <decision id="Deadline" name="Deadline"><variable name="Deadline"/>
      <literalExpression><text>{due: opened_at + duration("P7D")}</text></literalExpression></decision></definitions>"""
    properties = '<zeebe:properties><zeebe:property name="dueEvent" value="reply"/><zeebe:property name="dueFrom" value="=now() - duration(&quot;P5D&quot;)"/></zeebe:properties>'
    deadline = '<bpmn:extensionElements><zeebe:properties><zeebe:property name="deadlineDecision" value="Deadline"/></zeebe:properties></bpmn:extensionElements>'
    run = deploy(
        deadline + START + task("review", properties) + END + flows("s -> review", "review -> e"),
        decisions={"d.dmn": table.encode()},
    )

    run.start()

    assert next(iter(run.tasks.values())).due == run.now + timedelta(days=2)


def test_a_called_process_sees_its_inputs_only_and_gives_its_outputs_back(deploy):
    call = task(
        "call",
        '<zeebe:calledElement processId="inner" propagateAllParentVariables="false" propagateAllChildVariables="false"/>'
        + mapping({"amount": "=total"}, {"answer": "=result"}),
        tag="callActivity",
    )
    inner = document(
        '<bpmn:startEvent id="is"/>'
        + task("ask", '<zeebe:formDefinition formId="f"/>' + mapping({}, {"result": "=amount + f.n", "seen": "=total"}))
        + '<bpmn:endEvent id="ie"/>'
        + flows("is -> ask", "ask -> ie"),
        process="inner",
    )
    run = deploy(
        START + call + task("after") + END + flows("s -> call", "call -> after", "after -> e"),
        more={"inner.bpmn": inner},
        forms={"f"},
    )

    run.start(total=10)
    assert run.open == ["ask"]
    assert next(iter(run.tasks.values())).process == "inner"
    run.complete("ask", n=5)

    assert run.variables["answer"] == 15
    assert "seen" not in run.variables
    assert run.open == ["after"]


MULTI = '<bpmn:multiInstanceLoopCharacteristics isSequential="{0}"><bpmn:extensionElements><zeebe:loopCharacteristics inputCollection="=people" inputElement="person" outputCollection="answers" outputElement="=f.n"/></bpmn:extensionElements>{1}</bpmn:multiInstanceLoopCharacteristics>'


def multi(deploy, sequential: bool, condition: str = ""):
    complete = f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>" if condition else ""
    ask = task(
        "ask",
        '<zeebe:formDefinition formId="f"/><zeebe:assignmentDefinition assignee="=person"/>'
        + mapping({}, {"ignored": "=f.n"}),
        MULTI.format(str(sequential).lower(), complete),
    )
    return deploy(START + ask + task("after") + END + flows("s -> ask", "ask -> after", "after -> e"), forms={"f"})


def answer(run, person: str, n: int) -> None:
    number = next(t.place.token for t in run.tasks.values() if t.assignee == person)
    from engine import bpmn

    run.take(bpmn.CompleteTask(number, {"n": feel.from_python(n)}, person))


def test_parallel_instances_collect_by_index_whatever_the_order(deploy):
    run = multi(deploy, sequential=False).start(people=["anna", "ben", "cleo"])
    assert run.open == ["ask", "ask", "ask"]

    for person, n in (("cleo", 3), ("anna", 1), ("ben", 2)):
        answer(run, person, n)

    assert run.variables["answers"] == [1, 2, 3]
    assert run.open == ["after"]


def test_sequential_instances_come_one_after_another(deploy):
    run = multi(deploy, sequential=True).start(people=["anna", "ben"])
    assert [t.assignee for t in run.tasks.values()] == ["anna"]
    answer(run, "anna", 1)
    assert [t.assignee for t in run.tasks.values()] == ["ben"]
    answer(run, "ben", 2)

    assert run.variables["answers"] == [1, 2]
    assert run.open == ["after"]


def test_a_completion_condition_ends_the_others(deploy):
    run = multi(deploy, sequential=False, condition="=numberOfCompletedInstances &gt;= 2").start(
        people=["anna", "ben", "cleo"]
    )
    answer(run, "ben", 2)
    assert len(run.open) == 2
    answer(run, "anna", 1)

    assert run.open == ["after"]
    assert run.variables["answers"] == [1, 2, None]


def test_an_empty_collection_is_passed_at_once(deploy):
    assert multi(deploy, sequential=False).start(people=[]).open == ["after"]
