"""Every element at every place either executes or is refused at deployment, with file, element and reason."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from engine import bpmn

from .conftest import NOW, document, flows

KEY = '<bpmn:extensionElements><zeebe:subscription correlationKey="=business_key"/></bpmn:extensionElements>'
GLOBALS = (
    f'<bpmn:message id="message_1" name="told">{KEY}</bpmn:message><bpmn:signal id="signal_1" name="seen"/>'
    '<bpmn:error id="error_1" errorCode="e1"/><bpmn:escalation id="escalation_1" escalationCode="c1"/>'
)
CALLED = document(
    '<bpmn:startEvent id="cs"/><bpmn:endEvent id="ce"/>' + flows("cs -> ce"), "called"
)  # what the call activities of this file call
DECISION = (
    b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="test">'
    b'<decision id="decided" name="decided"><variable name="decided"/><literalExpression><text>1</text>'
    b"</literalExpression></decision></definitions>"
)

START, END = '<bpmn:startEvent id="s"/>', '<bpmn:endEvent id="e"/>'
HOST = '<bpmn:userTask id="host"/>'
HANDLER = '<bpmn:userTask id="undo" isForCompensation="true"/>'
ASSOCIATION = '<bpmn:association id="undoes" sourceRef="x" targetRef="undo"/>'
LEVELS = ("process", "subprocess")


def timer(kind: str, text: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition>"


DEFINITIONS = {
    "none": "",
    "message": '<bpmn:messageEventDefinition messageRef="message_1"/>',
    "signal": '<bpmn:signalEventDefinition signalRef="signal_1"/>',
    "timer": timer("timeDuration", "P1D"),
    "timer date": timer("timeDate", "2026-12-01T09:00:00+09:00"),
    "timer cycle": timer("timeCycle", "R3/PT1H"),
    "timer cycle from a date": timer("timeCycle", "R3/2026-12-01T09:00:00+09:00/PT1H"),
    "timer cron": timer("timeCycle", "0 0 9 * * MON"),
    "error": '<bpmn:errorEventDefinition errorRef="error_1"/>',
    "escalation": '<bpmn:escalationEventDefinition escalationRef="escalation_1"/>',
    "conditional": "<bpmn:conditionalEventDefinition><bpmn:condition>=x</bpmn:condition>"
    "</bpmn:conditionalEventDefinition>",
    "compensation": "<bpmn:compensateEventDefinition/>",
    "link": '<bpmn:linkEventDefinition name="there"/>',
    "cancel": "<bpmn:cancelEventDefinition/>",
    "terminate": "<bpmn:terminateEventDefinition/>",
    "multiple": '<bpmn:messageEventDefinition messageRef="message_1"/>' + timer("timeDuration", "P1D"),
}

TIMERS = frozenset({"timer", "timer date", "timer cycle", "timer cycle from a date", "timer cron"})
WAITED_FOR = frozenset({"message", "signal", "conditional"}) | TIMERS
THROWN = frozenset({"message", "signal", "escalation", "compensation"})
EXECUTED: Mapping[str, frozenset[str]] = {
    "start": frozenset({"none"}),
    "interrupting event subprocess": WAITED_FOR | {"error", "escalation"},
    "non-interrupting event subprocess": WAITED_FOR | {"escalation"},
    "catch": frozenset({"message", "signal", "timer", "timer date", "link", "conditional"}),
    "throw": THROWN | {"none", "link"},
    "interrupting boundary": WAITED_FOR | {"error", "escalation", "compensation"},
    "non-interrupting boundary": WAITED_FOR | {"escalation", "compensation"},
    "end": THROWN | {"none", "error", "terminate"},
}
"""What executes of the events, by place. A process can also be started by a message."""


def start_event(definition: str) -> str:
    return f'<bpmn:startEvent id="x">{definition}</bpmn:startEvent>{END}' + flows("x -> e")


def event_subprocess(definition: str, interrupting: str) -> str:
    inner = f'<bpmn:startEvent id="x" isInterrupting="{interrupting}">{definition}</bpmn:startEvent>'
    inner += '<bpmn:endEvent id="xe"/>' + flows("x -> xe")
    outer = f'<bpmn:subProcess id="es" triggeredByEvent="true">{inner}</bpmn:subProcess>'
    return START + HOST + END + flows("s -> host", "host -> e") + outer


def intermediate(tag: str, definition: str) -> str:
    body = f'{START}<bpmn:{tag} id="x">{definition}</bpmn:{tag}>{END}'
    if "linkEventDefinition" not in definition:
        return body + flows("s -> x", "x -> e")
    if tag == "intermediateThrowEvent":
        catch = f'<bpmn:intermediateCatchEvent id="other">{definition}</bpmn:intermediateCatchEvent>'
        return body + catch + flows("s -> x", "other -> e")
    throw = f'<bpmn:intermediateThrowEvent id="other">{definition}</bpmn:intermediateThrowEvent>'
    return body + throw + flows("s -> other", "x -> e")


def compensated(host: str = HOST, handler: str = HANDLER, association: str = ASSOCIATION, event: str = "") -> str:
    """A compensation event `x` at an activity, and the handler that it is associated with."""
    event = (
        event or f'<bpmn:boundaryEvent id="x" attachedToRef="host">{DEFINITIONS["compensation"]}</bpmn:boundaryEvent>'
    )
    return START + host + END + event + handler + association + flows("s -> host", "host -> e")


def boundary(definition: str, interrupting: str) -> str:
    if "compensate" in definition:
        attached = f'<bpmn:boundaryEvent id="x" attachedToRef="host" cancelActivity="{interrupting}">'
        return compensated(event=f"{attached}{definition}</bpmn:boundaryEvent>")
    event = f'<bpmn:boundaryEvent id="x" attachedToRef="host" cancelActivity="{interrupting}">{definition}</bpmn:boundaryEvent>'
    return START + HOST + END + event + '<bpmn:endEvent id="xe"/>' + flows("s -> host", "host -> e", "x -> xe")


def end_event(definition: str) -> str:
    return f'{START}<bpmn:endEvent id="x">{definition}</bpmn:endEvent>' + flows("s -> x")


def event_at(place: str, definition: str) -> str:
    match place:
        case "start":
            return start_event(definition)
        case "interrupting event subprocess":
            return event_subprocess(definition, "true")
        case "non-interrupting event subprocess":
            return event_subprocess(definition, "false")
        case "catch":
            return intermediate("intermediateCatchEvent", definition)
        case "throw":
            return intermediate("intermediateThrowEvent", definition)
        case "interrupting boundary":
            return boundary(definition, "true")
        case "non-interrupting boundary":
            return boundary(definition, "false")
    return end_event(definition)


def at_level(level: str, body: str) -> str:
    if level == "process":
        return body
    outer = '<bpmn:startEvent id="os"/><bpmn:endEvent id="oe"/>' + flows("os -> sub", "sub -> oe")
    return f'{outer}<bpmn:subProcess id="sub">{body}</bpmn:subProcess>'


def compiled(body: str) -> bpmn.Bundle:
    files = {"process.bpmn": document(body, extra=GLOBALS), "called.bpmn": CALLED}
    return bpmn.compile_bundle(files, {"decisions.dmn": DECISION}, {"form"}, {"job"})


def first_step(body: str, message: str | None = None) -> bpmn.Advance:
    return bpmn.advance(compiled(body), None, bpmn.Start("process", "2026-0001", {}, message), NOW)


def findings(body: str) -> tuple[bpmn.Finding, ...]:
    with pytest.raises(bpmn.BundleInvalid) as refusal:
        compiled(body)
    return refusal.value.findings


def assert_refused(body: str, element: str = "x") -> None:
    told = [finding for finding in findings(body) if finding.element_id == element]
    assert told, "refused, but not at this element"
    assert all(finding.file == "process.bpmn" and finding.message for finding in told)


def executes(level: str, place: str, event: str) -> bool:
    return event in EXECUTED[place] or (level, place, event) == ("process", "start", "message")


CELLS = list(product(LEVELS, EXECUTED, DEFINITIONS))


@pytest.mark.parametrize(("level", "place", "event"), [cell for cell in CELLS if executes(*cell)])
def test_an_event_that_executes_is_accepted_and_takes_its_first_step(level, place, event):
    body = at_level(level, event_at(place, DEFINITIONS[event]))
    advance = first_step(body, "told" if (place, event) == ("start", "message") else None)

    uncaught = (place, event) == ("end", "error")
    assert [fault.place.element for fault in advance.faults] == (["x"] if uncaught else [])


@pytest.mark.parametrize(("level", "place", "event"), [cell for cell in CELLS if not executes(*cell)])
def test_any_other_event_is_refused_with_file_element_and_reason(level, place, event):
    of_the_whole = event == "none" or (place, event) == ("non-interrupting event subprocess", "error")
    element = "es" if of_the_whole and "event subprocess" in place else "x"
    assert_refused(at_level(level, event_at(place, DEFINITIONS[event])), element)


def node(tag: str, content: str = "", **attributes: str) -> str:
    """An element between start and end."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'{START}{END}<bpmn:{tag} id="x"{given}>{content}</bpmn:{tag}>' + flows("s -> x", "x -> e")


