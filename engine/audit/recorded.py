"""Recorded events as they stand in the database, also those that no release wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from engine import history, tables

BATCH = 500
"""Events that are in memory at once, with their values."""
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a row raises that no release wrote."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands, and the rows of its values; without the time where the row cannot be read."""

    row: Row[Any]
    values: Sequence[Row[Any]]


def batches(session: Session, chains: Sequence[str] | None) -> Iterator[list[Recorded]]:
    """Every event, or those of some chains, by chain and seq."""
    table, values = tables.HistoryEvent, tables.HistoryValue
    columns = list(table.__table__.columns)
    after: Row[Any] | None = None
    while True:
        query = select(*columns).order_by(table.chain, table.seq).limit(BATCH)
        if chains is not None:
            query = query.where(table.chain.in_(chains))
        if after is not None:
            further = and_(table.chain == after.chain, table.seq > after.seq)
            query = query.where(or_(table.chain > after.chain, further))
        rows = _rows(session, query)
        if not rows:
            return
        after = rows[-1]
        of_event: dict[int, list[Row[Any]]] = {}
        ids = [row.id for row in rows]
        held = select(*values.__table__.columns).where(values.event_id.in_(ids))
        for value in session.execute(held.order_by(values.event_id, values.number)):
            of_event.setdefault(value.event_id, []).append(value)
        yield [Recorded(row, of_event.get(row.id, ())) for row in rows]


def _rows(session: Session, query: Select[Any]) -> Sequence[Row[Any]]:
    """The rows; if one of them cannot be read, what of each can be read anyway."""
    table = tables.HistoryEvent
    try:
        return session.execute(query).all()
    except UNREADABLE:
        plain = session.execute(query.with_only_columns(table.id, table.chain, table.seq, table.business_key)).all()
        return [_row(session, each) for each in plain]


def _row(session: Session, plain: Any) -> Row[Any]:
    table = tables.HistoryEvent
    try:
        return session.execute(select(*table.__table__.columns).where(table.id == plain.id)).one()
    except UNREADABLE:
        found: Row[Any] = plain
        return found


def digest(row: Row[Any], **instead: Any) -> str:
    """The hash that is right for what the row says, `instead` in place of what it says; empty if there is none."""
    try:
        return history.chain_hash(row._asdict() | instead)
    except UNREADABLE:  # what nothing canonical can be made of was never recorded
        return ""
