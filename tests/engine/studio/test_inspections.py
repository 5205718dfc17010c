"""One inspection: what cannot be executed, doubtful decision tables, broken policies, each under its file."""

from __future__ import annotations

import pytest

from engine import deployments
from engine.deployments import JOB_TYPES
from engine.studio import inspections

HERE = "harassment-response/"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def inspected(files: dict[str, bytes], name: str, old: str, new: str) -> inspections.Inspection:
    assert old.encode() in files[name]
    return inspections.inspect({**files, name: files[name].replace(old.encode(), new.encode(), 1)}, JOB_TYPES)


def test_the_bundle_has_no_finding_but_waivers_with_reasons(files: dict[str, bytes]) -> None:
    found = inspections.inspect(files, JOB_TYPES)

    assert found.findings == ()
    assert found.executable
    assert all("免除(" in one.message for one in found.waived)
    assert found.waived


def test_what_cannot_be_executed_is_of_the_structure_and_names_the_whole_file(files: dict[str, bytes]) -> None:
    found = inspected(files, HERE + "bundle.yaml", "groups: [handler, supervisor, desk]", "groups: [nobody]")

    assert not found.executable
    assert [(one.kind, one.file, one.element_id) for one in found.findings] == [
        ("structure", HERE + "bundle.yaml", "nobody")
    ]


def test_a_doubtful_table_is_told_with_its_rules_and_can_be_executed(files: dict[str, bytes]) -> None:
    old = '<inputEntry id="DT_07_limit_r17_i2">\n          <text>&lt; 4</text>'
    found = inspected(files, HERE + "deadlines.dmn", old, old.replace("&lt; 4", "&lt; 3"))

    assert found.executable
    assert {(one.kind, one.file, one.element_id) for one in found.findings} == {
        ("table", HERE + "deadlines.dmn", "DT_07_limit")
    }


def test_a_policy_that_is_broken_is_told_apart(files: dict[str, bytes]) -> None:
    group = '<zeebe:assignmentDefinition candidateGroups="legal"/>'
    found = inspected(files, HERE + "external_response.bpmn", group, "")

    assert found.executable
    assert [(one.kind, one.file, one.element_id) for one in found.findings] == [
        ("policy", HERE + "external_response.bpmn", "ST_14_legal_review")
    ]
