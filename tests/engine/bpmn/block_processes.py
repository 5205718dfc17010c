"""Block-structured processes as BPMN in the Camunda 8 dialect."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import quoteattr

from .blocks import (
    FORM,
    Activity,
    Block,
    Call,
    Catch,
    Condition,
    Event,
    EventChoice,
    EventSubprocess,
    Exclusive,
    Guarded,
    Inclusive,
    Jump,
    Loop,
    Parallel,
    Pass,
    Path,
    Processes,
    Repetition,
    Sequence,
    StandardLoop,
    Subprocess,
    Task,
    Throw,
    Undo,
)

MAIN = "main"


def bpmn_files(processes: Processes) -> dict[str, bytes]:
    """One file per process."""
    return {f"{name}.bpmn": _document(name, body).encode() for name, body in processes.items()}


def _document(name: str, body: Block) -> str:
    declared: dict[str, str] = {}
    content = _Diagram(declared).scope(name, body)
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
        ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="test">'
        f'{"".join(declared.values())}<bpmn:process id="{name}" isExecutable="true">{content}</bpmn:process></bpmn:definitions>'
    )


def _text(condition: Condition) -> str:
    return f"={condition.variable} = {condition.value}"


def _extensions(*elements: str) -> str:
    return f"<bpmn:extensionElements>{''.join(elements)}</bpmn:extensionElements>"


def _mappings(inputs: tuple[tuple[str, str], ...], outputs: tuple[tuple[str, str], ...]) -> str:
    lines = [f'<zeebe:input source="={source}" target="{target}"/>' for source, target in inputs]
    lines += [f'<zeebe:output source="={source}" target="{target}"/>' for source, target in outputs]
    return f"<zeebe:ioMapping>{''.join(lines)}</zeebe:ioMapping>" if lines else ""


@dataclass(slots=True)
class _Diagram:
    """The elements of one scope; `draw` gives the ids by which a block is entered and left."""

    declared: dict[str, str]
    """Messages, signals and errors of the file, by id."""
    nodes: str = ""

    def scope(self, name: str, body: Block) -> str:
        if isinstance(body, Guarded):
            for event in body.events:
                self.event_subprocess(event)
            body = body.block
        entry, leaving = self.draw(body)
        self.node("startEvent", f"{name}_start")
        self.node("endEvent", f"{name}_end")
        self.flow(f"{name}_start", entry)
        self.flow(leaving, f"{name}_end")
        return self.nodes

    def node(self, tag: str, name: str, content: str = "", **attributes: str) -> None:
        given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        self.nodes += f'<bpmn:{tag} id="{name}"{given}>{content}</bpmn:{tag}>'

    def flow(self, source: str, target: str, condition: Condition | None = None) -> None:
        text = f"<bpmn:conditionExpression>{_text(condition)}</bpmn:conditionExpression>" if condition else ""
        self.node("sequenceFlow", f"{source}_to_{target}", text, sourceRef=source, targetRef=target)

    def draw(self, block: Block) -> tuple[str, str]:
        match block:
            case Pass(id=name):
                self.node("task", name)
                return name, name
            case Jump(id=name):
                self.node("intermediateThrowEvent", name, f'<bpmn:linkEventDefinition name="{name}"/>')
                self.node("intermediateCatchEvent", f"{name}_after", f'<bpmn:linkEventDefinition name="{name}"/>')
                return name, f"{name}_after"
            case Throw(id=name):
                self.node("intermediateThrowEvent", name, self.signal(name))
                return name, name
            case Undo(id=name):
                self.node("intermediateThrowEvent", name, "<bpmn:compensateEventDefinition/>")
                return name, name
            case Sequence(blocks=blocks):
                ends = [self.draw(child) for child in blocks]
                for (_, leaving), (entry, _) in pairwise(ends):
                    self.flow(leaving, entry)
                return ends[0][0], ends[-1][1]
            case Catch(event=event):
                self.node("intermediateCatchEvent", event.id, self.definition(event))
                return event.id, event.id
            case Parallel() | Inclusive():
                return self.split(block)
            case Exclusive():
                return self.exclusive(block)
            case Loop():
                return self.loop(block)
            case EventChoice():
                return self.event_choice(block)
            case Task() | Subprocess() | Call():
                return self.activity(block)

    def split(self, block: Parallel | Inclusive) -> tuple[str, str]:
        name, join = block.id, f"{block.id}_join"
        tag = "parallelGateway" if isinstance(block, Parallel) else "inclusiveGateway"
        ends = [self.draw(branch) for branch in block.branches]
        default = {} if isinstance(block, Parallel) else {"default": f"{name}_to_{ends[-1][0]}"}
        conditions = (*getattr(block, "conditions", ()), *[None] * len(ends))
        self.node(tag, name, **default)
        self.node(tag, join)
        for (entry, leaving), condition in zip(ends, conditions, strict=False):
            self.flow(name, entry, condition)
            self.flow(leaving, join)
        return name, join

    def exclusive(self, block: Exclusive) -> tuple[str, str]:
        name, merge = block.id, f"{block.id}_merge"
        self.node("exclusiveGateway", merge)
        for condition, path in block.choices:
            self.flow(name, self.path(path, merge), condition)
        entry = self.path(block.default, merge)
        self.flow(name, entry)
        self.node("exclusiveGateway", name, default=f"{name}_to_{entry}")
        return name, merge

    def path(self, path: Path, merge: str) -> str:
        """Draw the path to where it finishes; gives where it is entered."""
        entry, leaving = self.draw(path.block)
        if path.finish == "merge":
            self.flow(leaving, merge)
        else:
            ends = {"end": "", "terminate": "<bpmn:terminateEventDefinition/>", "error": self.error(path.code)}
            self.node("endEvent", path.id, ends[path.finish])
            self.flow(leaving, path.id)
        return entry

    def loop(self, block: Loop) -> tuple[str, str]:
        name, merge, after = block.id, f"{block.id}_merge", f"{block.id}_after"
        entry, leaving = self.draw(block.body)
        self.node("exclusiveGateway", merge)
        self.node("exclusiveGateway", name, default=f"{name}_to_{after}")
        self.node("task", after)
        self.flow(merge, entry)
        self.flow(leaving, name)
        self.flow(name, merge, block.again)
        self.flow(name, after)
        return merge, after

    def event_choice(self, block: EventChoice) -> tuple[str, str]:
        name, merge = block.id, f"{block.id}_merge"
        self.node("eventBasedGateway", name)
        self.node("exclusiveGateway", merge)
        for event, path in block.choices:
            self.node("intermediateCatchEvent", event.id, self.definition(event))
            self.flow(name, event.id)
            self.flow(event.id, self.path(path, merge))
        return name, merge

    def definition(self, event: Event) -> str:
        if event.kind == "message":
            subscription = _extensions('<zeebe:subscription correlationKey="=business_key"/>')
            message = f'<bpmn:message id="{event.id}_message" name="{event.id}">{subscription}</bpmn:message>'
            self.declared[event.id] = message
            return f'<bpmn:messageEventDefinition messageRef="{event.id}_message"/>'
        if event.kind == "signal":
            return self.signal(event.id)
        if event.kind == "error":
            return self.error(event.code)
        if event.kind == "condition":
            condition = _text(Condition(event.variable, event.value))
            inner = f"<bpmn:condition>{condition}</bpmn:condition>"
            return f"<bpmn:conditionalEventDefinition>{inner}</bpmn:conditionalEventDefinition>"
        tag, text = ("timeDuration", "P1D") if event.kind == "timer" else ("timeCycle", f"R{event.times}/PT1H")
        return f"<bpmn:timerEventDefinition><bpmn:{tag}>{text}</bpmn:{tag}></bpmn:timerEventDefinition>"

    def signal(self, name: str) -> str:
        self.declared[name] = f'<bpmn:signal id="{name}_signal" name="{name}"/>'
        return f'<bpmn:signalEventDefinition signalRef="{name}_signal"/>'

    def error(self, code: str) -> str:
        if not code:
            return "<bpmn:errorEventDefinition/>"
        self.declared[code] = f'<bpmn:error id="{code}_error" errorCode="{code}"/>'
        return f'<bpmn:errorEventDefinition errorRef="{code}_error"/>'

    def event_subprocess(self, event: EventSubprocess) -> None:
        inner, start = _Diagram(self.declared), f"{event.id}_start"
        entry, leaving = inner.draw(event.body)
        inner.node("startEvent", start, self.definition(event.event), isInterrupting=_yes(event.interrupting))
        inner.node("endEvent", f"{event.id}_end")
        inner.flow(start, entry)
        inner.flow(leaving, f"{event.id}_end")
        self.node("subProcess", event.id, inner.nodes, triggeredByEvent="true")

    def activity(self, block: Activity) -> tuple[str, str]:
        name, after = block.id, f"{block.id}_after"
        loop = self.repetition(block.loop)
        match block:
            case Task():
                self.node("userTask", name, self.form(block) + loop)
            case Subprocess(body=body, local=local, gives=gives):
                mapping = _mappings(((local, local),) if local else (), (gives,) if gives else ())
                content = _Diagram(self.declared).scope(name, body)
                self.node("subProcess", name, _extensions(mapping) + loop + content)
            case Call(process=process, inputs=inputs, outputs=outputs):
                called = (
                    f'<zeebe:calledElement processId="{process}" propagateAllParentVariables="{_yes(inputs is None)}"'
                    f' propagateAllChildVariables="{_yes(outputs is None)}"/>'
                )
                self.node("callActivity", name, _extensions(called, _mappings(inputs or (), outputs or ())) + loop)
        handler = getattr(block, "undone_by", None)
        if handler is not None:
            event = f"{name}_undone"
            self.node("boundaryEvent", event, "<bpmn:compensateEventDefinition/>", attachedToRef=name)
            self.node("userTask", handler.id, self.form(handler), isForCompensation="true")
            self.node("association", f"{event}_by", sourceRef=event, targetRef=handler.id)
        if not any(boundary.path.finish == "merge" for boundary in block.boundaries):
            after = name
        else:
            self.node("exclusiveGateway", after)
            self.flow(name, after)
        for boundary in block.boundaries:
            content = self.definition(boundary.event)
            event = boundary.event.id
            self.node("boundaryEvent", event, content, attachedToRef=name, cancelActivity=_yes(boundary.interrupting))
            self.flow(event, self.path(boundary.path, after))
        return name, after

    def form(self, task: Task) -> str:
        mapping = "" if task.writes is None else _mappings((), ((f"{FORM}.answer", task.writes),))
        return _extensions(f'<zeebe:userTask/><zeebe:formDefinition formId="{FORM}"/>', mapping)

    def repetition(self, loop: Repetition | None) -> str:
        if loop is None:
            return ""
        if isinstance(loop, StandardLoop):
            given = f'testBefore="{_yes(loop.before)}" loopMaximum="{loop.maximum}"'
            again = f"<bpmn:loopCondition>{_text(loop.again)}</bpmn:loopCondition>" if loop.again else ""
            return f"<bpmn:standardLoopCharacteristics {given}>{again}</bpmn:standardLoopCharacteristics>"
        output = (
            "" if loop.output is None else f' outputCollection="{loop.output[0]}" outputElement="={loop.output[1]}"'
        )
        condition = "" if loop.enough is None else f"=numberOfCompletedInstances &gt;= {loop.enough}"
        condition = condition if loop.until is None else _text(loop.until)
        return (
            f'<bpmn:multiInstanceLoopCharacteristics isSequential="{_yes(loop.sequential)}">'
            + _extensions(
                f'<zeebe:loopCharacteristics inputCollection="={list(loop.items)}" inputElement="item"{output}/>'
            )
            + (f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>" if condition else "")
            + "</bpmn:multiInstanceLoopCharacteristics>"
        )


def _yes(value: bool) -> str:
    return str(value).lower()
