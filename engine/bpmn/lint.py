"""What makes a process impossible or ambiguous to execute, told at deployment with element and reason."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping

from engine.bpmn import activities as act
from engine.bpmn import events as ev
from engine.bpmn import gateways as gw
from engine.bpmn.elements import Element
from engine.bpmn.errors import Finding
from engine.bpmn.scopes import ProcessSpec


def check_process(
    spec: ProcessSpec, findings: list[Finding], *, inner: bool = False, undone: ProcessSpec | None = None
) -> None:
    """Check the structure of a process and of every subprocess in it.

    `undone`: the scope that compensation thrown here is for, if it is not this one.
    """
    if not spec.name:
        findings.append(Finding(spec.file, "", "", "プロセスに ID がありません。"))
    if spec.none_start is None and (inner or not spec.message_starts):
        findings.append(Finding(spec.file, spec.name, "", "開始イベントがありません。"))
    for element in spec.elements.values():
        findings.extend(Finding(spec.file, element.bpmn_id, element.bpmn_name, m) for m in _messages(element))
        if isinstance(element, act.Subprocess):
            around = (undone or spec) if isinstance(element, act.EventSubprocess) else None
            check_process(element.body, findings, inner=True, undone=around)
        if isinstance(element, ev.ThrowEvent) and isinstance(element.trigger, ev.Compensation):
            _check_undone(element, element.trigger.activity, undone or spec, findings)
    reached = _reached(spec)
    for name, element in spec.elements.items():
        if name not in reached:
            findings.append(
                Finding(
                    spec.file,
                    name,
                    element.bpmn_name,
                    "開始イベントからたどり着けません。フローでつないでください。",
                )
            )


def _check_undone(event: ev.ThrowEvent, activity: str | None, scope: ProcessSpec, findings: list[Finding]) -> None:
    named = scope.task_specs.get(activity)
    undoable = isinstance(named, act.Activity) and (named.handler is not None or isinstance(named, act.Subprocess))
    if activity is not None and not undoable:
        told = f"補償する活動「{activity}」が、この範囲にないか、補償の処理を持ちません。"
        findings.append(Finding(scope.file, event.bpmn_id, event.bpmn_name, told))


def _messages(element: Element) -> Iterator[str]:
    if isinstance(element, gw.ExclusiveGateway | gw.InclusiveGateway):
        yield from _choice(element)
    elif any(flow.condition is not None for flow in element.outgoing):
        yield "条件の付いたフローは、排他か包含のゲートウェイから出してください。"
    splits = isinstance(element, gw.Join | gw.EventBasedGateway | gw.ExclusiveGateway)
    if len(element.outgoing) > 1 and not splits:
        yield "出るフローが二つ以上あります。ゲートウェイで分けてください。"
    if isinstance(element, gw.EventBasedGateway):
        yield from _event_based(element)
    compensates = isinstance(element, ev.BoundaryEvent) and isinstance(element.trigger, ev.Compensation)
    if isinstance(element, ev.BoundaryEvent) and not element.outgoing and not compensates:
        yield "境界イベントから出るフローがありません。"
    if isinstance(element, ev.StartEvent | ev.BoundaryEvent | act.EventSubprocess) and element.incoming:
        yield "ここにフローは入れられません。"
    if isinstance(element, act.EventSubprocess) and element.outgoing:
        yield "イベントサブプロセスからフローは出せません。"
    if not isinstance(element, ev.StartEvent):
        trigger = getattr(element, "trigger", None)
        if isinstance(trigger, ev.Message) and trigger.key is None:
            yield f"メッセージ「{trigger.name}」に correlationKey がありません。"


def _choice(gateway: gw.ExclusiveGateway | gw.InclusiveGateway) -> Iterator[str]:
    if len(gateway.outgoing) < 2:
        if any(flow.condition is not None for flow in gateway.outgoing):
            yield "出るフローが一つなら、条件は付けられません。"
        return
    if gateway.default is not None and gateway.default not in {flow.id for flow in gateway.outgoing}:
        yield f"既定のフロー「{gateway.default}」がありません。"
    for flow in gateway.outgoing:
        if flow.condition is None and flow.id != gateway.default:
            yield f"フロー「{flow.name or flow.id}」に条件がありません(既定のフローでもありません)。"
        if flow.condition is not None and flow.id == gateway.default:
            yield f"既定のフロー「{flow.name or flow.id}」に、条件は付けられません。"


def _event_based(gateway: gw.EventBasedGateway) -> Iterator[str]:
    if len(gateway.outgoing) < 2:
        yield "イベントゲートウェイから出るフローは、二つ以上要ります。"
    for target in gateway.outputs:
        if not isinstance(target, ev.CatchEvent | act.ReceiveTask):
            yield f"「{target.bpmn_name}」は待つイベントではないので、イベントゲートウェイの先に置けません。"
        elif len(target.incoming) > 1:
            yield f"「{target.bpmn_name}」には、イベントゲートウェイのほかからフローを入れられません。"


def _reached(spec: ProcessSpec) -> set[str]:
    starts = [spec.none_start, *spec.message_starts.values(), *spec.event_subprocesses]
    pending = [element.bpmn_id for element in starts if element is not None]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        element = spec.task_specs[name]
        pending += [flow.target for flow in element.outgoing]
        pending += [boundary.bpmn_id for boundary in getattr(element, "boundaries", ())]
        if isinstance(element, act.Activity) and element.handler and element.compensation_event:
            pending += [element.compensation_event.bpmn_id, element.handler.bpmn_id]
    return found


def check_references(
    spec: ProcessSpec,
    findings: list[Finding],
    decisions: Container[str],
    forms: Collection[str],
    job_types: Collection[str],
    processes: Mapping[str, ProcessSpec],
) -> None:
    """Check that everything a process names exists in the bundle."""

    def tell(element: Element, message: str) -> None:
        findings.append(Finding(spec.file, element.bpmn_id, element.bpmn_name, message))

    if spec.deadline_decision is not None and spec.deadline_decision not in decisions:
        findings.append(Finding(spec.file, spec.name, "", f"期限の決定「{spec.deadline_decision}」がありません。"))
    decides = processes[spec.process].deadline_decision is not None
    for element in spec.elements.values():
        if isinstance(element, act.UserTask) and element.due_event and not decides:
            tell(element, "期限の出来事(dueEvent)を受ける期限の決定(deadlineDecision)が、プロセスにありません。")
        match element:
            case act.UserTask() if element.form_id and element.form_id not in forms:
                tell(element, f"フォーム「{element.form_id}」がありません。")
            case act.BusinessRuleTask() if element.decision and element.decision not in decisions:
                tell(element, f"決定「{element.decision}」がありません。")
            case act.ServiceTask() if element.job_type and element.job_type not in job_types:
                tell(element, f"ジョブの種類「{element.job_type}」を扱えるものがありません。")
            case act.CallActivity() if element.process.compiled is None:
                called = processes.get(element.process.text)
                if called is None or called.none_start is None:
                    tell(
                        element,
                        f"呼び出すプロセス「{element.process.text}」がないか、普通の開始がありません。",
                    )
            case act.Subprocess():
                check_references(element.body, findings, decisions, forms, job_types, processes)
