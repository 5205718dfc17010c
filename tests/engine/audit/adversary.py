"""Somebody who owns the database: ten ways to change the past, clumsily or as one who knows how history is kept.

Whoever knows how makes the hashes anew after the change, so that every chain holds in itself; only what is kept
outside the database can tell. Hashes are made here independently of the program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from random import Random
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.audit.checkpoints import Checkpoint, parse
from engine.audit.findings import Damage
from engine.tables import CaseReading, HistoryEvent, HistoryValue

Row = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """What a verifier should say: one of these kinds; `seq` is where, if it can be known."""

    chain: str
    seq: int
    kinds: frozenset[Damage]


@dataclass
class Place:
    """A chain of which `sealed` events are sealed; `rng` chooses where in it."""

    session: Session
    chain: str
    sealed: int
    rng: Random
    skilled: bool

    def rows(self) -> list[Row]:
        table = HistoryEvent
        query = select(*table.__table__.columns).where(table.chain == self.chain).order_by(table.seq)
        return [dict(row._mapping) for row in self.session.execute(query)]

    def put(self, row: Row, **changes: Any) -> None:
        self.session.execute(update(HistoryEvent).where(HistoryEvent.id == row["id"]).values(**changes))

    def seq(self) -> int:
        return self.rng.randint(1, self.sealed)

    def finish(self, seq: int, *clumsy: Damage) -> Done:
        """The chain holds again from `seq` on, if the adversary knows how."""
        if not self.skilled:
            return Done(self.chain, seq, frozenset(clumsy))
        rows = self.rows()
        previous = "0" * 64
        for row in rows:
            if row["seq"] >= seq:
                row["previous"], row["hash"] = previous, hashed(row, previous)
                self.put(row, previous=previous, hash=row["hash"])
            previous = row["hash"]
        short = len(rows) < self.sealed
        return Done(self.chain, seq, frozenset({Damage.REWRITTEN} | ({Damage.TRUNCATED} if short else set())))


def hashed(row: Row, previous: str) -> str:
    """The hash of an event as the documentation of history says it."""
    said = {name: value for name, value in row.items() if name not in ("id", "hash")}
    at = row["at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return hashlib.sha256(
        rfc8785.dumps(said | {"type": str(row["type"].value), "at": at, "previous": previous})
    ).hexdigest()


def edit_a_value(place: Place) -> Done:
    values = HistoryValue
    query = (
        select(values.event_id, values.number, values.kind, values.name, HistoryEvent.seq)
        .join(HistoryEvent, HistoryEvent.id == values.event_id)
        .where(HistoryEvent.chain == place.chain, HistoryEvent.seq <= place.sealed)
    )
    found = place.rng.choice(place.session.execute(query).all())
    text, salt = json.dumps(place.rng.randint(0, 10**6)), place.rng.randbytes(16).hex()
    here = (values.event_id == found.event_id, values.number == found.number)
    if not place.skilled:
        place.session.execute(update(values).where(*here).values(value=text))
        return place.finish(found.seq, Damage.VALUE_EDITED)
    place.session.execute(update(values).where(*here).values(value=text, salt=salt))
    row = place.rows()[found.seq - 1]
    committed = hashlib.sha256(rfc8785.dumps([salt, found.kind, found.name, text])).hexdigest()
    commitments = [committed if index == found.number else old for index, old in enumerate(row["commitments"])]
    place.put(row, commitments=commitments)
    return place.finish(found.seq)


def edit_a_time(place: Place) -> Done:
    seq = place.seq()
    row = place.rows()[seq - 1]
    place.put(row, at=row["at"] + timedelta(microseconds=place.rng.choice([-1, 1]) * place.rng.randint(1, 10**10)))
    return place.finish(seq, Damage.EVENT_EDITED)


def swap_actors(place: Place) -> Done:
    rows = place.rows()[: place.sealed]
    first, second = place.rng.choice(
        [(a, b) for a in rows for b in rows if a["seq"] < b["seq"] and a["actor"] != b["actor"]]
    )
    place.put(first, actor=second["actor"])
    place.put(second, actor=first["actor"])
    return place.finish(first["seq"], Damage.EVENT_EDITED)


def remove(place: Place, rows: Sequence[Row]) -> None:
    for row in rows:
        place.session.execute(delete(HistoryValue).where(HistoryValue.event_id == row["id"]))
        place.session.execute(delete(HistoryEvent).where(HistoryEvent.id == row["id"]))


def delete_an_event(place: Place) -> Done:
    seq = place.seq()
    rows = place.rows()
    remove(place, [rows[seq - 1]])
    if place.skilled or place.rng.random() < 0.5:
        for row in rows[seq:]:
            place.put(row, seq=row["seq"] - 1)
    kinds = [Damage.TRUNCATED] if seq == len(rows) else [Damage.EVENT_DELETED]
    return place.finish(seq, *kinds)


def reorder_two(place: Place) -> Done:
    rows = place.rows()
    first, second = sorted(place.rng.sample(range(place.sealed), 2))
    place.put(rows[first], seq=-1)
    place.put(rows[second], seq=first + 1)
    place.put(rows[first], seq=second + 1)
    return place.finish(first + 1, Damage.EVENTS_REORDERED)


def insert_one(place: Place) -> Done:
    seq = place.seq()
    rows = place.rows()
    for row in reversed(rows[seq - 1 :]):
        place.put(row, seq=row["seq"] + 1)
    previous = rows[seq - 2]["hash"] if seq > 1 else "0" * 64
    new = rows[place.rng.randrange(len(rows))] | {"seq": seq, "previous": previous, "commitments": [], "facts": {}}
    new["hash"] = hashed(new, previous) if place.rng.random() < 0.5 else place.rng.randbytes(32).hex()
    new["id"] = place.session.execute(select(func.max(HistoryEvent.id))).scalar_one() + 1
    place.session.execute(insert(HistoryEvent).values(**new))
    return place.finish(seq, Damage.EVENT_INSERTED)


def truncate_the_tail(place: Place) -> Done:
    seq = place.rng.randint(2, place.sealed)
    remove(place, place.rows()[seq - 1 :])
    return Done(place.chain, seq, frozenset({Damage.TRUNCATED}))


def delete_the_case(place: Place) -> Done:
    key = place.rows()[0]["business_key"]
    query = select(HistoryEvent.chain).where(HistoryEvent.business_key == key)
    for chain in place.session.execute(query.distinct()).scalars().all():
        other = Place(place.session, chain, 0, place.rng, False)
        remove(other, other.rows())
    return Done(place.chain, 1, frozenset({Damage.CHAIN_MISSING}))


IN_A_CASE: tuple[Callable[[Place], Done], ...] = (
    edit_a_value,
    edit_a_time,
    swap_actors,
    delete_an_event,
    reorder_two,
    insert_one,
    truncate_the_tail,
    delete_the_case,
)


def _reading(session: Session, case: str, upto: int, rng: Random) -> Row:
    """One of the sealed readings of the case."""
    table = CaseReading
    query = select(*table.__table__.columns).where(table.business_key == case, table.id <= upto)
    return dict(rng.choice(session.execute(query).all())._mapping)


def edit_a_reading(session: Session, case: str, upto: int, rng: Random) -> Damage:
    row = _reading(session, case, upto, rng)
    other = {
        "person": row["person"] + "x",
        "page": "tasks.show",
        "at": row["at"] + timedelta(microseconds=rng.randint(1, 10**10)),
    }
    changed = rng.choice(sorted(other))
    session.execute(update(CaseReading).where(CaseReading.id == row["id"]).values({changed: other[changed]}))
    return Damage.READING_EDITED


def delete_a_reading(session: Session, case: str, upto: int, rng: Random) -> Damage:
    row = _reading(session, case, upto, rng)
    session.execute(delete(CaseReading).where(CaseReading.id == row["id"]))
    return Damage.READING_DELETED


def give_a_reading_to_another_case(session: Session, case: str, upto: int, rng: Random) -> Damage:
    row = _reading(session, case, upto, rng)
    session.execute(update(CaseReading).where(CaseReading.id == row["id"]).values(business_key="1999-0001"))
    return Damage.READING_DELETED


def insert_a_reading(session: Session, case: str, upto: int, rng: Random) -> Damage:
    """In the place of one that was taken out of another case, or before the first."""
    row = _reading(session, case, upto, rng)
    taken = select(CaseReading.id).where(CaseReading.business_key != case, CaseReading.id <= upto)
    row["id"] = rng.choice([-rng.randint(0, 9), *session.execute(taken).scalars().all()[:1]])
    session.execute(delete(CaseReading).where(CaseReading.id == row["id"]))
    session.execute(insert(CaseReading).values(**row))
    return Damage.READING_INSERTED


READINGS: tuple[Callable[[Session, str, int, Random], Damage], ...] = (
    edit_a_reading,
    delete_a_reading,
    give_a_reading_to_another_case,
    insert_a_reading,
)


def restore_yesterday(session: Session, upto: int, readings: int | None = None) -> None:
    """The database is as it was when `upto` was its last event, and `readings` its last reading."""
    session.execute(delete(HistoryValue).where(HistoryValue.event_id > upto))
    session.execute(delete(HistoryEvent).where(HistoryEvent.id > upto))
    if readings is not None:
        session.execute(delete(CaseReading).where(CaseReading.id > readings))


def put_anew(place: Place) -> None:
    """The chain's last event says something else and is new to the database, for the next checkpoint to seal."""
    row = place.rows()[-1]
    remove(place, [row])
    new = row | {"actor": "mallory", "commitments": []}
    new["hash"] = hashed(new, new["previous"])
    new["id"] = place.session.execute(select(func.max(HistoryEvent.id))).scalar_one() + 1
    place.session.execute(insert(HistoryEvent).values(**new))


