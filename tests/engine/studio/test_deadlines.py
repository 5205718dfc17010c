"""What a writer can choose as the deadline of a task."""

from __future__ import annotations

from pathlib import Path

from engine import bundles, deployments
from engine.studio import deadlines
from tests.engine.studio.test_coverage import DEADLINES

TABLE = (
    DEADLINES.replace('<output id="o" name="due" />', '<output id="o" name="due" /><output id="p" name="why" />')
    .replace("</outputEntry>", '</outputEntry><outputEntry><text>"a day"</text></outputEntry>')
    .encode()
)
BUNDLE = Path(__file__).parents[2] / "webapp" / "bundle"


def test_the_events_of_a_table_are_offered_with_what_its_rows_say() -> None:
    files = {**deployments.read_folder(BUNDLE), "deadline.dmn": TABLE}
    compiled = bundles.compile_files(files, deployments.JOB_TYPES)

    decision = deadlines.decision(compiled, "request.bpmn")

    assert decision == "deadline"
    assert deadlines.events(compiled, files, decision) == {"ask": ("a day",), "never": ("a day",), "check": ("a day",)}


def test_without_a_table_the_events_that_tasks_name_are_offered() -> None:
    files = deployments.read_folder(BUNDLE)
    compiled = bundles.compile_files(files, deployments.JOB_TYPES)

    assert set(deadlines.events(compiled, files, "deadline")) == {"ask", "check"}


def test_a_file_without_processes_has_the_decision_of_the_others() -> None:
    compiled = bundles.compile_files(deployments.read_folder(BUNDLE), deployments.JOB_TYPES)

    assert deadlines.decision(compiled, "new.bpmn") == "deadline"


def test_what_tasks_name_is_offered_while_the_file_of_the_decision_is_taken_out() -> None:
    files = deployments.read_folder(BUNDLE)
    compiled = bundles.compile_files(files, deployments.JOB_TYPES)
    del files["deadline.dmn"]

    assert set(deadlines.events(compiled, files, "deadline")) == {"ask", "check"}
