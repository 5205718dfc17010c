"""Coverage: what scenarios reached, told per file; the expected parts are read off the files by hand."""

from __future__ import annotations

from pathlib import Path

from engine import deployments, scenarios
from engine.studio import coverage
from engine.studio.coverage import FileCoverage, Reached

BUNDLE = Path(__file__).parents[2] / "webapp" / "bundle"
SCENARIO = "scenarios/apply.yaml"
NOTHING = Reached({}, {})
DEADLINES = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="http://example.org/d">
  <inputData id="input_event" name="event"><variable id="v1" name="event" typeRef="string" /></inputData>
  <decision id="deadline" name="deadline">
    <variable id="v2" name="deadline" />
    <informationRequirement id="n1"><requiredInput href="#input_event" /></informationRequirement>
    <decisionTable id="t" hitPolicy="UNIQUE">
      <input id="i" label="event"><inputExpression id="e" typeRef="string"><text>event</text></inputExpression></input>
      <output id="o" name="due" />
      <rule id="r1"><inputEntry id="c1"><text>"ask"</text></inputEntry><outputEntry id="d1"><text>{text}</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="c2"><text>"never"</text></inputEntry><outputEntry id="d2"><text>{text}</text></outputEntry></rule>
      <rule id="r3"><inputEntry id="c3"><text>"check"</text></inputEntry><outputEntry id="d3"><text>{text}</text></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>""".replace("{text}", '{due: @"2026-12-24T10:00:00+09:00", escalate_to: ["chief"], due_reason: "x"}')


def bundle(**changes: bytes) -> dict[str, bytes]:
    return deployments.read_folder(BUNDLE) | changes


def run(files: dict[str, bytes], scenario: str = SCENARIO) -> scenarios.Result:
    return scenarios.run_source(scenario, files[scenario], files)


def of(files: dict[str, bytes], name: str, *runs: scenarios.Result) -> FileCoverage:
    reached = coverage.together(each.reached.facts() for each in runs)
    return next(one for one in coverage.of_files(files, reached) if one.file == name)


def test_what_no_scenario_reached_is_told_and_what_one_reached_is_not() -> None:
    files = bundle()

    found = of(files, "request.bpmn", run(files))

    assert (len(found.elements), len(found.flows)) == (10, 8)
    assert [part.id for part in found.missing] == [
        *("urgent", "to_hurry", "hurry", "to_hurried", "hurried"),
        *("to_refused", "refused"),
    ]
    assert [part.text for part in found.missing][:2] == [
        "境界イベント「急ぐことになった」",
        "フロー「急ぐことになった → 急ぎの連絡をする」",
    ]
    assert not found.complete


def test_a_second_scenario_reaches_what_the_first_left_out() -> None:
    files = bundle()
    late = b"delays: {review: PT3H}\nevents: [{after: application, wait: PT1H, message: urgent}]\nexpect:"
    files["scenarios/hurry.yaml"] = files[SCENARIO].replace(b"expect:", late)
    second = run(files, "scenarios/hurry.yaml")
    assert second.difference is None

    found = of(files, "request.bpmn", run(files), second)

    assert [part.id for part in found.missing] == ["to_refused", "refused"]


def test_the_rules_of_a_table_that_held_are_counted_from_one() -> None:
    files = bundle(**{"deadline.dmn": DEADLINES.encode()})
    result = run(files)
    assert result.difference is None

    (table,) = of(files, "deadline.dmn", result).tables

    assert (table.held, table.missing) == (frozenset({1, 3}), (2,))


def test_a_scenario_that_stops_counts_up_to_where_it_stopped() -> None:
    files = bundle()
    files[SCENARIO] = files[SCENARIO].replace(b"result: ok", b"result: wrong")
    result = run(files)
    assert result.difference is not None

    found = of(files, "request.bpmn", result)

    assert {part.id for part in found.parts if part.reached} == {"start", "to_ask", "ask", "to_check", "check"}


def test_without_a_run_nothing_is_reached_and_a_file_with_nothing_to_reach_is_left_out() -> None:
    found = coverage.of_files(bundle(), NOTHING)

    assert [one.file for one in found] == ["request.bpmn"]  # the decision of the bundle is an expression, no table
    assert len(found[0].missing) == 18


def test_a_reached_part_of_a_process_counts_in_no_other_process() -> None:
    found = coverage.of_files(bundle(), Reached({"other": frozenset({"ask"})}, {}))

    assert not any(part.reached for part in found[0].parts)
