"""Saved filters: criteria of a list under a name, for their owner or for everybody.

What a filter finds is what the person who uses it may read: the criteria alone are shared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from engine import tables
from engine.errors import FilterInvalid, FilterNotFound
from engine.identity import Person
from engine.texts import usable

MAX_NAME = 60
MAX_CRITERIA = 4_000
"""Characters, as JSON."""


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """`view` says of which list; `own`: of the person who asked."""

    id: int
    owner: str
    view: str
    name: str
    criteria: Mapping[str, str]
    shared: bool
    own: bool


def save(
    session: Session, view: str, name: str, criteria: Mapping[str, str], *, owner: Person, shared: bool = False
) -> SavedFilter:
    """The owner has this filter, in place of one of the same name. Raises FilterInvalid."""
    label = " ".join(usable(name).split())
    if not 0 < len(label) <= MAX_NAME:
        raise FilterInvalid(f"絞り込みの名前を、{MAX_NAME} 文字までで書いてください。")
    stored = {usable(key): usable(value) for key, value in criteria.items()}
    if len(json.dumps(stored, ensure_ascii=False)) > MAX_CRITERIA:
        raise FilterInvalid("絞り込みの条件が多すぎます。言葉を減らすと保存できます。")
    table = tables.SavedFilter
    same = (table.owner == owner.name, table.view == view, table.name == label)
    changes = {"criteria": stored, "shared": shared}
    number = session.execute(update(table).where(*same).values(changes).returning(table.id)).scalar()
    if number is None:
        row = {"owner": owner.name, "view": view, "name": label, **changes}
        number = session.execute(insert(table).returning(table.id), row).scalar_one()
    return SavedFilter(number, owner.name, view, label, stored, shared, True)


def listing(session: Session, view: str, person: Person) -> tuple[SavedFilter, ...]:
    """The person's own filters of this list, then those that others share, each by name."""
    table = tables.SavedFilter
    visible = or_(table.owner == person.name, table.shared)
    rows = session.execute(
        select(table).where(table.view == view, visible).order_by(table.owner != person.name, table.name, table.id)
    ).scalars()
    return tuple(
        SavedFilter(row.id, row.owner, row.view, row.name, row.criteria, row.shared, row.owner == person.name)
        for row in rows
    )


def delete(session: Session, number: int, person: Person) -> None:
    """The person's own filter is gone; raises FilterNotFound, also for somebody else's."""
    table = tables.SavedFilter
    own = (table.id == number, table.owner == person.name)
    if session.execute(sql.delete(table).where(*own).returning(table.id)).first() is None:
        raise FilterNotFound(number)
