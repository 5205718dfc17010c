"""Every bundled scenario comes as its file expects, and its history gives its state again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine import database, deployments, replay, scenario_files, scenarios, verification

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


def test_there_are_scenarios() -> None:
    assert len(PATHS) >= 13
