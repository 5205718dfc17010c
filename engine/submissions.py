"""Submissions: a request that is sent twice takes effect once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine import tables


def outcome(session: Session, key: str | None, actor: str) -> Any:
    """What the same request of the same person brought about before; None if it is new or carries no key."""
    if key is None:
        return None
    table = tables.Submission
    return session.execute(select(table.outcome).where(table.key == key, table.actor == actor)).scalar_one_or_none()


def record(session: Session, key: str | None, actor: str, outcome: Any, *, at: datetime) -> None:
    """A later request with this key finds the outcome."""
    if key is not None:
        session.execute(insert(tables.Submission).values(key=key, actor=actor, at=at, outcome=outcome))