def extended(*elements: str) -> str:
    return f"<bpmn:extensionElements>{''.join(elements)}</bpmn:extensionElements>"


def multi_instance(sequential: str = "false", details: str = ' inputCollection="=[1, 2]"', inner: str = "") -> str:
    loop = f"<zeebe:loopCharacteristics{details}/>" if details else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{sequential}">{extended(loop)}{inner}'
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def gateway(tag: str, *flow_texts: str, **attributes: str) -> str:
    """Two tasks between a gateway `x` and the end."""
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    body = f'{START}<bpmn:{tag} id="x"{given}/><bpmn:userTask id="a"/><bpmn:userTask id="b"/>{END}'
    return body + flows("s -> x", *flow_texts, "a -> e", "b -> e")


def event_gateway(first: str, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    late = f'<bpmn:intermediateCatchEvent id="late">{DEFINITIONS["timer"]}</bpmn:intermediateCatchEvent>'
    body = f'{START}<bpmn:eventBasedGateway id="x"{given}/>{first}{late}{END}'
    return body + flows("s -> x", "x -> first", "x -> late", "first -> e", "late -> e")


def catching(event: str) -> str:
    return f'<bpmn:intermediateCatchEvent id="first">{DEFINITIONS[event]}</bpmn:intermediateCatchEvent>'


PLAIN = '<bpmn:startEvent id="is"/><bpmn:endEvent id="ie"/>' + flows("is -> ie")
JOB = '<zeebe:taskDefinition type="job"/>'
CALLING = '<zeebe:calledElement processId="called"/>'


def standard_loop(attributes: str = "", condition: str = "=false") -> str:
    inner = f"<bpmn:loopCondition>{condition}</bpmn:loopCondition>" if condition else ""
    return f"<bpmn:standardLoopCharacteristics {attributes}>{inner}</bpmn:standardLoopCharacteristics>"


STORE = '<bpmn:dataStoreReference id="store"/><bpmn:dataObject id="object"/><bpmn:dataObjectReference id="reference" dataObjectRef="object"/>'
LANES = (
    '<bpmn:laneSet id="lanes"><bpmn:lane id="lane"><bpmn:flowNodeRef>x</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
)

EDITORS = (
    'xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="Camunda Cloud"'
    ' zeebe:modelerTemplate="t" zeebe:modelerTemplateVersion="2" zeebe:modelerTemplateIcon="data:,"'
)
FOREIGN = 'xmlns:v="http://vendor.example/bpmn"'


def multi_instance_of(attributes: str) -> str:
    return multi_instance(details=f' inputCollection="=[1]" {attributes}')


ACCEPTED = {
    "task": node("task"),
    "manual task": node("manualTask"),
    "user task": node("userTask", extended('<zeebe:userTask/><zeebe:formDefinition formId="form"/>')),
    "service task": node("serviceTask", extended(JOB)),
    "send task": node("sendTask", extended(JOB)),
    "receive task": node("receiveTask", messageRef="message_1"),
    "script task": node("scriptTask", extended('<zeebe:script expression="=1 + 1" resultVariable="two"/>')),
    "business rule task": node(
        "businessRuleTask", extended('<zeebe:calledDecision decisionId="decided" resultVariable="result"/>')
    ),
    "call activity": node("callActivity", extended(CALLING)),
    "embedded subprocess": node("subProcess", PLAIN),
    "exclusive gateway": gateway("exclusiveGateway", "x -> a: =true", "x -> b", default="x_b"),
    "exclusive gateway with conditions on all": gateway("exclusiveGateway", "x -> a: =true", "x -> b: =false"),
    "inclusive gateway": gateway("inclusiveGateway", "x -> a: =true", "x -> b", default="x_b"),
    "parallel gateway": gateway("parallelGateway", "x -> a", "x -> b"),
    "event-based gateway for a message": event_gateway(catching("message")),
    "event-based gateway for a signal": event_gateway(catching("signal")),
    "event-based gateway with a receive task": event_gateway('<bpmn:receiveTask id="first" messageRef="message_1"/>'),
    "parallel multi-instance task": node("userTask", multi_instance()),
    "sequential multi-instance task": node("userTask", multi_instance("true")),
    "multi-instance subprocess": node("subProcess", multi_instance() + PLAIN),
    "multi-instance call activity": node("callActivity", extended(CALLING) + multi_instance()),
    "multi-instance with completion condition": node(
        "userTask",
        multi_instance(
            inner="<bpmn:completionCondition>=numberOfCompletedInstances &gt;= 1</bpmn:completionCondition>"
        ),
    ),
    "standard loop": node("userTask", standard_loop()),
    "standard loop with a maximum alone": node("userTask", standard_loop('loopMaximum="3"', "")),
    "standard loop of a subprocess": node("subProcess", standard_loop('testBefore="true"') + PLAIN),
    "standard loop of a call activity": node("callActivity", extended(CALLING) + standard_loop()),
    "event-based gateway for a condition": event_gateway(catching("conditional")),
    "data stores and data objects, as documentation": node("userTask") + STORE,
    "lanes, as documentation": LANES + node("userTask"),
    "properties and texts, as documentation": node(
        "userTask",
        "<bpmn:documentation>why</bpmn:documentation>"
        + extended('<zeebe:properties><zeebe:property name="n" value="v"/></zeebe:properties>'),
    ),
    "what an editor keeps for itself": node("userTask").replace('id="x"', f'id="x" {EDITORS}'),
    "extension of an editor": node(
        "userTask", extended('<modeler:note xmlns:modeler="http://camunda.org/schema/modeler/1.0"/>')
    ),
    "headers of a message event": intermediate(
        "intermediateThrowEvent",
        extended(
            '<zeebe:taskDefinition type="publish-message"/>'
            '<zeebe:taskHeaders><zeebe:header key="timeToLive" value="PT1H"/></zeebe:taskHeaders>'
        )
        + DEFINITIONS["message"],
    ),
    "attribute of an extension that is left empty": node(
        "userTask", extended('<zeebe:taskSchedule dueDate="=now()" followUpDate=""/>')
    ),
    "binding to the caller's deployment": node(
        "callActivity", extended('<zeebe:calledElement processId="called" bindingType="deployment"/>')
    ),
    "multi-instance with a collection of results": node(
        "userTask", multi_instance_of('outputCollection="all" outputElement="=1"')
    ),
}

REFUSED = {
    "complex gateway": gateway("complexGateway", "x -> a", "x -> b"),
    "transaction": node("transaction", PLAIN),
    "ad-hoc subprocess": node("adHocSubProcess", '<bpmn:userTask id="inner"/>'),
    "choreography task": node("choreographyTask"),
    "sub-choreography": node("subChoreography"),
    "call choreography": node("callChoreography"),
    "implicit throw event": node("implicitThrowEvent"),
    "conversation": node("conversation"),
    "standard loop without an end": node("userTask", standard_loop(condition="")),
    "standard loop of no iterations": node("userTask", standard_loop('loopMaximum="0"')),
    "standard loop of some iterations": node("userTask", standard_loop('loopMaximum="=three"')),
    "standard loop with a condition that is not FEEL": node("userTask", standard_loop(condition="yes")),
    "standard loop and multi-instance": node("userTask", standard_loop() + multi_instance()),
    "completion condition that is not FEEL": node(
        "userTask", multi_instance(inner="<bpmn:completionCondition>yes</bpmn:completionCondition>")
    ),
    "condition of an event that is not FEEL": boundary(DEFINITIONS["conditional"].replace("=x", "x"), "true"),
    "conditional event that waits for a time": boundary(
        DEFINITIONS["conditional"].replace("=x", "=now() > due"), "true"
    ),
    "conditional event without a condition": boundary("<bpmn:conditionalEventDefinition/>", "true"),
    "multi-instance without a collection": node("userTask", multi_instance(details="")),
    "multi-instance by cardinality": node(
        "userTask", multi_instance(inner="<bpmn:loopCardinality>3</bpmn:loopCardinality>")
    ),
    "compensation handler in the flow": node("userTask", isForCompensation="true"),
    "compensation handler that nothing calls": START
    + END
    + flows("s -> e")
    + '<bpmn:userTask id="x" isForCompensation="true"/>',
    "gateway as a compensation handler": gateway("parallelGateway", "x -> a", "x -> b", isForCompensation="true"),
    "compensation event without an association": compensated(association=""),
    "compensation event with two handlers": compensated(
        handler=HANDLER + HANDLER.replace("undo", "other"),
        association=ASSOCIATION + ASSOCIATION.replace("undo", "other").replace('"otheres"', '"also"'),
    ),
    "compensation event associated with what is no handler": compensated(
        association=ASSOCIATION.replace('"undo"', '"host"')
    ),
    "compensation event with a flow": compensated() + flows("x -> e"),
    "compensation of a repeated activity": compensated(
        host=f'<bpmn:userTask id="host">{standard_loop()}</bpmn:userTask>'
    ),
    "compensation event that names an activity": compensated(
        event='<bpmn:boundaryEvent id="x" attachedToRef="host"><bpmn:compensateEventDefinition activityRef="host"/>'
        "</bpmn:boundaryEvent>"
    ),
    "boundary event at a compensation handler": compensated(
        event='<bpmn:boundaryEvent id="c" attachedToRef="host"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>'
        f'<bpmn:boundaryEvent id="x" attachedToRef="undo">{DEFINITIONS["timer"]}</bpmn:boundaryEvent>',
        association=ASSOCIATION.replace('"x"', '"c"'),
    )
    + flows("x -> e"),
    "compensation that is not waited for": intermediate(
        "intermediateThrowEvent", '<bpmn:compensateEventDefinition waitForCompletion="false"/>'
    ),
    "compensation of an activity that does not exist": end_event('<bpmn:compensateEventDefinition activityRef="no"/>'),
    "compensation of an activity without a handler": intermediate(
        "intermediateThrowEvent", '<bpmn:compensateEventDefinition activityRef="x"/>'
    ),
    "event-based gateway that starts the process": event_gateway(catching("message"), instantiate="true"),
    "parallel event-based gateway": event_gateway(catching("message"), eventGatewayType="Parallel"),
    "receive task that starts the process": node("receiveTask", messageRef="message_1", instantiate="true"),
    "exclusive gateway with neither condition nor default": gateway("exclusiveGateway", "x -> a: =true", "x -> b"),
    "inclusive gateway with neither condition nor default": gateway("inclusiveGateway", "x -> a: =true", "x -> b"),
    "parallel gateway with a condition": gateway("parallelGateway", "x -> a: =true", "x -> b"),
    "default flow that does not exist": gateway("exclusiveGateway", "x -> a: =1 = 1", "x -> b: =2 = 1", default="y"),
    "implicit split behind a task": gateway("userTask", "x -> a", "x -> b"),
    "conditional flow from a task": gateway("userTask", "x -> a: =true", "x -> b: =false"),
    "activity that needs two tokens": node("userTask", startQuantity="2"),
    "activity that gives two tokens": node("userTask", completionQuantity="2"),
    "multi-instance that throws an event per instance": node(
        "userTask", multi_instance().replace(" isSeq", ' behavior="One" isSeq')
    ),
    "event definition by reference": node(
        "intermediateThrowEvent", "<bpmn:eventDefinitionRef>d</bpmn:eventDefinitionRef>"
    ),
    "flow out of an end event": node("endEvent"),
    "flow into a start event": node("startEvent"),
    "attribute of Camunda 7": node("userTask").replace(
        'id="x"', 'xmlns:c="http://camunda.org/schema/1.0/bpmn" id="x" c:assignee="anna"'
    ),
    "unreachable element": START + '<bpmn:userTask id="x"/>' + END + flows("s -> e", "x -> e"),
    "service task without a job type": node("serviceTask"),
    "service task of a type that nobody handles": node("serviceTask", extended('<zeebe:taskDefinition type="fax"/>')),
    "script in another language": node("scriptTask", "<bpmn:script>print(1)</bpmn:script>", scriptFormat="python"),
    "script that is not FEEL": node("scriptTask", extended('<zeebe:script expression="=1 +" resultVariable="two"/>')),
    "form that does not exist": node("userTask", extended('<zeebe:formDefinition formId="nothing"/>')),
    "decision that does not exist": node(
        "businessRuleTask", extended('<zeebe:calledDecision decisionId="nothing" resultVariable="result"/>')
    ),
    "called process that does not exist": node("callActivity", extended('<zeebe:calledElement processId="nothing"/>')),
    "message that does not exist": node("receiveTask", messageRef="nothing"),
    "extension that changes behaviour": node("userTask", extended("<zeebe:executionListeners/>")),
    "extension of Camunda 7": node(
        "userTask", extended('<camunda:x xmlns:camunda="http://camunda.org/schema/1.0/bpmn"/>')
    ),
    "extension of another vendor": node("userTask", extended(f"<v:async {FOREIGN}/>")),
    "attribute of another vendor": node("userTask").replace('id="x"', f'id="x" {FOREIGN} v:async="true"'),
    "extension of another vendor on multi-instance": node(
        "userTask", multi_instance().replace("</bpmn:extensionElements>", f"<v:n {FOREIGN}/></bpmn:extensionElements>")
    ),
    "extension of another vendor on an event definition": boundary(
        DEFINITIONS["timer"].replace("<bpmn:timeDuration", extended(f"<v:n {FOREIGN}/>") + "<bpmn:timeDuration"), "true"
    ),
    "script of a user task": node("userTask", extended('<zeebe:script expression="=1" resultVariable="one"/>')),
    "schedule of a service task": node("serviceTask", extended(JOB, '<zeebe:taskSchedule dueDate="=now()"/>')),
    "form of a service task": node("serviceTask", extended(JOB, '<zeebe:formDefinition formId="form"/>')),
    "job of a user task": node("userTask", extended(JOB)),
    "job of a script task": node(
        "scriptTask", extended(JOB, '<zeebe:script expression="=1 + 1" resultVariable="two"/>')
    ),
    "job of a none end event": intermediate("intermediateThrowEvent", extended(JOB)),
    "subscription of a receive task": node("receiveTask", KEY, messageRef="message_1"),
    "version tag of a task": node("userTask", extended('<zeebe:versionTag value="1"/>')),
    "mapping of a gateway": gateway("parallelGateway", "x -> a", "x -> b").replace(
        '<bpmn:parallelGateway id="x"/>',
        '<bpmn:parallelGateway id="x">'
        + extended('<zeebe:ioMapping><zeebe:output source="=1" target="one"/></zeebe:ioMapping>')
        + "</bpmn:parallelGateway>",
    ),
    "date on which a task is followed up": node(
        "userTask", extended('<zeebe:taskSchedule dueDate="=now()" followUpDate="=now()"/>')
    ),
    "binding to a version tag": node(
        "callActivity", extended('<zeebe:calledElement processId="called" bindingType="versionTag" versionTag="1"/>')
    ),
    "unknown part of a mapping": node(
        "userTask", extended('<zeebe:ioMapping><zeebe:inout source="=1" target="one"/></zeebe:ioMapping>')
    ),
    "script in BPMN beside the one in FEEL": node(
        "scriptTask",
        extended('<zeebe:script expression="=1 + 1" resultVariable="two"/>') + "<bpmn:script>1</bpmn:script>",
    ),
    "input of a boundary event": boundary(
        extended('<zeebe:ioMapping><zeebe:input source="=1" target="one"/></zeebe:ioMapping>') + DEFINITIONS["timer"],
        "true",
    ),
    "two times in one timer": boundary(
        DEFINITIONS["timer"].replace(
            "</bpmn:timeDuration>", "</bpmn:timeDuration><bpmn:timeCycle>R/P1D</bpmn:timeCycle>"
        ),
        "true",
    ),
    "timer without a time": boundary("<bpmn:timerEventDefinition/>", "true"),
    "duration as a date": boundary(timer("timeDate", "PT1H"), "true"),
    "date as a duration": boundary(timer("timeDuration", "2026-12-01T09:00:00+09:00"), "true"),
    "two blocks of extensions": node("serviceTask", extended(JOB) + extended("<zeebe:properties/>")),
    "one extension twice": node("serviceTask", extended(JOB, JOB.replace("job", "other"))),
    "two called processes": node("callActivity", extended(CALLING), calledElement="other"),
    "property that another element executes": node(
        "serviceTask",
        extended(JOB, '<zeebe:properties><zeebe:property name="excludedUsers" value="=[]"/></zeebe:properties>'),
    ),
    "deadline from a moment without its event": node(
        "userTask", extended('<zeebe:properties><zeebe:property name="dueFrom" value="=now()"/></zeebe:properties>')
    ),
    "deadline that nothing decides": node(
        "userTask", extended('<zeebe:properties><zeebe:property name="dueEvent" value="opened"/></zeebe:properties>')
    ),
    "output collection without an element": node("userTask", multi_instance_of('outputCollection="all"')),
    "output element without a collection": node("userTask", multi_instance_of('outputElement="=1"')),
    "multi-instance over a data object": node(
        "userTask", multi_instance(inner="<bpmn:loopDataInputRef>object</bpmn:loopDataInputRef>")
    ),
    "mapping without a target": node(
        "userTask", extended('<zeebe:ioMapping><zeebe:input source="=1"/></zeebe:ioMapping>')
    ),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("element", ACCEPTED)
def test_an_element_that_executes_is_accepted_and_takes_its_first_step(level, element):
    assert first_step(at_level(level, ACCEPTED[element])).faults == ()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("element", REFUSED)
def test_any_other_element_is_refused_with_file_element_and_reason(level, element):
    assert_refused(at_level(level, REFUSED[element]))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("event", ["error", "escalation", "timer cycle", "none"])
def test_an_event_that_cannot_be_waited_for_is_refused_behind_an_event_based_gateway(level, event):
    assert_refused(at_level(level, event_gateway(catching(event))), "first")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("condition", ["${yes}", "=yes and", "yes"])
def test_a_condition_that_is_not_feel_is_refused_at_its_flow(level, condition):
    body = gateway("exclusiveGateway", f"x -> a: {condition}", "x -> b", default="x_b")
    assert_refused(at_level(level, body), "x_a")


UNNAMED = {
    "signal without a name": ("signal", 'id="signal_1"'),
    "signal with an empty name": ("signal", 'id="signal_1" name=""'),
    "signal named by an expression": ("signal", 'id="signal_1" name="=seen"'),
    "error named by an expression": ("error", 'id="error_1" errorCode="=code"'),
    "escalation named by an expression": ("escalation", 'id="escalation_1" escalationCode="=code"'),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("fault", UNNAMED)
def test_what_is_not_named_by_a_text_is_refused_where_it_is_caught(level, fault):
    kind, attributes = UNNAMED[fault]
    body = at_level(level, boundary(DEFINITIONS[kind], "true"))
    source = document(body, extra=f"<bpmn:{kind} {attributes}/>")

    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"process.bpmn": source}, {}, (), ())

    assert [(finding.file, finding.element_id) for finding in refusal.value.findings] == [("process.bpmn", "x")]


ELSEWHERE = {
    "process": ('isExecutable="true">', 'isExecutable="true">' + extended("<zeebe:executionListeners/>"), "process"),
    "sequence flow": ('targetRef="x">', 'targetRef="x">' + extended("<zeebe:executionListeners/>"), "s_x"),
    "message": (KEY, KEY.replace("<zeebe", f"<v:n {FOREIGN}/><zeebe"), "message_1"),
    "file": ('targetNamespace="test">', 'targetNamespace="test">' + extended(f"<v:n {FOREIGN}/>"), "definitions"),
    "extension that must be understood": (
        'targetNamespace="test">',
        'targetNamespace="test"><bpmn:extension id="must" mustUnderstand="true" definition="v:n"/>',
        "must",
    ),
}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_an_unknown_extension_is_refused_wherever_it_stands(place):
    old, new, element = ELSEWHERE[place]
    source = document(node("receiveTask", messageRef="message_1"), extra=GLOBALS).decode()
    assert old in source

    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"process.bpmn": source.replace(old, new, 1).encode()}, {}, (), ())

    assert [(finding.file, finding.element_id) for finding in refusal.value.findings] == [("process.bpmn", element)]


