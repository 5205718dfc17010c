"""Rows of revisions: found, expected at the version a person saw, moved from state to state, told in history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, states, tables
from engine.errors import RevisionChanged, RevisionNotFound
from engine.identity import Person
from engine.states import EventType, RevisionState


@dataclass(frozen=True, slots=True)
class Revision:
    """`writers` changed a file of it, so none of them may approve; `remark` is why it was sent back the last time."""

    id: int
    base: int
    title: str
    state: RevisionState
    version: int
    author: str
    writers: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    reason: str | None
    remark: str | None
    approved_by: str | None
    override: str | None
    deployment: int | None

    @property
    def in_work(self) -> bool:
        return self.state not in (RevisionState.DEPLOYED, RevisionState.DROPPED)


def find(session: Session, revision: int, *, lock: bool = False) -> tables.Revision:
    """The row, for a change with `lock`; raises RevisionNotFound."""
    query = select(tables.Revision).where(tables.Revision.id == revision)
    row = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if row is None:
        raise RevisionNotFound(revision)
    return row


def expected(session: Session, revision: int, version: int) -> tables.Revision:
    """The row, if it still is at the version that the person saw; raises RevisionChanged."""
    row = find(session, revision, lock=True)
    if row.version != version:
        raise changed(session, row)
    return row


def changed(session: Session, row: tables.Revision, name: str | None = None) -> RevisionChanged:
    """Who changed it last, and when."""
    table = tables.RevisedFile
    query = select(table.changed_by, table.changed_at).where(table.revision_id == row.id)
    if name is not None:
        query = query.where(table.name == name)
    last = session.execute(query.order_by(table.changed_at.desc()).limit(1)).first()
    return RevisionChanged(*(last or (row.author, row.changed_at)))


def touch(row: tables.Revision, actor: Person, at: datetime, *, wrote: bool) -> None:
    """It was changed by this person, who `wrote` a file of it or did not."""
    row.version += 1
    row.changed_at = at
    if wrote and actor.name not in row.writers:
        row.writers = [*row.writers, actor.name]


def move(
    session: Session,
    row: tables.Revision,
    state: RevisionState,
    actor: Person,
    at: datetime,
    told_as: EventType | None = None,
    **facts: Any,
) -> None:
    """It is in this state, as one of the moves of a revision, and history tells it; raises IllegalMove."""
    event = states.move(row.state, state, states.REVISION_MOVES)
    row.state = state
    touch(row, actor, at, wrote=False)
    tell(session, told_as or event, row.id, actor, at, **facts)


def tell(session: Session, event: EventType, revision: int, actor: Person, at: datetime, **facts: Any) -> None:
    """History tells the act, with these facts."""
    history.append(session, history.NewEvent(event, at, actor.name, {"revision": revision, **facts}))


def read(row: tables.Revision) -> Revision:
    """The row as others may know it."""
    return Revision(
        row.id,
        row.base,
        row.title,
        row.state,
        row.version,
        row.author,
        tuple(row.writers),
        row.created_at,
        row.changed_at,
        row.reason,
        row.remark,
        row.approved_by,
        row.override,
        row.deployment_id,
    )
