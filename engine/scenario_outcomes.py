"""Outcomes: how the scenarios of a revision went with its present files, and what of the files they reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine import bundles, deployments, tables
from engine.studio import coverage
from engine.studio.coverage import FileCoverage, Reached

_TITLE = re.compile(r"^title:[ \t]+(.+?)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """How a scenario went with the present files: None as `passed` means that it was not run with them."""

    file: str
    title: str
    passed: bool | None
    difference: str | None


def is_scenario(name: str) -> bool:
    """Whether the file of this name is a scenario."""
    folder, _, file = name.rpartition("/")
    return folder.rpartition("/")[2] == deployments.SCENARIOS and file.endswith((".yaml", ".yml"))


def title(source: bytes) -> str:
    """What the scenario calls itself, found without reading it as a whole; empty where it has none."""
    found = _TITLE.search(source.decode("utf-8", "replace"))
    return found[1].strip().strip("\"'") if found else ""


def listing(session: Session, revision: int, files: Mapping[str, bytes]) -> tuple[ScenarioRow, ...]:
    """Every scenario among the files of the revision, and how it went with them."""
    run = {row.file: row for row in _runs(session, revision, files)}
    found = []
    for name in files:
        if is_scenario(name):
            row = run.get(name)
            called = (title(files[name]) or name.rpartition("/")[2]) if row is None else row.title
            passed, difference = (None, None) if row is None else (row.difference is None, row.difference)
            found.append(ScenarioRow(name, called, passed, difference))
    return tuple(found)


def covered(session: Session, revision: int, files: Mapping[str, bytes]) -> tuple[FileCoverage, ...]:
    """What of the files the scenarios reached so far; nothing, while none could run with them."""
    reached = [row.reached for row in _runs(session, revision, files) if row.reached is not None]
    return coverage.of_files(files, coverage.together(reached)) if reached else ()


def record(
    session: Session,
    revision: int,
    of: str,
    file: str,
    title: str,
    difference: str | None,
    reached: Reached | None,
    *,
    at: datetime,
) -> None:
    """How a scenario went with the files of digest `of`; what was known of other files is forgotten."""
    table = tables.ScenarioRun
    session.execute(delete(table).where(table.revision_id == revision, table.digest != of))
    session.execute(delete(table).where(table.revision_id == revision, table.file == file))
    facts = None if reached is None else reached.facts()
    row = {"revision_id": revision, "digest": of, "file": file, "title": title, "difference": difference}
    session.execute(insert(table), {**row, "reached": facts, "at": at})


def _runs(session: Session, revision: int, files: Mapping[str, bytes]) -> list[tables.ScenarioRun]:
    table = tables.ScenarioRun
    query = select(table).where(table.revision_id == revision, table.digest == bundles.digest(files))
    return list(session.execute(query).scalars())
