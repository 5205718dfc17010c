"""Checkpoints: what changed, signed, each naming the one before, outside the database."""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from engine import accesses, history
from engine.audit import checkpoint_keys, checkpoints, verification
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.errors import CheckpointInvalid, FileUnreadable

RESTORED: dict[str, Any] = {
    "at": "2026-11-24T10:00:00Z",
    "by": "carla",
    "reason": "x",
    "kept": 0,
    "chains": {},
    "readings": {},
}
LOST: dict[str, Any] = {"kept": 0, "stands": 0, "last": 1, "hash": "0", "case": None}


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "sealed", tmp_path / "secret" / "key.json", timedelta(minutes=10))


def seal(office: Any, sealing: Sealing) -> Checkpoint | None:
    return checkpoints.make(office.database, sealing, at=office.now)


def kept(sealing: Sealing) -> list[Checkpoint]:
    return [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]


def test_a_checkpoint_names_the_heads_that_changed_and_the_one_before(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30).start("review", amount=31)
    first = seal(office, sealing)
    office.complete("RV_01_review", by="anna", verdict="good")
    second = seal(office, sealing)

    assert first is not None
    assert second is not None
    with office.database.reading() as session:
        ids = {event.chain: event for event in [*history.of_instance(session, 1), *history.of_instance(session, 2)]}
    assert set(first.heads) == {"system", "1", "2"}
    assert first.heads["1"].case == "2026-0001"
    assert first.heads["system"].case is None
    assert set(second.heads) == {"2"}
    assert second.heads["2"].seq == ids["2"].seq
    assert [path.name for path in checkpoints.files(sealing.folder)] == ["00000001.json", "00000002.json"]
    content = (sealing.folder / "00000001.json").read_bytes()
    assert (
        json.loads((sealing.folder / "00000002.json").read_bytes())["previous"] == hashlib.sha256(content).hexdigest()
    )


def test_nothing_new_makes_no_checkpoint(office: Any, sealing: Sealing) -> None:
    assert seal(office, sealing) is not None
    assert seal(office, sealing) is None
    assert len(kept(sealing)) == 1


def test_a_checkpoint_says_who_opened_which_case_since_the_one_before(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30).start("review", amount=31)

    def read(*cases: str) -> list[list[Any]]:
        with office.database.transaction() as session:
            for case in cases:
                accesses.note(session, case, "anna", "cases.show", office.now)
        return [["anna", "cases.show", "2026-11-24T01:00:00.000000Z"] for _ in cases]

    def digest(*rows: list[Any]) -> str:
        return hashlib.sha256(b"".join(json.dumps(row, separators=(",", ":")).encode() for row in rows)).hexdigest()

    one, two, three = read("2026-0001", "2026-0002", "2026-0001")
    first = seal(office, sealing)
    (four,) = read("2026-0001")
    second = seal(office, sealing)
    read("2026-0001", "2026-0002")

    with office.database.reading() as session:
        assert verification.verify(session, kept(sealing)).unsealed_readings == 2
        assert verification.verify(session, kept(sealing), business_key="2026-0001").unsealed_readings == 1
        assert verification.verify(session, []).unsealed_readings == 6
    assert first is not None
    assert second is not None
    assert first.readings == {
        "since": None,
        "upto": 3,
        "cases": {
            "2026-0001": {"count": 2, "hash": digest([1, *one], [3, *three]), "total": 2},
            "2026-0002": {"count": 1, "hash": digest([2, *two]), "total": 1},
        },
    }
    assert second.readings == {
        "since": 3,
        "upto": 4,
        "cases": {"2026-0001": {"count": 1, "hash": digest([4, *four]), "total": 3}},
    }
    assert second.heads == {}
    assert checkpoints.faults(kept(sealing)) == []


def in_format(format: int, checkpoint: Checkpoint, sealing: Sealing) -> None:
    """The only checkpoint is as an earlier release would have made it."""
    later = {1: ("readings", "restored", "signature"), 2: ("restored", "signature")}[format]
    said = {name: value for name, value in checkpoint.said.items() if name not in later} | {"format": format}
    signature = checkpoint_keys.get(sealing.key).sign(rfc8785.dumps(said))
    (sealing.folder / "00000001.json").write_bytes(rfc8785.dumps(said | {"signature": signature}))


