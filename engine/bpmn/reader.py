"""BPMN 2.0 XML in the Camunda 8 dialect → process specs. What is not known here is refused, never guessed.

Diagrams, lanes, data objects, texts and associations are documentation and do not reach the engine, so moving a
shape cannot change behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from lxml import etree

from engine import dmn
from engine.bpmn import activities as act
from engine.bpmn import events as ev
from engine.bpmn import gateways as gw
from engine.bpmn.advance import Service
from engine.bpmn.attachments import attach
from engine.bpmn.characteristics import read_multi_instance, read_standard_loop
from engine.bpmn.elements import Element, Flow
from engine.bpmn.errors import Finding
from engine.bpmn.expressions import VariableMapping
from engine.bpmn.extensions import check_extensions
from engine.bpmn.scopes import ProcessSpec
from engine.bpmn.timers import Timer
from engine.bpmn.triggers import ProcessFile, read_message, read_span, read_trigger
from engine.bpmn.zeebe import BPMN, ZEEBE, extension, headers, link, local, properties

DOCUMENTATION = frozenset(
    "documentation extensionElements incoming outgoing laneSet dataObject dataObjectReference dataStoreReference "
    "textAnnotation association group ioSpecification property dataInputAssociation dataOutputAssociation "
    "category auditing monitoring resourceRole".split()
)
ELEMENTS: dict[str, type[Element]] = {
    "task": act.PlainTask,
    "manualTask": act.PlainTask,
    "userTask": act.UserTask,
    "serviceTask": act.ServiceTask,
    "sendTask": act.ServiceTask,
    "receiveTask": act.ReceiveTask,
    "scriptTask": act.ScriptTask,
    "businessRuleTask": act.BusinessRuleTask,
    "callActivity": act.CallActivity,
    "subProcess": act.Subprocess,
    "exclusiveGateway": gw.ExclusiveGateway,
    "parallelGateway": gw.ParallelGateway,
    "inclusiveGateway": gw.InclusiveGateway,
    "eventBasedGateway": gw.EventBasedGateway,
    "startEvent": ev.StartEvent,
    "endEvent": ev.ThrowEvent,
    "intermediateThrowEvent": ev.ThrowEvent,
    "intermediateCatchEvent": ev.CatchEvent,
    "boundaryEvent": ev.BoundaryEvent,
}
LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
PUBLISH = "publish-message"
ATTRIBUTES = {
    "completionQuantity": "1",
    "eventGatewayType": "Exclusive",
    "instantiate": "false",
    "parallelMultiple": "false",
    "startQuantity": "1",
}
"""Attributes that change what an element does, each with the one value that executes."""


def read_processes(file: str, source: bytes, findings: list[Finding]) -> list[tuple[ProcessSpec, str]]:
    """The executable processes of a file with their names; whatever is wrong is added to `findings`."""
    try:
        root = dmn.parse_xml(source)
    except dmn.XmlRefused as refusal:
        findings.append(Finding(file, "", "", str(refusal)))
        return []
    if root.tag != f"{BPMN}definitions":
        findings.append(Finding(file, "", "", "BPMN 2.0 のファイルではありません(definitions がありません)。"))
        return []
    reading = ProcessFile(file, root, findings)
    _index(reading)
    check_extensions(reading)
    found = [
        (_Scope(reading, node, node.get("id", ""), "process").read(), node.get("name", "") or node.get("id", ""))
        for node in root.iterchildren(f"{BPMN}process")
        if node.get("isExecutable") == "true"
    ]
    if not found:
        findings.append(Finding(file, "", "", "実行できるプロセス(isExecutable=true)がありません。"))
    return found


def _index(reading: ProcessFile) -> None:
    seen: set[str] = set()
    for node in reading.root.iter(f"{BPMN}*"):
        identifier = node.get("id")
        if identifier is None:
            continue
        if identifier in seen:
            reading.tell(node, f"ID「{identifier}」が二つあります。")
        seen.add(identifier)
        if local(node) in ("message", "signal", "error", "escalation"):
            reading.globals[identifier] = node


class _Scope:
    """Reads one process or subprocess."""

    def __init__(self, file: ProcessFile, node: etree._Element, process: str, kind: str) -> None:
        self.file = file
        self.node = node
        self.kind = kind
        self.process = process
        self.spec = ProcessSpec(node.get("id", ""), file=file.name, process=process)
        self.links: dict[str, list[str]] = {}
        self.link_throws: list[tuple[etree._Element, str]] = []

    def read(self) -> ProcessSpec:
        self.spec.deadline_decision = properties(self.node).get("deadlineDecision")
        flows: list[etree._Element] = []
        for node in self.node.iterchildren(f"{BPMN}*"):
            name = local(node)
            if name == "sequenceFlow":
                flows.append(node)
            elif name in ELEMENTS:
                self._element(node, name)
            elif name in LOOPS and self.kind == "subprocess":
                continue  # read with the activity itself
            elif name not in DOCUMENTATION:
                told = node if node.get("id") else self.node
                self.file.tell(told, f"{name} は、このエンジンでは実行できません。")
        self._connect(flows)
        attach(self.file, self.spec, self.node)
        gw.set_reach(self.spec)
        triggers = (getattr(element, "trigger", None) for element in self.spec.elements.values())
        self.spec.conditional = any(isinstance(trigger, ev.Condition) for trigger in triggers)
        return self.spec

    # Elements -----------------------------------------------------------------------------------------

    def _element(self, node: etree._Element, tag: str) -> None:
        identifier = node.get("id")
        if not identifier:
            self.file.tell(node, f"{tag} に ID がありません。")
            return
        if identifier in self.spec.task_specs:
            return  # told by the index
        kind = ELEMENTS[tag]
        if tag == "subProcess" and node.get("triggeredByEvent") == "true":
            kind = act.EventSubprocess
        element = kind(self.spec, identifier, node.get("name") or identifier)
        self._check_children(node)
        self._mappings(element, node)
        reader: Callable[..., None] | None = getattr(self, f"_read_{_snake(kind.__name__)}", None)
        if reader is not None:
            reader(element, node)
        if isinstance(element, act.Activity):
            self._loop(element, node)

    def _check_children(self, node: etree._Element) -> None:
        inner = local(node) == "subProcess"
        for child in node.iterchildren(f"{BPMN}*"):
            name = local(child)
            known = name in DOCUMENTATION or name.endswith("EventDefinition")
            known |= name in LOOPS
            if not (known or (inner and (name == "sequenceFlow" or name in ELEMENTS))) and not inner:
                self.file.tell(node, f"{name} は、このエンジンでは実行できません。")
        for name, executed in ATTRIBUTES.items():
            if node.get(name, executed) != executed:
                self.file.tell(node, f"{name}={node.get(name)} は、このエンジンでは実行できません。")

    def _mappings(self, element: Element, node: etree._Element) -> None:
        mapping = extension(node, "ioMapping")
        if mapping is None:
            return
        element.input_mappings = tuple(self._mapping(node, m) for m in mapping.iterchildren(f"{ZEEBE}input"))
        element.output_mappings = tuple(self._mapping(node, m) for m in mapping.iterchildren(f"{ZEEBE}output"))

    def _mapping(self, node: etree._Element, mapping: etree._Element) -> VariableMapping:
        target = tuple(mapping.get("target", "").split("."))
        if not all(target):
            self.file.tell(node, "入出力の対応に、変数名(target)がありません。")
        return VariableMapping(self.file.expression(node, mapping.get("source", "")), target)

    def _read_user_task(self, task: act.UserTask, node: etree._Element) -> None:
        form = extension(node, "formDefinition")
        if form is not None:
            task.form_id = form.get("formId")
            if not task.form_id:
                self.file.tell(node, "フォーム(formId)が選ばれていません。")
        assignment = extension(node, "assignmentDefinition")
        if assignment is not None:
            task.assignee = self.file.optional(node, assignment.get("assignee"))
            task.candidate_groups = self.file.optional(node, assignment.get("candidateGroups"))
            task.candidate_users = self.file.optional(node, assignment.get("candidateUsers"))
        schedule = extension(node, "taskSchedule")
        if schedule is not None:
            task.due_date = self.file.optional(node, schedule.get("dueDate"))
        given = properties(node)
        task.excluded_users = self.file.optional(node, given.get("excludedUsers"))
        task.due_event = given.get("dueEvent")
        task.due_from = self.file.optional(node, given.get("dueFrom"))
        if task.due_from is not None and task.due_event is None:
            self.file.tell(node, "dueFrom は、dueEvent と一緒に指定してください。")

    def _read_service_task(self, task: act.ServiceTask, node: etree._Element) -> None:
        definition = extension(node, "taskDefinition")
        task.job_type = "" if definition is None else definition.get("type", "")
        retries = "3" if definition is None else definition.get("retries", "3")
        if not task.job_type or task.job_type.startswith("="):
            self.file.tell(node, "ジョブの種類(taskDefinition type)を文字列で指定してください。")
        if not retries.isdecimal():
            self.file.tell(node, f"再試行の回数「{retries}」が整数ではありません。")
        else:
            task.retries = int(retries)
        task.service = self._service(node)

    def _service(self, node: etree._Element) -> Service:
        """The headers of the task; `retryBackoff` is a duration, as for the connectors of Camunda 8."""
        given = headers(node)
        if "retryBackoff" not in given:
            return Service(given, None)
        backoff = read_span(self.file, node, given["retryBackoff"])
        if backoff < timedelta(0):
            self.file.tell(node, "再試行までの時間(retryBackoff)は、負にできません。")
        return Service(given, backoff)

    def _read_receive_task(self, task: act.ReceiveTask, node: etree._Element) -> None:
        task.trigger = read_message(self.file, node, node.get("messageRef"))

    def _read_script_task(self, task: act.ScriptTask, node: etree._Element) -> None:
        script = extension(node, "script")
        task.expression = self.file.expression(node, None if script is None else script.get("expression"))
        task.result_variable = "" if script is None else script.get("resultVariable", "")
        if task.expression.compiled is None or not task.result_variable:
            self.file.tell(node, "スクリプトは、FEEL の式(=…)と結果の変数で書いてください。")

    def _read_business_rule_task(self, task: act.BusinessRuleTask, node: etree._Element) -> None:
        called = extension(node, "calledDecision")
        task.decision = "" if called is None else called.get("decisionId", "")
        task.result_variable = "" if called is None else called.get("resultVariable", "")
        if not task.decision or task.decision.startswith("=") or not task.result_variable:
            self.file.tell(node, "呼び出す決定(decisionId)と結果の変数を指定してください。")

    def _read_call_activity(self, task: act.CallActivity, node: etree._Element) -> None:
        called = extension(node, "calledElement")
        text = "" if called is None else called.get("processId", "")
        if not text:
            self.file.tell(node, "呼び出すプロセス(processId)を指定してください。")
        task.process = self.file.expression(node, text)
        if node.get("calledElement", text) != text:
            self.file.tell(node, "calledElement 属性は使えません。呼び出すプロセスは processId で指定してください。")
        if called is not None:
            task.all_parent_variables = called.get("propagateAllParentVariables", "true") != "false"
            task.all_child_variables = called.get("propagateAllChildVariables", "true") != "false"

    def _read_subprocess(self, task: act.Subprocess, node: etree._Element) -> None:
        task.body = _Scope(self.file, node, self.process, "subprocess").read()

    def _read_event_subprocess(self, task: act.EventSubprocess, node: etree._Element) -> None:
        task.body = _Scope(self.file, node, self.process, "event subprocess").read()
        starts = list(node.iterchildren(f"{BPMN}startEvent"))
        task.interrupting = not (len(starts) == 1 and starts[0].get("isInterrupting") == "false")
        start = task.body.none_start
        if not isinstance(start, ev.StartEvent) or start.trigger is None:
            self.file.tell(node, "イベントサブプロセスには、きっかけのある開始イベントが一つ要ります。")
            return
        if isinstance(start.trigger, ev.Error) and not task.interrupting:
            self.file.tell(node, "エラーで始まるイベントサブプロセスは、割込みにしてください。")
        task.trigger = start.trigger
        self.spec.event_subprocesses.append(task)

    def _read_start_event(self, event: ev.StartEvent, node: etree._Element) -> None:
        place = "eventSubprocessStart" if self.kind == "event subprocess" else "startEvent"
        trigger = read_trigger(self.file, node, place)
        if self.kind == "process" and isinstance(trigger, ev.Message):
            if trigger.name in self.spec.message_starts:
                self.file.tell(node, f"メッセージ「{trigger.name}」の開始イベントが二つあります。")
            self.spec.message_starts[trigger.name] = event
            return
        if self.kind == "subprocess" and trigger is not None:
            self.file.tell(node, "サブプロセスの開始イベントに、きっかけは付けられません。")
        event.trigger = trigger
        if self.spec.none_start is not None:
            self.file.tell(node, "開始イベントは一つにしてください。")
        self.spec.none_start = event

    def _read_catch_event(self, event: ev.CatchEvent, node: etree._Element) -> None:
        trigger = read_trigger(self.file, node, "intermediateCatchEvent")
        name = link(node)
        if name is not None:
            self.links.setdefault(name, []).append(event.bpmn_id)
            del self.spec.task_specs[event.bpmn_id]
            act.PlainTask(self.spec, event.bpmn_id, event.bpmn_name)
        elif trigger is None:
            self.file.tell(node, "中間イベントのきっかけ(メッセージ・タイマーなど)がありません。")
        else:
            event.trigger = trigger
            if isinstance(trigger, Timer) and trigger.kind == "cycle":
                self.file.tell(node, "ここで待つタイマーは、繰返しにできません。時刻か期間を指定してください。")

    def _read_throw_event(self, event: ev.ThrowEvent, node: etree._Element) -> None:
        event.trigger = read_trigger(self.file, node, local(node))
        name = link(node)
        if name is not None:
            self.link_throws.append((node, name))
        definition = extension(node, "taskDefinition")
        if definition is not None and not isinstance(event.trigger, ev.Message):
            self.file.tell(node, "ジョブの種類(taskDefinition)は、メッセージを送るイベントだけに付けられます。")
        elif definition is not None and definition.get("type") != PUBLISH:
            self.file.tell(node, f"メッセージを送るイベントの種類は {PUBLISH} にしてください。")
        if isinstance(event.trigger, ev.Error) and event.trigger.code is None:
            self.file.tell(node, "エラー終了には、エラーコードが要ります。")

    def _read_boundary_event(self, event: ev.BoundaryEvent, node: etree._Element) -> None:
        event.attached_to = node.get("attachedToRef", "")
        event.interrupting = node.get("cancelActivity", "true") != "false"
        trigger = read_trigger(self.file, node, "boundaryEvent")
        if trigger is None:
            self.file.tell(node, "境界イベントのきっかけ(メッセージ・タイマーなど)がありません。")
            trigger = ev.Signal("")
        if isinstance(trigger, ev.Compensation) and trigger.activity is not None:
            self.file.tell(node, "補償の境界イベントに、補償する活動(activityRef)は指定できません。")
        if isinstance(trigger, ev.Error) and not event.interrupting:
            self.file.tell(node, "エラーの境界イベントは、割込みにしてください。")
        event.trigger = trigger

    # Loops --------------------------------------------------------------------------------------------

    def _loop(self, element: act.Activity, node: etree._Element) -> None:
        found = [child for child in node.iterchildren(f"{BPMN}*") if local(child) in LOOPS]
        if len(found) > 1:
            self.file.tell(node, "繰返しと複数インスタンスは、一つだけ指定してください。")
        elif found and local(found[0]) == "standardLoopCharacteristics":
            element.loop = read_standard_loop(self.file, node, found[0])
        elif found:
            element.loop = read_multi_instance(self.file, node, found[0])

    # Flows --------------------------------------------------------------------------------------------

    def _connect(self, nodes: list[etree._Element]) -> None:
        flows = [self._flow(node) for node in nodes]
        flows += [flow for throw, name in self.link_throws for flow in self._link_flow(throw, name)]
        for flow in flows:
            source, target = self.spec.task_specs.get(flow.source), self.spec.task_specs.get(flow.target)
            if source is None or target is None:
                self.file.findings.append(
                    Finding(self.file.name, flow.id, flow.name, "フローの始点か終点が、この範囲にありません。")
                )
                continue
            source.outgoing += (flow,)
            target.incoming += (flow,)
            source.connect(target)
        for node in self.node.iterchildren(f"{BPMN}*"):
            element = self.spec.task_specs.get(node.get("id", ""))
            if isinstance(element, gw.ExclusiveGateway | gw.InclusiveGateway):
                element.default = node.get("default")
            elif local(node) == "endEvent" and element is not None and element.outgoing:
                self.file.tell(node, "終了イベントからフローは出せません。")
            elif node.get("default"):
                self.file.tell(node, "既定のフローは、排他か包含のゲートウェイだけに付けられます。")

    def _flow(self, node: etree._Element) -> Flow:
        condition = node.find(f"{BPMN}conditionExpression")
        text = None if condition is None else condition.text
        expression = self.file.condition(node, text) if text and text.strip() else None
        return Flow(
            id=node.get("id", ""),
            name=node.get("name", ""),
            source=node.get("sourceRef", ""),
            target=node.get("targetRef", ""),
            condition=expression,
        )

    def _link_flow(self, throw: etree._Element, name: str) -> Iterator[Flow]:
        catches = self.links.get(name, [])
        if len(catches) != 1:
            self.file.tell(throw, f"リンク「{name}」を受けるイベントが一つではありません({len(catches)} 個)。")
        for catch in catches[:1]:
            yield Flow(f"{throw.get('id')} → {catch}", name, throw.get("id", ""), catch)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