def test_a_process_may_carry_its_version_tag_and_what_does_not_execute_may_carry_anything():
    tagged = document(extended('<zeebe:versionTag value="2"/>') + node("userTask"))
    note = f'<bpmn:textAnnotation id="n">{extended(f"<v:n {FOREIGN}/>")}</bpmn:textAnnotation>'
    tagged = tagged.replace(b"<bpmn:startEvent", note.encode() + b"<bpmn:startEvent", 1)
    drawn = f'<bpmn:collaboration id="c"><bpmn:participant id="p" {FOREIGN} v:x="1"/></bpmn:collaboration>'

    bpmn.compile_bundle(
        {"process.bpmn": tagged.replace(b"<bpmn:process", drawn.encode() + b"<bpmn:process")}, {}, (), ()
    )


def test_a_throw_link_without_its_catch_is_refused():
    assert_refused(
        f'{START}<bpmn:intermediateThrowEvent id="x">{DEFINITIONS["link"]}</bpmn:intermediateThrowEvent>'
        + flows("s -> x")
    )


@pytest.mark.parametrize("source", [b"", b"<bpmn", b"<other/>", b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'])
def test_a_file_that_is_not_bpmn_is_refused_by_its_name(source):
    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"broken.bpmn": source}, {}, (), ())

    assert [finding.file for finding in refusal.value.findings] == ["broken.bpmn"]
    assert refusal.value.findings[0].message


def test_a_process_that_calls_itself_without_waiting_becomes_a_fault():
    calling_itself = extended('<zeebe:calledElement processId="process"/>')

    (fault,) = first_step(node("callActivity", calling_itself)).faults

    assert fault.place.element == "x"


@pytest.mark.parametrize(
    ("condition", "reason"),
    [('=level == "x"', "FEEL として読めません"), ("level > 2", "= で始まる FEEL で書いてください")],
)
def test_a_condition_that_is_none_is_told_once_and_for_what_is_wrong_with_it(condition, reason):
    body = f'{START}<bpmn:exclusiveGateway id="g" default="g_e"/>{END}<bpmn:endEvent id="f"/>'
    model = document(body + flows("s -> g", "g -> e", f"g -> f: {condition.replace('>', '&gt;')}"))

    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"process.bpmn": model}, {}, (), ())

    (finding,) = refusal.value.findings
    assert finding.element_id == "g_f"
    assert reason in finding.message
