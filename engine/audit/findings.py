"""Findings: what was done to history, where, and how it shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Damage(StrEnum):
    """What was done to history, as far as can be told."""

    EVENT_EDITED = "出来事の書き換え"
    EVENT_DELETED = "出来事の削除"
    EVENT_INSERTED = "出来事の挿入"
    EVENTS_REORDERED = "順序の入れ替え"
    VALUE_EDITED = "値の書き換え"
    VALUE_DELETED = "値の削除"
    VALUE_INSERTED = "値の挿入"
    VALUE_NOT_ERASED = "消去されたはずの値"
    TRUNCATED = "末尾の切り取り"
    REWRITTEN = "連鎖の作り直し"
    CHAIN_MISSING = "丸ごとの削除"
    OLDER_DATABASE = "古いデータベース"
    CHECKPOINT_REPLACED = "チェックポイントの差し替え"
    RESTORE_UNTRUE = "復元の偽りの記録"
    READING_EDITED = "閲覧の記録の書き換え"
    READING_DELETED = "閲覧の記録の削除"
    READING_INSERTED = "閲覧の記録の挿入"
    DEFINITION_EDITED = "定義の書き換え"


@dataclass(frozen=True, slots=True)
class Finding:
    """Damage at the event `seq` of a chain (0: before the first), or at a checkpoint, whose chain is empty."""

    damage: Damage
    reason: str
    chain: str = ""
    seq: int = 0
    case: str | None = None

    def __str__(self) -> str:
        where = f"履歴 {self.chain} の {self.seq} 番目" if self.chain else "チェックポイント"
        case = f"(事案 {self.case})" if self.case else ""
        return f"{self.damage}: {where}{case}: {self.reason}"
