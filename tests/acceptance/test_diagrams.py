"""The process diagrams against the data dictionary: who does what with which form by when, and readable drawings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from lxml import etree

from engine import catalogue

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "processes" / "harassment-response"
FILES = sorted(BUNDLE.glob("*.bpmn"))
NS = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
    "zeebe": "http://camunda.org/schema/zeebe/1.0",
}
PROCESSES = {
    "complaint_intake",
    "incident_assessment",
    "external_response",
    "employee_care",
    "legit_complaint",
    "customer_objection",
    "case_closure",
    "criminal_complaint",
    "consultation",
    "data_breach",
}
NODES = ("Task", "Event", "Gateway", "subProcess", "callActivity")
ANYONE = {"handler", "supervisor", "desk", "head", "legal", "hr", "physician", "executive", "trainer"}


@dataclass(frozen=True, slots=True)
class Work:
    """A task of the dictionary, §5: `groups` is None where an expression picks them."""

    groups: set[str] | None
    form: str
    due: str | None = None
    excludes: bool = False


# Data dictionary §5, one row per task id (also the same task elsewhere, whose id has a suffix).
DICTIONARY = {
    "ST_01_first_response": Work({"handler"}, "contact_record", "first_response"),
    "ST_02_emergency_check": Work({"handler", "supervisor"}, "emergency_check", "emergency_call"),
    "ST_03_emergency_action": Work(ANYONE, "emergency_record", "emergency_call"),
    "ST_04_identify_demand": Work({"handler", "supervisor"}, "demand_check", "identify_demand"),
    "ST_04_accommodation": Work({"handler", "supervisor"}, "accommodation", "identify_demand"),
    # §5 names the supervisor; where all of them took part, the head answers, who is in charge of the case
    "ST_05_legit_complaint": Work({"supervisor", "head"}, "complaint_reply", "legit_lane_reply", excludes=True),
    "ST_05_accommodation": Work({"supervisor", "head"}, "accommodation", "legit_lane_reply", excludes=True),
    "ST_06_handover": Work({"supervisor"}, "handover", "supervisor_report", excludes=True),
    "ST_07_interaction_control": Work({"supervisor"}, "interaction_control", "supervisor_report"),
    "ST_08_quick_report": Work({"handler", "supervisor", "desk"}, "incident_quick_report", "quick_report"),
    "ST_09_evidence": Work({"desk"}, "evidence_item", "evidence_preserve"),
    "ST_10_fact_finding": Work({"desk", "supervisor"}, "fact_finding", "fact_finding", excludes=True),
    "ST_10_external_opinion": Work({"desk", "supervisor"}, "external_opinion", "fact_finding", excludes=True),
    "ST_11_determination": Work({"supervisor"}, "determination_form", "determination", excludes=True),
    "ST_11_second_judge": Work({"desk"}, "determination_review", "determination", excludes=True),
    "ST_11_head_confirmation": Work({"head"}, "determination_confirm", "determination", excludes=True),
    "ST_11_pending_decision": Work({"head"}, "pending_decision", "determination", excludes=True),
    "ST_12_response_decision": Work(None, "response_plan", "decision", excludes=True),
    "ST_12_executive_approval": Work({"executive"}, "plan_approval", "decision", excludes=True),
    "ST_12_adjust_scope": Work({"desk"}, "scope_adjustment", "decision", excludes=True),
    "ST_13_external_measures": Work({"supervisor", "head"}, "notice_issue", "notice_issue", excludes=True),
    "ST_13_effect_check": Work({"supervisor", "head"}, "effect_check", "effect_check", excludes=True),
    "ST_14_legal_review": Work({"legal"}, "legal_review", "legal_review"),
    "ST_15_liaison_decision": Work({"head"}, "liaison_decision", "liaison"),
    "ST_15_police": Work({"head"}, "police_liaison", "liaison"),
    "ST_15_lawyer": Work({"head"}, "lawyer_request", "liaison"),
    # no row of §5: policy R-69, told on the page of the case once it is known who it was; DT-07 row 25 names head and legal
    "ST_15_offender_known": Work({"head", "legal", "desk"}, "offender_known", "liaison"),
    "ST_16_objection": Work({"supervisor", "head"}, "objection", "objection_reply", excludes=True),
    "ST_17_monitoring": Work({"supervisor"}, "monitoring_plan"),
    "ST_18_case_review": Work({"head", "desk"}, "case_review", "case_review"),
    "ST_19_closure": Work({"desk"}, "closure", "closure"),
    "CT_01_separation": Work({"supervisor"}, "care_separation", "separation", excludes=True),
    "CT_02_first_contact": Work(None, "care_first_contact", "care_contact", excludes=True),
    "CT_03_care_plan": Work({"desk", "hr"}, "care_plan", "care_plan", excludes=True),
    "CT_04_referral": Work({"hr"}, "care_referral", "care_referral", excludes=True),
    "CT_05_work_support": Work({"hr", "physician"}, "work_support", excludes=True),
    "CT_06_followup_week": Work({"desk", "hr"}, "care_followup", "care_followup_1", excludes=True),
    "CT_07_followup_month": Work({"hr"}, "care_followup", "care_followup_2", excludes=True),
    "CT_08_followup_quarter": Work({"hr", "physician"}, "care_followup", "care_followup_3", excludes=True),
    # beside P1 to P4: response-flow.md F-03 and exceptions E14, DT-07 rows 18 and 23
    "P5_01_consultation": Work({"desk"}, "consultation", "consult_ack"),
    "P5_02_taken_over": Work(None, "consultation_taken_over", "consult_ack"),
    "P6_01_breach": Work(ANYONE | {"owner"}, "breach", "breach_report"),
    "P6_02_first_report": Work({"legal"}, "breach_notice", "breach_report"),
    "P6_03_final_report": Work({"legal"}, "breach_notice", "breach_final_report"),
    "P6_03_final_report_malicious": Work({"legal"}, "breach_notice", "breach_final_report_malicious"),
}


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom

    def contains(self, other: Box) -> bool:
        return self.holds(other.left, other.top) and self.holds(other.right, other.bottom)

    def overlaps(self, other: Box) -> bool:
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


@dataclass(frozen=True, slots=True)
class Diagram:
    root: etree._Element

    def find(self, path: str) -> list[etree._Element]:
        return self.root.findall(path, NS)

    @property
    def nodes(self) -> dict[str, etree._Element]:
        """Flow nodes by id, those inside subprocesses too."""
        found = (node for node in self.root.iter(f"{{{NS['bpmn']}}}*") if _local(node).endswith(NODES))
        return {node.get("id", ""): node for node in found}

    @property
    def boxes(self) -> dict[str, Box]:
        """Where each element is drawn."""
        return {shape.get("bpmnElement", ""): _box(shape) for shape in self.find(".//bpmndi:BPMNShape")}

    @property
    def edges(self) -> dict[str, list[tuple[float, float]]]:
        return {
            edge.get("bpmnElement", ""): [(_number(p, "x"), _number(p, "y")) for p in edge.findall("di:waypoint", NS)]
            for edge in self.find(".//bpmndi:BPMNEdge")
        }


def _local(node: etree._Element) -> str:
    return etree.QName(node).localname


def _number(node: etree._Element, name: str) -> float:
    return float(node.get(name, "nan"))


def _box(shape: etree._Element) -> Box:
    bounds = shape.find("dc:Bounds", NS)
    assert bounds is not None
    left, top = _number(bounds, "x"), _number(bounds, "y")
    return Box(left, top, left + _number(bounds, "width"), top + _number(bounds, "height"))


def _extension(node: etree._Element, name: str) -> etree._Element | None:
    return node.find(f"bpmn:extensionElements/zeebe:{name}", NS)


def _property(node: etree._Element, name: str) -> str | None:
    found = node.find(f"bpmn:extensionElements/zeebe:properties/zeebe:property[@name='{name}']", NS)
    return None if found is None else found.get("value")


def _groups(task: etree._Element) -> str:
    assignment = _extension(task, "assignmentDefinition")
    return "" if assignment is None else assignment.get("candidateGroups", "")


def _form(task: etree._Element) -> str:
    definition = _extension(task, "formDefinition")
    return "" if definition is None else definition.get("formId", "")


def _read(path: Path) -> Diagram:
    return Diagram(etree.parse(path).getroot())


def _user_tasks() -> Iterator[etree._Element]:
    for path in FILES:
        yield from _read(path).find(".//bpmn:userTask")


def _row(task: etree._Element) -> Work:
    """The dictionary's row of a task; the longest id wins, for a suffix tells where else the task stands."""
    identifier = task.get("id", "")
    rows = [name for name in DICTIONARY if identifier == name or identifier.startswith(f"{name}_after_")]
    assert rows, f"{identifier} is no task of the dictionary"
    return DICTIONARY[max(rows, key=len)]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def diagram(request: pytest.FixtureRequest) -> Diagram:
    return _read(request.param)


