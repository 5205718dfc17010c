"""Drafts: what a person typed into the form of a task and has not submitted, so that nothing typed is lost.

No fact of history. A draft is its writer's alone, and goes when they complete the task; where somebody else was
faster, or the task was taken back, it stays for its writer to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sql
from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.orm import Session

from engine import columns, identity, tables
from engine.errors import DraftTooLarge, TaskAlreadyClosed, TaskNotFound, TaskNotYours
from engine.identity import Person
from engine.statements import Statement
from engine.states import TaskState

MAX_BYTES = 1024 * 1024

_DRAFTS = columns.core(tables.Draft)
_DELETE = Statement(
    sql.delete(_DRAFTS).where(_DRAFTS.c.task_id == bindparam("task"), _DRAFTS.c.person == bindparam("person"))
)

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Draft:
    """`pairs`: names and values of the page's controls, as a form post would send them."""

    task: int
    pairs: tuple[tuple[str, str], ...]
    saved_at: datetime


def save(session: Session, task: int, pairs: Pairs, *, actor: Person, at: datetime) -> Draft:
    """The actor's draft of the task is this one, also if somebody else closed the task meanwhile.

    Raises TaskNotFound, TaskNotYours, DraftTooLarge, and TaskAlreadyClosed if the actor has completed the task.
    """
    _check(session, task, actor)
    stored = [[_storable(name), _storable(value)] for name, value in pairs]
    size = len(json.dumps(stored, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        raise DraftTooLarge(size, MAX_BYTES)
    table = tables.Draft
    own = (table.task_id == task, table.person == actor.name)
    known = session.execute(update(table).where(*own).values(pairs=stored, saved_at=at).returning(table.task_id))
    if known.first() is None:
        session.execute(insert(table).values(task_id=task, person=actor.name, pairs=stored, saved_at=at))
    return _draft(task, stored, at)


def _check(session: Session, task: int, actor: Person) -> None:
    """Raise unless the actor may do the task, or could have done it before it was closed."""
    table = tables.UserTask
    columns = (table.business_key, table.state, table.closed_by, table.closed_at, table.opened_at)
    query = select(*columns, identity.may_do(actor).label("theirs")).where(table.id == task)
    row = session.execute(query).one_or_none()
    if row is None:
        raise TaskNotFound(task)
    if not row.theirs:
        known = identity.may_read_case(session, actor, row.business_key)
        raise TaskNotYours(task, actor.name) if known else TaskNotFound(task)
    if row.state is TaskState.COMPLETED and row.closed_by == actor.name:
        raise TaskAlreadyClosed(task, row.closed_by, row.closed_at or row.opened_at)


def _storable(text: str) -> str:
    """The text as JSON can hold it: a half of a character becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def get(session: Session, task: int, person: Person) -> Draft | None:
    """The person's own draft of the task, whatever became of the task."""
    found = _drafts(session, person, tables.Draft.task_id == task)
    return found[0] if found else None


def mine(session: Session, person: Person) -> tuple[Draft, ...]:
    """The person's drafts, the newest first."""
    return _drafts(session, person)


def _drafts(session: Session, person: Person, *where: ColumnElement[bool]) -> tuple[Draft, ...]:
    table = tables.Draft
    query = select(table.task_id, table.pairs, table.saved_at).where(table.person == person.name, *where)
    rows = session.execute(query.order_by(table.saved_at.desc(), table.task_id))
    return tuple(_draft(*row) for row in rows)


def _draft(task: int, stored: list[list[str]], saved_at: datetime) -> Draft:
    return Draft(task, tuple((name, value) for name, value in stored), saved_at)


def delete(session: Session, task: int, person: Person) -> None:
    """The person has no draft of the task."""
    _DELETE.run(session, {"task": task, "person": person.name})
