"""Restores: an operator says that the database was restored from a backup; history and a checkpoint say what is lost.

That checkpoint seals every chain and reading anew, as they were found; the earlier ones hold for what is not lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import history, tables
from engine.audit import checkpoint_keys, checkpoints, reading_proofs, seals
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.audit.losses import Loss, LostEvents, Restore
from engine.audit.seals import Seal, Seals
from engine.database import Database
from engine.errors import RestoreNotRecorded
from engine.states import EventType

MAX_REASON = 500  # characters


def record(database: Database, sealing: Sealing, *, reason: str, by: str, at: datetime) -> Checkpoint:
    """History and the next checkpoint say what is lost, why, and who says so; gives that checkpoint.

    Nothing is recorded without it. The folder must hold every checkpoint that was made, those from before the restore
    included. Raises RestoreNotRecorded, FileUnreadable, CheckpointInvalid.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON or not (by + reason).isprintable():
        raise RestoreNotRecorded(f"復元の理由を、{MAX_REASON} 字までの普通の文字で書いてください。")
    sealed = [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]
    if [each.number for each in sealed] != list(range(1, len(sealed) + 1)):
        raise RestoreNotRecorded(f"{sealing.folder} に欠けているチェックポイントを、写しから戻してください。")
    key = checkpoint_keys.read(sealing.key)
    with database.transaction() as session:
        _, read_upto = checkpoints.newest(session, "SHARE ROW EXCLUSIVE")
        restore = _restore(session, sealed, read_upto, reason=reason, by=by, at=at)
        _append(session, restore, sealed[-1])
        upto, _ = checkpoints.newest(session)
        heads = checkpoints.changed(session, 0, upto)
        readings = reading_proofs.sealed(session, None, read_upto)
        checkpoint = checkpoints.signed(key, sealed[-1], upto, heads, readings, at, restore)
        for number, why in seals.of([*sealed, checkpoint]).untrue:
            if number == checkpoint.number:
                raise RestoreNotRecorded(f"復元では説明できません。{why}")
        if not checkpoints.keep(sealing, checkpoint):
            raise RestoreNotRecorded("その間に別のチェックポイントが作られました。もう一度実行してください。")
    return checkpoint


def _append(session: Session, restore: Restore, last: Checkpoint) -> None:
    values = history.Values()
    facts = {**restore.facts(), "checkpoint": last.number, "reason": values.put("reason", "reason", restore.reason)}
    history.append(session, history.NewEvent(EventType.RESTORED, restore.at, restore.by, facts, values))


def _restore(
    session: Session, sealed: Sequence[Checkpoint], read_upto: int, *, reason: str, by: str, at: datetime
) -> Restore:
    """What of that which these checkpoints demand is not there; raises RestoreNotRecorded if all is."""
    demanded = seals.of(sealed)
    standing = _Standing(session, demanded)
    kept = _kept(sealed, demanded, standing)
    chains = {
        chain: loss for chain, own in demanded.chains.items() if (loss := _loss(chain, own, kept, standing)) is not None
    }
    opened = reading_proofs.sealed(session, None, read_upto)["cases"]
    readings = {
        case: Loss(before, opened[case]["total"] if case in opened else 0, last)
        for case, (before, last) in demanded.lost_readings(kept).items()
    }
    return Restore(at, by, reason, kept, chains, readings)


class _Standing:
    """Which seals the database fulfils."""

    def __init__(self, session: Session, demanded: Seals) -> None:
        table = tables.HistoryEvent
        wanted = {(chain, seal.seq, seal.hash) for chain, own in demanded.chains.items() for seal in own}
        rows = map(tuple, session.execute(select(table.chain, table.seq, table.hash)))
        self.found = {row for row in rows if row in wanted}
        self.lengths: dict[str, int] = dict(
            session.execute(select(table.chain, func.max(table.seq)).group_by(table.chain)).all()
        )
        self.readings = {each.number: _is_read(session, each) for each in demanded.readings}

    def __call__(self, chain: str, seal: Seal) -> bool:
        return (chain, seal.seq, seal.hash) in self.found


def _is_read(session: Session, checkpoint: Checkpoint) -> bool:
    said = checkpoint.readings or {"since": None, "upto": 0, "cases": {}}
    return not reading_proofs.wrong(said["cases"], reading_proofs.batches(session, said["since"], said["upto"]))


def _kept(sealed: Sequence[Checkpoint], demanded: Seals, standing: _Standing) -> int:
    """The number of the last checkpoint before the loss, which is from the newest one back to where something stands.

    Raises RestoreNotRecorded if the newest one is fulfilled.
    """
    of_number: dict[int, list[tuple[str, Seal]]] = {}
    for chain, own in demanded.chains.items():
        for seal in own:
            of_number.setdefault(seal.number, []).append((chain, seal))
    kept: int | None = None
    for each in reversed(sealed):
        here = of_number.get(each.number, [])
        left = any(standing(*one) and demanded.first(*one) == each.number for one in here)
        read = standing.readings.get(each.number)
        if read is False or not all(standing(*one) for one in here):
            kept = each.number - 1
        elif read and each.readings is not None and each.readings["cases"]:
            left = True
        if left:
            break
    if kept is None:
        raise RestoreNotRecorded(
            "最も新しいチェックポイントが封印したものは、すべてあります。復元で失われたものはありません。"
        )
    return kept


def _loss(chain: str, own: Sequence[Seal], kept: int, standing: _Standing) -> LostEvents | None:
    """What is lost of the chain beyond what holds: seals that the restore leaves alone hold also if they are broken."""
    there = max((seal.seq for seal in own if seal.number <= kept or standing(chain, seal)), default=0)
    lost = [seal for seal in own if seal.number > kept and seal.seq > there]
    if not lost:
        return None
    last = max(lost, key=lambda seal: (seal.seq, seal.number))
    return LostEvents(there, standing.lengths.get(chain, 0), last.seq, last.hash, last.case)