def test_there_is_one_executable_process_per_file_named_like_it() -> None:
    found = {
        path.stem: [process.get("id") for process in _read(path).find("bpmn:process[@isExecutable='true']")]
        for path in FILES
    }
    assert found == {name: [name] for name in PROCESSES}


def test_every_step_of_the_response_and_of_the_care_is_someones_task() -> None:
    steps = {task.get("id", "")[:5].replace("_", "-") for task in _user_tasks()}
    beside = {"P5-01", "P5-02", "P6-01", "P6-02", "P6-03"}
    assert steps == {f"ST-{n:02}" for n in range(1, 20)} | {f"CT-{n:02}" for n in range(1, 9)} | beside


def test_every_task_of_the_dictionary_is_drawn() -> None:
    assert DICTIONARY.keys() <= {task.get("id", "") for task in _user_tasks()}


@pytest.mark.parametrize("task", list(_user_tasks()), ids=lambda task: f"{task.getparent().get('id')}-{task.get('id')}")
class TestUserTask:
    def test_groups_form_and_due_event_are_those_of_the_dictionary(self, task: etree._Element) -> None:
        row, groups = _row(task), _groups(task)
        assert groups
        if row.groups is not None:
            assert {name.strip() for name in groups.split(",")} == row.groups
        assert (_form(task), _property(task, "dueEvent")) == (row.form, row.due)

    def test_whoever_must_not_do_it_is_excluded(self, task: etree._Element) -> None:
        assert (_property(task, "excludedUsers") is not None) == _row(task).excludes

    def test_it_has_a_japanese_name(self, task: etree._Element) -> None:
        assert any(ord(letter) > 0x3000 for letter in task.get("name", ""))

    def test_its_form_exists_and_its_answer_is_kept_under_the_forms_name(self, task: etree._Element) -> None:
        form = _form(task)
        assert (ROOT / "forms" / f"{form}.form").is_file()
        outputs = {o.get("target"): o.get("source") for o in task.iterfind(".//zeebe:output", NS)}
        assert outputs[form] == f"={form}"


