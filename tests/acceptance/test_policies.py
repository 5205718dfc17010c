"""The policies of the bundle: kept, with the waivers that stand in the file, and able to see what breaks them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from engine import cli, deployments
from engine.studio import inspections

BUNDLE = "harassment-response/"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def told(files: dict[str, bytes]) -> list[tuple[str, str]]:
    found = inspections.inspect(files, deployments.JOB_TYPES)
    return [(finding.element_id, finding.message) for finding in found.findings]


def test_lint_says_that_the_bundle_can_be_deployed_and_which_waivers_it_has():
    result = CliRunner().invoke(cli.main, ["lint"])

    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "このまま配備できます。"
    assert "免除(就業と労災の支援は随時行う。" in result.output


def test_lint_of_a_folder_tells_every_finding_and_fails(tmp_path):
    (tmp_path / "broken.bpmn").write_text("<broken")

    result = CliRunner().invoke(cli.main, ["lint", str(tmp_path)])

    assert result.exit_code == 1
    assert "broken.bpmn" in result.output


def second_judge_is_a_supervisor(source: str) -> str:
    before, _, after = source.partition('<bpmn:userTask id="ST_11_second_judge"')
    return before + '<bpmn:userTask id="ST_11_second_judge"' + after.replace('="desk"', '="supervisor"', 1)


def care_waits_for_another_message(source: str) -> str:
    renamed = source.replace('name="incident_reported"', 'name="never_sent"')
    return renamed.replace('name="level_decided"', 'name="never_decided"')


def notice_without_a_deadline(source: str) -> str:
    before, _, after = source.partition('<bpmn:userTask id="ST_13_external_measures"')
    name, rest = after.split('<zeebe:property name="dueEvent"', 1)
    return before + '<bpmn:userTask id="ST_13_external_measures"' + name + '<zeebe:property name="noted"' + rest


def nobody_speaks_to_the_employee(source: str) -> str:
    """As bpmn-js heals it when the step is deleted: the flow into it leads on to what came after it."""
    first, _, rest = source.partition('    <bpmn:userTask id="CT_02_first_contact"')
    source = first + rest.partition("</bpmn:userTask>\n")[2]
    source = source.replace('targetRef="CT_02_first_contact"', 'targetRef="care_contacted"')
    healed = source.replace("<bpmn:flowNodeRef>CT_02_first_contact</bpmn:flowNodeRef>", "")
    healed = healed.replace(
        "Flow_CT_02_first_contact_care_contacted</bpmn:incoming>", "Flow_care_split_CT_02_first_contact</bpmn:incoming>"
    )
    return "".join(line for line in healed.splitlines(keepends=True) if 'sourceRef="CT_02_first_contact"' not in line)


@pytest.mark.parametrize(
    ("file", "change", "policy", "element"),
    [
        ("incident_assessment.bpmn", second_judge_is_a_supervisor, "PL-01", "ST_11_second_judge"),
        ("employee_care.bpmn", care_waits_for_another_message, "PL-03", "ST_08_quick_report"),
        ("external_response.bpmn", notice_without_a_deadline, "PL-05", "ST_13_external_measures"),
        ("employee_care.bpmn", nobody_speaks_to_the_employee, "PL-06", "PL-06"),  # there is no step left to blame
    ],
)
def test_a_change_that_breaks_a_policy_is_refused_at_deployment(
    files: dict[str, bytes], file: str, change: Callable[[str], str], policy: str, element: str
):
    source = files[BUNDLE + file].decode()
    assert change(source) != source

    found = told({**files, BUNDLE + file: change(source).encode()})

    assert {(id, message[:5]) for id, message in found} == {(element, policy)}
    assert any(message.endswith("ください。") for _id, message in found)  # what to do


@pytest.mark.parametrize(
    ("policy", "element"),
    [
        ("PL-01", "ST_13_external_measures"),
        ("PL-02", "ST_13_external_measures"),
        ("PL-04", "ST_13_external_measures"),
        ("PL-06", "CT_03_care_plan"),
    ],
)
def test_without_its_waiver_the_policy_tells_the_way_around(files: dict[str, bytes], policy: str, element: str):
    source = files[BUNDLE + "policies.yaml"].decode()
    head, _, rest = source.partition(f"  - id: {policy}\n")
    own, separator, others = rest.partition("  - id:")
    stripped = head + f"  - id: {policy}\n" + own.partition("    waivers:")[0] + separator + others

    assert [(id, message[:5]) for id, message in told({**files, BUNDLE + "policies.yaml": stripped.encode()})] == [
        (element, policy)
    ]
