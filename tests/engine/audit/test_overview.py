"""The overview: where cases wait, which deadlines were kept, which judgements changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from engine import catalogue, deployments, feel, instances, tables
from engine.audit import overview
from engine.audit.overview import Figures

FOLDER = Path(__file__).parents[1] / "processes"
FACTS = """
facts:
  - {name: amount, label: 金額, values: {"30": 三十円, "50": 五十円, "70": 七十円}}
  - {name: review_form.verdict, label: 判断, values: {good: よい, mend: 直す}}
  - {name: review_form.reason, label: 理由}
"""
EVER = timedelta(days=400)


@pytest.fixture(scope="session")
def bundle_files() -> Mapping[str, bytes]:
    files = deployments.read_folder(FOLDER)
    return {**files, catalogue.FILE: files[catalogue.FILE] + FACTS.encode()}


def figures(office: Any, process: str, since: timedelta = EVER) -> dict[str, Figures]:
    with office.database.reading() as session:
        (definition,) = [each for each in overview.definitions(session) if each.key == process]
        return overview.figures(session, definition, since=office.now - since, at=office.now)


def changes(office: Any) -> list[tuple[str, str, str]]:
    with office.database.reading() as session:
        facts = deployments.catalogue(session).facts
        found = overview.changes(session, facts, since=office.now - EVER)
    return [(each.fact, each.before, each.after) for each in found]


def change(office: Any, instance: int, **values: Any) -> None:
    given = {name: feel.from_python(value) for name, value in values.items()}
    with office.database.transaction() as session:
        instances.change_variables(session, instance, given, actor="carla", at=office.now)


def test_a_step_was_entered_so_often_and_left_after_the_median_time(office: Any) -> None:
    for hours in (1, 2, 6):
        office.start("wait").later(hours=hours)
        office.complete("WA_01_prepare", by="anna")
    office.start("wait")

    found = figures(office, "wait")

    assert found["WA_01_prepare"] == Figures(count=4, median=timedelta(hours=2), open=1)
    assert found["wait_called"] == Figures(count=3, median=None, open=3)


def test_what_was_cancelled_is_no_waiting_time(office: Any) -> None:
    office.start("wait").later(hours=3)
    with office.database.transaction() as session:
        instances.cancel(session, office.instance, reason="間違い", actor="carla", at=office.now)

    assert figures(office, "wait")["WA_01_prepare"] == Figures(count=1, median=None, open=0)


def test_only_what_began_since_then_counts(office: Any) -> None:
    office.start("wait").later(days=10).start("wait")

    assert figures(office, "wait", timedelta(days=5))["WA_01_prepare"].count == 1
    assert figures(office, "wait", timedelta(days=15))["WA_01_prepare"].count == 2


def test_only_cases_that_went_on_are_read_again(office: Any) -> None:
    for _ in range(3):
        office.start("wait")
    figures(office, "wait")
    read: list[Any] = []
    office.later(hours=2).complete("WA_01_prepare", by="anna")

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "history_event.facts" in statement:
            read.append(parameters)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        found = figures(office, "wait")
        assert figures(office, "wait") == found
    finally:
        event.remove(Engine, "before_cursor_execute", listen)

    assert found["WA_01_prepare"] == Figures(count=3, median=timedelta(hours=2), open=2)
    ((_moves, *chains),) = read
    assert chains == [str(office.instance)]


def test_deadlines_are_kept_missed_or_still_to_come(office: Any) -> None:
    office.start("answer")
    office.complete("AN_01_answer", by="anna")
    office.start("answer")
    due = office.task("AN_01_answer").due
    office.now = due + timedelta(minutes=1)
    office.complete("AN_01_answer", by="anna")
    office.start("answer")
    late = office.task("AN_01_answer").due
    assert (figures(office, "answer")["AN_01_answer"].kept, figures(office, "answer")["AN_01_answer"].missed) == (1, 1)

    office.now = late + timedelta(minutes=1)

    assert (figures(office, "answer")["AN_01_answer"].kept, figures(office, "answer")["AN_01_answer"].missed) == (1, 2)


def test_what_is_due_at_once_is_neither_kept_nor_missed(office: Any) -> None:
    office.start("answer")
    office.start("answer")
    with office.database.transaction() as session:
        session.execute(update(tables.UserTask).values(due=tables.UserTask.opened_at))
    office.later(minutes=3).complete("AN_01_answer", by="anna")

    found = figures(office, "answer")["AN_01_answer"]

    assert (found.kept, found.missed, found.at_once) == (0, 0, 2)


def test_a_fact_that_had_one_value_and_then_another_has_changed(office: Any) -> None:
    office.start("review", amount=30)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="写しが読めない")
    change(office, office.instance, amount=30)
    assert changes(office) == []

    change(office, office.instance, amount=50)
    change(office, office.instance, review_form={"verdict": "good", "reason": "読めた"})

    assert changes(office) == [("review_form.verdict", "mend", "good"), ("amount", "30", "50")]


def test_a_change_that_another_process_of_the_case_hears_of_is_one(office: Any) -> None:
    office.start("review", amount=30)
    first, case = office.instance, office.case
    with office.database.transaction() as session:
        given = {"amount": feel.from_python(30)}
        second, _ = instances.start(session, "review", given, actor="anna", at=office.now, business_key=case)
    change(office, first, amount=50)
    change(office, second, amount=50)
    assert changes(office) == [("amount", "30", "50")]

    change(office, second, amount=70)

    assert changes(office) == [("amount", "50", "70"), ("amount", "30", "50")]


def test_what_returns_in_the_same_process_is_two_changes(office: Any) -> None:
    office.start("review", amount=30)
    for amount in (50, 30, 50):
        change(office, office.instance, amount=amount)

    assert changes(office) == [("amount", "30", "50"), ("amount", "50", "30"), ("amount", "30", "50")]


def test_a_fact_without_labels_is_no_judgement(office: Any) -> None:
    office.start("review", amount=30)
    for reason in ("一つ目", "二つ目"):
        change(office, office.instance, review_form={"reason": reason})

    assert changes(office) == []


def test_nothing_that_never_ran_is_offered(office: Any) -> None:
    with office.database.reading() as session:
        assert overview.definitions(session) == []
