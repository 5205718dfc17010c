"""The inbox and the case list with very many cases, beside the same pages with 1,000, in one run, on SQLite.

Half of the 1,000 wait, as in `bench_pages`. The other half, and all cases beyond, are closed: a long one with many steps
and a complaint that was answered, copied in turns as often as is wanted, by the database itself, with all their rows.
Copied events are without facts and values, which these pages do not read, and no statistics are taken, as none are
where Mamori serves. Usage: python -m tests.benchmarks.bench_many [CASES, 100000 if absent]
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from engine import comments, database, deployments, identity, scenario_files, scenarios, tables
from engine.columns import JST
from engine.database import Database
from tests.benchmarks.bench_pages import ROUNDS, SCENARIO, fill, signed_in
from webapp import create_app
from webapp.__main__ import prepare

BASE = 1000
CLOSED = tuple(SCENARIO.with_name(name) for name in ("C-12.yaml", "C-01.yaml", "C-01.yaml"))
"""In these turns, 47 and twice 7 events."""
COPIED = (
    *("process_case", "participant", "process_instance", "user_task", "candidate", "job", "subscription"),
    *("case_fact", "case_text", "case_gram", "history_event"),
)
SHIFTED = ("id", "instance_id", "task_id")
"""Columns that hold a number of something that is copied too."""
SHIFT = 100_000
"""Between the numbers of a copy and of the next; what is copied has smaller ones."""
EMPTY = {"facts": "'{}'", "commitments": "'[]'"}
SELDOM = "瑠璃唐草"
"""Written into the ten oldest cases."""
PAGES = (
    ("inbox of a handler", "handler1", "/"),
    ("inbox, overdue", "handler1", "/?due=overdue"),
    ("inbox, words", "handler1", "/?q=返品"),
    ("case list of the desk", "desk1", "/cases"),
    ("  the oldest", "desk1", "/cases?before=2026-0060"),
    ("  under way", "desk1", "/cases?state=running"),
    ("  closed", "desk1", "/cases?state=closed"),
    ("  overdue", "desk1", "/cases?overdue=yes"),
    ("  a fact of many", "desk1", "/cases?fact.end_state=ES-01"),
    ("  a fact of few, closed", "desk1", "/cases?state=closed&fact.care_level=C4"),
    ("  a number", "desk1", "/cases?q=2026-0400"),
    ("  one character", "desk1", "/cases?q=品"),
    ("  two characters", "desk1", "/cases?q=返品"),
    ("  a word of ten old cases", "desk1", f"/cases?q={SELDOM}"),
    ("  a word that stands nowhere", "desk1", "/cases?q=返品唐草"),
    ("  two words and a fact", "desk1", "/cases?q=返品 お客&fact.end_state=ES-01"),
    ("case list of a handler", "handler1", "/cases"),
    ("  under way", "handler1", "/cases?state=running"),
    ("  two characters", "handler1", "/cases?q=返品"),
)


def spent(client: FlaskClient, path: str) -> list[float]:
    """Milliseconds of processor time of each round, after one that warms up."""
    rounds = []
    for _ in range(1 + ROUNDS):
        began = time.process_time()
        answer = client.get(path)
        rounds.append((time.process_time() - began) * 1000)
        assert answer.status_code == 200, path
    return sorted(rounds[1:])


def play(found: Database) -> list[str]:
    """The numbers of the cases to be copied, which have been played."""
    files, numbers = deployments.read_folder(*deployments.BUNDLED), {}
    newest = text("SELECT business_key FROM process_case ORDER BY ordinal DESC LIMIT 1")
    for path in dict.fromkeys(CLOSED):
        scenarios.run_on(found, scenario_files.read(path), files)
        with found.reading() as session:
            numbers[path] = session.execute(newest).scalar_one()
    return [numbers[path] for path in CLOSED]


def mention(found: Database) -> None:
    """The seldom word stands in the ten oldest cases."""
    with found.transaction() as session:
        oldest = session.execute(text("SELECT business_key FROM process_case ORDER BY ordinal LIMIT 10")).scalars()
        for number in oldest.all():
            comments.write(session, number, SELDOM, actor=identity.person(session, "desk1"), at=datetime.now(JST))


def multiply(file: Path, closed: list[str], copies: range) -> None:
    """There are closed cases with these numbers more, copied in turns."""
    connection = sqlite3.connect(file, isolation_level=None)
    for setting in ("journal_mode=DELETE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-600000"):
        connection.execute(f"PRAGMA {setting}")
    (ordinal,) = connection.execute("SELECT max(ordinal) FROM process_case").fetchone()
    connection.execute("BEGIN")
    connection.execute("CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY, of_case, ordinal)")
    rows = ((n, closed[n % len(closed)], ordinal + 1 + n - copies.start) for n in copies)
    connection.executemany("INSERT INTO copy VALUES (?, ?, ?)", rows)
    connection.execute("CREATE INDEX temp.copy_of_case ON copy (of_case)")
    for name in COPIED:
        for number in dict.fromkeys(closed):
            connection.execute(copying(name), (number,))
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def columns(name: str) -> list[str]:
    return [column.name for column in tables.metadata.tables[name].columns]


def copying(name: str) -> str:
    """A statement: the rows of a case once for each copy of it, under new case numbers and ids."""
    made = {column: f"o.{column} + n.n * {SHIFT}" for column in SHIFTED}
    made |= dict.fromkeys(("business_key", "key"), "printf('%d-%04d', 3000 + n.n / 1000, n.n % 1000)")
    made |= {"ordinal": "n.ordinal"}
    own = f"o.{'key' if name == 'subscription' else 'business_key'} = ?1"
    if name == "candidate":
        own = "o.task_id IN (SELECT id FROM user_task WHERE business_key = ?1)"
    if name == "case_gram":
        own = "o.ordinal = (SELECT ordinal FROM process_case WHERE business_key = ?1)"
    if name == "history_event":
        made |= EMPTY | {"chain": f"(o.instance_id + n.n * {SHIFT}) || ''"}
        own += " AND o.instance_id IS NOT NULL"
    values = ", ".join(made.get(each, f"o.{each}") for each in columns(name))
    return (
        f"INSERT INTO {name} ({', '.join(columns(name))}) "
        f"SELECT {values} FROM {name} o CROSS JOIN copy n WHERE {own} AND n.of_case = ?1"
    )


def count(session: Session, name: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.db"
        app = create_app(f"sqlite:///{file}", SECRET_KEY="only for this run, and long enough")
        found: database.Database = app.extensions["mamori"]
        prepare(found, datetime.now(JST))
        fill(found, BASE // 2 - 2)
        closed = play(found)
        mention(found)
        found.close()
        multiply(file, closed, range(1, BASE // 2 + 1))
        clients = {name: signed_in(app, name) for name in ("handler1", "desk1")}

        def measured() -> list[list[float]]:
            return [spent(clients[who], path) for _, who, path in PAGES]

        few = measured()
        found.close()
        began = time.perf_counter()
        multiply(file, closed, range(BASE // 2 + 1, cases - BASE // 2 + 1))
        print(f"copied in {time.perf_counter() - began:.0f} s, {file.stat().st_size / 2**30:.1f} GiB")
        with found.reading() as session:
            numbers = [count(session, name) for name in ("process_case", "history_event", "user_task", "case_gram")]
        print("{:,} cases, {:,} history events, {:,} tasks, {:,} entries of the index of words".format(*numbers))
        many = measured()
        print(f"{'ms, p50 / p95':30}{f'{BASE:,} cases':>20}{f'{cases:,} cases':>20}{'p95, times':>12}")
        for (label, _, _), *each in zip(PAGES, few, many, strict=True):
            both = [(statistics.median(rounds), rounds[int(len(rounds) * 0.95)]) for rounds in each]
            shown = "".join(f"{f'{p50:.1f} / {p95:.1f}':>20}" for p50, p95 in both)
            print(f"{label:30}{shown}{both[1][1] / both[0][1]:12.1f}")
        found.close()


if __name__ == "__main__":
    main()
