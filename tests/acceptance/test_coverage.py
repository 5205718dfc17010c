"""The bundled scenarios reach all that is drawn, and every rule of the decision tables, except what is listed here.

A listed part that is reached, or that is no more, fails as well: the list says what is true today.
"""

from __future__ import annotations

import pytest

from engine import deployments, scenario_files, scenarios
from engine.studio import coverage
from engine.studio.coverage import FileCoverage

FILES = deployments.read_folder(*deployments.BUNDLED)
PATHS = scenario_files.find([deployments.BUNDLED[0]])

UNREACHED_PARTS: dict[str, dict[str, str]] = {}
"""File → element or flow → why no scenario reaches it."""

UNREACHED_RULES: dict[str, dict[int, str]] = {
    "DT_05_measures": dict.fromkeys((1, 2), "measures are decided where there is harassment; the level is 0 elsewhere"),
}
"""Decision → rule → why no scenario lets it hold."""


@pytest.fixture(scope="module")
def covered() -> tuple[FileCoverage, ...]:
    runs = [scenarios.run(path, FILES) for path in PATHS]
    assert [run.difference for run in runs if run.difference is not None] == []
    return coverage.of_files(FILES, coverage.together(run.reached.facts() for run in runs))


def test_the_scenarios_reach_every_element_and_flow_but_those_listed(covered: tuple[FileCoverage, ...]) -> None:
    missing = {file.file.rpartition("/")[2]: {part.id for part in file.missing} for file in covered if file.missing}

    assert missing == {file: set(parts) for file, parts in UNREACHED_PARTS.items()}


def test_the_scenarios_let_every_rule_hold_but_those_listed(covered: tuple[FileCoverage, ...]) -> None:
    tables = [table for file in covered for table in file.tables]
    missing = {table.table.decision: set(table.missing) for table in tables if table.missing}

    assert missing == {decision: set(rules) for decision, rules in UNREACHED_RULES.items()}


def test_a_scenario_less_is_seen(covered: tuple[FileCoverage, ...]) -> None:
    """Were the union computed from nothing, or of every part there is, the tests above would say nothing."""
    alone = scenarios.run(next(path for path in PATHS if path.stem == "C-01"), FILES)
    told = coverage.of_files(FILES, alone.reached)

    assert sum(len(file.missing) for file in told) > 100
    assert sum(file.missing_rules for file in told) > 100
