"""Nothing lost, nothing doubled: threads that do the same, or different things, at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from engine import history, identity, instances, tables, user_tasks, worker
from engine.audit import replay, verification
from engine.errors import EngineError
from engine.states import EventType, JobState

RACES = 200
TIMERS = 1_000


def at_once(*commands: Callable[[], Any]) -> list[Any]:
    """The result or EngineError of each command, all begun at the same moment."""
    barrier = threading.Barrier(len(commands))
    results: list[Any] = [None] * len(commands)

    def run(index: int, command: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[index] = command()
        except EngineError as refused:
            results[index] = refused

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(commands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def completing(office: Any, element: str, actor: identity.Person) -> Callable[[], Any]:
    task = office.task(element).id
    return lambda: office.database.retrying(
        lambda session: user_tasks.complete(session, task, {}, actor=actor, at=office.now)
    )


def completions(office: Any) -> Counter[str]:
    with office.database.reading() as session:
        events = history.of_case(session, office.case)
    return Counter(event.task.element for event in events if event.task and event.type is EventType.TASK_COMPLETED)


def test_of_two_people_who_complete_one_task_at_once_one_wins_and_the_other_is_told(office: Any) -> None:
    anna, ben = office.person("anna"), office.person("ben")
    for _ in range(RACES):
        office.start("pair")
        results = at_once(completing(office, "left", anna), completing(office, "left", ben))

        told = sorted(type(result).__name__ for result in results)
        assert told == ["Completed", "TaskAlreadyClosed"]
        assert completions(office) == {"left": 1}


def test_two_people_who_complete_different_tasks_of_one_instance_at_once_both_succeed(office: Any) -> None:
    anna, ben = office.person("anna"), office.person("ben")
    for _ in range(RACES):
        office.start("pair")
        results = at_once(completing(office, "left", anna), completing(office, "right", ben))

        assert {type(result).__name__ for result in results} == {"Completed"}
        assert completions(office) == {"left": 1, "right": 1}
        assert office.running() == {}

    with office.database.reading() as session:
        verdict = verification.verify(session)
        assert (verdict.findings, verdict.events) == ((), 1 + 3 * RACES)
        folded = [replay.fold(session, instance) for instance in replay.instances_of(session)]
    assert [fold.divergence for fold in folded] == [None] * RACES


def test_of_two_people_who_claim_at_once_one_has_the_task(office: Any) -> None:
    office.start("pair")

    def claiming(by: str) -> Callable[[], Any]:
        task, actor = office.task("left").id, office.person(by)
        return lambda: office.database.retrying(
            lambda session: user_tasks.claim(session, task, actor=actor, at=office.now)
        )

    results = at_once(claiming("anna"), claiming("ben"))

    assert sorted(type(result).__name__ for result in results) == ["TaskAlreadyClaimed", "TaskRow"]


def test_the_same_submission_twice_at_once_has_one_effect(office: Any) -> None:
    office.start("pair")
    task, anna = office.task("left").id, office.person("anna")

    def submit() -> Any:
        return office.database.retrying(
            lambda session: user_tasks.complete(session, task, {}, actor=anna, at=office.now, submission="twice")
        )

    first, second = at_once(submit, submit)

    assert (first.task.id, first.ended) == (second.task.id, second.ended) == (task, False)
    assert completions(office) == {"left": 1}


def test_a_thousand_timers_due_at_once_fire_once_each_in_any_number_of_workers(office: Any) -> None:
    with office.database.transaction() as session:
        for _ in range(TIMERS):
            instances.start(session, "pause", {}, actor="anna", at=office.now)
    office.later(days=2)

    def work() -> int:
        done = 0
        while found := worker.run_due(office.database, at=office.now):
            done += found
        return done

    assert sum(at_once(work, work, work, work)) == TIMERS
    with office.database.reading() as session:
        events = tables.HistoryEvent
        fired = session.execute(select(events.instance_id).where(events.type == EventType.TIMER_FIRED)).scalars().all()
        assert sorted(fired) == replay.instances_of(session)
        assert set(session.execute(select(tables.Job.state)).scalars()) == {JobState.DONE}
