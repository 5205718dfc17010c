"""How many timers that are due 1, 2 and 4 worker processes fire in a second, on a PostgreSQL of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from engine import database, deployments, identity, instances, tables  # noqa: E402
from engine.states import OPEN_JOB  # noqa: E402
from tests import postgresql  # noqa: E402

HARNESS = ROOT / "tests" / "engine" / "durability" / "working.py"
BUNDLE = ROOT / "tests" / "engine" / "processes"
PAUSE = timedelta(days=2)
TIMERS = 2_000


def left(office: database.Database) -> int:
    with office.reading() as session:
        found: int = session.execute(select(func.count()).where(tables.Job.state.in_(OPEN_JOB))).scalar_one()
    return found


def seconds(url: str, workers: int) -> float:
    """From the moment at which all timers are there until the last has fired; the workers wait for them."""
    office = database.connect(url)
    office.upgrade()
    with office.transaction() as session:
        deployments.deploy(
            session, deployments.read_folder(BUNDLE), by=None, at=datetime.now(UTC), job_types=("notify", "charge")
        )
        identity.seed(session, deployments.catalogue(session).people, password=None)
    with ExitStack() as stack:
        for _ in range(workers):
            command = [sys.executable, HARNESS, url, BUNDLE]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            process.stdout and process.stdout.readline()
        with office.transaction() as session:
            for _ in range(TIMERS):
                instances.start(session, "pause", {}, actor="anna", at=datetime.now(UTC) - PAUSE)
        began = time.monotonic()
        while left(office):
            time.sleep(0.05)
        took = time.monotonic() - began
    office.close()
    return took


def main() -> None:
    print(f"{TIMERS} timers due at once    seconds   per second")
    with postgresql.serving() as server:
        for workers in (1, 2, 4):
            with server.database(f"workers{workers}") as url:
                took = seconds(url, workers)
            print(f"{workers} workers{took:24.1f}{TIMERS / took:13.0f}", flush=True)


if __name__ == "__main__":
    main()