def test_a_checkpoint_of_the_second_format_still_holds(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30)
    whole = seal(office, sealing)
    assert whole is not None
    in_format(2, whole, sealing)
    office.start("review", amount=30)

    assert seal(office, sealing) is not None
    assert [(each.said["format"], each.restored) for each in kept(sealing)] == [(2, None), (3, None)]
    with office.database.reading() as session:
        assert verification.verify(session, kept(sealing)).findings == ()


def test_a_checkpoint_of_the_first_format_still_holds_and_the_next_speaks_of_all_readings(
    office: Any, sealing: Sealing
) -> None:
    office.start("review", amount=30)
    with office.database.transaction() as session:
        accesses.note(session, office.case, "anna", "cases.show", office.now)
    whole = seal(office, sealing)
    assert whole is not None
    in_format(1, whole, sealing)

    second = seal(office, sealing)

    assert second is not None
    assert second.readings is not None
    assert second.readings["since"] is None
    assert second.readings["cases"][office.case]["total"] == 1
    with office.database.reading() as session:
        assert verification.verify(session, kept(sealing)).findings == ()


def test_the_signature_is_ed25519_over_the_canonical_form_of_all_else(office: Any, sealing: Sealing) -> None:
    seal(office, sealing)

    said = json.loads((sealing.folder / "00000001.json").read_bytes())
    signature = bytes.fromhex(said.pop("signature"))
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["key"])).verify(signature, rfc8785.dumps(said))


def test_the_key_is_made_once_for_its_owner_alone(sealing: Sealing) -> None:
    first = checkpoint_keys.get(sealing.key)

    assert checkpoint_keys.get(sealing.key).public == first.public
    assert stat.S_IMODE(sealing.key.stat().st_mode) == 0o600
    assert [path.name for path in sealing.key.parent.iterdir()] == ["key.json"]


def test_a_new_key_is_introduced_by_the_one_before(office: Any, sealing: Sealing) -> None:
    seal(office, sealing)
    old = checkpoint_keys.read(sealing.key)
    new = checkpoint_keys.rotate(sealing.key)
    for _ in range(2):
        office.start("review", amount=1)
        seal(office, sealing)

    assert new.public != old.public
    assert stat.S_IMODE(sealing.key.stat().st_mode) == 0o600
    assert old.private.private_bytes_raw().hex() not in sealing.key.read_text("utf-8")
    assert [each.key for each in kept(sealing)] == [old.public, new.public, new.public]
    assert [each.introduction is not None for each in kept(sealing)] == [False, True, False]
    assert checkpoints.faults(kept(sealing)) == []


def test_a_key_that_nobody_introduced_is_told(office: Any, sealing: Sealing) -> None:
    seal(office, sealing)
    sealing.key.unlink()
    office.start("review", amount=1)
    seal(office, sealing)

    assert checkpoints.faults(kept(sealing)) == [(2, "前の鍵が紹介していない鍵で署名されています。")]


def test_a_checkpoint_that_is_gone_is_told_by_the_next(office: Any, sealing: Sealing) -> None:
    for _ in range(3):
        office.start("review", amount=1)
        seal(office, sealing)
    (sealing.folder / "00000002.json").unlink()

    assert checkpoints.faults(kept(sealing)) == [(3, "その前の 2 番がありません。")]


def test_an_existing_checkpoint_is_never_overwritten(office: Any, sealing: Sealing) -> None:
    first = seal(office, sealing)
    assert first is not None

    assert not checkpoint_keys.write_whole(sealing.folder / "00000001.json", b"other", mode=0o644)
    assert kept(sealing)[0].digest == first.digest


