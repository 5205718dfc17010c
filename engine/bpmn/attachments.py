"""What is attached to an activity instead of being reached by a flow: boundary events and compensation handlers."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.bpmn import activities as act
from engine.bpmn import events as ev
from engine.bpmn.errors import Finding
from engine.bpmn.scopes import ProcessSpec
from engine.bpmn.triggers import ProcessFile
from engine.bpmn.zeebe import BPMN


def attach(file: ProcessFile, spec: ProcessSpec, node: etree._Element) -> None:
    """Every boundary event and handler of the scope stands at its activity, or is told."""
    handlers = {
        child.get("id", "") for child in node.iterchildren(f"{BPMN}*") if child.get("isForCompensation") == "true"
    }
    attached: set[str] = set()
    for event in spec.elements.values():
        if not isinstance(event, ev.BoundaryEvent):
            continue
        host = spec.task_specs.get(event.attached_to)
        if not isinstance(host, act.Activity) or isinstance(host, act.EventSubprocess):
            told = "境界イベントの付く活動がありません。"
        elif event.attached_to in handlers:
            told = "補償の処理に、境界イベントは付けられません。"
        elif isinstance(event.trigger, ev.Compensation):
            told = _attach_handler(file, spec, event, host, handlers, attached)
        else:
            host.boundaries += (event,)
            continue
        if told:
            file.findings.append(Finding(file.name, event.bpmn_id, event.bpmn_name, told))
    for name in sorted(handlers):
        for told in _misplaced(spec, name, attached):
            file.findings.append(Finding(file.name, name, getattr(spec.task_specs.get(name), "bpmn_name", ""), told))


def _attach_handler(
    file: ProcessFile,
    spec: ProcessSpec,
    event: ev.BoundaryEvent,
    host: act.Activity,
    handlers: set[str],
    attached: set[str],
) -> str:
    """Why the handler cannot be attached; empty if it is."""
    associations = file.root.iter(f"{BPMN}association")
    targets = [found.get("targetRef", "") for found in associations if found.get("sourceRef") == event.bpmn_id]
    handler = spec.task_specs.get(targets[0]) if len(targets) == 1 and targets[0] in handlers else None
    if not isinstance(handler, act.Activity):
        return "補償のイベントは、同じ範囲の補償の処理(isForCompensation)一つと関連(association)で結んでください。"
    if event.outgoing:
        return "補償のイベントから、フローは出せません。"
    if host.loop is not None:
        return "繰り返す活動の補償は、このエンジンでは実行できません。"
    if host.handler is not None:
        return "一つの活動に付けられる補償のイベントは、一つです。"
    host.handler, handler.undoes = handler, True
    host.compensation_event = event
    attached.add(handler.bpmn_id)
    return ""


def _misplaced(spec: ProcessSpec, name: str, attached: set[str]) -> Iterator[str]:
    handler = spec.task_specs.get(name)
    if not isinstance(handler, act.Activity) or isinstance(handler, act.EventSubprocess):
        yield "補償の処理(isForCompensation)にできるのは、活動だけです。"
    elif handler.incoming or handler.outgoing:
        yield "補償の処理に、フローは付けられません。"
    elif name not in attached:
        yield "補償の処理を呼び出す補償の境界イベントがありません。"
