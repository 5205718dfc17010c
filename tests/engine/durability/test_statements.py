"""Statements on the driver's own cursor: values as SQLAlchemy gives them, faults as SQLAlchemy tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine import columns, database, tables
from engine.statements import Statement

MESSAGES = columns.core(tables.Message)
COUNTERS = columns.core(tables.Counter)
ADD = Statement(insert(COUNTERS))
ALL = Statement(select(COUNTERS.c.name, COUNTERS.c.year, COUNTERS.c.value).order_by(COUNTERS.c.value))
RAISE = Statement(
    update(COUNTERS)
    .where(COUNTERS.c.name == "given", COUNTERS.c.year == bindparam("of_year"))
    .values(value=COUNTERS.c.value + bindparam("by"))
    .returning(COUNTERS.c.value)
)
KEEP = Statement(insert(MESSAGES).returning(MESSAGES.c.id))
KEPT = Statement(select(MESSAGES.c.payload, MESSAGES.c.expires_at).where(MESSAGES.c.id == bindparam("message")))
FORGET = Statement(delete(MESSAGES).where(MESSAGES.c.name == bindparam("of_name")))


def row(value: int) -> dict[str, Any]:
    return {"name": "given", "year": 2000 + value, "value": value}


def test_what_goes_in_comes_back_with_its_types(office: Any) -> None:
    payload = {"件名": "印🙂", "number": 12345678901234567890, "list": [None, True]}
    message = {"name": "a", "key": "b", "payload": payload, "published_at": office.now, "expires_at": office.now}
    with office.database.transaction() as session:
        ((number,),) = KEEP.rows(session, **message)
        assert KEPT.rows(session, message=number) == [(payload, office.now)]
        FORGET.run(session, {"of_name": "a"})
        assert KEPT.first(session, message=number) is None


def test_each_of_several_values_is_taken_and_fixed_ones_stay(office: Any) -> None:
    with office.database.transaction() as session:
        ADD.run(session, row(1), row(2))
        assert RAISE.rows(session, of_year=2002, by=5) == [(7,)]
        assert [found for found in ALL.rows(session) if found[0] == "given"] == [("given", 2001, 1), ("given", 2002, 7)]


def test_a_key_that_is_taken_is_told_as_everywhere_and_undoes_the_transaction(office: Any) -> None:
    def twice() -> None:
        with office.database.transaction() as session:
            ADD.run(session, row(1))
            ADD.run(session, row(1))

    with pytest.raises(IntegrityError):
        twice()
    with office.database.transaction() as session:
        assert "given" not in {name for name, *_ in ALL.rows(session)}


def test_a_session_goes_on_with_a_new_transaction(office: Any) -> None:
    with office.database.reading() as session:
        before = ALL.rows(session)
        session.rollback()
        with office.database.transaction() as other:
            ADD.run(other, row(1))
        assert len(ALL.rows(session)) == len(before) + 1


def test_what_is_rolled_back_inside_a_transaction_is_undone_and_what_comes_after_is_kept(office: Any) -> None:
    with office.database.transaction() as session:
        ADD.run(session, row(1))
        session.rollback()
        ADD.run(session, row(2))
        session.execute(insert(COUNTERS).values(row(3)))
        session.rollback()
        session.execute(insert(COUNTERS).values(row(4)))
        ADD.run(session, row(5), row(6))
    with office.database.transaction() as session:
        assert [found[2] for found in ALL.rows(session) if found[0] == "given"] == [4, 5, 6]


def test_a_writer_that_has_not_begun_to_write_holds_up_nobody(office: Any) -> None:
    with office.database.transaction() as later:
        with office.database.transaction() as session:
            ADD.run(session, row(1))
        assert ("given", 2001, 1) in ALL.rows(later)


def test_a_value_that_is_missing_is_no_null(office: Any) -> None:
    with pytest.raises(KeyError), office.database.transaction() as session:
        ADD.run(session, {"name": "given", "year": 2001})


def test_a_connection_that_the_server_ended_is_not_used_again(server: str) -> None:
    own = Statement(select(func.pg_backend_pid()))
    found = database.connect(server)

    def ended() -> None:
        with found.transaction() as session, found.transaction() as other:
            ((number,),) = own.rows(session)
            other.execute(select(func.pg_terminate_backend(number, 10_000)))
            own.rows(session)

    with pytest.raises(DBAPIError) as told:
        ended()
    assert told.value.connection_invalidated
    with found.transaction() as session:
        assert len(own.rows(session)) == 1
    found.close()


LOSE = Statement(update(COUNTERS).where(COUNTERS.c.name == bindparam("of_name")).values(value=0))


class Lost(Exception):
    """Somebody else was faster."""


def test_what_was_there_to_change_is_changed(office: Any) -> None:
    with office.database.transaction() as session:
        ADD.run(session, row(1))
        LOSE.change(session, {"of_name": "given"}, Lost())
    with office.database.transaction() as session:
        assert ("given", 2001, 0) in ALL.rows(session)


@pytest.mark.parametrize("read", [False, True])
def test_a_change_of_what_is_not_there_says_so_and_undoes_the_transaction(office: Any, read: bool) -> None:
    def change() -> None:
        with office.database.transaction() as session:
            ADD.run(session, row(1))
            LOSE.change(session, {"of_name": "absent"}, Lost())
            ADD.run(session, row(2))
            if read:
                ALL.rows(session)

    with pytest.raises(Lost):
        change()
    with office.database.transaction() as session:
        assert "given" not in {name for name, *_ in ALL.rows(session)}


def test_who_lost_is_told_so_and_not_of_a_key_that_is_taken_because_of_it(office: Any) -> None:
    def change() -> None:
        with office.database.transaction() as session:
            ADD.run(session, row(1))
            LOSE.change(session, {"of_name": "absent"}, Lost())
            ADD.run(session, row(1))

    with pytest.raises(Lost):
        change()


def test_what_went_before_is_seen_by_every_later_statement(office: Any) -> None:
    with office.database.transaction() as session:
        ADD.run(session, row(1))
        LOSE.change(session, {"of_name": "given"}, Lost())
        found = session.execute(select(COUNTERS.c.value).where(COUNTERS.c.name == "given")).scalar_one()
        assert found == 0
        ADD.run(session, row(2))
        assert len([name for name, *_ in ALL.rows(session) if name == "given"]) == 2


def test_a_server_is_asked_once_for_all_that_gives_nothing_back_and_the_next_that_does(office: Any) -> None:
    with office.database.transaction() as session:
        ALL.rows(session)
        with journeys() as made:
            for number in range(1, 6):
                ADD.run(session, row(number))
            assert len(ALL.rows(session)) >= 5
    assert len(made) == (1 if office.database.engine.dialect.name == "postgresql" else 0)


@contextmanager
def journeys() -> Iterator[list[object]]:
    """One entry for each time that the driver sends several statements as one."""
    made: list[object] = []
    original = psycopg.Connection.pipeline

    def pipeline(connection: Any) -> Any:
        made.append(connection)
        return original(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "pipeline", pipeline)
        yield made
