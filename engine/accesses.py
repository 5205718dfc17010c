"""Accesses: who signed in or was refused, and who opened which case when. What is read is recorded as what is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine import history, tables
from engine.states import EventType

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


def of_case(session: Session, business_key: str, *, limit: int = 100, offset: int = 0) -> list[Reading]:
    """Who has read the case, the latest first."""
    table = tables.CaseReading
    query = select(table.person, table.page, table.at).where(table.business_key == business_key)
    rows = session.execute(query.order_by(table.id.desc()).limit(limit).offset(offset))
    return [Reading(*row) for row in rows]


# Signing in ---------------------------------------------------------------------------------------------


def signed_in(session: Session, person: str, at: datetime) -> None:
    history.append(session, history.NewEvent(EventType.SIGNED_IN, at, person))


def signed_out(session: Session, person: str, at: datetime) -> None:
    history.append(session, history.NewEvent(EventType.SIGNED_OUT, at, person))


def sign_in_refused(session: Session, name: str, at: datetime) -> None:
    """History says as whom somebody tried to sign in; a name that nobody has is left out, for it may be a password."""
    known = session.execute(select(tables.Person.id).where(tables.Person.name == name)).first() is not None
    history.append(session, history.NewEvent(EventType.SIGN_IN_REFUSED, at, None, {"person": name} if known else {}))
