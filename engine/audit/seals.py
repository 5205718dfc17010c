"""Seals: what the checkpoints together demand of history, less what a recorded restore says is lost.

A restore is believed only as far as it can be one. It says of every chain exactly what the checkpoints sealed and it
takes back; it takes back nothing that was sealed before the last checkpoint of which nothing is lost; and of what was
sealed after the next one it leaves nothing, for a backup is from one moment and chooses among no cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.audit.checkpoints import Checkpoint
from engine.audit.losses import LostEvents, Restore
from engine.history import SYSTEM


@dataclass(frozen=True, slots=True)
class Seal:
    """Checkpoint `number` says that the event `seq` of the chain, which belongs to `case`, has this hash."""

    number: int
    seq: int
    hash: str
    case: str | None


@dataclass(slots=True)
class Seals:
    """`chains`: the seals that hold, by chain. `readings`: the checkpoints of which those of readings hold.

    `restores`: the checkpoints that carry a restore; `untrue`: (number, reason) of those that are not believed.
    `gone`: the seals that the last restore took back.
    """

    chains: dict[str, list[Seal]] = field(default_factory=dict)
    readings: list[Checkpoint] = field(default_factory=list)
    restores: list[Checkpoint] = field(default_factory=list)
    untrue: list[tuple[int, str]] = field(default_factory=list)
    gone: Mapping[str, Sequence[Seal]] = field(default_factory=dict)
    _first: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def first(self, chain: str, seal: Seal) -> int:
        """The number of the checkpoint that was the first to say so."""
        return self._first[chain, seal.seq, seal.hash]

    def add(self, checkpoint: Checkpoint) -> None:
        """What the checkpoint, which is newer than all so far, takes back and says holds as well."""
        if checkpoint.restored is not None:
            self._take_back(checkpoint, checkpoint.restored)
        for chain, head in checkpoint.heads.items():
            self.chains.setdefault(chain, []).append(Seal(checkpoint.number, head.seq, head.hash, head.case))
            self._first.setdefault((chain, head.seq, head.hash), checkpoint.number)
        if checkpoint.readings is not None:
            self.readings.append(checkpoint)

    def lost_readings(self, kept: int) -> dict[str, tuple[int, int]]:
        """Case → how many readings were sealed up to checkpoint `kept` and since, of those with some since."""
        before: dict[str, int] = {}
        since: dict[str, int] = {}
        for checkpoint in self.readings:
            for case, said in (checkpoint.readings or {"cases": {}})["cases"].items():
                (before if checkpoint.number <= kept else since)[case] = said["total"]
        return {case: (before.get(case, 0), last) for case, last in since.items()}

    def _take_back(self, checkpoint: Checkpoint, restore: Restore) -> None:
        lost = {
            chain: [s for s in self.chains.get(chain, ()) if s.number > restore.kept and s.seq > loss.kept]
            for chain, loss in restore.chains.items()
        }
        reason = self._why_untrue(checkpoint, restore, lost)
        if reason:
            self.untrue.append((checkpoint.number, reason))
            return
        for chain, seals in lost.items():
            away = set(seals)
            self.chains[chain] = [seal for seal in self.chains[chain] if seal not in away]
        self.readings = [each for each in self.readings if each.number <= restore.kept]
        self.restores.append(checkpoint)
        self.gone = lost

    def _why_untrue(self, checkpoint: Checkpoint, restore: Restore, lost: Mapping[str, Sequence[Seal]]) -> str:
        if restore.kept + 1 >= checkpoint.number:
            return "失われたという封印がありません。"
        for chain, loss in restore.chains.items():
            if not self._is_exact(chain, loss, lost[chain]) or _stands(checkpoint, chain) != loss.stands:
                return f"履歴 {chain} について、封印されたことと違うことを言っています。"
        stands = {case: said["total"] for case, said in (checkpoint.readings or {"cases": {}})["cases"].items()}
        told = {case: (loss.kept, loss.last) for case, loss in restore.readings.items()}
        if told != self.lost_readings(restore.kept) or any(
            loss.stands != stands.get(case, 0) for case, loss in restore.readings.items()
        ):
            return "閲覧について、封印されたことと違うことを言っています。"
        return self._why_no_restore(restore.kept, lost)

    def _is_exact(self, chain: str, loss: LostEvents, lost: Sequence[Seal]) -> bool:
        if not lost:
            return False
        away = set(lost)
        kept = max((seal.seq for seal in self.chains[chain] if seal not in away), default=0)
        last = max(lost, key=lambda seal: (seal.seq, seal.number))
        return (kept, last.seq, last.hash, last.case) == (loss.kept, loss.last, loss.hash, loss.case)

    def _why_no_restore(self, kept: int, lost: Mapping[str, Sequence[Seal]]) -> str:
        """Of what was sealed after the checkpoint in which the loss begins, nothing may be left."""
        for chain, seals in self.chains.items():
            away = set(lost.get(chain, ()))
            for seal in seals:
                if seal.number > kept + 1 and seal not in away and self.first(chain, seal) > kept + 1:
                    where = f"履歴 {chain} は、{seal.number} 番が封印した {seal.seq} 番目まで"
                    return f"{where}残っています。復元なら、ほかと一緒に失われたはずです。"
        return ""


def of(checkpoints: Iterable[Checkpoint]) -> Seals:
    """What these checkpoints, the oldest first, demand."""
    found = Seals()
    for each in checkpoints:
        found.add(each)
    return found


def _stands(checkpoint: Checkpoint, chain: str) -> int:
    """How many events of the chain there were when the restore was recorded; the record is the system's next one."""
    head = checkpoint.heads.get(chain)
    return 0 if head is None else head.seq - (chain == SYSTEM)
