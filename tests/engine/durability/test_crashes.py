"""Killed at any point under load: what was acknowledged is there once, and nothing is left half done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine import history, tables
from engine.audit import replay, verification
from engine.states import OPEN_JOB, EventType, JobState, TaskState

HARNESS = Path(__file__).parent / "crashing.py"
BUNDLE = Path(__file__).parents[1] / "processes"
TIMES = 50
SHARED = 4


def acknowledged(url: str) -> list[dict[str, int]]:
    told = subprocess.run(
        [sys.executable, HARNESS, url, BUNDLE, str(TIMES)], check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_web_processes_and_workers_killed_under_load_lose_and_double_nothing(office: Any, url: str) -> None:
    for _ in range(SHARED):
        office.start("round", going=True)
    told = acknowledged(url)
    completed = [line["completed"] for line in told if "completed" in line]
    started = [line["started"] for line in told if "started" in line]
    office.later(days=4)
    while office.run_jobs():
        pass

    with office.database.reading() as session:
        verdict = verification.verify(session)
        assert verdict.findings == ()
        assert verdict.events > len(told) >= TIMES
        runs = replay.instances_of(session)
        assert [replay.fold(session, run).divergence for run in runs] == [None] * len(runs)
        events = [event for run in runs for event in history.of_instance(session, run)]
        tasks = session.execute(select(tables.UserTask.id, tables.UserTask.state)).all()
        jobs = session.execute(select(tables.Job.kind, tables.Job.state)).all()
        told_by_job = list(
            session.execute(select(tables.Notice.business_key).where(tables.Notice.person == "carla")).scalars()
        )
        process = dict(session.execute(select(tables.ProcessInstance.id, tables.ProcessInstance.process)).all())

    assert started == list(dict.fromkeys(started))
    assert set(started) <= set(runs)
    recorded = Counter(event.task.id for event in events if event.task and event.type is EventType.TASK_COMPLETED)
    assert set(recorded.values()) == {1}
    assert set(completed) <= set(recorded)
    assert {task for task, state in tasks if state is TaskState.COMPLETED} == set(recorded)

    assert {state for _, state in jobs if state in OPEN_JOB or state is JobState.FAILED} == set()
    fired = Counter(event.instance for event in events if event.type is EventType.TIMER_FIRED)
    assert fired == Counter(run for run in runs if process[run] == "pause")
    assert len(told_by_job) == len(set(told_by_job)) == sum(name == "announce" for name in process.values())
