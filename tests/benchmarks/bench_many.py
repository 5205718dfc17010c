"""The inbox and the case list with very many cases, beside the same pages with 1,000, in one run, on SQLite.

The database of `bench_pages`, in which 999 cases wait, and one complaint that was answered and closed, copied by the
database itself as often as is wanted. Copied events are without facts and values, which these pages do not read. Usage: python -m tests.benchmarks.bench_many [CASES, 100000 if absent]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import deployments, scenario_files, scenarios, tables
from engine.columns import JST
from engine.database import Database
from tests.benchmarks.bench_pages import SCENARIO, fill, signed_in, times
from webapp import create_app
from webapp.__main__ import prepare

BASE = 1000
COMPLAINT = SCENARIO.with_name("C-01.yaml")
COPIED = (
    *("process_case", "participant", "process_instance", "user_task", "candidate", "job", "subscription"),
    *("case_fact", "case_text", "history_event"),
)
SHIFTED = ("id", "instance_id", "task_id")
"""Columns that hold a number of something that is copied too."""
EMPTY = {"facts": "'{}'", "commitments": "'[]'"}
PAGES = (
    ("inbox of a handler", "handler1", "/"),
    ("inbox, overdue", "handler1", "/?due=overdue"),
    ("case list of the desk", "desk1", "/cases"),
    ("case list, under way", "desk1", "/cases?state=running"),
    ("case list of a handler", "handler1", "/cases"),
    ("case list, two characters", "desk1", "/cases?q=返品"),
)


def multiply(database: Database, ended: str, copies: int) -> None:
    """The case of this number is there this many times more."""
    with database.transaction() as session:
        shift = 1 + max(_largest(session, name) for name in COPIED if "id" in _columns(name))
        for name in COPIED:
            session.execute(text(_copying(name, ended, copies, shift)))
        session.execute(text("ANALYZE"))


def _columns(name: str) -> list[str]:
    return [column.name for column in tables.metadata.tables[name].columns]


def _largest(session: Session, name: str) -> int:
    return int(session.execute(text(f"SELECT coalesce(max(id), 0) FROM {name}")).scalar_one())


def _copying(name: str, ended: str, copies: int, shift: int) -> str:
    """The ended case's rows once for each number, under new case numbers and ids."""
    made = {column: f"o.{column} + n.n * {shift}" for column in SHIFTED}
    made |= dict.fromkeys(("business_key", "key"), "printf('%d-%04d', 3000 + n.n / 1000, n.n % 1000)")
    columns, own = _columns(name), f"o.{'key' if name == 'subscription' else 'business_key'} = '{ended}'"
    if name == "candidate":
        own = f"o.task_id IN (SELECT id FROM user_task WHERE business_key = '{ended}')"
    if name == "history_event":
        made |= EMPTY | {"chain": f"(o.instance_id + n.n * {shift}) || ''"}
        own += " AND o.instance_id IS NOT NULL"
    values = ", ".join(made.get(each, f"o.{each}") for each in columns)
    numbers = f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {copies})"
    return f"INSERT INTO {name} ({', '.join(columns)}) {numbers} SELECT {values} FROM {name} o, n WHERE {own}"


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(f"sqlite:///{Path(folder) / 'many.db'}", SECRET_KEY="only for this run, and long enough")
        database = app.extensions["mamori"]
        prepare(database, datetime.now(JST))
        fill(database, BASE)
        files = deployments.read_folder(*deployments.BUNDLED)
        scenarios.run_on(database, scenario_files.read(COMPLAINT), files)
        with database.reading() as session:
            ended = session.execute(
                text("SELECT business_key FROM process_case ORDER BY rowid DESC LIMIT 1")
            ).scalar_one()
        clients = {name: signed_in(app, name) for name in ("handler1", "desk1")}
        spent = [[times(lambda who=who, path=path: clients[who].get(path)) for _, who, path in PAGES]]
        multiply(database, ended, cases - BASE)
        with database.reading() as session:
            counts = [
                session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in COPIED[:1] + COPIED[-1:]
            ]
        print("{:,} cases, {:,} history events".format(*counts))
        spent.append([times(lambda who=who, path=path: clients[who].get(path)) for _, who, path in PAGES])
        print(f"{'ms, p50 / p95':30}{f'{BASE:,} cases':>20}{f'{cases:,} cases':>20}{'p95, times':>12}")
        for (label, _, _), few, many in zip(PAGES, *spent, strict=True):
            both = [(statistics.median(each), each[int(len(each) * 0.95)]) for each in (few, many)]
            shown = "".join(f"{f'{p50:.1f} / {p95:.1f}':>20}" for p50, p95 in both)
            print(f"{label:30}{shown}{both[1][1] / both[0][1]:12.1f}")
        database.close()


if __name__ == "__main__":
    main()
