"""Checkpoints: the heads of the chains that changed, signed, each naming the one before, kept outside the database.

They say as well who opened which case since the one before (`reading_proofs`), and what of that which earlier ones
sealed is gone since a restore of the database (`losses`).

A checkpoint is a file in the canonical form of RFC 8785; its SHA-256 is what the next one names. Whoever holds a copy
of the newest one holds all of history up to it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import rfc8785
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from engine import columns, tables
from engine.audit import checkpoint_keys, losses, reading_proofs
from engine.audit.checkpoint_keys import Key
from engine.audit.losses import Restore
from engine.database import Database
from engine.errors import CheckpointInvalid, FileUnreadable, SealedHistoryGone
from engine.history import START, SYSTEM, instant

FORMAT = 3
"""The first did not speak of readings, the first two not of restores."""
KIND = "mamori checkpoint"
FOLDER = Path("var")
EVERY = 10
"""Minutes between two checkpoints, unless the environment says otherwise."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a chain when the checkpoint was made, and the case that the chain belongs to."""

    seq: int
    hash: str
    case: str | None


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint; `said` is the whole file as JSON. `upto` is the id of the last event that it covers."""

    said: Mapping[str, Any]
    content: bytes

    @property
    def number(self) -> int:
        return int(self.said["number"])

    @property
    def previous(self) -> str:
        return str(self.said["previous"])

    @property
    def upto(self) -> int:
        return int(self.said["upto"])

    @property
    def readings(self) -> Mapping[str, Any] | None:
        """What it says of the readings, as `reading_proofs.sealed` gives it; None if it is of the first format."""
        return self.said.get("readings")

    @property
    def read_upto(self) -> int | None:
        """The id of the last reading that it and those before cover."""
        return None if self.readings is None else int(self.readings["upto"])

    @cached_property
    def restored(self) -> Restore | None:
        """The restore that was recorded with it."""
        said = self.said.get("restored")
        return None if said is None else losses.parse(said)

    @property
    def key(self) -> str:
        return str(self.said["key"])

    @property
    def introduction(self) -> Mapping[str, str] | None:
        return self.said["introduction"]  # type: ignore[no-any-return] # as `parse` has seen

    @cached_property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.said["at"]).astimezone(columns.JST)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {chain: Head(head["seq"], head["hash"], head["case"]) for chain, head in self.said["heads"].items()}

    @cached_property
    def is_signed(self) -> bool:
        """Whether the key that it names signed it."""
        return checkpoint_keys.signed(self.key, self.said["signature"], _signing(self.said))


def _signing(said: Mapping[str, Any]) -> bytes:
    return rfc8785.dumps({name: value for name, value in said.items() if name != "signature"})


# Files --------------------------------------------------------------------------------------------------

_SHAPE: Mapping[str, type | tuple[type, ...]] = {
    "kind": str,
    "format": int,
    "number": int,
    "previous": str,
    "at": str,
    "upto": int,
    "heads": dict,
    "readings": dict,
    "restored": (dict, type(None)),
    "key": str,
    "introduction": (dict, type(None)),
    "signature": str,
}
_FIRST = {"readings": 2, "restored": 3}
"""The format that first had it."""


def parse(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in the bytes of the file of this name; raises CheckpointInvalid if they are none."""
    try:
        said = json.loads(content)
        _expect(isinstance(said, dict), "項目")
        shape = {key: kind for key, kind in _SHAPE.items() if said["format"] >= _FIRST.get(key, 1)}
        _expect(said.keys() == shape.keys(), "項目")
        for key, kind in shape.items():
            _expect(isinstance(said[key], kind) and not isinstance(said[key], bool), key)
        _expect(said["kind"] == KIND and 1 <= said["format"] <= FORMAT, "kind, format")
        _expect(datetime.fromisoformat(said["at"]).tzinfo is not None, "at")
        for head in said["heads"].values():
            _expect(head.keys() == {"seq", "hash", "case"} and isinstance(head["seq"], int), "heads")
            _expect(isinstance(head["hash"], str) and isinstance(head["case"], str | None), "heads")
        if "readings" in said:
            _expect_readings(said["readings"])
        if said.get("restored") is not None:
            losses.parse(said["restored"])
        if said["introduction"] is not None:
            _expect(said["introduction"].keys() == {"by", "signature"}, "introduction")
        _expect(rfc8785.dumps(said) == content, "RFC 8785")
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as fault:
        raise CheckpointInvalid(name, str(fault)) from fault
    return Checkpoint(said, content)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _expect_readings(said: Mapping[str, Any]) -> None:
    _expect(said.keys() == {"since", "upto", "cases"}, "readings")
    _expect(isinstance(said["since"], int | None) and isinstance(said["upto"], int), "readings")
    for each in said["cases"].values():
        _expect(each.keys() == {"count", "hash", "total"} and isinstance(each["hash"], str), "readings")
        _expect(isinstance(each["count"], int) and isinstance(each["total"], int), "readings")


