"""History knows who got an account, and who took what out for which purpose."""

from __future__ import annotations

from typing import Any

import pytest

from engine import accesses, history
from engine.catalogue import Account
from engine.errors import PurposeMissing
from engine.states import EventType


def told(office: Any, type_: EventType) -> list[history.Event]:
    with office.database.reading() as session:
        return [event for event in history.of_system(session) if event.type is type_]


def test_who_got_an_account_is_told_once_with_their_groups(office: Any) -> None:
    accounts = [Account("anna", "Anna", ("chiefs",)), Account("new", "New", ("clerks", "nurses"))]

    for _ in range(2):
        with office.database.transaction() as session:
            accesses.add_people(session, accounts, password=None, at=office.now)

    assert [event.facts for event in told(office, EventType.PEOPLE_ADDED)] == [
        {"people": {"new": ["clerks", "nurses"]}}
    ]


def test_an_export_is_told_with_its_purpose_and_by_whom(office: Any) -> None:
    with office.database.transaction() as session:
        accesses.exported(session, "csv", purpose=" 月例の報告 ", by="anna", at=office.now)

    (event,) = told(office, EventType.EXPORTED)
    assert (event.actor, event.facts) == ("anna", {"format": "csv", "purpose": "月例の報告"})


@pytest.mark.parametrize("purpose", ["", " \n", "x" * (accesses.MAX_PURPOSE + 1)])
def test_nothing_is_exported_without_a_purpose_that_can_be_kept(office: Any, purpose: str) -> None:
    with pytest.raises(PurposeMissing), office.database.transaction() as session:
        accesses.exported(session, "csv", purpose=purpose, by="anna", at=office.now)

    assert told(office, EventType.EXPORTED) == []
