"""The office on SQLite and on a real PostgreSQL, which is started for the tests and stopped after them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import database
from tests import postgresql


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgresql.Server]:
    with postgresql.serving() as running:
        yield running


@pytest.fixture(scope="session")
def server(postgres: postgresql.Server) -> str:
    """The URL of the server's own database."""
    return postgres.url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'office.db'}"
        return
    running: postgresql.Server = request.getfixturevalue("postgres")
    with running.database(f"office{abs(hash(tmp_path)):x}") as made:
        yield made


@pytest.fixture
def empty(url: str) -> Iterator[database.Database]:
    found = database.connect(url)
    found.create()
    yield found
    found.close()
