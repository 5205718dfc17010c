"""Records what this release does with a few scenarios, for later releases to replay.

Run it when the engine's semantics version, or the bundle, has changed; files of earlier releases stay as they are.
"""

from __future__ import annotations

import lzma
import sqlite3
import tempfile
from datetime import timedelta
from pathlib import Path

from engine import bpmn, database, deployments, scenario_files, scenarios
from engine.audit import checkpoints

FOLDER = Path(__file__).parent
SCENARIOS = Path(__file__).parents[2] / "processes" / "harassment-response" / "scenarios"
CHOSEN = ("C-01", "C-12", "U-14")
"""Together they have every kind of event and of fact that the scenarios have."""


def record(target: Path) -> None:
    """The database of a company in which these scenarios happened, as SQL, and the checkpoint over it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "company.db"
        found = database.connect(f"sqlite:///{path}")
        found.upgrade()
        files = deployments.read_folder(*deployments.BUNDLED)
        told = [read for read in map(scenario_files.read, scenario_files.find([SCENARIOS])) if read.id in CHOSEN]
        for scenario in told:
            scenarios.run_on(found, scenario, files)
        sealing = checkpoints.Sealing(target.with_suffix(""), Path(folder) / "key.json", timedelta(minutes=1))
        checkpoints.make(found, sealing, at=max(scenario.at for scenario in told))
        found.close()
        dump = "\n".join(sqlite3.connect(path).iterdump())
    target.with_suffix(".sql.xz").write_bytes(lzma.compress(dump.encode()))


if __name__ == "__main__":
    record(FOLDER / f"semantics-{bpmn.SEMANTICS}")
