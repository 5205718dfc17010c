"""Cases are found off indexes on both databases: what naive looking finds, and no more rows than a page needs."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from engine import (
    case_grams,
    case_index,
    case_search,
    cases,
    catalogue,
    comments,
    database,
    deployments,
    identity,
    tables,
)
from engine.columns import JST
from engine.states import TaskState
from tests.engine.conftest import FOLDER

SIGNS = "返品却aAａ1１ア%_\\' 　゛\t-026🙂𠮷"
"""Wide, narrow, beyond the first plane, signs of LIKE, and ゛ which folding takes apart with a space."""
CRITERIA: list[dict[str, Any]] = [
    {},
    {"running": True},
    {"running": False},
    {"overdue": True},
    {"overdue": False},
    {"facts": {"amount": "30"}},
    {"facts": {"amount": "30"}, "running": False},
    {"query": "返"},
    {"query": "返品"},
    {"query": "返品の件"},
    {"query": "瑠璃"},
    {"query": "返品瑠璃"},
    {"query": "三十"},
    {"query": "2026-0012"},
    {"query": "返品 三十", "running": True, "facts": {"amount": "30"}},
]


def folded(said: str) -> str:
    return unicodedata.normalize("NFKC", said).casefold()


def found(office: Any, by: str = "carla", **criteria: Any) -> list[str]:
    with office.database.reading() as session:
        rows = cases.list_cases(session, office.person(by), at=office.now, **criteria)
    return [row.business_key for row in rows]


def counted(office: Any, by: str = "carla", **criteria: Any) -> cases.CaseCounts:
    with office.database.reading() as session:
        return cases.count_cases(session, office.person(by), at=office.now, **criteria)


@pytest.fixture(scope="session")
def bundle_files() -> Mapping[str, bytes]:
    files = deployments.read_folder(FOLDER)
    facts = "facts:\n  - {name: amount, label: 金額, values: {'30': 三十円}}\n"
    return {**files, catalogue.FILE: files[catalogue.FILE] + facts.encode()}


@pytest.fixture
def three(office: Any) -> Any:
    for _ in range(3):
        office.start("review", amount=1)
    return office


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.text(SIGNS, max_size=9), min_size=3, max_size=3), query=st.text(SIGNS, max_size=5))
def test_words_are_found_where_they_stand_and_nowhere_else(three: Any, said: list[str], query: str) -> None:
    keys = ["2026-0003", "2026-0002", "2026-0001"]
    with three.database.transaction() as session:
        for key, each in zip(keys, said, strict=True):
            case_index.forget_texts(session, key)
            case_index.write_comment(session, key, each)
            case_index.write_comment(session, key, each[::-1])

    texts = {key: [key, folded(each), folded(each[::-1])] for key, each in zip(keys, said, strict=True)}
    words = folded(query).split()
    naive = [key for key in keys if all(any(word in each for each in texts[key]) for word in words)]

    assert found(three, query=query) == naive


def test_what_is_forgotten_is_found_no_more_and_leaves_the_number_alone(three: Any) -> None:
    with three.database.transaction() as session:
        comments.write(session, "2026-0001", "返品の件", actor=three.person("carla"), at=three.now)
        before = set(session.execute(select(tables.CaseGram.gram).where(tables.CaseGram.ordinal == 1)).scalars())
        case_index.forget_texts(session, "2026-0001")
        after = set(session.execute(select(tables.CaseGram.gram).where(tables.CaseGram.ordinal == 1)).scalars())

    assert before - after == case_grams.grams(["返品の件"])
    assert after == case_grams.grams(["2026-0001"])
    assert found(three, query="返品") == []
    assert found(three, query="0001") == ["2026-0001"]


def test_pages_lie_side_by_side_in_both_directions(office: Any) -> None:
    for _ in range(7):
        office.start("review", amount=1)
    every = found(office)

    assert every == [f"2026-000{number}" for number in range(7, 0, -1)]
    assert found(office, limit=3, before="2026-0006") == every[2:5]
    assert found(office, limit=3, after="2026-0002") == every[2:5]
    assert found(office, limit=3, after="2026-0002", by="anna") == every[2:5]
    assert found(office, before="2026-0001") == found(office, after="2026-0007") == []


def test_a_case_that_one_may_not_read_is_no_place_in_the_list(office: Any) -> None:
    office.start("hearing", by="anna")
    office.start("review", by="anna", amount=1)
    office.start("hearing", by="dora")

    own = found(office, by="dora")

    assert "2026-0002" not in own
    for unknown in ("2026-0002", "2026-0009"):
        assert found(office, by="dora", before=unknown) == found(office, by="dora", after=unknown) == own


PEOPLE = ["anna", "ben", "carla", "dora", "watson", "gus"]
CANDIDATE = st.tuples(st.sampled_from(["group", "excluded"]), st.sampled_from(["clerks", "archivists"])) | st.tuples(
    st.sampled_from(["user", "excluded"]), st.sampled_from(PEOPLE)
)
TASK = st.tuples(st.sampled_from(TaskState), st.sets(CANDIDATE, max_size=3))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tasks=st.lists(st.lists(TASK, max_size=2), min_size=3, max_size=3),
    parts=st.lists(st.sets(st.sampled_from(PEOPLE), max_size=2), min_size=3, max_size=3),
)
def test_the_list_has_the_cases_that_one_may_read_and_no_other(
    three: Any, tasks: list[list[tuple[TaskState, set[tuple[str, str]]]]], parts: list[set[str]]
) -> None:
    with three.database.transaction() as session:
        for table in (tables.Candidate, tables.UserTask, tables.Participant):
            session.execute(delete(table))
        for number, (own, present) in enumerate(zip(tasks, parts, strict=True), start=1):
            for person in present:
                identity.take_part(session, f"2026-{number:04}", person, three.now)
            for token, (state, candidates) in enumerate(own):
                wait(session, number, token, state, candidates)

    for person in PEOPLE:
        with three.database.reading() as session:
            keys = [f"2026-{number:04}" for number in (3, 2, 1)]
            readable = [key for key in keys if identity.may_read_case(session, three.person(person), key)]
            named = [key for key in keys if person in comments.readers_known_to(session, key, three.person("carla"))]
        assert found(three, by=person) == named == readable, person


def wait(session: Session, number: int, token: int, state: TaskState, candidates: set[tuple[str, str]]) -> None:
    """A task of this case in this state, with these candidates, of which no process knows."""
    row = tables.UserTask(
        instance_id=number,
        business_key=f"2026-{number:04}",
        process="review",
        token=1000 + token,
        element="RV_01_review",
        scope="",
        name="",
        state=state,
        escalate_to=[],
        opened_at=datetime.now(JST),
    )
    session.add(row)
    session.flush()
    for position, (kind, name) in enumerate(sorted(candidates)):
        session.add(tables.Candidate(task_id=row.id, kind=kind, name=name, position=position, escalated=False))


def test_more_cases_than_are_counted_are_said_to_be_more(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        office.start("review", amount=30)
    assert counted(office) == cases.CaseCounts(3, 3, 0, {"amount": {"30": 3}})
    monkeypatch.setattr(cases, "COUNTED", 1)

    assert counted(office) == cases.CaseCounts(2, 2, 0, {})
    assert counted(office, by="anna") == cases.CaseCounts(2, 2, 0, {})
    assert counted(office, by="gus").total == 0


# What it costs ------------------------------------------------------------------------------------------


def pile(office: Any, since: int, until: int, *, closed: bool = False) -> None:
    """Cases of Anna's without history, every second or each of them closed, in each of which the same is written."""
    at = office.now
    with office.database.transaction() as session:
        for number in range(since, until):
            key = f"2026-{number:04}"
            case = {"business_key": key, "ordinal": number, "process": "review", "running": 0 if closed else number % 2}
            times = {"opened_at": at, "opened_by": None, "changed_at": at}
            session.execute(insert(tables.Case).values(**case, **times))
            identity.take_part(session, key, "anna", at)
            fact = {"business_key": key, "name": "amount", "value": "30", "ordinal": number}
            session.execute(insert(tables.CaseFact).values(fact))
            case_index.write_number(session, key)
            case_index.write_comment(session, key, "返品の件")
        if since == 1:
            case_index.write_comment(session, "2026-0001", "瑠璃")


