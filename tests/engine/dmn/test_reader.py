"""A file is read whole or refused with every reason (DMN 1.5, 6 and 7)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import dmn, feel

Read = Callable[..., dmn.Definitions]
ONE = "<literalExpression><text>1</text></literalExpression>"


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_every_version_from_1_2_to_1_5_is_read(
    source: Callable[..., bytes], environment: feel.Environment, namespace: str
) -> None:
    file = dmn.read(source(f'<decision id="d" name="D">{ONE}</decision>', namespace))

    assert (file.id, file.name, file.namespace) == ("file", "file", "urn:file")
    assert file.evaluate("D", {}, environment).value == 1


@pytest.mark.parametrize(
    "document",
    [
        b'<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd"/>',
        b"<definitions/>",
        b'<bpmn xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/"/>',
    ],
)
def test_another_kind_of_document_is_refused(document: bytes) -> None:
    with pytest.raises(dmn.DmnInvalid, match="DMN"):
        dmn.read(document)


def test_all_findings_are_told_at_once_with_their_place(read: Read) -> None:
    body = f"""
      <decision id="d1" name="一つ目"><literalExpression id="e1"><text>1 +</text></literalExpression></decision>
      <decision id="d2" name="二つ目"><variable name="x" typeRef="tUnknown"/>{ONE}</decision>
      <decision id="d3" name="三つ目"><decisionTable id="t3" hitPolicy="BEST"/></decision>"""

    with pytest.raises(dmn.DmnInvalid) as refused:
        read(body)

    findings = refused.value.findings
    assert [(finding.element_id, finding.element_name) for finding in findings] == [
        ("e1", "一つ目"),
        ("d2", "二つ目"),
        ("t3", "三つ目"),
    ]
    assert "tUnknown" in findings[1].message
    assert "BEST" in findings[2].message


TABLE = "<decision id='d' name='D'><decisionTable>{}</decisionTable></decision>"
INPUT = "<input><inputExpression><text>n</text></inputExpression></input>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"<decision id='d' name='D'>{ONE}</decision>" * 2, "二重"),
        (f"<decision id='d'>{ONE}</decision>", "名前"),
        (
            "<decision id='d' name='D'><informationRequirement><requiredInput href='#no'/>"
            f"</informationRequirement>{ONE}</decision>",
            "#no",
        ),
        (
            "<decision id='d' name='D'><informationRequirement><requiredDecision href='#d'/>"
            f"</informationRequirement>{ONE}</decision>",
            "自分自身",
        ),
        ("<import name='x' namespace='urn:x' importType='y'/>", "urn:x"),
        ("<import name='x' namespace='urn:file' importType='y'/>", "自分自身"),
        (
            "<itemDefinition name='a'><typeRef>b</typeRef></itemDefinition>"
            "<itemDefinition name='b'><typeRef>a</typeRef></itemDefinition>",
            "自分自身",
        ),
        ("<itemDefinition name='a'/><itemDefinition name='a'/>", "二重"),
        (
            "<itemDefinition name='a'><typeRef>string</typeRef><allowedValues><text>((</text></allowedValues>"
            "</itemDefinition>",
            "FEEL",
        ),
        (TABLE.format(f"{INPUT}<output/><rule><inputEntry><text>1</text></inputEntry></rule>"), "1 行目"),
        (
            TABLE.format(
                f"{INPUT}<output/><rule><inputEntry><text>1 1</text></inputEntry>"
                "<outputEntry><text>1</text></outputEntry></rule>"
            ),
            "FEEL",
        ),
        (TABLE.format("<input/><output/>"), "式がありません"),
        (TABLE.format(INPUT), "出力の列"),
        (TABLE.format("<output name='a'/><output name='a'/>"), "別の名前"),
        ("<decision id='d' name='D'><literalExpression><text/></literalExpression></decision>", "空"),
        (
            "<decision id='d' name='D'><literalExpression expressionLanguage='python'><text>1</text>"
            "</literalExpression></decision>",
            "python",
        ),
        ("<businessKnowledgeModel id='d' name='D'><encapsulatedLogic kind='Java'/></businessKnowledgeModel>", "Java"),
        ("<decision id='d' name='D'><relation><column name='a'/><row/></relation></decision>", "列"),
        ("<decision id='d' name='D'><conditional/></decision>", "式がありません"),
        ("<decision id='d' name='D'><invocation><binding/></invocation></decision>", "引数"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_at_reading(read: Read, body: str, message: str) -> None:
    with pytest.raises(dmn.DmnInvalid, match=message):
        read(body)


def chain(length: int) -> str:
    links = "".join(
        f"<decision id='d{n}' name='d{n}'><informationRequirement><requiredDecision href='#d{n - 1}'/>"
        f"</informationRequirement><literalExpression><text>d{n - 1} + 1</text></literalExpression></decision>"
        for n in range(1, length)
    )
    return f"<decision id='d0' name='d0'>{ONE}</decision>{links}"


def test_a_chain_of_requirements_is_followed_up_to_the_limit(read: Read, environment: feel.Environment) -> None:
    assert read(chain(99)).evaluate("d98", {}, environment).value == 99
    with pytest.raises(dmn.DmnInvalid, match="段を超えて"):
        read(chain(200))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<context><contextEntry><variable name='a'/>", "</contextEntry></context>"),
        ("<list>", "</list>"),
        ("<conditional><if>", "</if></conditional>"),
    ],
)
def test_logic_is_nested_up_to_the_limit(read: Read, environment: feel.Environment, opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return f"<decision id='d' name='D'>{opening * depth}{ONE}{closing * depth}</decision>"

    with suppress(dmn.DmnInvalid):  # a condition alone is no conditional
        read(nested(25), lenient=True).evaluate("d", {}, environment)
    with pytest.raises(dmn.DmnInvalid, match="入れ子"):
        read(nested(100))


def test_a_circle_through_other_decisions_is_refused(read: Read) -> None:
    arrows = {"a": "b", "b": "c", "c": "a"}
    body = "".join(
        f"<decision id='{start}' name='{start}'><informationRequirement><requiredDecision href='#{end}'/>"
        f"</informationRequirement>{ONE}</decision>"
        for start, end in arrows.items()
    )

    with pytest.raises(dmn.DmnInvalid) as refused:
        read(body)

    assert {finding.element_id for finding in refused.value.findings} == {"a", "b", "c"}


def test_a_lenient_reader_lets_broken_logic_be_null_with_a_fault(read: Read, environment: feel.Environment) -> None:
    body = "<decision id='d' name='D'><literalExpression><text>1 +</text></literalExpression></decision>"

    outcome = read(body, lenient=True).evaluate("d", {}, environment)

    assert outcome.value is None
    assert "1 +" in outcome.faults[0]


PIECES = st.sampled_from(
    "decision context contextEntry variable decisionTable rule input output text for in invocation binding "
    "itemDefinition itemComponent typeRef decisionService outputDecision inputExpression inputEntry".split()
)
TREES = st.recursive(
    st.tuples(PIECES, st.sampled_from(["1", "a", "", "((", "-"])).map(lambda t: f"<{t[0]} name='a'>{t[1]}</{t[0]}>"),
    lambda inner: st.tuples(PIECES, st.lists(inner, max_size=4)).map(
        lambda t: f"<{t[0]} id='x' name='a' href='#x'>{''.join(t[1])}</{t[0]}>"
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(body=TREES)
def test_whatever_the_elements_are_only_typed_errors_come_out(body: str) -> None:
    environment = feel.Environment(now=datetime(2026, 11, 23, tzinfo=UTC))
    source = f'<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="f" namespace="u">{body}'

    with suppress(dmn.DmnError, feel.FeelError):
        file = dmn.read(f"{source}</definitions>".encode(), lenient=True)
        assert file.name == "f"
        for name in (*file.decisions, *file.decision_services):
            assert isinstance(file.evaluate(name, {}, environment), dmn.Outcome)