def forge_a_restore(honest: Checkpoint, rng: Random, key: Ed25519PrivateKey) -> tuple[str, Checkpoint]:
    """The checkpoint of a restore that says something else, signed with the true key; and what was changed."""
    restored = dict(honest.said["restored"])
    chain = rng.choice(sorted(restored["chains"]))
    loss = restored["chains"][chain]
    other = rng.choice(sorted(honest.said["heads"].keys() - restored["chains"].keys() - {"system"}))
    head = honest.said["heads"][other]
    ways: dict[str, Row] = {
        "hide a chain": {"chains": {name: each for name, each in restored["chains"].items() if name != chain}},
        "claim another chain": {
            "chains": restored["chains"]
            | {other: {"kept": 0, "stands": head["seq"], "last": head["seq"]} | head_of(head)}
        },
        "hide a reading": {"readings": dict(list(restored["readings"].items())[1:])},
        "begin earlier": {"kept": restored["kept"] - 1},
        "begin later": {"kept": restored["kept"] + 1},
        "another person": {"by": "anna"},
        "another time": {"at": "2020-01-01T00:00:00.000000Z"},
        "another reason": {"reason": "y"},
    }
    for name in ("kept", "stands", "last"):
        ways[f"another {name}"] = {"chains": restored["chains"] | {chain: loss | {name: loss[name] + 1}}}
    for name in ("hash", "case"):
        ways[f"another {name}"] = {"chains": restored["chains"] | {chain: loss | {name: "1999-0001"}}}
    way = rng.choice(sorted(ways))
    return way, _signed(dict(honest.said) | {"restored": restored | ways[way]}, key)