def test_every_group_that_is_named_is_in_the_bundle() -> None:
    known = {group.name for group in catalogue.read((BUNDLE / "bundle.yaml").read_bytes()).groups}
    named = {name.strip() for task in _user_tasks() for name in _groups(task).split(",") if "=" not in _groups(task)}
    assert named <= known


def test_every_decision_and_called_process_exists(diagram: Diagram) -> None:
    decisions = {
        decision.get("id")
        for path in BUNDLE.glob("*.dmn")
        for decision in etree.parse(path).getroot().iterfind("{*}decision")
    }
    called = {_required(task, "calledDecision", "decisionId") for task in diagram.find(".//bpmn:businessRuleTask")}
    assert called <= decisions
    deadlines = {_property(process, "deadlineDecision") for process in diagram.find("bpmn:process")}
    assert deadlines <= decisions
    assert {
        _required(activity, "calledElement", "processId") for activity in diagram.find(".//bpmn:callActivity")
    } <= PROCESSES


def _required(node: etree._Element, extension: str, attribute: str) -> str:
    found = _extension(node, extension)
    assert found is not None
    return found.get(attribute, "")


def test_every_message_is_correlated_by_the_case_number(diagram: Diagram) -> None:
    for message in diagram.find("bpmn:message"):
        assert _required(message, "subscription", "correlationKey") == "=business_key"