def steps(office: Any, by: str, criteria: dict[str, Any]) -> int:
    """What SQLite's machine does for a page and its numbers: instructions, which are the same each time."""
    person, done = office.person(by), []
    with office.database.reading() as session:
        driver = session.connection().connection.driver_connection
        cases.readable_facts(session, person)  # what is deployed is read once
        driver.set_progress_handler(lambda: done.append(1), 10)
        cases.list_cases(session, person, at=office.now, limit=10, **criteria)
        cases.count_cases(session, person, at=office.now, **criteria)
        driver.set_progress_handler(None, 0)
    return len(done)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("by", "closed", "weighed"), [("carla", False, 20), ("anna", True, 300)])
def test_a_page_takes_as_many_steps_of_2400_cases_as_of_400(
    office: Any, monkeypatch: pytest.MonkeyPatch, by: str, closed: bool, weighed: int
) -> None:
    """Who reads all has ever more of everything; who reads their own has no more under way, which is not history."""
    monkeypatch.setattr(cases, "COUNTED", 20)
    monkeypatch.setattr(case_search, "WEIGHED", weighed)
    pile(office, 1, 401)
    few = [steps(office, by, each) for each in CRITERIA]
    pile(office, 401, 2401, closed=closed)
    many = [steps(office, by, each) for each in CRITERIA]

    assert min(few) > 0
    assert [(each, *of) for each, *of in zip(CRITERIA, few, many, strict=True) if of[1] > 1.2 * of[0]] == []


# What was there before ----------------------------------------------------------------------------------


def upgrade(found: database.Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with found.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_cases_from_before_are_numbered_as_they_began_and_their_words_are_found(url: str) -> None:
    old = database.connect(url)
    upgrade(old, "0006")
    with old.transaction() as session:
        for key, day in (("2026-10000", 3), ("2026-9999", 2), ("x", 1)):
            at = f"2026-01-0{day} 00:00:00"
            session.execute(
                text("INSERT INTO process_case VALUES (:key, 'review', 1, :at, NULL, :at)"), {"key": key, "at": at}
            )
            session.execute(
                text("INSERT INTO participant VALUES (:key, 'anna', :no, :at)"), {"key": key, "at": at, "no": False}
            )
            session.execute(text("INSERT INTO case_fact VALUES (:key, 'amount', '30')"), {"key": key})
        session.execute(
            text("INSERT INTO case_text (id, business_key, field, text) VALUES (1, '2026-9999', 'comment', '返品の件')")
        )

    old.upgrade()

    expected = {"x": 1, "2026-9999": 2, "2026-10000": 3}
    with old.reading() as session:
        for table in (tables.Case, tables.Participant, tables.CaseFact):
            assert dict(session.execute(select(table.business_key, table.ordinal)).all()) == expected
        rows = session.execute(select(tables.CaseGram.ordinal, tables.CaseGram.gram)).all()
    grams = {ordinal: {gram for of, gram in rows if of == ordinal} for ordinal in (1, 2, 3)}
    assert grams[1] == case_grams.grams(["x"])
    assert grams[2] == case_grams.grams(["2026-9999", "返品の件"])
    old.close()
