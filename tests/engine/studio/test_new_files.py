"""What a new file begins with: it can be executed at once, and a scenario of it can be run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from engine import bundles, catalogue, deployments, scenario_files
from engine.columns import JST
from engine.errors import EngineError, FileRefused
from engine.studio import inspections, new_files

AT = datetime(2026, 11, 24, 10, tzinfo=JST)
BUNDLE = Path(__file__).parents[2] / "webapp" / "bundle"


@dataclass
class Office:
    """The files of a revision, written on."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(deployments.read_folder(BUNDLE)))

    def make(self, kind: new_files.Kind, key: str = "quality_check", title: str = "品質の確認", **more: object) -> str:
        compiled = bundles.compile_files(self.files, deployments.JOB_TYPES)
        made = new_files.make(kind, key, title, self.files, compiled, at=AT, **more)  # type: ignore[arg-type]
        self.files |= made
        return next(iter(made))

    def findings(self, name: str) -> list[str]:
        return [
            one.message for one in inspections.inspect(self.files, deployments.JOB_TYPES).findings if one.file == name
        ]


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize("kind", ["bpmn", "dmn", "form"])
def test_a_new_file_lies_beside_its_kind_and_can_be_executed(office: Office, kind: new_files.Kind) -> None:
    name = office.make(kind)

    assert name == f"quality_check.{kind}"
    assert office.findings(name) == []
    compiled = bundles.compile_files(office.files, deployments.JOB_TYPES)
    known = {"bpmn": compiled.processes.processes, "dmn": compiled.processes.decisions, "form": compiled.forms}[kind]
    assert "quality_check" in known


def test_a_new_process_has_the_deadlines_of_the_others(office: Office) -> None:
    office.make("bpmn")

    compiled = bundles.compile_files(office.files, deployments.JOB_TYPES)
    assert compiled.processes.spec("quality_check").deadline_decision == "deadline"


def test_a_new_process_gets_a_button_and_all_else_of_the_catalogue_stays_as_it_is(office: Office) -> None:
    before = office.files["bundle.yaml"].decode().splitlines()

    office.make("bpmn", title='品質の "確認": #1', groups=["clerk", "chief"])

    after = office.files["bundle.yaml"].decode().splitlines()
    first = catalogue.read(office.files["bundle.yaml"]).starts[0]
    assert (first.id, first.label, first.process) == ("quality_check", '品質の "確認": #1', "quality_check")
    assert first.groups == ("clerk", "chief")
    process = bundles.compile_files(office.files, deployments.JOB_TYPES).processes.processes["quality_check"]
    assert process.user_tasks["quality_check_task"].candidate_groups.text == "clerk, chief"
    assert [line for line in after if line not in before] == [after[2]]
    assert [*after[:2], *after[3:]] == before


def test_the_first_button_of_all_finds_its_place(office: Office) -> None:
    text = office.files["bundle.yaml"].decode()
    office.files["bundle.yaml"] = (text[: text.index("starts:")] + text[text.index("messages:") :]).encode()

    office.make("bpmn", groups=["clerk"])

    assert [start.id for start in catalogue.read(office.files["bundle.yaml"]).starts] == ["quality_check"]


@pytest.mark.parametrize("groups", [["clerk], help: [x"], ["nobody: x"], ["a\nb: c"], ["null"]])
def test_no_name_of_a_group_writes_anything_else_into_the_catalogue(office: Office, groups: list[str]) -> None:
    before = dict(office.files)

    with pytest.raises(EngineError):
        office.make("bpmn", groups=groups)

    assert office.files == before


def test_a_new_scenario_answers_each_form_as_little_as_it_must_and_can_be_read(office: Office) -> None:
    name = office.make("scenario", process="request", title='急ぎの"申込み"')

    scenario = scenario_files.parse(name, office.files[name])
    assert name == "scenarios/quality_check.yaml"
    assert (scenario.process, scenario.title, scenario.at) == ("request", '急ぎの"申込み"', AT)
    forms = bundles.compile_files(office.files, deployments.JOB_TYPES).forms
    assert scenario.answers.keys() == {"application", "review", "call"}
    for form, answer in scenario.answers.items():
        assert set(answer) == {key for key, one in forms[form].body.by_key.items() if one.required}


@pytest.mark.parametrize(
    ("kind", "key", "title", "reason"),
    [
        ("form", "application", "申込み", "もうあります"),
        ("form", "Application", "申込み", "もうあります"),
        ("bpmn", "../x", "x", "半角の英字で始め"),
        ("bpmn", "品質", "x", "半角の英字で始め"),
        ("bpmn", "a" * 61, "x", "60 文字"),
        ("dmn", "x", " \n", "名前を"),
        ("dmn", "x", "あ" * 101, "100 文字"),
        ("scenario", "x", "x", "プロセスを選んで"),
    ],
)
def test_what_cannot_be_a_file_is_refused_with_what_to_write(
    office: Office, kind: new_files.Kind, key: str, title: str, reason: str
) -> None:
    with pytest.raises(FileRefused, match=reason):
        office.make(kind, key, title)


@pytest.mark.parametrize("title", ['<x> & "y"', "]]>", "{key}", "\ud800\x00ほか"])
@pytest.mark.parametrize("kind", ["bpmn", "dmn", "form", "scenario"])
def test_any_title_stays_a_title(office: Office, kind: new_files.Kind, title: str) -> None:
    name = office.make(kind, title=title, process="request")

    assert bundles.compile_files(office.files, deployments.JOB_TYPES)
    assert name in office.files
