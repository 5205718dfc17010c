"""Displacements: that events of a damaged chain stood elsewhere in it, which tells what was done to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import tables
from engine.audit.findings import Damage, Finding
from engine.audit.recorded import UNREADABLE, digest

NEAR = 100
"""Events that stand at none of the places beside their own; of more than these it is not asked where they stood."""


def told(session: Session, found: Finding) -> Finding:
    """The finding with what was done to the chain, when its events show that they stood elsewhere in it."""
    if found.damage not in (Damage.EVENT_EDITED, Damage.EVENT_DELETED, Damage.REWRITTEN):
        return found
    table = tables.HistoryEvent
    query = select(*table.__table__.columns).where(table.chain == found.chain, table.seq >= found.seq)
    try:
        rows = session.execute(query.order_by(table.seq)).all()
        return _moved(found, rows, _stood(rows))
    except UNREADABLE:
        return found


def _moved(found: Finding, rows: Sequence[Row[Any]], stood: Sequence[int | None]) -> Finding:
    """`stood` says of each row, from the damaged one on, at which place of the chain it was recorded."""
    first, own, following = rows[0].seq, stood[0], (*stood, None)[1]
    if own in (None, first) and following == first:
        return replace(found, damage=Damage.EVENT_INSERTED, reason="ここに差し込まれ、後ろの出来事がずれています。")
    if own is None or own == first:
        return found
    if sorted(seq for seq in stood if seq is not None) == [row.seq for row in rows]:
        return replace(found, damage=Damage.EVENTS_REORDERED, reason=f"もとは {own} 番目の出来事です。")
    if own == first - 1:
        reason = "ここに差し込まれ、後ろの出来事がずれています。"
        return replace(found, damage=Damage.EVENT_INSERTED, reason=reason, seq=own)
    if own == first + 1:
        return replace(found, damage=Damage.EVENT_DELETED, reason="ここが抜かれ、後ろの出来事がずれています。")
    return found


def _stood(rows: Sequence[Row[Any]]) -> list[int | None]:
    """Of each event the place in the chain for which its hash was made; None if it was made for none of them."""
    found = {row.seq: _place(row, (row.seq, row.seq - 1, row.seq + 1)) for row in rows}
    astray = [row for row in rows if found[row.seq] is None]
    if len(astray) <= NEAR:
        found |= {row.seq: _place(row, [other.seq for other in astray]) for row in astray}
    return list(found.values())


def _place(row: Row[Any], places: Iterable[int]) -> int | None:
    return next((seq for seq in places if digest(row, seq=seq) == row.hash), None)
