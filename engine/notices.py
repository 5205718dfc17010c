"""Notices: lines that tell a person of something, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine import identity, tables

Kind = Literal["notice", "overdue", "mention"]
"""What it tells of: a step of the process, a deadline that passed, or a comment that names the person."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    id: int
    kind: Kind
    subject: str
    business_key: str | None
    task: int | None
    at: datetime


def write(
    session: Session,
    subject: str,
    *,
    groups: Iterable[str],
    users: Iterable[str],
    at: datetime,
    business_key: str | None = None,
    task: int | None = None,
    kind: Kind = "notice",
) -> tuple[str, ...]:
    """Every person of the groups, and every user, has the notice; gives their names."""
    named, wanted = set(users), tuple(groups)
    told = tuple(one.name for one in identity.people(session) if one.name in named or one.is_in(wanted))
    for name in told:
        session.execute(
            insert(tables.Notice).values(
                person=name, kind=kind, subject=subject, business_key=business_key, task_id=task, at=at
            )
        )
    return told


def unread(session: Session, person: str) -> list[NoticeRow]:
    """What the person has not read yet, newest first."""
    table = tables.Notice
    query = select(table.id, table.kind, table.subject, table.business_key, table.task_id, table.at)
    rows = session.execute(query.where(table.person == person, table.read_at.is_(None)).order_by(table.id.desc()))
    return [NoticeRow(row.id, cast(Kind, row.kind), *row[2:]) for row in rows]


def read(session: Session, notice: int, person: str, *, at: datetime) -> None:
    """The person has read their notice; somebody else's stays as it is."""
    table = tables.Notice
    own = (table.id == notice, table.person == person, table.read_at.is_(None))
    session.execute(update(table).where(*own).values(read_at=at))
