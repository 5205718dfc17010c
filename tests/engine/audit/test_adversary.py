"""Nobody who owns the database changes what is sealed unnoticed; and nothing is called damaged that is whole.

With MAMORI_ADVERSARY=full: 200 cases, each attacked in each way at 50 places (about 80,000 attacks).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import accesses, database, deployments, identity
from engine.audit import checkpoint_keys, checkpoints, reading_proofs, restores, seals, verification
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.audit.findings import Damage
from engine.audit.losses import Loss, LostEvents, Restore
from engine.database import Database
from engine.errors import RestoreNotRecorded
from engine.tables import CaseReading, HistoryEvent
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


# Restores -----------------------------------------------------------------------------------------------

RESTORES = 100 if FULL else 10
Heads = dict[str, dict[int, str]]


@dataclass
class Copy:
    """A database and a folder of checkpoints of its own, as of the sealed cases."""

    database: Database
    sealing: Sealing
    now: datetime

    @property
    def checkpoints(self) -> list[Checkpoint]:
        return [checkpoints.read(path) for path in checkpoints.files(self.sealing.folder)]

    def verify(self) -> verification.Verdict:
        with self.database.reading() as session:
            return verification.verify(session, self.checkpoints)

    def damages(self) -> set[Damage]:
        return {each.damage for each in self.verify().findings}

    def record(self) -> Restore:
        restored = restores.record(self.database, self.sealing, reason="x", by="carla", at=self.now).restored
        assert restored is not None
        return restored

    def events(self) -> Heads:
        """Chain → seq → hash."""
        found: Heads = {}
        with self.database.reading() as session:
            for chain, seq, digest in session.execute(select(HistoryEvent.chain, HistoryEvent.seq, HistoryEvent.hash)):
                found.setdefault(chain, {})[seq] = digest
        return found

    def readings(self) -> dict[str, int]:
        with self.database.reading() as session:
            query = select(CaseReading.business_key, func.count()).group_by(CaseReading.business_key)
            return dict(session.execute(query).all())

    def restore(self, rng: Random) -> None:
        """The database is one that was whole before some checkpoint, and lost what came after."""
        with self.database.transaction() as session:
            upto = rng.randint(2, self.checkpoints[-1].upto - 1)
            at = session.execute(select(HistoryEvent.at).where(HistoryEvent.id == upto)).scalar_one()
            query = select(func.count()).select_from(CaseReading)
            before, until = (
                session.execute(query.where(condition)).scalar_one()
                for condition in (CaseReading.at < at, CaseReading.at <= at)
            )
            adversary.restore_yesterday(session, upto, rng.randint(before, until))


@pytest.fixture
def copies(sealed: Sealed, tmp_path: Path) -> Iterator[Callable[[], Copy]]:
    opened: list[Database] = []

    def copy() -> Copy:
        folder = tmp_path / f"{len(opened)}"
        shutil.copytree(sealed.key.parent / "sealed", folder / "sealed")
        shutil.copy(sealed.key, folder / "key.json")
        with closing(sqlite3.connect(str(sealed.office.database.engine.url.database))) as connection:
            connection.execute(f"VACUUM INTO '{folder / 'office.db'}'")
        opened.append(database.connect(f"sqlite:///{folder / 'office.db'}"))
        sealing = Sealing(folder / "sealed", folder / "key.json", timedelta(minutes=10))
        return Copy(opened[-1], sealing, sealed.office.now + timedelta(hours=1))

    yield copy
    for each in opened:
        each.close()


def test_a_recorded_restore_names_what_is_lost_and_excuses_nothing_else(copies: Callable[[], Copy]) -> None:
    rng = Random("restore")
    for _ in range(RESTORES):
        copy = copies()
        said = [each.said for each in copy.checkpoints]
        sealed_readings = {c: each["total"] for one in said for c, each in one["readings"]["cases"].items()}
        copy.restore(rng)
        there, opened = copy.events(), copy.readings()
        assert copy.damages()

        told = copy.record()

        expected = {}
        heads = {chain: [s["heads"][chain] for s in said if chain in s["heads"]] for s in said for chain in s["heads"]}
        for chain, own in heads.items():
            kept = max([0, *(h["seq"] for h in own if there.get(chain, {}).get(h["seq"]) == h["hash"])])
            if own[-1]["seq"] > kept:
                last = own[-1]
                expected[chain] = LostEvents(kept, len(there.get(chain, {})), last["seq"], last["hash"], last["case"])
        assert told.chains == expected
        assert {case for case, total in sealed_readings.items() if opened.get(case, 0) < total} <= set(told.readings)
        for case, readings in told.readings.items():
            assert (readings.stands, readings.last) == (opened.get(case, 0), sealed_readings[case])
        verdict = copy.verify()
        assert (verdict.findings, verdict.unsealed, verdict.unsealed_readings) == ((), 0, 0)
        assert [each.restored for each in verdict.restores] == [told]


@pytest.mark.parametrize("attack", adversary.IN_A_CASE, ids=lambda attack: attack.__name__)
def test_every_attack_after_a_recorded_restore_is_noticed(
    copies: Callable[[], Copy], attack: Callable[[adversary.Place], adversary.Done]
) -> None:
    rng = Random(attack.__name__)
    copy = copies()
    copy.restore(Random(5))
    copy.record()
    sealed = copy.checkpoints
    chains = [chain for chain, own in copy.events().items() if chain != "system" and len(own) > 2]
    assert len(chains) > 3
    for number in range(PLACES):
        try:
            with copy.database.transaction() as session:
                chain = rng.choice(chains)
                last = sealed[-1].heads[chain].seq
                done = attack(adversary.Place(session, chain, last, rng, number % 2 == 1))
                verdict = verification.verify(session, sealed)
                raise Undone
        except Undone:
            pass
        (found,) = [each for each in verdict.findings if each.chain == done.chain]
        assert found.damage in done.kinds, (found, done)


def test_what_was_changed_before_the_restore_is_not_excused_by_it(copies: Callable[[], Copy]) -> None:
    rng = Random(11)
    for _ in range(RESTORES):
        copy = copies()
        chain, sealed = rng.choice(sorted((c, h.seq) for c, h in copy.checkpoints[0].heads.items() if h.case))
        with copy.database.transaction() as session:
            adversary.edit_a_time(adversary.Place(session, chain, sealed, rng, skilled=True))
            newest = copy.checkpoints[-2].upto
            adversary.restore_yesterday(session, newest + 1, copy.checkpoints[-2].read_upto)

        copy.record()

        (found,) = copy.verify().findings
        assert (found.damage, found.chain) == (Damage.REWRITTEN, chain)


def test_a_case_that_is_taken_out_is_no_restore(copies: Callable[[], Copy]) -> None:
    rng = Random(12)
    for _ in range(RESTORES):
        copy = copies()
        chain = rng.choice(sorted(c for c, h in copy.checkpoints[0].heads.items() if h.case))
        with copy.database.transaction() as session:
            adversary.delete_the_case(adversary.Place(session, chain, 1, rng, skilled=False))

        with suppress(RestoreNotRecorded):  # what the newest checkpoint alone sealed may be called lost
            copy.record()

        assert (Damage.CHAIN_MISSING, chain) in {(each.damage, each.chain) for each in copy.verify().findings}


def test_nor_with_a_record_that_who_has_the_key_signs(copies: Callable[[], Copy]) -> None:
    copy = copies()
    kept = copy.checkpoints
    chain = next(c for c, h in sorted(kept[0].heads.items()) if h.case)
    own = seals.of(kept).chains[chain]
    with copy.database.transaction() as session:
        adversary.delete_the_case(adversary.Place(session, chain, 1, Random(1), skilled=False))
    with copy.database.reading() as session:
        upto = session.execute(select(func.max(HistoryEvent.id))).scalar_one()
        read = reading_proofs.sealed(session, None, kept[-1].read_upto or 0)
        readings = {
            case: Loss(before, read["cases"][case]["total"], last)
            for case, (before, last) in seals.of(kept).lost_readings(0).items()
        }
        lost = {chain: LostEvents(0, 0, own[-1].seq, own[-1].hash, own[-1].case)}
        restore = Restore(copy.now, "carla", "x", 0, lost, readings)
        heads = checkpoints.changed(session, 0, upto)
        key = checkpoint_keys.read(copy.sealing.key)

        forged = checkpoints.signed(key, kept[-1], upto, heads, read, copy.now, restore)

        verdict = verification.verify(session, [*kept, forged])
    assert {Damage.RESTORE_UNTRUE, Damage.CHAIN_MISSING} <= {each.damage for each in verdict.findings}
    assert "残っています" in str(verdict.findings[0])
    assert verdict.restores == ()


def test_nor_by_giving_up_everything_that_is_still_there(copies: Callable[[], Copy]) -> None:
    """So that it could be changed later: who has the key calls all lost that was ever sealed."""
    copy = copies()
    kept = copy.checkpoints
    ends = {chain: max(own, key=lambda seal: seal.seq) for chain, own in seals.of(kept).chains.items()}
    with copy.database.reading() as session:
        upto = session.execute(select(func.max(HistoryEvent.id))).scalar_one()
        heads = checkpoints.changed(session, 0, upto)
        read = reading_proofs.sealed(session, None, kept[-1].read_upto or 0)
        readings = {
            case: Loss(before, read["cases"][case]["total"], last)
            for case, (before, last) in seals.of(kept).lost_readings(0).items()
        }
        lost = {
            chain: LostEvents(0, heads[chain].seq - (chain == "system"), end.seq, end.hash, end.case)
            for chain, end in ends.items()
        }
        key = checkpoint_keys.read(copy.sealing.key)
        restore = Restore(copy.now, "carla", "x", 0, lost, readings)
        forged = checkpoints.signed(key, kept[-1], upto, heads, read, copy.now, restore)

        verdict = verification.verify(session, [*kept, forged])
    told = [each for each in verdict.findings if "失われたと記録されていますが、残っています" in each.reason]
    assert {each.damage for each in told} == {Damage.RESTORE_UNTRUE}
    assert {each.chain for each in told} == set(ends)


def test_the_end_of_one_chain_called_lost_is_told_as_that_and_nothing_more(copies: Callable[[], Copy]) -> None:
    """Of what the newest checkpoint alone sealed nobody can tell a theft from a restore; but it is told for ever."""
    copy = copies()
    kept = copy.checkpoints
    before = {chain: head.seq for each in kept[:-1] for chain, head in each.heads.items()}
    chain = next(c for c, h in sorted(kept[-1].heads.items()) if h.case and c in before)
    case, last = kept[-1].heads[chain].case, kept[-1].heads[chain].seq
    with copy.database.transaction() as session:
        place = adversary.Place(session, chain, last, Random(1), skilled=True)
        adversary.remove(place, place.rows()[before[chain] :])

    told = copy.record()

    assert {each: (loss.case, loss.kept, loss.last) for each, loss in told.chains.items()} == {
        chain: (case, before[chain], last)
    }
    verdict = copy.verify()
    assert (verdict.findings, [each.restored for each in verdict.restores]) == ((), [told])


def test_what_is_removed_after_the_record_is_damage(copies: Callable[[], Copy]) -> None:
    rng = Random(13)
    copy = copies()
    copy.restore(Random(6))
    told = copy.record()
    shorter = sorted(chain for chain, loss in told.chains.items() if loss.stands and chain != "system")
    for chain in rng.sample(shorter, 3):
        with copy.database.transaction() as session:
            place = adversary.Place(session, chain, 0, rng, skilled=True)
            adversary.remove(place, place.rows()[-1:])

        damaged = {each.chain: each.damage for each in copy.verify().findings}
        assert damaged[chain] in (Damage.TRUNCATED, Damage.CHAIN_MISSING)


def test_a_record_that_says_something_else_is_not_believed(copies: Callable[[], Copy]) -> None:
    rng = Random(14)
    copy = copies()
    copy.restore(Random(5))
    copy.record()
    *others, honest = copy.checkpoints
    key = checkpoint_keys.read(copy.sealing.key).private
    ways = set()
    with copy.database.reading() as session:
        for _ in range(60):
            way, forged = adversary.forge_a_restore(honest, rng, key)
            ways.add(way)
            verdict = verification.verify(session, [*others, forged])
            assert Damage.RESTORE_UNTRUE in {each.damage for each in verdict.findings}, way
    assert len(ways) > 10


def test_what_is_put_in_anew_for_the_next_checkpoint_to_seal_is_noticed(copies: Callable[[], Copy]) -> None:
    copy = copies()
    sealed = {chain: head.seq for each in copy.checkpoints for chain, head in each.heads.items()}
    there = {chain: max(own) for chain, own in copy.events().items()}
    chain = next(c for c in sorted(copy.checkpoints[1].heads) if c != "system" and there[c] == sealed[c])
    with copy.database.transaction() as session:
        adversary.put_anew(adversary.Place(session, chain, 0, Random(1), skilled=True))

    made = checkpoints.make(copy.database, copy.sealing, at=copy.now)

    assert made is not None
    assert chain in made.heads
    (found,) = copy.verify().findings
    assert (found.damage, found.chain) == (Damage.REWRITTEN, chain)
