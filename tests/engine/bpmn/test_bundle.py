"""Compiling a bundle: the digest of what executes, and files that cannot be read."""

import pytest

from engine import bpmn

from .conftest import document, flows

BODY = '<bpmn:startEvent id="s"/><bpmn:userTask id="a" name="a"/><bpmn:endEvent id="e"/>' + flows("s -> a", "a -> e")
DIAGRAM = (
    '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"'
    ' xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"><bpmndi:BPMNPlane bpmnElement="process">'
    '<bpmndi:BPMNShape id="a_di" bpmnElement="a"><dc:Bounds x="{0}" y="80" width="100" height="80"/></bpmndi:BPMNShape>'
    "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>"
)


def drawn(source: bytes, x: int) -> bytes:
    return source.replace(b"</bpmn:definitions>", DIAGRAM.format(x).encode())


def digest(source: bytes) -> str:
    return bpmn.compile_bundle({"p.bpmn": source}, {}, (), ()).execution_digest


def test_moving_a_shape_or_indenting_the_file_leaves_the_execution_digest_equal():
    plain = document(BODY)

    assert digest(drawn(plain, 100)) == digest(drawn(plain, 900)) == digest(plain.replace(b"><", b">\n  <"))


def test_the_order_of_nodes_in_the_file_leaves_the_execution_digest_equal_but_not_that_of_flows():
    user, end = '<bpmn:userTask id="a" name="a"/>', '<bpmn:endEvent id="e"/>'
    assert digest(document(BODY)) == digest(document(BODY.replace(user + end, end + user)))
    assert digest(document(BODY)) != digest(
        document(BODY.replace(flows("s -> a", "a -> e"), flows("a -> e", "s -> a")))
    )


def test_a_changed_name_or_flow_changes_the_execution_digest():
    assert digest(document(BODY)) != digest(document(BODY.replace('name="a"', 'name="b"')))


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (b"", "XML"),
        (b"not xml at all", "XML"),
        (document(BODY)[:-30], "XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + document(BODY), "DOCTYPE"),
        (b"<html/>", "BPMN"),
        (document(BODY).replace(b"BPMN/20100524/MODEL", b"BPMN/1999/MODEL"), "BPMN"),
        (document(BODY).replace(b'isExecutable="true"', b""), "isExecutable"),
        (b"<a>" + b"x" * (5 * 1024 * 1024) + b"</a>", "大き"),
    ],
)
def test_a_file_that_is_no_executable_bpmn_is_refused_with_one_finding_that_says_why(source, part):
    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"p.bpmn": source}, {}, (), ())

    (finding,) = refusal.value.findings
    assert finding.file == "p.bpmn"
    assert part in finding.message


def test_every_finding_of_every_file_is_told_at_once():
    broken = document('<bpmn:startEvent id="s"/><bpmn:complexGateway id="c"/><bpmn:userTask id="lost"/>', process="one")
    other = document(BODY.replace('targetRef="e"', 'targetRef="nowhere"'), process="two")

    with pytest.raises(bpmn.BundleInvalid) as refusal:
        bpmn.compile_bundle({"one.bpmn": broken, "two.bpmn": other}, {}, (), ())

    assert {(finding.file, finding.element_id) for finding in refusal.value.findings} >= {
        ("one.bpmn", "c"),
        ("one.bpmn", "lost"),
        ("two.bpmn", "a_e"),
    }
