"""What reads parts of the record in the database's own words, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from engine import accesses, database, feel, instances, tables
from engine.audit import moments, overview


def test_a_moment_is_read_from_parts_of_the_record(office: Any) -> None:
    office.start("review", amount=30)
    with office.database.transaction() as session:
        given = {"amount": feel.from_python(50)}
        instances.change_variables(session, office.instance, given, actor="carla", at=office.now)

    with office.database.reading() as session:
        carla = office.person("carla")
        ids = moments.events(session, office.case, carla)
        found = moments.moment(session, office.case, carla, ids, 2)

    assert found.standings[office.instance].open("review") == ["RV_01_review"]
    assert [(each.value, each.before) for each in found.known if each.changed] == [(50, 30)]


def test_the_overview_is_the_same(office: Any) -> None:
    office.start("wait").later(hours=2)
    office.complete("WA_01_prepare", by="anna")

    with office.database.reading() as session:
        definition = next(each for each in overview.definitions(session) if each.key == "wait")
        found = overview.figures(session, definition, since=office.now - timedelta(days=1), at=office.now)

    assert found["WA_01_prepare"] == overview.Figures(count=1, median=timedelta(hours=2))


def test_a_reading_is_noted_once_in_its_time(office: Any) -> None:
    with office.database.transaction() as session:
        accesses.note(session, "2026-0001", "anna", "a page", office.now)

    with office.database.reading() as session:
        later = [office.now + accesses.AGAIN - timedelta(seconds=1), office.now + accesses.AGAIN]
        assert [accesses.is_noted(session, "2026-0001", "anna", "a page", at) for at in later] == [True, False]
        assert not accesses.is_noted(session, "2026-0001", "ben", "a page", office.now)
        assert accesses.of_case(session, "2026-0001", reader=None) == [accesses.Reading("anna", "a page", office.now)]


def test_upgrading_gives_the_schema_of_the_mappings(url: str) -> None:
    found = database.connect(url)
    found.upgrade()

    ours = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("procrastinate_")}
    with found.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), tables.metadata) == []
    found.close()
