"""What the case list says of a case is what its scenario expects of it, and where it stands is on its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from lxml import etree

from engine import cases, database, deployments, diagrams, identity, scenario_files, scenarios

PATHS = [path for path in scenario_files.find([deployments.BUNDLED[0]]) if path.stem.startswith("C-")]
EXPECTED = (
    "determination",
    "level",
    "provisional_level",
    "primary_category",
    "care_level",
    "refusal_decision",
    "interaction_result",
    "end_state",
)
"""Facts of which a scenario may say what they are in the end."""
CHANNELS = "face_to_face phone email_chat sns visit online_meeting other".split()


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def played(path: Path, files: Mapping[str, bytes]) -> Iterator[database.Database]:
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(path), files)
    yield scratch
    scratch.close()


def test_facts_and_diagrams_of_a_whole_case(path: Path, played: database.Database) -> None:
    scenario = scenario_files.read(path)
    with played.reading() as session:
        head = identity.person(session, "head1")
        case = cases.list_cases(session, head, at=scenario.at)[0]
        labels = {fact.name: fact.values for fact in cases.readable_facts(session, head)}
        drawn = [
            diagram
            for run in cases.instances(session, case.business_key)
            for diagram in diagrams.of_instance(session, run.id, head)
        ]

    expected = {name: str(value) for name, value in scenario.expect.items() if name in EXPECTED}
    assert expected
    assert {fact.name: fact.values[0] for fact in case.facts if fact.name in expected} == expected
    assert [fact for fact in case.facts if labels[fact.name] and not labels[fact.name].keys() >= set(fact.values)] == []
    assert len(drawn) >= len({diagram.process for diagram in drawn}) > 0
    for diagram in drawn:
        ids = {element.get("id") for element in etree.fromstring(diagram.xml).iter(etree.Element)}
        assert diagram.completed
        assert diagram.completed | diagram.open | diagram.flows <= ids
        assert diagram.failed == frozenset()


def test_cases_are_counted_by_channel_level_and_recurrence(files: Mapping[str, bytes]) -> None:
    """stats.md K-01 to K-03 and K-10: U-16 is one case on the telephone, of a person who was warned before."""
    path = next(path for path in scenario_files.find([deployments.BUNDLED[0]]) if path.stem.startswith("U-16_"))
    scratch = database.connect("sqlite://")
    scratch.create()
    scenario = scenario_files.read(path)
    scenarios.run_on(scratch, scenario, files)

    with scratch.reading() as session:
        head = identity.person(session, "head1")
        wanted = {"incident_quick_report.channel": "phone", "prior_warning": "true"}
        counted = cases.count_cases(session, head, at=scenario.at, facts=wanted)
        others = cases.count_cases(session, head, at=scenario.at, facts={"prior_warning": "false"})
    scratch.close()

    assert (counted.total, others.total) == (1, 0)
    assert counted.facts["incident_quick_report.channel"] == dict.fromkeys(CHANNELS, 0) | {"phone": 1}
    assert counted.facts["level"] == {"0": 0, "1": 0, "2": 0, "3": 1, "4": 0}