def head_of(head: Row) -> Row:
    return {name: head[name] for name in ("hash", "case")}


def replace_a_checkpoint(kept: Sequence[Checkpoint], rng: Random, key: Ed25519PrivateKey) -> list[Checkpoint]:
    """The folder after somebody took one out, put in another, or signed it and all after it anew (with the true key)."""
    found = list(kept)
    index = rng.randrange(len(found) - 1)
    way = rng.choice(["remove", "edit", "foreign key", "stolen key"])
    if way == "remove":
        del found[index]
        return found
    signer = key if way == "stolen key" else Ed25519PrivateKey.generate()
    said = dict(found[index].said)
    chain = rng.choice(sorted(said["heads"]))
    said["heads"] = said["heads"] | {chain: said["heads"][chain] | {"hash": rng.randbytes(32).hex()}}
    found[index] = parse(rfc8785.dumps(said), "") if way == "edit" else _signed(said, signer)
    if way == "stolen key":
        for later in range(index + 1, len(found)):
            found[later] = _signed(dict(found[later].said) | {"previous": found[later - 1].digest}, signer)
    return found


def _signed(said: Row, key: Ed25519PrivateKey) -> Checkpoint:
    said = {name: value for name, value in said.items() if name != "signature"}
    said["key"] = key.public_key().public_bytes_raw().hex()
    return parse(rfc8785.dumps(said | {"signature": key.sign(rfc8785.dumps(said)).hex()}), "")
