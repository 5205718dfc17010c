"""Event definitions in XML → triggers. A trigger that cannot stand at its place is told, never dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lxml import etree

from engine import feel
from engine.bpmn import events as ev
from engine.bpmn.errors import Finding
from engine.bpmn.expressions import Expression
from engine.bpmn.timers import Timer, TimerKind
from engine.bpmn.zeebe import BPMN, extension, headers, local

TRIGGERS: dict[str, frozenset[str]] = {
    "startEvent": frozenset({"message"}),
    "eventSubprocessStart": frozenset({"message", "timer", "signal", "error", "escalation", "conditional"}),
    "endEvent": frozenset({"message", "signal", "error", "escalation", "terminate", "compensate"}),
    "intermediateThrowEvent": frozenset({"message", "signal", "escalation", "link", "compensate"}),
    "intermediateCatchEvent": frozenset({"message", "timer", "signal", "link", "conditional"}),
    "boundaryEvent": frozenset({"message", "timer", "signal", "error", "escalation", "conditional", "compensate"}),
}
_CLOCK = re.compile(r"\b(now|today)\s*\(")
TIMES: dict[str, TimerKind] = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


@dataclass(slots=True)
class ProcessFile:
    """One file while it is read."""

    name: str
    root: etree._Element
    findings: list[Finding]
    globals: dict[str, etree._Element] = field(default_factory=dict)

    def tell(self, node: etree._Element, message: str) -> None:
        self.findings.append(Finding(self.name, node.get("id", ""), node.get("name", ""), message))

    def expression(self, node: etree._Element, text: str | None) -> Expression:
        try:
            return Expression.read(text or "")
        except feel.FeelSyntaxError as fault:
            self.tell(node, f"式 {text} が FEEL として読めません: {fault}")
            return Expression("")

    def condition(self, node: etree._Element, text: str) -> Expression:
        """The expression; told where it is none. One that FEEL cannot read is told already."""
        if not text.strip().startswith("="):
            self.tell(node, f"条件 {text} は、= で始まる FEEL で書いてください。")
        return self.expression(node, text)

    def optional(self, node: etree._Element, text: str | None) -> Expression | None:
        return self.expression(node, text) if text and text.strip() else None


def read_trigger(file: ProcessFile, node: etree._Element, place: str) -> ev.Trigger | None:
    definitions = [n for n in node.iterchildren(f"{BPMN}*") if local(n).endswith("EventDefinition")]
    if not definitions:
        return None
    kind = local(definitions[0]).removesuffix("EventDefinition")
    if len(definitions) > 1 or kind not in TRIGGERS[place]:
        what = "複数のきっかけ" if len(definitions) > 1 else f"{kind} イベント"
        file.tell(node, f"{what}は、ここでは実行できません。")
        return None
    return _single_trigger(file, node, definitions[0], kind)


def _single_trigger(
    file: ProcessFile, node: etree._Element, definition: etree._Element, kind: str
) -> ev.Trigger | None:
    match kind:
        case "message":
            return read_message(file, node, definition.get("messageRef"))
        case "timer":
            return _timer(file, node, definition)
        case "signal":
            signal = _global(file, node, definition.get("signalRef"), "シグナル")
            return ev.Signal("" if signal is None else _constant(file, node, signal, "name", "シグナルの名前") or "")
        case "conditional":
            return _condition(file, node, definition)
        case "compensate":
            if definition.get("waitForCompletion", "true") != "true":
                file.tell(node, "補償を待たずに進むこと(waitForCompletion)は、このエンジンではできません。")
            return ev.Compensation(definition.get("activityRef"))
        case "terminate":
            return ev.Terminate()
        case "link":
            return None
    wanted = definition.get(f"{kind}Ref")
    found = None if wanted is None else _global(file, node, wanted, kind)
    code = None
    if found is not None and found.get(f"{kind}Code") is not None:
        code = _constant(file, node, found, f"{kind}Code", "コード")
    return ev.Error(code) if kind == "error" else ev.Escalation(code)


def _constant(file: ProcessFile, node: etree._Element, found: etree._Element, attribute: str, what: str) -> str | None:
    """A name that is known before anything runs: not empty, and no expression."""
    text = found.get(attribute)
    if not text or text.startswith("="):
        file.tell(node, f"{what}を文字列で指定してください({text or '空です'})。")
    return text


def _global(file: ProcessFile, node: etree._Element, reference: str | None, what: str) -> etree._Element | None:
    found = file.globals.get(reference or "")
    if found is None:
        file.tell(node, f"{what}「{reference or ''}」の定義がありません。")
    return found


def read_message(file: ProcessFile, node: etree._Element, reference: str | None) -> ev.Message:
    message = _global(file, node, reference, "メッセージ")
    if message is None:
        return ev.Message("")
    name = message.get("name", "")
    if not name or name.startswith("="):
        file.tell(node, "メッセージの名前を文字列で指定してください。")
    subscription = extension(message, "subscription")
    key = None if subscription is None else file.optional(node, subscription.get("correlationKey"))
    return ev.Message(name, key, read_span(file, node, headers(node).get("timeToLive", "PT0S")))


def read_span(file: ProcessFile, node: etree._Element, text: str) -> timedelta:
    """The duration that the text of a header stands for."""
    start = datetime.fromisoformat("2000-01-01T00:00:00+09:00")
    timer = Timer("duration", Expression(text))
    fault = timer.check()
    if fault is not None:
        file.tell(node, fault)
        return timedelta(0)
    return timer.due({}, feel.Environment(now=start), start) - start


def _condition(file: ProcessFile, node: etree._Element, definition: etree._Element) -> ev.Condition:
    text = definition.findtext(f"{BPMN}condition", "")
    expression = file.condition(node, text)
    if _CLOCK.search(text):
        file.tell(node, f"条件 {text} は、変数が変わったときだけ確かめます。時刻を待つには、タイマーを使ってください。")
    return ev.Condition(expression)


def _timer(file: ProcessFile, node: etree._Element, definition: etree._Element) -> Timer | None:
    given = [child for child in definition.iterchildren(f"{BPMN}*") if local(child) in TIMES]
    if len(given) != 1:
        file.tell(node, f"タイマーには、時刻・期間・繰返しのどれか一つを指定してください({len(given)} 個あります)。")
        return None
    timer = Timer(TIMES[local(given[0])], file.expression(node, given[0].text))
    fault = timer.check()
    if fault is not None:
        file.tell(node, fault)
    return timer
