"""The decision files as documents: what a modeller shows, and what every rule must carry."""

from pathlib import Path

import pytest
from lxml import etree

from engine import dmn

FOLDER = Path(__file__).parents[2] / "processes" / "harassment-response"
FILES = tuple(sorted(path.name for path in FOLDER.glob("*.dmn")))
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
NAMES = {
    "dmn": DMN,
    "dmndi": "https://www.omg.org/spec/DMN/20191111/DMNDI/",
    "dc": "http://www.omg.org/spec/DMN/20180521/DC/",
    "di": "http://www.omg.org/spec/DMN/20180521/DI/",
}
# What processes call, and the tables that people know by number (dictionary, section 4).
DECISIONS = {
    "judgement.dmn": """DT_00_catalogue DT_09b_limit DT_09_interaction DT_03b_means DT_11_accommodation DT_03_nuisance
        DT_01b_environment DT_01_determination DT_02_category DT_04_level quick_judgement judgement""",
    "care.dmn": "DT_08_care_level DT_08b_care_steps",
    "refusal.dmn": "DT_10_refusal",
    "measures.dmn": "DT_05_measures recommended_measures measure_catalogue",
    "offences.dmn": "DT_06_offence",
    "deadlines.dmn": "DT_07_deadline",
    "end_state.dmn": "DT_12_end_state",
}
# Hit policy and number of rules of the tables that the domain numbers, its splits and added rows included.
TABLES = {
    "DT_00_catalogue": ("COLLECT", 39),
    "DT_01_determination": ("UNIQUE", 7),
    "DT_01b_environment": ("FIRST", 5),
    "DT_03_nuisance": ("UNIQUE", 20),
    "DT_03b_means": ("FIRST", 9),
    "DT_04_level": ("FIRST", 17),
    "DT_06_offence": ("COLLECT", 17),
    "DT_10_refusal": ("FIRST", 9),
    "DT_12_primary": ("FIRST", 11),
}

Box = tuple[int, int, int, int]


def root(name: str) -> etree._Element:
    return dmn.parse_xml((FOLDER / name).read_bytes())


def find(element: etree._Element, path: str) -> list[etree._Element]:
    return element.findall(path, NAMES)


def number(element: etree._Element, name: str) -> int:
    return int(element.get(name, ""))


def boxes(name: str) -> dict[str, Box]:
    """The shapes by the element they show: left, top, right, bottom."""
    shown: dict[str, Box] = {}
    for shape in find(root(name), ".//dmndi:DMNShape"):
        (bounds,) = find(shape, "dc:Bounds")
        left, top = number(bounds, "x"), number(bounds, "y")
        corner = (left + number(bounds, "width"), top + number(bounds, "height"))
        shown[shape.get("dmnElementRef", "")] = (left, top, *corner)
    return shown


def test_there_is_one_file_for_each_requirements_graph() -> None:
    assert set(FILES) == set(DECISIONS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_without_a_finding_and_has_its_decisions(name: str) -> None:
    definitions = dmn.read((FOLDER / name).read_bytes())

    assert set(DECISIONS[name].split()) <= set(definitions.decisions)


@pytest.mark.parametrize("decision", TABLES)
def test_a_numbered_table_has_the_hit_policy_and_the_rules_of_the_domain(decision: str) -> None:
    (table,) = [
        found for name in FILES for found in find(root(name), f".//dmn:decision[@id='{decision}']/dmn:decisionTable")
    ]

    assert (table.get("hitPolicy"), len(find(table, "dmn:rule"))) == TABLES[decision]


@pytest.mark.parametrize("name", FILES)
def test_only_hit_policies_that_every_modeller_knows_are_used(name: str) -> None:
    policies = {table.get("hitPolicy") for table in find(root(name), ".//dmn:decisionTable")}

    assert policies <= {"UNIQUE", "FIRST", "COLLECT"}


@pytest.mark.parametrize("name", FILES)
def test_every_rule_gives_its_reason_where_the_engine_and_where_the_modeller_look(name: str) -> None:
    for rule in find(root(name), ".//dmn:rule"):
        (reason,) = find(rule, "dmn:annotationEntry/dmn:text")

        assert reason.text, rule.get("id")
        assert [each.text for each in find(rule, "dmn:description")] == [reason.text], rule.get("id")


@pytest.mark.parametrize("name", FILES)
def test_people_read_japanese_names_and_labels(name: str) -> None:
    tree = root(name)
    texts = [tree.get("name", "")]
    texts += [node.get("name", "") for node in find(tree, "dmn:decision") + find(tree, "dmn:inputData")]
    texts += [clause.get("label", "") for kind in ("input", "output") for clause in find(tree, f".//dmn:{kind}")]

    assert [text for text in texts if text.isascii()] == []


@pytest.mark.parametrize("name", FILES)
def test_ids_are_unique_in_a_file(name: str) -> None:
    ids = [each.get("id", "") for each in root(name).iter(etree.Element) if each.get("id")]

    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", FILES)
def test_the_diagram_shows_every_element_and_no_two_shapes_overlap(name: str) -> None:
    tree, shown = root(name), boxes(name)
    nodes = {node.get("id") for node in find(tree, "dmn:decision") + find(tree, "dmn:inputData")}
    overlapping = [
        (one, other)
        for one, (left, top, right, bottom) in shown.items()
        for other, (x, y, far_x, far_y) in shown.items()
        if one < other and left < far_x and x < right and top < far_y and y < bottom
    ]

    assert set(shown) == nodes
    assert overlapping == []


@pytest.mark.parametrize("name", FILES)
def test_the_diagram_draws_every_requirement_from_what_is_required_to_what_requires_it(name: str) -> None:
    tree, shown = root(name), boxes(name)
    drawn = {edge.get("dmnElementRef"): find(edge, "di:waypoint") for edge in find(tree, ".//dmndi:DMNEdge")}
    arrows = 0
    for decision in find(tree, "dmn:decision"):
        for requirement in find(decision, "dmn:informationRequirement"):
            points = drawn[requirement.get("id")]
            assert on_border(points[0], shown[requirement[0].get("href", "").removeprefix("#")])
            assert on_border(points[-1], shown[decision.get("id", "")])
            arrows += 1
    assert arrows == len(drawn)


def on_border(point: etree._Element, box: Box) -> bool:
    x, y = number(point, "x"), number(point, "y")
    left, top, right, bottom = box
    return left <= x <= right and y in (top, bottom)


@pytest.mark.parametrize("file", FILES)
def test_the_analysis_finds_no_gap_no_overlap_and_nothing_that_it_cannot_decide(file: str) -> None:
    assert [finding.message for finding in dmn.analyse(dmn.read((FOLDER / file).read_bytes()))] == []
