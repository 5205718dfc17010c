"""Accesses: who signed in or was refused, who opened which case when, and who took what out for what purpose.

What is read is recorded as what is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine import concealments, history, identity, tables
from engine.catalogue import Account
from engine.errors import PurposeMissing
from engine.identity import Person
from engine.states import EventType

MAX_PURPOSE = 500  # characters
AGAIN = timedelta(minutes=5)
"""The same person on the same page of the same case within this time is one reading."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`page` is the name of what was opened, as the edge calls it."""

    person: str
    page: str
    at: datetime


def is_noted(session: Session, business_key: str, person: str, page: str, at: datetime) -> bool:
    """Whether the record says already that the person is reading this."""
    table = tables.CaseReading
    same = (table.business_key == business_key, table.person == person, table.page == page)
    query = select(table.id).where(*same, table.at > at - AGAIN, table.at <= at).limit(1)
    return session.execute(query).first() is not None


def note(session: Session, business_key: str, person: str, page: str, at: datetime) -> None:
    """The record says that the person has opened this page of the case."""
    row = {"business_key": business_key, "person": person, "page": page, "at": at}
    session.execute(insert(tables.CaseReading).values(row))


def of_case(
    session: Session, business_key: str, *, reader: Person | None, limit: int = 100, offset: int = 0
) -> list[Reading]:
    """Who has read the case, the latest first, with the names that the reader may know.

    Who may read only cases in which they took part tells by reading that they did: of who is concealed, never.
    """
    table = tables.CaseReading
    query = select(table.person, table.page, table.at).where(table.business_key == business_key)
    rows = session.execute(query.order_by(table.id.desc()).limit(limit).offset(offset))
    concealed = concealments.from_reader(session, reader, [business_key])
    return [
        Reading(concealments.WITHHELD if (business_key, person) in concealed.until else person, page, at)
        for person, page, at in rows
    ]


# Accounts -----------------------------------------------------------------------------------------------


def add_people(session: Session, accounts: Iterable[Account], *, password: str | None, at: datetime) -> tuple[str, ...]:
    """Everybody named has an account, and history says who got one and in which groups; gives their names."""
    wanted = {account.name: account for account in accounts}
    added = identity.seed(session, wanted.values(), password=password)
    if added:
        facts = {"people": {name: list(wanted[name].groups) for name in added}}
        history.append(session, history.NewEvent(EventType.PEOPLE_ADDED, at, None, facts))
    return added


# Signing in ---------------------------------------------------------------------------------------------


def signed_in(session: Session, person: str, at: datetime) -> None:
    history.append(session, history.NewEvent(EventType.SIGNED_IN, at, person))


def signed_out(session: Session, person: str, at: datetime) -> None:
    history.append(session, history.NewEvent(EventType.SIGNED_OUT, at, person))


def sign_in_refused(session: Session, name: str, at: datetime) -> None:
    """History says as whom somebody tried to sign in; a name that nobody has is left out, for it may be a password."""
    known = session.execute(select(tables.Person.id).where(tables.Person.name == name)).first() is not None
    history.append(session, history.NewEvent(EventType.SIGN_IN_REFUSED, at, None, {"person": name} if known else {}))


# Exports ------------------------------------------------------------------------------------------------


def exported(
    session: Session, what: str, *, purpose: str, by: str, at: datetime, business_key: str | None = None
) -> None:
    """History says who took this out of the system, of one case or of several, and for what; raises PurposeMissing."""
    if not purpose.strip() or len(purpose) > MAX_PURPOSE:
        raise PurposeMissing(MAX_PURPOSE)
    values = history.Values()
    facts = {"format": what, "purpose": values.put("purpose", "purpose", purpose.strip())}
    history.append(session, history.NewEvent(EventType.EXPORTED, at, by, facts, values, business_key=business_key))
