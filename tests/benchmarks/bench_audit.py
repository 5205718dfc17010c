"""How fast histories are verified and replayed: the recorded ones, copied into memory, in turns; the median of each.

Processor time, so that other work on the machine does not count. Only the order of magnitude carries over.
"""

from __future__ import annotations

import lzma
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from sqlalchemy import func, select

from engine import database, tables
from engine.audit import replay, verification

HISTORIES = Path(__file__).parents[1] / "histories"
ROUNDS = 7


def company() -> database.Database:
    """The newest recorded history."""
    newest = max(HISTORIES.glob("semantics-*.sql.xz"), key=lambda path: int(path.name.split("-")[1].split(".")[0]))
    found = database.connect("sqlite://")
    connection = found.engine.raw_connection()
    script = lzma.decompress(newest.read_bytes()).decode()
    connection.driver_connection.executescript(f"PRAGMA foreign_keys=OFF; {script}")
    connection.close()
    found.upgrade()
    return found


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    with company().reading() as session:
        cases = session.execute(select(func.count()).select_from(tables.Case)).scalar_one()
        events, values = (
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.HistoryEvent, tables.HistoryValue)
        )
        runs = replay.instances_of(session)
        causes = sum(replay.fold(session, run).events for run in runs)  # compiles the definitions, too
        verifying, replaying = [], []
        for _ in range(ROUNDS):
            verifying.append(seconds(lambda: verification.verify(session)))
            replaying.append(seconds(lambda: [replay.fold(session, run) for run in runs]))
    print(f"{cases} cases, {len(runs)} instances, {causes} causes, {events} events, {values} values")
    print(f"verify  {events / median(verifying):8.0f} events/s {values / median(verifying):8.0f} values/s")
    print(f"replay  {cases / median(replaying) * 60:8.0f} cases/min {causes / median(replaying):8.0f} causes/s")


if __name__ == "__main__":
    main()