@pytest.mark.parametrize(
    "change",
    [
        {"number": "1"},
        {"number": True},
        {"kind": "other"},
        {"format": 1},
        {"format": 2},
        {"format": 4},
        {"format": "3"},
        {"restored": 7},
        {"restored": {}},
        {"restored": RESTORED | {"at": "2026-11-24T10:00:00"}},
        {"restored": RESTORED | {"reason": "x\nすべて記録どおりです。"}},
        {"restored": RESTORED | {"by": "\x1b[2K"}},
        {"restored": RESTORED | {"kept": -1}},
        {"restored": RESTORED | {"chains": {"1": 7}}},
        {"restored": RESTORED | {"chains": {"1": LOST | {"case": 7}}}},
        {"restored": RESTORED | {"readings": {"2026-0001": LOST}}},
        {"readings": {}},
        {"readings": {"since": 0, "upto": "1", "cases": {}}},
        {"readings": {"since": 0, "upto": 1, "cases": {"1": {"count": 1}}}},
        {"at": "yesterday"},
        {"at": "2026-11-24T10:00:00"},
        {"heads": []},
        {"heads": {"1": {"seq": 1}}},
        {"heads": {"1": 7}},
        {"introduction": {"by": "x"}},
        {"more": 1},
    ],
)
def test_what_is_no_checkpoint_is_refused(office: Any, sealing: Sealing, change: dict[str, Any]) -> None:
    seal(office, sealing)
    said = json.loads((sealing.folder / "00000001.json").read_bytes())

    with pytest.raises(CheckpointInvalid, match=r"f\.json"):
        checkpoints.parse(rfc8785.dumps(said | change), "f.json")


def test_what_can_be_read_as_a_restore_is_one(office: Any, sealing: Sealing) -> None:
    seal(office, sealing)
    said = json.loads((sealing.folder / "00000001.json").read_bytes())

    found = checkpoints.parse(rfc8785.dumps(said | {"restored": RESTORED | {"chains": {"1": LOST}}}), "f.json")

    assert found.restored is not None
    assert found.restored.chains["1"].last == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"a": 1}', b"[" * 100_000])
def test_no_json_is_no_checkpoint(content: bytes) -> None:
    with pytest.raises(CheckpointInvalid):
        checkpoints.parse(content, "f.json")


def test_a_checkpoint_written_otherwise_than_canonically_is_refused(office: Any, sealing: Sealing) -> None:
    seal(office, sealing)
    said = json.loads((sealing.folder / "00000001.json").read_bytes())

    with pytest.raises(CheckpointInvalid, match="RFC 8785"):
        checkpoints.parse(json.dumps(said).encode(), "f.json")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 1, "private": "00", "introduction": null}'])
def test_a_damaged_key_file_is_one_clear_error(sealing: Sealing, content: str) -> None:
    sealing.key.parent.mkdir()
    sealing.key.write_text(content, "utf-8")

    with pytest.raises(FileUnreadable, match=r"key\.json"):
        checkpoint_keys.get(sealing.key)


def test_a_checkpoint_is_due_when_the_interval_has_passed(office: Any, sealing: Sealing) -> None:
    made = []
    for minutes in (0, 9, 1, 9, 1):
        office.later(minutes=minutes).start("review", amount=1)
        made.append(sealing.run_due(office.database, at=office.now))

    assert made == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("minutes", ["0", "-1", "x", "1.5", "100000", "１０"])
def test_an_interval_that_is_none_is_refused(minutes: str) -> None:
    with pytest.raises(FileUnreadable, match="MAMORI_CHECKPOINT_MINUTES"):
        checkpoints.from_environment({"MAMORI_CHECKPOINT_MINUTES": minutes})


def test_the_settings_have_defaults() -> None:
    assert checkpoints.from_environment({}) == Sealing(
        Path("var/checkpoints"), Path("var/checkpoint_key.json"), timedelta(minutes=10)
    )


def test_what_is_checkpointed_verifies(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30)
    seal(office, sealing)
    office.later(minutes=3).complete("RV_01_review", by="anna", verdict="good")

    with office.database.reading() as session:
        verdict = verification.verify(session, kept(sealing))
    assert (verdict.findings, verdict.unsealed, verdict.unsealed_since) == ((), 1, office.now)
    assert verdict.sealed_at == office.now - timedelta(minutes=3)
