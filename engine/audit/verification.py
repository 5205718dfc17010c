"""Verification: history is as it was recorded, and as the checkpoints say; else the first bad event and the damage.

A chain of hashes shows every change but a whole chain made anew, cut off or gone: these only checkpoints show, which
stand outside the database. What is lost since a restore that was recorded is no damage, but told each time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from engine import bundles, history, tables
from engine.audit import checkpoints, displacements, reading_proofs, recorded, seals
from engine.audit.checkpoints import Checkpoint
from engine.audit.findings import Damage, Finding
from engine.audit.losses import Restore
from engine.audit.recorded import UNREADABLE, Recorded
from engine.audit.seals import Seal, Seals
from engine.states import EventType


@dataclass(frozen=True, slots=True)
class Verdict:
    """`findings`: the first of each damaged chain. `unsealed` events lie after the newest checkpoint, the oldest of
    them at `unsealed_since`; `sealed_at` is when that checkpoint was made. `unsealed_readings`: how many readings came
    after it. `restores`: the checkpoints with which a restore was recorded that lost something of what was looked at.
    """

    events: int
    findings: tuple[Finding, ...]
    unsealed: int
    unsealed_since: datetime | None
    sealed_at: datetime | None
    unsealed_readings: int
    restores: tuple[Checkpoint, ...]


Progress = Callable[[int], None]
"""Told how many events were checked since it was told last."""


def verify(
    session: Session,
    sealed: Sequence[Checkpoint] = (),
    *,
    trusted: Collection[str] = (),
    business_key: str | None = None,
    progress: Progress = lambda _: None,
) -> Verdict:
    """All of history, or the chains that tell of one case, compared with itself and with these checkpoints.

    `sealed` may hold a checkpoint twice, as kept in different places. `trusted`: public keys (hex), one of which must
    have signed some of them; the others are judged by their introductions.
    """
    merged, findings = _merge(sealed)
    if trusted and merged and not {each.key for each in merged} & set(trusted):
        findings.append(_replaced(merged[-1].number, "信頼する鍵で署名されたものが、ひとつもありません。"))
    demanded = seals.of(merged)
    findings += [Finding(Damage.RESTORE_UNTRUE, f"{number} 番: {reason}") for number, reason in demanded.untrue]
    findings += _unrecorded(session, demanded)
    heads = _by_seq(demanded.chains)
    chains = None if business_key is None else _chains_of(session, business_key, heads)
    walk = _Walk(heads, _by_seq(demanded.gone), _erased(session))
    for batch in recorded.batches(session, chains):
        walk.take(batch)
        progress(len(batch))
    walk.end(heads if chains is None else {chain: heads[chain] for chain in chains if chain in heads})
    found = [displacements.told(session, each) for each in walk.found]
    if chains is None:
        found += _orphans(session) + _definitions(session)
        found = _older(session, merged, found) + found
    found += _readings(session, demanded.readings, business_key)
    return Verdict(
        walk.events,
        (*findings, *found),
        walk.unsealed,
        walk.unsealed_since,
        merged[-1].at if merged else None,
        _unsealed_readings(session, merged, business_key),
        tuple(
            each
            for each in demanded.restores
            if each.restored is not None and (business_key is None or each.restored.concerns(business_key))
        ),
    )


def count(session: Session, business_key: str | None = None) -> int:
    """How many events `verify` will look at, near enough for a progress bar."""
    table = tables.HistoryEvent
    query = select(func.count()).select_from(table)
    if business_key is not None:
        query = query.where(table.chain.in_(select(table.chain).where(table.business_key == business_key)))
    return session.execute(query).scalar_one()


# Checkpoints --------------------------------------------------------------------------------------------


def _merge(sealed: Sequence[Checkpoint]) -> tuple[list[Checkpoint], list[Finding]]:
    """Each checkpoint once, oldest first, and what is wrong with them."""
    merged: dict[int, Checkpoint] = {}
    findings = []
    for each in sealed:
        known = merged.setdefault(each.number, each)
        if known.digest != each.digest:
            findings.append(_replaced(each.number, "別の場所にある同じ番号のものと、内容が違います。"))
    found = [merged[number] for number in sorted(merged)]
    return found, findings + [_replaced(number, reason) for number, reason in checkpoints.faults(found)]


def _replaced(number: int, reason: str) -> Finding:
    return Finding(Damage.CHECKPOINT_REPLACED, f"{number} 番: {reason}")


Heads = Mapping[str, Mapping[int, Sequence[Seal]]]
"""Of each chain its seals, by seq, the oldest first; where two of a seq differ, the chain was made anew in between."""


def _by_seq(sealed: Mapping[str, Iterable[Seal]]) -> Heads:
    found: dict[str, dict[int, list[Seal]]] = {}
    for chain, own in sealed.items():
        for seal in own:
            found.setdefault(chain, {}).setdefault(seal.seq, []).append(seal)
    return found


def _unrecorded(session: Session, demanded: Seals) -> list[Finding]:
    """The restores of which history, where the checkpoint says that they were recorded, says nothing or otherwise."""
    table, found = tables.HistoryEvent, []
    for each in demanded.restores:
        head, restore = each.heads.get(history.SYSTEM), each.restored
        if head is None or restore is None:
            found.append(Finding(Damage.RESTORE_UNTRUE, f"{each.number} 番: 履歴に記録されていません。"))
            continue
        here = (table.chain == history.SYSTEM, table.seq == head.seq, table.hash == head.hash)
        try:
            row = session.execute(select(*table.__table__.columns).where(*here)).one_or_none()
            if row is not None and not _says(session, row, restore):
                found.append(Finding(Damage.RESTORE_UNTRUE, f"{each.number} 番: 履歴の記録と違うことを言っています。"))
        except UNREADABLE:  # the walk tells
            pass
    return found


def _says(session: Session, row: Row[Any], restore: Restore) -> bool:
    """Whether the event is the record of the restore; an erased reason is as good as any."""
    values = tables.HistoryValue
    told = {name: row.facts.get(name) for name in restore.facts()}
    reason = session.execute(select(values.value).where(values.event_id == row.id)).scalar()
    return (
        row.type is EventType.RESTORED
        and (row.actor, row.at, told) == (restore.by, restore.at, restore.facts())
        and reason in (None, history.encoded(restore.reason))
    )


def _older(session: Session, merged: Sequence[Checkpoint], found: Sequence[Finding]) -> list[Finding]:
    """That the whole database is an older one, when several chains end early and nothing is newer than their ends."""
    table = tables.HistoryEvent
    cut = [each for each in found if each.damage in (Damage.TRUNCATED, Damage.CHAIN_MISSING)]
    last = session.execute(select(table.id, table.at).order_by(table.id.desc()).limit(1)).one_or_none()
    if not merged or len(cut) < 2 or len(cut) < len(found) or (last is not None and last.id >= merged[-1].upto):
        return []
    until = "何もありません" if last is None else f"{last.at:%Y-%m-%d %H:%M:%S} までしかありません"
    reason = f"{merged[-1].at:%Y-%m-%d %H:%M:%S} に封印された履歴があるのに、データベースには {until}。"
    return [Finding(Damage.OLDER_DATABASE, reason, cut[0].chain, cut[0].seq, cut[0].case)]


def _readings(session: Session, merged: Sequence[Checkpoint], business_key: str | None) -> list[Finding]:
    """The first damage to the readings of each case, or of one: each checkpoint sealed those since the one before."""
    found: dict[str, Finding] = {}
    for each in merged:
        if each.readings is None:
            continue
        cases = each.readings["cases"]
        said = cases if business_key is None else {case: cases[case] for case in cases if case == business_key}
        try:
            standing = reading_proofs.batches(session, each.readings["since"], each.readings["upto"], business_key)
        except UNREADABLE:
            return [
                *found.values(),
                _damaged(Damage.READING_EDITED, each, business_key, "読めない形のものがあります。"),
            ]
        for case, (sealed, now) in reading_proofs.wrong(said, standing).items():
            damage = Damage.READING_EDITED
            if now != sealed:
                damage = Damage.READING_DELETED if now < sealed else Damage.READING_INSERTED
            told = f"{sealed} 件でしたが、{now} 件あります。" if now != sealed else "内容が違います。"
            found.setdefault(case, _damaged(damage, each, case, told))
    return list(found.values())


def _unsealed_readings(session: Session, merged: Sequence[Checkpoint], business_key: str | None) -> int:
    """How many readings no checkpoint has sealed yet."""
    table = tables.CaseReading
    upto = merged[-1].read_upto if merged else None
    query = select(func.count()).select_from(table)
    if upto is not None:
        query = query.where(table.id > upto)
    if business_key is not None:
        query = query.where(table.business_key == business_key)
    return session.execute(query).scalar_one()


def _damaged(damage: Damage, sealed: Checkpoint, case: str | None, told: str) -> Finding:
    return Finding(damage, f"{sealed.number} 番({sealed.at:%Y-%m-%d %H:%M})が封印した閲覧は、{told}", case=case)


# Reading ------------------------------------------------------------------------------------------------


def _chains_of(session: Session, business_key: str, heads: Heads) -> list[str]:
    table = tables.HistoryEvent
    own = session.execute(select(table.chain).where(table.business_key == business_key).distinct()).scalars()
    told = (c for c, each in heads.items() if any(s.case == business_key for of_seq in each.values() for s in of_seq))
    return sorted({*own, *told})


Erased = Mapping[tuple[str, int, int], tuple[str, str]]
"""Kind and name of each value, by chain, seq and number."""


def _erased(session: Session) -> Erased:
    """The values of which an event of their chain says that they were erased."""
    table = tables.HistoryEvent
    query = select(table.chain, table.facts).where(table.type == EventType.VALUES_ERASED)
    try:
        rows = session.execute(query).all()
        return {(r.chain, v["seq"], v["number"]): (v["kind"], v["name"]) for r in rows for v in r.facts["erased"]}
    except UNREADABLE:  # the walk tells which event
        return {}


def _orphans(session: Session) -> list[Finding]:
    """That there are values of events that are not there."""
    table, values = tables.HistoryEvent, tables.HistoryValue
    query = select(values.event_id).where(~exists().where(table.id == values.event_id)).limit(1)
    found = session.execute(query).scalar()
    return [] if found is None else [Finding(Damage.EVENT_DELETED, f"出来事 {found} がなく、その値だけがあります。")]


def _definitions(session: Session) -> list[Finding]:
    """The deployments whose files are no longer those whose digest history recorded."""
    table, files = tables.HistoryEvent, tables.Resource
    found = []
    query = select(table.chain, table.seq, table.definition, table.facts).where(table.type == EventType.DEPLOYED)
    try:
        rows = session.execute(query.order_by(table.seq)).all()
        for row in rows:
            own = files.deployment_id == row.facts["deployment_id"]
            contents = dict(session.execute(select(files.name, files.content).where(own)).all())
            if bundles.digest(contents) != row.definition:
                told = f"配備 {row.facts['deployment_id']} のファイルが、配備したときと違います。"
                found.append(Finding(Damage.DEFINITION_EDITED, told, row.chain, row.seq))
    except UNREADABLE:  # the walk tells which event
        pass
    return found


# Walking ------------------------------------------------------------------------------------------------


@dataclass
class _Walk:
    """Goes along the chains, event by event; `found` is the first damage of each. `gone`: what must not be there."""

    heads: Heads
    gone: Heads
    erased: Erased
    events: int = 0
    found: list[Finding] = field(default_factory=list)
    unsealed: int = 0
    unsealed_since: datetime | None = None
    _ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    _damaged: set[str] = field(default_factory=set)

    def take(self, batch: Sequence[Recorded]) -> None:
        for each in batch:
            self._take(each)

    def _take(self, each: Recorded) -> None:
        row = each.row
        self.events += 1
        seq, previous = self._ends.get(row.chain, (0, history.START))
        if row.chain not in self._damaged:
            self._check(each, seq, previous)
        if hasattr(row, "hash"):
            self._ends[row.chain] = row.seq, row.hash
            if row.seq > self._last_sealed(row.chain):
                self.unsealed += 1
                self.unsealed_since = min(self.unsealed_since or row.at, row.at)

    def _last_sealed(self, chain: str) -> int:
        return max(self.heads.get(chain, (0,)))

    def _check(self, each: Recorded, seq: int, previous: str) -> None:
        row = each.row
        if not hasattr(row, "hash"):
            self._tell(Damage.EVENT_EDITED, "読めない形になっています。", row)
        elif row.seq <= seq:
            self._tell(Damage.EVENT_INSERTED, "最初の出来事の前にあります。", row)
        elif row.seq != seq + 1:
            self._tell(Damage.EVENT_DELETED, f"{seq + 1} 番目がありません。", row, seq + 1)
        elif recorded.digest(row) != row.hash:
            self._tell(Damage.EVENT_EDITED, "内容が記録と違います。", row)
        elif row.previous != previous:
            self._tell(Damage.EVENT_EDITED, "前の出来事とつながりません。", row)
        elif any(seal.hash != row.hash for seal in self.heads.get(row.chain, {}).get(row.seq, ())):
            self._tell(Damage.REWRITTEN, self._between(row), row)
        elif any(seal.hash == row.hash for seal in self.gone.get(row.chain, {}).get(row.seq, ())):
            self._tell(Damage.RESTORE_UNTRUE, "復元で失われたと記録されていますが、残っています。", row)
        elif (wrong := _wrong_value(each, self.erased)) is not None:
            self._tell(*wrong, row)

    def _between(self, row: Row[Any]) -> str:
        good = max((seq for seq in self.heads[row.chain] if seq < row.seq), default=0)
        where = f"{good + 1} から {row.seq} 番目のどこか" if good + 1 < row.seq else f"{row.seq} 番目"
        return f"それ自身は整っていますが、封印されたものと違います({where}が変えられました)。"

    def end(self, heads: Heads) -> None:
        """Every event was taken: what is sealed in these chains and was not there is missing."""
        for chain, sealed in heads.items():
            seq, _ = self._ends.get(chain, (0, history.START))
            last = max(sealed)
            if chain in self._damaged or seq >= last:
                continue
            damage = Damage.TRUNCATED if seq else Damage.CHAIN_MISSING
            told = f"封印された {last} 番目までのうち、{seq + 1} 番目から後がありません。"
            self.found.append(Finding(damage, told, chain, seq + 1, sealed[last][-1].case))

    def _tell(self, damage: Damage, reason: str, row: Row[Any], seq: int | None = None) -> None:
        self._damaged.add(row.chain)
        self.found.append(Finding(damage, reason, row.chain, row.seq if seq is None else seq, row.business_key))


def _wrong_value(each: Recorded, erased: Erased) -> tuple[Damage, str] | None:
    """The first value that is not the one the event is about."""
    row, committed = each.row, each.row.commitments
    for number, value in enumerate(each.values):
        if value.number != number:
            return Damage.VALUE_DELETED, f"{number} 番の値がありません。"
        if number >= len(committed):
            return Damage.VALUE_INSERTED, f"「{value.name}」の値は、記録にありません。"
        told = erased.get((row.chain, row.seq, number))
        if value.encoded is None and value.salt is None:
            if told != (value.kind, value.name):
                return Damage.VALUE_DELETED, f"「{value.name}」の値が、消去の記録なしに消えています。"
        elif told is not None:
            return Damage.VALUE_NOT_ERASED, f"「{value.name}」の値は消去されたと記録されています。"
        elif _commitment(value) != committed[number]:
            return Damage.VALUE_EDITED, f"「{value.name}」の値が記録と違います。"
    if len(each.values) < len(committed):
        return Damage.VALUE_DELETED, f"{len(each.values)} 番の値がありません。"
    return None


def _commitment(value: Row[Any]) -> str:
    try:
        return history.commitment(value.salt or "", value.kind, value.name, value.encoded or "")
    except UNREADABLE:
        return ""
