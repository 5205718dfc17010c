"""Messages that live on for those who wait later, and the subscriptions that wait now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from engine import bpmn, feel, tables


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open subscription: the instance waits at `token` for `name`."""

    id: int
    instance: int
    process: str
    token: int
    name: str


@dataclass(frozen=True, slots=True)
class Living:
    """A message that a new subscription may take."""

    id: int
    values: Mapping[str, feel.Value]
    process: str


def keep(session: Session, message: bpmn.ThrownMessage, *, at: datetime) -> int | None:
    """A message that goes on living is stored; gives its id.

    Its case is locked by this: whoever begins to wait in it at the same time comes before or after, never unseen.
    """
    case = tables.Case
    session.execute(update(case).where(case.business_key == message.key).values(changed_at=at))
    if message.time_to_live <= timedelta(0):
        return None
    row = {
        "name": message.name,
        "key": message.key,
        "values": {name: feel.encode(value) for name, value in message.values.items()},
        "published_at": at,
        "expires_at": at + message.time_to_live,
    }
    kept: int = session.execute(insert(tables.Message).returning(tables.Message.id), row).scalar_one()
    return kept


def mark_taken(session: Session, message: int | None, process: str) -> None:
    """No other instance of this process takes the message."""
    if message is not None:
        session.execute(insert(tables.MessageTaking).values(message_id=message, process=process))


def living_for(session: Session, subscription: int, *, at: datetime) -> Living | None:
    """The oldest living message for the subscription that its process has not taken yet."""
    table, kept, takings = tables.Subscription, tables.Message, tables.MessageTaking
    found = session.execute(
        select(kept.id, kept.values, table.process)
        .join(table, (table.name == kept.name) & (table.key == kept.key))
        .where(table.id == subscription, table.kind == "message", kept.expires_at > at)
        .where(~exists().where(takings.message_id == kept.id, takings.process == table.process))
        .order_by(kept.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    return Living(found.id, {name: feel.decode(value) for name, value in found.values.items()}, found.process)


def waiting(session: Session, kind: str, name: str, key: str = "") -> list[Waiting]:
    """The subscriptions for a message (by key) or a signal, the oldest first."""
    table = tables.Subscription
    return _subscriptions(session, table.kind == kind, table.name == name, table.key == key)


def subscription(session: Session, number: int) -> Waiting | None:
    """The subscription, unless it was closed meanwhile."""
    found = _subscriptions(session, tables.Subscription.id == number)
    return found[0] if found else None


def _subscriptions(session: Session, *where: ColumnElement[bool]) -> list[Waiting]:
    table = tables.Subscription
    rows = session.execute(
        select(table.id, table.instance_id, table.process, table.token, table.name).where(*where).order_by(table.id)
    )
    return [Waiting(*row) for row in rows]


def any_expired(session: Session, *, at: datetime) -> bool:
    table = tables.Message
    return session.execute(select(table.id).where(table.expires_at <= at).limit(1)).first() is not None


def purge(session: Session, *, at: datetime) -> None:
    """Messages that live no longer are gone."""
    session.execute(delete(tables.Message).where(tables.Message.expires_at <= at))
