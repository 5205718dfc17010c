"""Running the scenarios of a revision: each on a scratch database, its outcome stored as soon as it is known.

Nothing of a run reaches beyond the scratch database: no mail, no call, no case.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from engine import bundles, scenario_outcomes, scenarios
from engine.database import Database
from engine.deployments import JOB_TYPES
from engine.studio import inspections, revisions

Clock = Callable[[], datetime]

_running: dict[tuple[str, int], str] = {}
"""Database and revision → digest of the files that its scenarios are being run with, in this program."""
_lock = threading.Lock()


def is_running(database: Database, revision: int) -> bool:
    return _key(database, revision) in _running


def start(database: Database, revision: int, clock: Clock) -> threading.Thread | None:
    """The scenarios are run beside the caller; None if they already are. Raises RevisionNotFound."""
    with database.reading() as session:
        files = revisions.files(session, revision)
    with _lock:
        if is_running(database, revision):
            return None
        _running[_key(database, revision)] = bundles.digest(files)
    thread = threading.Thread(target=_run, args=(database, revision, files, clock), daemon=True)
    thread.start()
    return thread


def run(database: Database, revision: int, clock: Clock) -> None:
    """Every scenario was run with the files as they were at the beginning."""
    thread = start(database, revision, clock)
    if thread is not None:
        thread.join()


def _run(database: Database, revision: int, files: dict[str, bytes], clock: Clock) -> None:
    try:
        digest = bundles.digest(files)
        executable = inspections.inspect(files, JOB_TYPES).executable
        for name, source in files.items():
            if not scenario_outcomes.is_scenario(name):
                continue
            if executable:
                result = scenarios.run_source(name, source, files)
                title, difference, reached = f"{result.id} {result.title}", result.difference, result.reached
            else:
                title, reached = name.rpartition("/")[2], None
                difference = "このままでは実行できないファイルがあります。"
            with database.transaction() as session:
                scenario_outcomes.record(session, revision, digest, name, title, difference, reached, at=clock())
    finally:
        with _lock:
            _running.pop(_key(database, revision), None)


def _key(database: Database, revision: int) -> tuple[str, int]:
    return str(database.engine.url), revision
