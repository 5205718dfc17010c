"""Losses: what is gone since the database was restored from a backup, as an operator recorded it.

The record stands in history, and in the checkpoint that was made with it, which alone takes back what earlier ones
sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import columns, history


@dataclass(frozen=True, slots=True)
class Loss:
    """Of 1 to `last`, which were sealed, those up to `kept` are there. From there to `stands` something is there, but
    no seal tells whether it is the same.
    """

    kept: int
    stands: int
    last: int

    @property
    def unproven(self) -> int:
        return max(0, min(self.stands, self.last) - self.kept)

    @property
    def gone(self) -> int:
        return self.last - self.kept - self.unproven


@dataclass(frozen=True, slots=True)
class LostEvents(Loss):
    """`hash` is that of the event `last` of the chain, which belongs to `case`."""

    hash: str
    case: str | None


@dataclass(frozen=True, slots=True)
class Restore:
    """`kept` is the number of the last checkpoint of which nothing is lost, 0 if there is none.

    `chains`: what is lost of each chain; `readings`: of each case.
    """

    at: datetime
    by: str
    reason: str
    kept: int
    chains: Mapping[str, LostEvents]
    readings: Mapping[str, Loss]

    @property
    def cases(self) -> list[str]:
        """Those of which events are lost."""
        return sorted({each.case for each in self.chains.values() if each.case is not None})

    @property
    def gone(self) -> int:
        """How many events are lost for certain."""
        return sum(each.gone for each in self.chains.values())

    @property
    def unproven(self) -> int:
        """How many events are there of which no seal tells whether they are those that were sealed."""
        return sum(each.unproven for each in self.chains.values())

    @property
    def gone_readings(self) -> int:
        return sum(each.gone for each in self.readings.values())

    def concerns(self, business_key: str) -> bool:
        """Whether something of the case is lost."""
        return business_key in self.readings or any(each.case == business_key for each in self.chains.values())

    def facts(self) -> dict[str, Any]:
        """What is lost, as JSON."""
        return {
            "kept": self.kept,
            "chains": {
                chain: {**_said(each), "hash": each.hash, "case": each.case} for chain, each in self.chains.items()
            },
            "readings": {case: _said(each) for case, each in self.readings.items()},
        }


def recorded(event: history.Event) -> Restore:
    """The restore that the event of type `restored` records."""
    facts = event.facts
    reason = facts["reason"]
    return Restore(event.at, event.actor or "", "" if reason is None else str(reason), facts["kept"], *_losses(facts))


def _losses(facts: Mapping[str, Any]) -> tuple[dict[str, LostEvents], dict[str, Loss]]:
    return (
        {chain: LostEvents(**each) for chain, each in facts["chains"].items()},
        {case: Loss(**each) for case, each in facts["readings"].items()},
    )


def _said(loss: Loss) -> dict[str, int]:
    return {"kept": loss.kept, "stands": loss.stands, "last": loss.last}


def parse(said: Mapping[str, Any]) -> Restore:
    """The restore of which a checkpoint speaks so; raises ValueError, AttributeError or TypeError if it is none."""
    _expect(said, at=str, by=str, reason=str, kept=int, chains=dict, readings=dict)
    at = datetime.fromisoformat(said["at"])
    if at.tzinfo is None or not (said["by"] + said["reason"]).isprintable():  # a line of its own could lie
        raise ValueError("restored")
    for each in said["chains"].values():
        _expect(each, kept=int, stands=int, last=int, hash=str, case=(str, type(None)))
    for each in said["readings"].values():
        _expect(each, kept=int, stands=int, last=int)
    return Restore(at.astimezone(columns.JST), said["by"], said["reason"], said["kept"], *_losses(said))


def _expect(said: Mapping[str, Any], **shape: type | tuple[type, ...]) -> None:
    """These items and no others, of these types; numbers from 0 on."""
    if said.keys() != shape.keys():
        raise ValueError("restored")
    for name, kind in shape.items():
        value = said[name]
        if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
            raise ValueError("restored")
