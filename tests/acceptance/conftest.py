"""A company at work: cases at a moment, in a database of their own, with a fixed clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from freezegun import freeze_time

from tests.acceptance.company import EDGES, NOW, Case, Company, Edge, Moment, bundle


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("company"), bundle())


@pytest.fixture(scope="module")
def clock() -> Iterator[None]:
    with freeze_time(NOW, ignore=["_pytest"]):
        yield


@pytest.fixture
def case_at(company: Company, clock: None, tmp_path: Path) -> Iterator[Callable[[Moment], Case]]:
    """The case at a moment; what the test does to it is seen by this test alone."""
    opened: list[Case] = []

    def bring(moment: Moment) -> Case:
        opened.append(company.case(moment, tmp_path / f"{len(opened)}.db"))
        return opened[-1]

    yield bring
    for case in opened:
        case.close()


@pytest.fixture(params=list(EDGES))
def edge(request: pytest.FixtureRequest) -> Edge:
    return EDGES[request.param]
