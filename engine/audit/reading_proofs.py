"""Readings under proof: each checkpoint says of every case how often it was opened since the one before, and by whom.

A reading costs nothing more for it: what the hash is made over is read when the checkpoint is made, and again to
check it. The total of a case shows that none of its checkpoints was left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from engine import tables
from engine.history import instant


@dataclass(frozen=True, slots=True)
class Batch:
    """Some readings of a case: how many, and the SHA-256 (hex) over the canonical form (RFC 8785) of each in turn."""

    count: int
    hash: str


def batches(session: Session, since: int | None, upto: int, business_key: str | None = None) -> dict[str, Batch]:
    """Case → its readings with ids above `since` (None: from the first on) up to `upto`; of one case if it is named."""
    table = tables.CaseReading
    query = select(table.id, table.business_key, table.person, table.page, table.at).where(*_span(since, upto))
    if business_key is not None:
        query = query.where(table.business_key == business_key)
    counts: dict[str, int] = {}
    hashes: dict[str, Any] = {}
    for number, case, person, page, at in session.execute(query.order_by(table.id)):
        counts[case] = counts.get(case, 0) + 1
        hashes.setdefault(case, hashlib.sha256()).update(rfc8785.dumps([number, person, page, instant(at)]))
    return {case: Batch(count, hashes[case].hexdigest()) for case, count in counts.items()}


def sealed(session: Session, since: int | None, upto: int) -> dict[str, Any]:
    """What a checkpoint says of the readings in this span; `total` is how often the case was opened until its end."""
    found = batches(session, since, upto)
    totals = _totals(session, since, upto)
    told = {
        case: {"count": each.count, "hash": each.hash, "total": totals.get(case, 0)} for case, each in found.items()
    }
    return {"since": since, "upto": upto, "cases": told}


def wrong(said: Mapping[str, Any], standing: Mapping[str, Batch]) -> dict[str, tuple[int, int]]:
    """Case → how many readings were sealed, and how many there are, of each case whose readings are others now."""
    told = {case: Batch(each["count"], each["hash"]) for case, each in said.items()}
    nothing = Batch(0, "")
    return {
        case: (told.get(case, nothing).count, standing.get(case, nothing).count)
        for case in sorted(told.keys() | standing.keys())
        if told.get(case) != standing.get(case)
    }


def _span(since: int | None, upto: int) -> list[ColumnElement[bool]]:
    number = tables.CaseReading.id
    return [number <= upto] if since is None else [number > since, number <= upto]


def _totals(session: Session, since: int | None, upto: int) -> dict[str, int]:
    table = tables.CaseReading
    opened = select(table.business_key).where(*_span(since, upto))
    counted = select(table.business_key, func.count()).where(table.business_key.in_(opened), table.id <= upto)
    return dict(session.execute(counted.group_by(table.business_key)).all())
