"""Every bundled scenario comes as its file expects, and its history gives its state again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select

from engine import database, deployments, scenario_files, scenarios, tables
from engine.audit import replay, verification
from engine.states import EventType

TURNED = ("userTask", "businessRuleTask", "exclusiveGateway", "inclusiveGateway", "parallelGateway", "endEvent")
PATHS = scenario_files.find([deployments.BUNDLED[0]])


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_scenario_goes_as_its_file_says_and_replays(path: Path, files: Mapping[str, bytes]) -> None:
    scratch = database.connect("sqlite://")
    scratch.create()

    scenarios.run_on(scratch, scenario_files.read(path), files)

    with scratch.reading() as session:
        folded = [replay.fold(session, instance) for instance in replay.instances_of(session)]
        verdict = verification.verify(session)
    scratch.close()
    assert [fold.divergence for fold in folded] == [None] * len(folded)
    assert verdict.findings == ()
    assert verdict.events > sum(fold.events for fold in folded) > 0


@pytest.mark.parametrize("id", ["C-12", "U-05"])
def test_the_order_of_nodes_in_a_diagram_decides_nothing(id: str, files: Mapping[str, bytes]) -> None:
    """What the execution digest leaves out: an editor writes nodes in the order they were last touched."""
    turned = {name: _turned(source) if name.endswith(".bpmn") else source for name, source in files.items()}
    path = next(path for path in PATHS if path.stem.startswith(id))

    assert turned != files
    assert _told(path, turned) == _told(path, files)


def _turned(source: bytes) -> bytes:
    root = etree.fromstring(source)
    for scope in root.iter("{*}process", "{*}subProcess"):
        nodes = [node for node in scope.iterchildren("{*}*") if etree.QName(node).localname in TURNED]
        for node in sorted(nodes, key=lambda node: node.get("id", ""), reverse=True):
            scope.append(node)
    return etree.tostring(root)


def _told(path: Path, files: Mapping[str, bytes]) -> list[tuple[object, ...]]:
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(path), files)
    with scratch.reading() as session:
        rows = session.execute(select(tables.HistoryEvent).order_by(tables.HistoryEvent.id)).scalars()
        told = [(row.type, row.instance_id, row.facts) for row in rows if row.type is not EventType.DEPLOYED]
    scratch.close()
    return told


def test_there_are_scenarios() -> None:
    assert len(PATHS) >= 13