def test_every_branch_of_a_deciding_gateway_says_its_case(diagram: Diagram) -> None:
    flows = {flow.get("id"): flow for flow in diagram.find(".//bpmn:sequenceFlow")}
    gateways = diagram.find(".//bpmn:exclusiveGateway") + diagram.find(".//bpmn:inclusiveGateway")
    for gateway in gateways:
        leaving = [flows[flow.text] for flow in gateway.findall("bpmn:outgoing", NS)]
        if len(leaving) < 2:
            continue
        assert gateway.get("name")
        for flow in leaving:
            has_condition = flow.find("bpmn:conditionExpression", NS) is not None
            assert flow.get("name"), flow.get("id")
            assert has_condition != (flow.get("id") == gateway.get("default")), flow.get("id")


def test_everything_is_drawn(diagram: Diagram) -> None:
    lanes = {lane.get("id", "") for lane in diagram.find(".//bpmn:lane")}
    pools = {pool.get("id", "") for pool in diagram.find(".//bpmn:participant")}
    assert diagram.boxes.keys() == diagram.nodes.keys() | lanes | pools
    assert diagram.edges.keys() == {flow.get("id", "") for flow in diagram.find(".//bpmn:sequenceFlow")}


def test_no_two_flow_nodes_overlap(diagram: Diagram) -> None:
    nodes, boxes = diagram.nodes, diagram.boxes
    for first, second in combinations(nodes, 2):
        if not {first, second} & {nodes[first].get("attachedToRef"), nodes[second].get("attachedToRef")}:
            inside = nodes[second] in nodes[first].iterdescendants() or nodes[first] in nodes[second].iterdescendants()
            assert inside or not boxes[first].overlaps(boxes[second]), (first, second)


def test_what_belongs_to_a_subprocess_is_drawn_inside_it(diagram: Diagram) -> None:
    boxes = diagram.boxes
    for name, node in diagram.nodes.items():
        parent = node.getparent()
        if parent is not None and _local(parent) == "subProcess":
            assert boxes[parent.get("id", "")].contains(boxes[name]), name


def test_every_node_lies_in_exactly_one_lane(diagram: Diagram) -> None:
    lanes = [diagram.boxes[lane.get("id", "")] for lane in diagram.find(".//bpmn:lane")]
    for name in diagram.nodes:
        assert sum(lane.holds(*diagram.boxes[name].centre) for lane in lanes) == 1, name


def test_lanes_name_their_role_and_list_every_node_of_the_process_once(diagram: Diagram) -> None:
    listed = [reference.text or "" for reference in diagram.find(".//bpmn:flowNodeRef")]
    (process,) = diagram.find("bpmn:process")
    assert sorted(listed) == sorted(name for name, node in diagram.nodes.items() if node.getparent() is process)
    assert all(lane.get("name") for lane in diagram.find(".//bpmn:lane"))


def test_flows_run_only_along_and_across(diagram: Diagram) -> None:
    for flow, points in diagram.edges.items():
        for (x1, y1), (x2, y2) in pairwise(points):
            assert abs(x1 - x2) <= 1 or abs(y1 - y2) <= 1, flow


def test_flows_start_and_end_at_the_shapes_they_connect(diagram: Diagram) -> None:
    boxes, edges = diagram.boxes, diagram.edges
    for flow in diagram.find(".//bpmn:sequenceFlow"):
        points = edges[flow.get("id", "")]
        for end, point in (("sourceRef", points[0]), ("targetRef", points[-1])):
            box = boxes[flow.get(end, "")]
            assert Box(box.left - 1, box.top - 1, box.right + 1, box.bottom + 1).holds(*point), flow.get("id")


def test_no_flow_runs_through_a_shape_it_does_not_connect(diagram: Diagram) -> None:
    nodes, boxes, edges = diagram.nodes, diagram.boxes, diagram.edges
    shapes = {name: boxes[name] for name, node in nodes.items() if _local(node) != "subProcess"}
    for flow in diagram.find(".//bpmn:sequenceFlow"):
        points = edges[flow.get("id", "")]
        for (x1, y1), (x2, y2) in pairwise(points):
            run = Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            for name, shape in shapes.items():
                assert name in (flow.get("sourceRef"), flow.get("targetRef")) or not run.overlaps(shape), (
                    flow.get("id"),
                    name,
                )