def name_of(number: int) -> str:
    return f"{number:08d}.json"


def files(path: Path) -> list[Path]:
    """The checkpoint files in a folder, oldest first; of a file, that one. Raises FileUnreadable."""
    if path.is_dir():
        return sorted(path.glob("[0-9]*.json"))
    if not path.exists():
        raise FileUnreadable(f"{path} がありません。")
    return [path]


def read(path: Path) -> Checkpoint:
    """The checkpoint in the file; raises FileUnreadable, CheckpointInvalid."""
    try:
        return parse(path.read_bytes(), path.name)
    except OSError as fault:
        raise FileUnreadable(f"{path} を読めません({fault.strerror})。") from fault


# Making -------------------------------------------------------------------------------------------------


@dataclass
class Sealing:
    """Where checkpoints go, the file of the key that signs them, and how often they are made."""

    folder: Path
    key: Path
    every: timedelta
    _next: datetime | None = field(default=None, init=False)

    def run_due(self, database: Database, *, at: datetime) -> int:
        """A checkpoint has been made if it was time and something changed; gives how many: 0 or 1."""
        if self._next is not None and at < self._next:
            return 0
        self._next = at + self.every
        try:
            made = make(database, self, at=at)
        except SealedHistoryGone as gone:
            log.error("%s", gone)
            return 0
        if made is not None:
            log.info("checkpoint %s: %s chains, SHA-256 %s", made.number, len(made.heads), made.digest)
        return int(made is not None)


def from_environment(environment: Mapping[str, str]) -> Sealing:
    """As MAMORI_CHECKPOINTS, MAMORI_CHECKPOINT_KEY and MAMORI_CHECKPOINT_MINUTES say; raises FileUnreadable."""
    minutes = environment.get("MAMORI_CHECKPOINT_MINUTES") or str(EVERY)
    if not minutes.isascii() or not minutes.isdecimal() or not 0 < int(minutes) <= 10_000:
        raise FileUnreadable(f"MAMORI_CHECKPOINT_MINUTES には、分を 1 から 10000 の整数で書いてください({minutes})。")
    folder = environment.get("MAMORI_CHECKPOINTS") or FOLDER / "checkpoints"
    key = environment.get("MAMORI_CHECKPOINT_KEY") or FOLDER / "checkpoint_key.json"
    return Sealing(Path(folder), Path(key), timedelta(minutes=int(minutes)))


def make(database: Database, sealing: Sealing, *, at: datetime) -> Checkpoint | None:
    """What changed and was read since the last checkpoint is signed and in the folder; None if nothing was.

    Costs what changed, not what there is. Raises SealedHistoryGone, for what is sealed beyond a restore would hide it;
    FileUnreadable, CheckpointInvalid.
    """
    key = checkpoint_keys.get(sealing.key)
    standing = files(sealing.folder) if sealing.folder.exists() else []
    last = read(standing[-1]) if standing else None
    with database.transaction() as session:
        upto, read_upto = newest(session)
    with database.reading() as session:
        if last is not None and not _follows(session, standing, last, read_upto):
            raise SealedHistoryGone(
                f"チェックポイント {last.number} が封印したものがデータベースにないので、その先は封印できません。"
                "mamori audit verify で確かめ、復元したのなら mamori audit restored で記録してください。"
            )
        heads = changed(session, 0 if last is None else last.upto, upto)
        readings = reading_proofs.sealed(session, last.read_upto if last else None, read_upto)
    if not heads and not readings["cases"]:
        return None
    checkpoint = signed(key, last, upto, heads, readings, at)
    return checkpoint if keep(sealing, checkpoint) else None


def keep(sealing: Sealing, checkpoint: Checkpoint) -> bool:
    """The checkpoint is in the folder; False if another one has its number. Raises FileUnreadable."""
    path = sealing.folder / name_of(checkpoint.number)
    return checkpoint_keys.write_whole(path, checkpoint.content, mode=0o644)


