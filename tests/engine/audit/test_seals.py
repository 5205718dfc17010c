"""Seals: a restore takes back exactly what it says is lost, and is not believed if a backup cannot explain it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.audit import seals
from engine.audit.checkpoints import Checkpoint
from engine.audit.losses import Loss, LostEvents, Restore

AT = datetime(2026, 11, 24, tzinfo=UTC)


def checkpoint(
    number: int,
    heads: Mapping[str, tuple[int, str]],
    totals: Mapping[str, int],
    restored: Restore | None = None,
) -> Checkpoint:
    said: dict[str, Any] = {
        "number": number,
        "heads": {
            chain: {"seq": seq, "hash": digest, "case": None if chain == "system" else f"case {chain}"}
            for chain, (seq, digest) in heads.items()
        },
        "readings": {"cases": {case: {"total": total} for case, total in totals.items()}},
    }
    found = Checkpoint(said, b"")
    found.__dict__["restored"] = restored
    return found


SEALED = [
    checkpoint(1, {"1": (3, "a"), "3": (2, "e"), "system": (1, "s")}, {"case 1": 2}),
    checkpoint(2, {"1": (5, "b"), "2": (1, "c")}, {"case 1": 3, "case 2": 1}),
    checkpoint(3, {"1": (7, "d")}, {}),
]
LOST = {"1": LostEvents(3, 4, 7, "d", "case 1"), "2": LostEvents(0, 0, 1, "c", "case 2")}
READ = {"case 1": Loss(2, 2, 3), "case 2": Loss(0, 0, 1)}
FOUND = {"1": (4, "x"), "3": (2, "e"), "system": (2, "y")}


def demanded(
    kept: int = 1, chains: Mapping[str, LostEvents] = LOST, readings: Mapping[str, Loss] = READ
) -> seals.Seals:
    restore = Restore(AT, "carla", "x", kept, chains, readings)
    return seals.of([*SEALED, checkpoint(4, FOUND, {"case 1": 2}, restore)])


def test_a_restore_takes_back_what_is_lost_and_seals_the_rest_anew() -> None:
    found = demanded()

    assert found.untrue == []
    assert {chain: [(seal.number, seal.seq, seal.hash) for seal in own] for chain, own in found.chains.items()} == {
        "1": [(1, 3, "a"), (4, 4, "x")],
        "2": [],
        "3": [(1, 2, "e"), (4, 2, "e")],
        "system": [(1, 1, "s"), (4, 2, "y")],
    }
    assert [each.number for each in found.readings] == [1, 4]
    assert {chain: [seal.seq for seal in own] for chain, own in found.gone.items()} == {"1": [5, 7], "2": [1]}


@pytest.mark.parametrize(
    "said",
    [
        {"kept": 0},
        {"kept": 2},
        {"kept": 3},
        {"kept": 9},
        {"chains": {}},
        {"chains": LOST | {"1": LostEvents(0, 4, 7, "d", "case 1")}},
        {"chains": LOST | {"1": LostEvents(4, 4, 7, "d", "case 1")}},
        {"chains": LOST | {"1": LostEvents(3, 3, 7, "d", "case 1")}},
        {"chains": LOST | {"1": LostEvents(3, 4, 5, "b", "case 1")}},
        {"chains": LOST | {"1": LostEvents(3, 4, 7, "x", "case 1")}},
        {"chains": LOST | {"1": LostEvents(3, 4, 7, "d", "case 2")}},
        {"chains": LOST | {"3": LostEvents(0, 2, 2, "e", "case 3")}},
        {"chains": LOST | {"7": LostEvents(0, 0, 2, "e", "case 7")}},
        {"readings": {}},
        {"readings": READ | {"case 1": Loss(1, 2, 3)}},
        {"readings": READ | {"case 1": Loss(2, 3, 3)}},
        {"readings": READ | {"case 1": Loss(2, 2, 2)}},
        {"readings": READ | {"case 3": Loss(0, 0, 1)}},
    ],
)
def test_a_restore_that_says_anything_else_takes_nothing_back(said: dict[str, Any]) -> None:
    found = demanded(**said)

    assert [number for number, _ in found.untrue] == [4]
    assert ([seal.hash for seal in found.chains["1"]], found.gone) == (["a", "b", "d", "x"], {})
    assert [each.number for each in found.readings] == [1, 2, 3, 4]


def test_what_is_left_out_stays_demanded_in_the_checkpoint_where_the_loss_begins() -> None:
    """There a backup may have it or not; nothing may be left of what came after."""
    later = demanded(chains=LOST | {"1": LostEvents(5, 4, 7, "d", "case 1")})
    without_two = demanded(chains={"1": LOST["1"]})

    assert later.untrue == without_two.untrue == []
    assert [seal.hash for seal in later.chains["1"]] == ["a", "b", "x"]
    assert [seal.hash for seal in without_two.chains["2"]] == ["c"]
    assert (
        demanded(chains={"2": LOST["2"]}).untrue[0][1].startswith("履歴 1 は、3 番が封印した 7 番目まで残っています。")
    )
