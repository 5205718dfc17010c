"""Nobody who owns the database changes what is sealed unnoticed; and nothing is called damaged that is whole.

With MAMORI_ADVERSARY=full: 200 cases, each attacked in each way at 50 places (about 80,000 attacks).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import accesses, database, deployments, identity
from engine.audit import checkpoint_keys, checkpoints, verification
from engine.audit.checkpoints import Checkpoint
from engine.audit.findings import Damage
from engine.tables import HistoryEvent
from tests.engine.audit import adversary
from tests.engine.conftest import FOLDER, JOB_TYPES, Office, disarm

FULL = os.environ.get("MAMORI_ADVERSARY") == "full"
CASES, PLACES = (200, 50) if FULL else (24, 10)
ROUNDS = 8
"""Checkpoints in the course of the cases."""
CLEAN = 1000


@dataclass
class Sealed:
    """Whole cases and the checkpoints made meanwhile; `unsealed` events came after the newest."""

    office: Office
    checkpoints: list[Checkpoint]
    key: Path
    heads: dict[str, list[int]] = field(default_factory=dict)
    unsealed: int = 0

    @property
    def cases(self) -> dict[str, list[str]]:
        """The chains of each case."""
        found: dict[str, list[str]] = {}
        for checkpoint in self.checkpoints:
            for chain, head in checkpoint.heads.items():
                if head.case is not None and chain not in found.setdefault(head.case, []):
                    found[head.case].append(chain)
        return found


def go_on(office: Office, rng: Random) -> None:
    """Somebody takes a step of the case, if it still waits for one."""
    steps = office.open_tasks()
    if "RV_01_review" in steps:
        office.complete("RV_01_review", by="anna", verdict="mend", reason="印" * rng.randint(1, 30), helper="dora")
    elif "RV_02_second_look" in steps:
        office.claim("RV_02_second_look", by="ben")
        office.complete("RV_02_second_look", by="ben", note="見ました")
    elif "RV_03_archive" in steps:
        office.complete("RV_03_archive", by="dora")
    elif "left" in steps:
        office.complete("left", by="anna")
    elif "right" in steps:
        office.complete("right", by="ben")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """Every case is sealed at least once, most of them in the middle of their course."""
    rng, folder = Random(7), tmp_path_factory.mktemp("adversary")
    found = database.connect(f"sqlite:///{folder / 'office.db'}")
    found.create()
    office = Office(found, datetime.fromisoformat("2026-11-24T10:00:00+09:00"))
    with found.transaction() as session:
        deployments.deploy(session, deployments.read_folder(FOLDER), by=None, at=office.now, job_types=JOB_TYPES)
        identity.seed(session, deployments.catalogue(session).people, password=None)
    sealing = checkpoints.Sealing(folder / "sealed", folder / "key.json", timedelta(minutes=10))
    running = []
    for _ in range(CASES):
        office.start(rng.choice(["review", "pair"]), by="carla", amount=30)
        running.append((office.instance, office.case))
        go_on(office, rng)
    for _ in range(ROUNDS):
        office.later(minutes=rng.randint(1, 300))
        checkpoints.make(found, sealing, at=office.now)
        for office.instance, office.case in rng.sample(running, CASES // 3):
            go_on(office, rng)
            with found.transaction() as session:
                accesses.note(session, office.case, rng.choice(["anna", "ben"]), "cases.show", office.now)
    kept = [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]
    whole = Sealed(office, kept, sealing.key)
    for checkpoint in kept:
        for chain, head in checkpoint.heads.items():
            whole.heads.setdefault(chain, []).append(head.seq)
    with found.reading() as session:
        whole.unsealed = session.execute(
            select(func.count()).select_from(HistoryEvent).where(HistoryEvent.id > kept[-1].upto)
        ).scalar_one()
    disarm(found)
    yield whole
    found.close()


class Undone(Exception):
    """Ends a transaction whose work must not stay."""


def attacked(sealed: Sealed, attack: Callable[[Any], Any], case: str | None) -> tuple[Any, verification.Verdict]:
    """What the attack says it did, and the verdict upon it; afterwards everything is as before."""
    try:
        with sealed.office.database.transaction() as session:
            done = attack(session)
            verdict = verification.verify(session, sealed.checkpoints, business_key=case)
            raise Undone
    except Undone:
        return done, verdict


@pytest.mark.parametrize("attack", adversary.IN_A_CASE, ids=lambda attack: attack.__name__)
def test_every_attack_on_a_sealed_case_is_noticed_and_named(
    sealed: Sealed, attack: Callable[[adversary.Place], adversary.Done]
) -> None:
    rng = Random(attack.__name__)
    attacks = 0
    for case, chains in sealed.cases.items():
        for number in range(PLACES):
            chain = rng.choice(chains)
            skilled = number % 2 == 1

            done, verdict = attacked(
                sealed,
                lambda s, c=chain, k=skilled: attack(adversary.Place(s, c, sealed.heads[c][-1], rng, k)),
                case,
            )

            (found,) = [each for each in verdict.findings if each.chain == done.chain]
            assert found.damage in done.kinds, (found, done)
            first_sealed = min(seq for seq in sealed.heads[chain] if seq >= done.seq)
            at = first_sealed if found.damage is Damage.REWRITTEN else done.seq
            if found.damage is Damage.TRUNCATED:
                assert found.seq >= done.seq
            else:
                assert (found.seq, found.case) == (at, case), (found, done)
            attacks += 1
    assert attacks == CASES * PLACES


@pytest.mark.parametrize("attack", adversary.READINGS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("of_one_case", [True, False])
def test_every_attack_on_sealed_readings_is_noticed_and_named(
    sealed: Sealed, attack: Callable[..., Damage], of_one_case: bool
) -> None:
    rng = Random(attack.__name__)
    upto = sealed.checkpoints[-1].read_upto or 0
    cases = sorted({case for each in sealed.checkpoints for case in (each.readings or {"cases": {}})["cases"]})
    assert len(cases) > CASES // 2
    for case in cases if of_one_case else cases[:3]:
        done, verdict = attacked(sealed, lambda s, c=case: attack(s, c, upto, rng), case if of_one_case else None)

        (found,) = [each for each in verdict.findings if each.case == case]
        assert (found.damage, found.chain) == (done, "")


def test_yesterdays_database_is_always_noticed(sealed: Sealed) -> None:
    rng = Random(1)
    newest = sealed.checkpoints[-1].upto
    kinds = {Damage.OLDER_DATABASE: 0, Damage.TRUNCATED: 0, Damage.CHAIN_MISSING: 0}
    for _ in range(50 if FULL else 12):
        upto = rng.randint(0, newest - 1)

        _, verdict = attacked(sealed, lambda s, u=upto: adversary.restore_yesterday(s, u), None)

        kinds[verdict.findings[0].damage] += 1
        assert verdict.findings[0].damage is Damage.OLDER_DATABASE or upto >= newest - 4
    assert kinds[Damage.OLDER_DATABASE] > 0


def test_a_replaced_checkpoint_is_always_noticed_against_the_newest_held_elsewhere(sealed: Sealed) -> None:
    rng = Random(2)
    key = checkpoint_keys.read(sealed.key).private
    with sealed.office.database.reading() as session:
        for _ in range(50 * (20 if FULL else 1)):
            folder = adversary.replace_a_checkpoint(sealed.checkpoints, rng, key)
            verdict = verification.verify(session, [*folder, sealed.checkpoints[-1]], business_key="none")

            assert verdict.findings[0].damage is Damage.CHECKPOINT_REPLACED


def test_a_thousand_clean_checks_raise_no_alarm(sealed: Sealed) -> None:
    rng = Random(3)
    cases = sorted(sealed.cases)
    with sealed.office.database.reading() as session:
        for _ in range(CLEAN):
            known = sealed.checkpoints[: rng.randint(0, ROUNDS)]
            verdict = verification.verify(session, known, business_key=rng.choice(cases))
            assert verdict.findings == ()
            assert verdict.events > 0
        everything = verification.verify(session, sealed.checkpoints)
    assert everything.findings == ()


def test_what_is_not_sealed_is_told_with_its_age(sealed: Sealed) -> None:
    with sealed.office.database.reading() as session:
        verdict = verification.verify(session, sealed.checkpoints)

    assert verdict.unsealed == sealed.unsealed > 0
    assert verdict.unsealed_since == sealed.office.now
    assert verdict.sealed_at == sealed.office.now
