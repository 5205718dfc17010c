"""People: who may do what, who reads what, and signing in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine import identity, tables
from engine.catalogue import Account, MessageOffer, Start
from engine.errors import PersonNotFound
from engine.identity import Person


class Task:
    """A task for clerks, and for Zoe by name; never for Ben."""

    assignee: str | None = None
    candidate_groups = ("clerks",)
    candidate_users = ("zoe",)
    excluded_users = ("ben",)


CLERK = Person("anna", "Anna", ("clerks",), cases="own")

RIGHTS = [
    ("a candidate group", CLERK, True),
    ("a candidate user", Person("zoe", "Zoe", ("guests",)), True),
    ("another group", Person("carla", "Carla", ("chiefs",), cases="all"), False),
    ("excluded, though in the group", replace(CLERK, name="ben"), False),
    ("read-only, though in the group", replace(CLERK, read_only=True), False),
    ("not active any more", replace(CLERK, active=False), False),
    ("no group at all", Person("nobody", "Nobody"), False),
]


@pytest.mark.parametrize(("who", "person", "right"), RIGHTS, ids=[row[0] for row in RIGHTS])
def test_who_may_do_a_task(who: str, person: Person, right: bool) -> None:
    assert identity.may(person, Task()) is right


def test_a_task_for_everyone_is_not_for_who_may_only_read() -> None:
    class ForAll(Task):
        candidate_groups = ("everyone",)

    assert identity.may(Person("gus", "Gus", ("guests",)), ForAll())
    assert not identity.may(Person("watson", "Watson", ("watchers",), read_only=True), ForAll())


def test_starts_and_messages_follow_their_groups() -> None:
    assert identity.may(CLERK, Start("s", "S", "p", ("clerks",)))
    assert not identity.may(CLERK, Start("s", "S", "p", ("chiefs",)))
    assert identity.may(CLERK, MessageOffer("m", "M", ("everyone",)))
    assert not identity.may(replace(CLERK, read_only=True), MessageOffer("m", "M", ("everyone",)))


def test_a_person_has_the_widest_reading_and_the_marks_of_their_groups(office: Any) -> None:
    with office.database.transaction() as session:
        identity.seed(session, [Account("both", "Both", ("clerks", "nurses"))], password=None)

    both = office.person("both")
    assert (both.groups, both.cases, both.marks) == (("clerks", "nurses"), "all", frozenset({"health"}))
    watson = office.person("watson")
    assert (watson.read_only, watson.masked, watson.cases) == (True, True, "all")


def test_seeding_again_adds_only_who_is_missing(office: Any) -> None:
    accounts = [Account("anna", "Somebody else", ("chiefs",)), Account("new", "New", ("clerks",))]

    with office.database.transaction() as session:
        assert identity.seed(session, accounts, password=None) == ("new",)

    assert (office.person("anna").label, office.person("anna").groups) == ("青山 あんな", ("clerks",))


def test_signing_in_takes_the_right_password_of_an_account_that_has_one(office: Any) -> None:
    with office.database.transaction() as session:
        identity.set_password(session, "anna", "ひみつの言葉")

    with office.database.reading() as session:
        signed_in = identity.authenticate(session, "anna", "ひみつの言葉")
        assert signed_in is not None
        assert signed_in.name == "anna"
        assert identity.authenticate(session, "anna", "ひみつの言葉 ") is None
        assert identity.authenticate(session, "ben", "") is None
        assert identity.authenticate(session, "nobody", "ひみつの言葉") is None


def test_a_new_password_ends_the_sessions_of_the_person(office: Any) -> None:
    before = office.person("anna").session_key
    with office.database.transaction() as session:
        identity.set_password(session, "anna", "べつの言葉")

    with office.database.reading() as session:
        assert identity.by_session_key(session, before) is None
        assert identity.by_session_key(session, office.person("anna").session_key) is not None


def test_passwords_are_stored_as_argon2id_only(office: Any) -> None:
    with office.database.transaction() as session:
        identity.set_password(session, "anna", "ひみつの言葉")
        stored = session.execute(select(tables.Person.password_hash).where(tables.Person.name == "anna")).scalar_one()

    assert stored is not None
    assert stored.startswith("$argon2id$")


def test_nobody_of_that_name_is_told(office: Any) -> None:
    with office.database.transaction() as session, pytest.raises(PersonNotFound):
        identity.set_password(session, "nobody", "x")
    with pytest.raises(PersonNotFound):
        office.person("nobody")


def test_who_reads_a_case_took_part_was_let_in_or_may_take_an_open_task(office: Any) -> None:
    office.start("review", by=None, amount=1)

    def readers() -> list[str]:
        with office.database.reading() as session:
            everybody = identity.people(session)
            return [one.name for one in everybody if identity.may_read_case(session, one, office.case)]

    assert readers() == ["anna", "ben", "carla", "nina", "watson"]
    office.complete("RV_01_review", by="anna", verdict="good")
    office.complete("RV_02_second_look", by="ben", note="見ました")
    assert readers() == ["anna", "ben", "carla", "dora", "nina", "watson"]
    office.complete("RV_03_archive", by="dora")
    assert readers() == ["anna", "ben", "carla", "dora", "nina", "watson"]


def test_an_excluded_person_does_not_read_a_case_by_the_task_they_must_not_do(office: Any) -> None:
    office.start("review", by="ben", amount=1)
    office.complete("RV_01_review", by="ben", verdict="good")

    with office.database.reading() as session:
        assert list(
            session.execute(select(tables.UserTask.id).where(identity.may_do(office.person("ben")))).scalars()
        ) == [1]
        assert identity.may_read_case(session, office.person("anna"), office.case)


def test_a_masked_reader_sees_roles_instead_of_names(office: Any) -> None:
    with office.database.reading() as session:
        masked = identity.display_names(session, office.person("watson"))
        plain = identity.display_names(session, office.person("anna"))

    assert (masked["anna"], masked["ben"], masked["carla"]) == ("係員 1", "係員 2", "係長 1")
    assert plain["anna"] == "青山 あんな"