def newest(session: Session, mode: str = "SHARE") -> tuple[int, int]:
    """The ids of an event and of a reading up to which all are committed; PostgreSQL commits them in any order."""
    if session.get_bind().dialect.name == "postgresql":  # waits for those who write, a moment
        session.execute(text(f"LOCK TABLE history_event, case_reading IN {mode} MODE"))
    event, reading = (
        session.execute(select(func.max(table.id))).scalar() or 0 for table in (tables.HistoryEvent, tables.CaseReading)
    )
    return event, reading


def _follows(session: Session, standing: Sequence[Path], last: Checkpoint, read_upto: int) -> bool:
    """Whether the latest event and reading that were sealed are there: not so in a database from before them."""
    if read_upto < (last.read_upto or 0):
        return False
    sealed = next((each for each in map(read, reversed(standing)) if each.heads), None)
    if sealed is None:
        return True
    table = tables.HistoryEvent
    row = session.execute(select(table.chain, table.seq, table.hash).where(table.id == sealed.upto)).one_or_none()
    head = None if row is None else sealed.heads.get(row.chain)
    return row is not None and head is not None and (head.seq, head.hash) == (row.seq, row.hash)


def changed(session: Session, since: int, upto: int) -> dict[str, Head]:
    """The head, as of event `upto`, of each chain that has an event after `since`."""
    table = tables.HistoryEvent
    last = (
        select(table.chain, func.max(table.seq).label("seq"))
        .where(table.id > since, table.id <= upto)
        .group_by(table.chain)
        .subquery()
    )
    query = select(table.chain, table.seq, table.hash, table.business_key).join(
        last, (last.c.chain == table.chain) & (last.c.seq == table.seq)
    )
    return {
        chain: Head(seq, digest, None if chain == SYSTEM else case)
        for chain, seq, digest, case in session.execute(query)
    }


def signed(
    key: Key,
    last: Checkpoint | None,
    upto: int,
    heads: Mapping[str, Head],
    readings: Mapping[str, Any],
    at: datetime,
    restored: Restore | None = None,
) -> Checkpoint:
    """The checkpoint after `last` that says these heads and readings, and what is lost, signed."""
    introduction = key.introduction if last is None or last.key != key.public else None
    said: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "number": 1 if last is None else last.number + 1,
        "previous": START if last is None else last.digest,
        "at": instant(at),
        "upto": upto,
        "heads": {chain: {"seq": head.seq, "hash": head.hash, "case": head.case} for chain, head in heads.items()},
        "readings": readings,
        "restored": None if restored is None else _restored(restored),
        "key": key.public,
        "introduction": introduction,
    }
    said["signature"] = key.sign(_signing(said))
    return Checkpoint(said, rfc8785.dumps(said))


def _restored(restore: Restore) -> dict[str, Any]:
    return {"at": instant(restore.at), "by": restore.by, "reason": restore.reason, **restore.facts()}


# Checking -----------------------------------------------------------------------------------------------


def faults(found: Iterable[Checkpoint]) -> list[tuple[int, str]]:
    """(number, reason) of each checkpoint that does not follow from the one before; oldest first."""
    told = []
    last: Checkpoint | None = None
    for each in sorted(found, key=lambda checkpoint: checkpoint.number):
        reason = _fault(each, last)
        if reason:
            told.append((each.number, reason))
        last = each
    return told


def _fault(each: Checkpoint, last: Checkpoint | None) -> str:
    if not each.is_signed:
        return "署名が合いません。"
    number, digest = (0, START) if last is None else (last.number, last.digest)
    if each.number > number + 1:
        return f"その前の {number + 1} 番がありません。"
    if each.previous != digest:
        return "前のチェックポイントとつながりません。"
    if last is not None and each.readings is not None:
        since = None if each.restored is not None else last.read_upto
        if each.readings["since"] != since:
            return "封印した閲覧が、前のチェックポイントのものに続いていません。"
    if last is not None and each.key != last.key:
        introduction = each.introduction
        if introduction is None or introduction["by"] != last.key:
            return "前の鍵が紹介していない鍵で署名されています。"
        if not checkpoint_keys.introduces(introduction, each.key):
            return "鍵の紹介の署名が合いません。"
    return ""
