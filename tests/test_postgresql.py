"""Which PostgreSQL the tests run on: the machine's, else that of a package; without any they fail and say what to do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests import postgresql


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody can reach; nothing else of the machine is to be seen."""
    folder = Path(tempfile.mkdtemp(prefix="mamori-machine-"))
    folder.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(postgresql, "DEBIAN", folder / "debian")
    postgresql.binaries.cache_clear()
    yield folder
    postgresql.binaries.cache_clear()
    shutil.rmtree(folder)


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_machines_own_come_first_those_on_the_path_before_all(machine: Path) -> None:
    put(machine / "debian/9.6/bin", *postgresql.PROGRAMS)
    newest = put(machine / "debian/15/bin", *postgresql.PROGRAMS)
    assert postgresql.binaries() == newest

    postgresql.binaries.cache_clear()
    programs = put(machine / "elsewhere", *postgresql.PROGRAMS)
    (machine / "postgres").symlink_to(programs / "postgres")

    assert postgresql.binaries() == programs


def test_half_an_installation_is_none(machine: Path) -> None:
    put(machine, "postgres", "pg_isready")

    assert postgresql.PACKAGE in str(postgresql.binaries())


def test_without_the_machines_the_package_brings_one_that_answers() -> None:
    with postgresql.serving() as server:
        engine = create_engine(server.url)
        with engine.connect() as connection:
            assert int(connection.execute(text("SHOW server_version_num")).scalar_one()) >= 130000
        engine.dispose()


def test_a_package_where_only_root_can_go_is_reached_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(postgresql.PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, tmp_path / "closed" / part.relative_to(package.parent))
    (tmp_path / "closed").chmod(0o700)
    moved = ModuleSpec(postgresql.PACKAGE, None, origin=str(tmp_path / "closed" / package.name / "__init__.py"))
    monkeypatch.setattr(postgresql, "find_spec", lambda _: moved)

    with postgresql.serving() as server:
        engine = create_engine(server.url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        engine.dispose()


def test_without_any_the_tests_fail_with_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "find_spec", lambda _: None)

    with pytest.raises(RuntimeError, match=r"^[^\n]+pip install[^\n]+$"), postgresql.serving():
        pass
