"""Submissions: a request that is sent twice takes effect once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from engine import columns, tables
from engine.statements import Statement

_SUBMISSIONS = columns.core(tables.Submission)
_OUTCOME = Statement(
    select(_SUBMISSIONS.c.outcome).where(
        _SUBMISSIONS.c.key == bindparam("of_key"), _SUBMISSIONS.c.actor == bindparam("by")
    )
)
_RECORD = Statement(insert(_SUBMISSIONS))


def outcome(session: Session, key: str | None, actor: str) -> Any:
    """What the same request of the same person brought about before; None if it is new or carries no key."""
    if key is None:
        return None
    found = _OUTCOME.first(session, of_key=key, by=actor)
    return None if found is None else found[0]


def record(session: Session, key: str | None, actor: str, outcome: Any, *, at: datetime) -> None:
    """A later request with this key finds the outcome."""
    if key is not None:
        _RECORD.run(session, {"key": key, "actor": actor, "at": at, "outcome": outcome})
