"""Random block-structured processes: as a tree for the token game, and as BPMN in the Camunda 8 dialect.

What a step does must not depend on the order of things that happen at once, which BPMN leaves open: wherever
variables are written without a wait, the wait that causes it stands directly before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st

from .blocks import (
    FORM,
    Activity,
    Block,
    Boundary,
    Call,
    Catch,
    Condition,
    Event,
    EventChoice,
    Exclusive,
    Inclusive,
    Loop,
    MultiInstance,
    Parallel,
    Pass,
    Path,
    Processes,
    Sequence,
    Subprocess,
    Task,
)

VARIABLES = ("v0", "v1", "v2")
MAIN = "main"

# Trees ----------------------------------------------------------------------------------------------------


class _Trees:
    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.numbers = count(1)
        self.called: list[str] = []
        self.budget = 22
        self.kinds: dict[str, Callable[[int], Block]] = {
            "task": self.task,
            "sequence": self.sequence,
            "exclusive": self.exclusive,
            "parallel": self.parallel,
            "inclusive": self.inclusive,
            "loop": self.loop,
            "subprocess": self.subprocess,
            "choice": self.choice,
            "call": self.call,
            "catch": self.catch,
            "pass": self.nothing,
        }

    def name(self, kind: str) -> str:
        return f"{kind}{next(self.numbers)}"

    def one(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def block(self, depth: int) -> Block:
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.kinds[self.one("task", "task", "catch", "pass")](0)
        return self.kinds[self.one(*self.kinds)](depth - 1)

    def some(self, depth: int, least: int = 2) -> tuple[Block, ...]:
        return tuple(self.block(depth) for _ in range(self.draw(st.integers(least, 3))))

    def condition(self) -> Condition:
        return Condition(self.one(*VARIABLES), self.one(0, 1, 2))

    def event(self, *kinds: str) -> Event:
        kind = self.one(*kinds)
        times = self.one(1, 2, 3) if kind == "cycle" else 1
        return Event(self.name(kind), kind, self.one(*VARIABLES) if kind == "message" else "", times)

    def path(self, depth: int, *finishes: str) -> Path:
        return Path(self.name("path"), self.block(depth), self.one(*finishes))

    def waiting(self, depth: int) -> Block:
        """A block that does nothing before a first task is done."""
        return Sequence(self.name("sequence"), (self.plain_task(), self.block(depth)))

    # Kinds ------------------------------------------------------------------------------------------------

    def nothing(self, _: int) -> Block:
        return Pass(self.name("pass"))

    def plain_task(self) -> Task:
        return Task(self.name("task"), self.one(*VARIABLES, None))

    def task(self, depth: int) -> Block:
        task = self.plain_task()
        return Task(task.id, task.writes, self.boundaries(depth), self.multi_instance(task.writes))

    def sequence(self, depth: int) -> Block:
        return Sequence(self.name("sequence"), self.some(depth))

    def parallel(self, depth: int) -> Block:
        return Parallel(self.name("parallel"), self.some(depth))

    def exclusive(self, depth: int) -> Block:
        choices = tuple(
            (self.condition(), self.path(depth, "merge", "merge", "end", "terminate"))
            for _ in range(self.draw(st.integers(1, 2)))
        )
        return Exclusive(self.name("exclusive"), choices, self.path(depth, "merge"))

    def inclusive(self, depth: int) -> Block:
        branches = self.some(depth)
        return Inclusive(self.name("inclusive"), tuple(self.condition() for _ in branches[1:]), branches)

    def loop(self, depth: int) -> Block:
        name = self.name("loop")
        decision = Task(self.name("task"), f"again_{name}")
        body = Sequence(self.name("sequence"), (self.block(depth), decision))
        return Loop(name, body, Condition(f"again_{name}", 1))

    def catch(self, _: int) -> Block:
        return Catch(self.name("catch"), self.event("message", "timer"))

    def choice(self, depth: int) -> Block:
        first = (self.event("message"), self.path(depth, "merge"))
        others = [
            (self.event("timer", "message"), self.path(depth, "merge", "end", "terminate"))
            for _ in range(self.draw(st.integers(1, 2)))
        ]
        return EventChoice(self.name("choice"), (first, *others))

    def subprocess(self, depth: int) -> Block:
        gives = self.one(None, None, *((a, b) for a in VARIABLES for b in VARIABLES))
        body = self.block(depth) if gives is None else self.waiting(depth)
        local = self.one(None, *VARIABLES)
        loop = self.multi_instance(self.one(*VARIABLES))
        return Subprocess(self.name("subprocess"), body, local, gives, self.boundaries(depth), loop)

    def call(self, depth: int) -> Block:
        if not self.called:
            return self.subprocess(depth)
        loop = self.multi_instance(None)
        sources = self.draw(st.permutations(VARIABLES))
        mapped = tuple(zip(sources, VARIABLES, strict=True))
        inputs = self.one(None, mapped)
        given = self.one(None, (), (("v1", "v0"),), (("v0", "v1"), ("v1", "v2")))
        outputs = () if loop is not None and inputs is None and given is None else given
        return Call(self.name("call"), self.one(*self.called), inputs, outputs, self.boundaries(depth), loop)

    def boundaries(self, depth: int) -> tuple[Boundary, ...]:
        return tuple(self.boundary(depth) for _ in range(self.one(0, 0, 0, 1, 1, 2) if self.budget > 0 else 0))

    def boundary(self, depth: int) -> Boundary:
        interrupting = self.draw(st.booleans())
        if interrupting:
            return Boundary(
                self.event("message", "timer"), True, self.path(depth, "merge", "merge", "end", "terminate")
            )
        return Boundary(
            self.event("message", "timer", "cycle"), False, self.path(depth, "end", "end", "end", "merge", "terminate")
        )

    def multi_instance(self, written: str | None) -> MultiInstance | None:
        if not self.one(False, False, True):
            return None
        items = tuple(self.draw(st.lists(st.integers(5, 9), max_size=3)))
        sources = ["item", "loopCounter", *([written] if written else [])]
        output = (self.name("collection"), self.one(*sources)) if items and self.draw(st.booleans()) else None
        ending = self.one("all", "all", "enough", "until")
        return MultiInstance(
            sequential=self.draw(st.booleans()),
            items=items,
            output=output,
            enough=self.one(1, 2) if ending == "enough" else None,
            until=Condition(written or "item", self.one(1, 2, 7)) if ending == "until" else None,
        )


@st.composite
def block_processes(draw: Callable[..., Any]) -> Processes:
    """A main process and the processes it may call, as trees by process id."""
    trees = _Trees(draw)
    processes: Processes = {}
    for _ in range(draw(st.integers(0, 2))):
        name = trees.name("process")
        processes[name] = trees.waiting(2)
        trees.called.append(name)
    trees.budget = 22
    processes[MAIN] = trees.block(4)
    return processes


# BPMN -----------------------------------------------------------------------------------------------------


def bpmn_files(processes: Processes) -> dict[str, bytes]:
    """One file per process."""
    return {f"{name}.bpmn": _document(name, body).encode() for name, body in processes.items()}


def _document(name: str, body: Block) -> str:
    messages: list[str] = []
    content = _Diagram(messages).scope(name, body)
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
        ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="test">'
        f'{"".join(messages)}<bpmn:process id="{name}" isExecutable="true">{content}</bpmn:process></bpmn:definitions>'
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

    messages: list[str]
    nodes: str = ""

    def scope(self, name: str, body: Block) -> str:
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
            self.node("endEvent", path.id, "<bpmn:terminateEventDefinition/>" if path.finish == "terminate" else "")
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
            self.messages.append(
                f'<bpmn:message id="{event.id}_message" name="{event.id}">{subscription}</bpmn:message>'
            )
            return f'<bpmn:messageEventDefinition messageRef="{event.id}_message"/>'
        tag, text = ("timeDuration", "P1D") if event.kind == "timer" else ("timeCycle", f"R{event.times}/PT1H")
        return f"<bpmn:timerEventDefinition><bpmn:{tag}>{text}</bpmn:{tag}></bpmn:timerEventDefinition>"

    def activity(self, block: Activity) -> tuple[str, str]:
        name, after = block.id, f"{block.id}_after"
        loop = self.multi_instance(block.loop)
        match block:
            case Task(writes=writes):
                mapping = "" if writes is None else _mappings((), ((f"{FORM}.answer", writes),))
                form = f'<zeebe:userTask/><zeebe:formDefinition formId="{FORM}"/>'
                self.node("userTask", name, _extensions(form, mapping) + loop)
            case Subprocess(body=body, local=local, gives=gives):
                mapping = _mappings(((local, local),) if local else (), (gives,) if gives else ())
                content = _Diagram(self.messages).scope(name, body)
                self.node("subProcess", name, _extensions(mapping) + loop + content)
            case Call(process=process, inputs=inputs, outputs=outputs):
                called = (
                    f'<zeebe:calledElement processId="{process}" propagateAllParentVariables="{_yes(inputs is None)}"'
                    f' propagateAllChildVariables="{_yes(outputs is None)}"/>'
                )
                self.node("callActivity", name, _extensions(called, _mappings(inputs or (), outputs or ())) + loop)
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

    def multi_instance(self, loop: MultiInstance | None) -> str:
        if loop is None:
            return ""
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
