"""Never slower: a step costs after years what it cost on the first day. Counted, not timed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine import bpmn, bundles, tables, user_tasks


@contextmanager
def statements(office: Any) -> Iterator[list[str]]:
    """Everything that the driver is asked to run, in order."""
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        if office.database.engine.dialect.name == "sqlite":
            with office.database.engine.connect() as connection:
                driver = connection.connection.driver_connection
            driver.set_trace_callback(seen.append)
            yield seen
            driver.set_trace_callback(None)
            return
        for name in ("execute", "executemany"):
            original = getattr(psycopg.Cursor, name)

            def recording(cursor: Any, query: Any, *rest: Any, original: Any = original, **more: Any) -> Any:
                seen.append(str(query))
                return original(cursor, query, *rest, **more)

            patch.setattr(psycopg.Cursor, name, recording)
        yield seen


def rows(office: Any) -> dict[str, int]:
    with office.database.reading() as session:
        return {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in tables.metadata.tables.items()
        }


def without_numbers(value: Any) -> str:
    return re.sub(r"\d+", "0", json.dumps(value))


def footprint(office: Any, task: int, person: Any) -> tuple[Any, int]:
    """What one completion runs and leaves: its statements, new rows, event and snapshot; and the next task."""
    before = rows(office)
    with statements(office) as seen, office.database.transaction() as session:
        done = user_tasks.complete(session, task, {}, actor=person, at=office.now)
    added = {name: count - before[name] for name, count in rows(office).items() if count != before[name]}
    with office.database.reading() as session:
        snapshot = session.execute(select(tables.ProcessInstance.snapshot)).scalar_one()
        events = tables.HistoryEvent
        facts = session.execute(select(events.facts).order_by(events.id.desc()).limit(1)).scalar_one()
    return (len(seen), added, without_numbers(facts), without_numbers(snapshot)), done.next_tasks[0].id


def test_completion_2000_of_a_loop_runs_and_stores_what_completion_10_did(office: Any) -> None:
    office.start("round", going=True)
    person, task, measured = office.person("anna"), office.task("step").id, {}
    for number in range(1, 2001):
        if number in (10, 2000):
            measured[number], task = footprint(office, task, person)
            continue
        with office.database.transaction() as session:
            task = user_tasks.complete(session, task, {}, actor=person, at=office.now).next_tasks[0].id

    assert measured[2000] == measured[10]
    assert measured[10][0] > 0


def events_read(session: Session) -> int:
    """Rows of history that PostgreSQL has read for this connection since some moment before the transaction."""
    count = (
        "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))"
        " FROM pg_stat_xact_user_tables WHERE relname = 'history_event'"
    )
    return int(session.execute(text(count)).scalar_one())


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite does not tell what a transaction reads
def test_completion_200_of_a_loop_reads_no_more_of_history_than_completion_10_did(office: Any) -> None:
    office.start("round", going=True)
    person, task, measured = office.person("anna"), office.task("step").id, []
    for _ in range(200):
        with office.database.transaction() as session:
            before = events_read(session)
            task = user_tasks.complete(session, task, {}, actor=person, at=office.now).next_tasks[0].id
            measured.append(events_read(session) - before)

    assert 0 < max(measured[190:]) <= max(measured[10:20])


def test_ten_thousand_completions_pass_in_one_instance(bundle_files: Mapping[str, bytes]) -> None:
    bundle = bundles.compile_files(bundle_files, ("notify", "charge")).processes
    now = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
    step = bpmn.advance(bundle, None, bpmn.Start("round", "2026-0001", {"going": True}), now)
    sizes = set()
    for _ in range(10_000):
        (opened,) = step.opened_tasks
        stored = json.loads(json.dumps(step.snapshot))
        step = bpmn.advance(bundle, stored, bpmn.CompleteTask(opened.place.token, {}, "anna"), now)
        sizes.add(len(without_numbers(stored)))

    assert not step.ended
    assert len(sizes) == 1
