"""A recorded restore: what is lost is told exactly and ever after, everything else is proved as before."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from engine import accesses, history
from engine.audit import checkpoint_keys, checkpoints, evidence, restores, verification, verify_evidence
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.audit.findings import Damage
from engine.audit.losses import Loss, LostEvents, Restore
from engine.errors import RestoreNotRecorded, SealedHistoryGone
from engine.states import EventType


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "sealed", tmp_path / "key.json", timedelta(minutes=10))


def seal(office: Any, sealing: Sealing) -> Checkpoint | None:
    return checkpoints.make(office.database, sealing, at=office.now)


def read(office: Any, person: str) -> None:
    with office.database.transaction() as session:
        accesses.note(session, office.case, person, "cases.show", office.now)


def back_up(office: Any, to: Path) -> Path:
    connection = sqlite3.connect(str(office.database.engine.url.database))
    connection.execute(f"VACUUM INTO '{to}'")
    connection.close()
    return to


def bring_back(office: Any, backup: Path) -> None:
    office.database.close()
    path = Path(str(office.database.engine.url.database))
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()
    shutil.copy(backup, path)


def record(office: Any, sealing: Sealing, reason: str = "ディスクの故障") -> Restore:
    made = restores.record(office.database, sealing, reason=reason, by="carla", at=office.now)
    assert made.restored is not None
    return made.restored


def verified(office: Any, sealing: Sealing, case: str | None = None) -> verification.Verdict:
    sealed = [checkpoints.read(path) for path in checkpoints.files(sealing.folder)]
    with office.database.reading() as session:
        return verification.verify(session, sealed, business_key=case)


def damages(office: Any, sealing: Sealing) -> set[Damage]:
    return {each.damage for each in verified(office, sealing).findings}


@pytest.fixture
def lost(office: Any, sealing: Sealing, tmp_path: Path) -> Any:
    """Of case 1 the backup holds the start (sealed) and a review; sealed since then are the review and what followed.

    Case 2 ended before the backup, case 3 began after it. Everything after the backup is gone.
    """
    office.start("review", amount=30)
    read(office, "anna")
    seal(office, sealing)
    office.later(hours=1).complete("RV_01_review", by="anna", verdict="mend", reason="印がない", helper="dora")
    one = office.instance, office.case
    office.start("review", amount=31)
    office.instance, office.case = one
    backup = back_up(office, tmp_path / "backup.db")
    office.later(hours=1).complete("RV_02_second_look", by="ben", note="見ました")
    read(office, "ben")
    seal(office, sealing)
    office.later(hours=1).start("review", amount=32)
    seal(office, sealing)
    bring_back(office, backup)
    office.instance, office.case = one
    return office.later(hours=1)


def test_what_is_lost_is_named_exactly_and_everything_else_is_as_recorded(lost: Any, sealing: Sealing) -> None:
    second, third = (checkpoints.read(sealing.folder / f"0000000{number}.json") for number in (2, 3))
    assert damages(lost, sealing) == {
        Damage.OLDER_DATABASE,
        Damage.TRUNCATED,
        Damage.CHAIN_MISSING,
        Damage.READING_DELETED,
    }

    told = record(lost, sealing)

    assert told == Restore(
        lost.now,
        "carla",
        "ディスクの故障",
        1,
        {
            "1": LostEvents(1, 2, 3, second.heads["1"].hash, "2026-0001"),
            "3": LostEvents(0, 0, 1, third.heads["3"].hash, "2026-0003"),
        },
        {"2026-0001": Loss(1, 1, 2)},
    )
    assert (told.gone, told.unproven, told.gone_readings, told.cases) == (2, 1, 1, ["2026-0001", "2026-0003"])
    verdict = verified(lost, sealing)
    assert (verdict.findings, verdict.unsealed, [each.restored for each in verdict.restores]) == ((), 0, [told])


def test_history_says_so_too(lost: Any, sealing: Sealing) -> None:
    told = record(lost, sealing)

    with lost.database.reading() as session:
        event = history.of_system(session)[-1]
    assert (event.type, event.actor, event.at) == (EventType.RESTORED, "carla", lost.now)
    assert event.facts == {**told.facts(), "checkpoint": 3, "reason": "ディスクの故障"}


def test_it_is_told_of_the_cases_that_lost_something_and_of_no_other(lost: Any, sealing: Sealing) -> None:
    record(lost, sealing)

    assert len(verified(lost, sealing, "2026-0001").restores) == 1
    assert verified(lost, sealing, "2026-0002").restores == ()


def test_work_goes_on_under_the_same_numbers_and_is_sealed(lost: Any, sealing: Sealing) -> None:
    record(lost, sealing)
    lost.complete("RV_02_second_look", by="ben", note="ほかのこと")
    lost.start("review", amount=33)
    read(lost, "dora")
    assert (lost.instance, lost.case) == (3, "2026-0003")
    assert seal(lost, sealing) is not None

    verdict = verified(lost, sealing)

    assert (verdict.findings, verdict.unsealed, verdict.unsealed_readings, len(verdict.restores)) == ((), 0, 0, 1)


def test_nothing_is_sealed_beyond_a_restore_until_it_is_recorded(lost: Any, sealing: Sealing) -> None:
    """Also when more has happened since than was lost: else what is lost would look like what was made anew."""
    with pytest.raises(SealedHistoryGone, match="チェックポイント 3"):
        seal(lost, sealing)
    for _ in range(9):
        lost.start("review", amount=1)
    with pytest.raises(SealedHistoryGone, match="mamori audit restored"):
        seal(lost, sealing)
    assert sealing.run_due(lost.database, at=lost.now) == 0
    assert len(checkpoints.files(sealing.folder)) == 3

    record(lost, sealing)

    assert verified(lost, sealing).findings == ()
    lost.start("review", amount=1)
    assert seal(lost, sealing) is not None
    assert verified(lost, sealing).findings == ()


def test_a_second_restore_may_lose_the_record_of_the_first(lost: Any, sealing: Sealing, tmp_path: Path) -> None:
    backup = back_up(lost, tmp_path / "second.db")
    first = record(lost, sealing)
    lost.start("review", amount=33)
    seal(lost, sealing)
    bring_back(lost, backup)
    assert Damage.TRUNCATED in damages(lost, sealing)

    second = record(lost, sealing, "まちがえて消した")

    assert set(second.chains) == {"system", "3"}
    verdict = verified(lost, sealing)
    assert (verdict.findings, [each.restored for each in verdict.restores]) == ((), [first, second])


def test_a_newer_backup_may_be_found_later(office: Any, sealing: Sealing, tmp_path: Path) -> None:
    old = back_up(office, tmp_path / "old.db")
    office.start("review", amount=30)
    seal(office, sealing)
    new = back_up(office, tmp_path / "new.db")
    office.start("review", amount=31)
    seal(office, sealing)
    bring_back(office, old)
    assert set(record(office, sealing).chains) == {"1", "2"}
    office.start("pair")
    seal(office, sealing)
    bring_back(office, new)

    second = record(office, sealing)

    assert set(second.chains) == {"system", "1"}
    assert verified(office, sealing).findings == ()


def test_a_restore_that_lost_only_readings_is_recorded(office: Any, sealing: Sealing, tmp_path: Path) -> None:
    office.start("review", amount=30)
    seal(office, sealing)
    backup = back_up(office, tmp_path / "backup.db")
    read(office, "anna")
    seal(office, sealing)
    bring_back(office, backup)
    assert damages(office, sealing) == {Damage.READING_DELETED}
    office.start("review", amount=31)
    with pytest.raises(SealedHistoryGone):
        seal(office, sealing)

    told = record(office, sealing)

    assert (told.chains, told.readings) == ({}, {"2026-0001": Loss(0, 0, 1)})
    assert verified(office, sealing).findings == ()


def test_what_lost_nothing_is_no_restore(office: Any, sealing: Sealing) -> None:
    office.start("review", amount=30)
    seal(office, sealing)
    office.start("review", amount=31)

    with pytest.raises(RestoreNotRecorded, match="失われたものはありません"):
        record(office, sealing)
    assert len(checkpoints.files(sealing.folder)) == 1
    assert verified(office, sealing).unsealed == 1


@pytest.mark.parametrize("reason", ["", " \n", "あ" * 501, "a\x1b[2K"])
def test_a_restore_needs_a_reason(lost: Any, sealing: Sealing, reason: str) -> None:
    with pytest.raises(RestoreNotRecorded, match="理由"):
        record(lost, sealing, reason)


def test_a_checkpoint_that_is_missing_is_asked_for(lost: Any, sealing: Sealing) -> None:
    (sealing.folder / "00000001.json").unlink()

    with pytest.raises(RestoreNotRecorded, match="写しから"):
        record(lost, sealing)


def test_nothing_is_recorded_when_the_checkpoint_cannot_be_written(
    lost: Any, sealing: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "keep", lambda *_: False)

    with pytest.raises(RestoreNotRecorded, match="もう一度"):
        record(lost, sealing)
    with lost.database.reading() as session:
        assert EventType.RESTORED not in {event.type for event in history.of_system(session)}


# In the evidence package --------------------------------------------------------------------------------

OF_CASE_1 = (
    "この事案では、連鎖「1」は3 番目まで封印され、1 番目までが確かです。"
    "2 番目は、残っていますが封印からは確かめられません。3 番目は失われました。"
    "閲覧は2 件目まで封印され、1 件目までが確かです。2 件目は失われました。"
)


def exported(office: Any, sealing: Sealing, case: str, to: Path) -> Path:
    to.write_bytes(evidence.export(office.database, sealing, case, purpose="調べ", by="carla", at=office.now))
    return to


def test_a_package_tells_what_its_case_lost_and_proves_the_rest(lost: Any, sealing: Sealing, tmp_path: Path) -> None:
    record(lost, sealing)
    lost.complete("RV_02_second_look", by="ben", note="ほかのこと")
    read(lost, "dora")

    package = exported(lost, sealing, "2026-0001", tmp_path / "1.zip")

    key = checkpoint_keys.read(sealing.key).public
    for held in (None, *checkpoints.files(sealing.folder)):
        told = verify_evidence.verify(package, key, held)
        assert (
            "復元の記録: 2026-11-24T05:00:00.000000Z に carla が、データベースをバックアップから復元したと記録しました"
            f"(チェックポイント 4 番、理由: ディスクの故障)。{OF_CASE_1}"
        ) in told
        assert told[-1] == "復元で失われたと記録されたもののほかは、すべて記録どおりです。"
        assert "閲覧 2 件。まだ封印されていない閲覧 0 件。" in told
    report = zipfile.ZipFile(package).read("report.html").decode()
    assert "<h2>データベースの復元</h2>" in report
    assert "ディスクの故障" in report
    assert "3 番目は失われました。" in report
    assert "2 件目は失われました。" in report


def test_the_package_of_a_case_that_lost_nothing_tells_of_the_restore_too(
    lost: Any, sealing: Sealing, tmp_path: Path
) -> None:
    record(lost, sealing)

    told = verify_evidence.verify(exported(lost, sealing, "2026-0002", tmp_path / "2.zip"))

    assert [line for line in told if line.endswith("この事案から、封印されていて失われたものはありません。")]
    assert told[-1] == "すべて記録どおりです。"


def test_a_case_under_a_number_that_was_lost_has_a_package_of_its_own(
    lost: Any, sealing: Sealing, tmp_path: Path
) -> None:
    record(lost, sealing)
    lost.start("review", amount=33)
    assert lost.case == "2026-0003"

    told = verify_evidence.verify(exported(lost, sealing, lost.case, tmp_path / "3.zip"))

    assert [
        line
        for line in told
        if line.endswith("連鎖「3」は1 番目まで封印され、確かなものはありません。1 番目は失われました。")
    ]
    assert told[1].startswith("ファイル ")
    assert "出来事 2 件(連鎖 2 本)" in told[1]  # the start and this export


def test_a_package_of_a_restore_that_nobody_recorded_is_damaged(lost: Any, sealing: Sealing, tmp_path: Path) -> None:
    package = exported(lost, sealing, "2026-0001", tmp_path / "1.zip")

    with pytest.raises(verify_evidence.Damaged, match="3 番目まで封印されているのに"):
        verify_evidence.verify(package)


def demanded(checkpoints: list[dict[str, Any]], case: str = "2026-0001") -> verify_evidence.Seals:
    found = verify_evidence.Seals(case)
    for each in checkpoints:
        found.add(each)
    return found


def test_a_package_whose_restore_says_something_else_is_damaged(lost: Any, sealing: Sealing) -> None:
    record(lost, sealing)
    *others, honest = [dict(checkpoints.read(path).said) for path in checkpoints.files(sealing.folder)]
    restored = honest["restored"]
    one, readings = restored["chains"]["1"], restored["readings"]["2026-0001"]
    assert demanded([*others, honest]).lost

    for change in (
        {"reason": "x\nすべて記録どおりです。"},
        {"kept": 0},
        {"kept": 2},
        {"chains": {"1": one | {"kept": 0}}},
        {"chains": {"1": one | {"last": 2}}},
        {"chains": {"1": one | {"hash": "0" * 64}}},
        {"chains": {"1": one, "2": one}},
        {"readings": {}},
        {"readings": {"2026-0001": readings | {"kept": 0}}},
        {"readings": {"2026-0001": readings | {"last": 3}}},
    ):
        with pytest.raises(verify_evidence.Damaged, match="復元の記録"):
            demanded([*others, honest | {"restored": restored | change}])


def test_in_a_package_a_chain_that_the_restore_hides_is_still_demanded(lost: Any, sealing: Sealing) -> None:
    record(lost, sealing)
    *others, honest = [dict(checkpoints.read(path).said) for path in checkpoints.files(sealing.folder)]
    hiding = honest | {"restored": honest["restored"] | {"chains": {}}}
    chains = demanded([*others, hiding]).chains
    assert {seq for _, seq, _ in chains["1"]} == {1, 2, 3}
    assert {seq for _, seq, _ in demanded([*others, honest]).chains["1"]} == {1, 2}


def test_in_a_package_a_case_that_stands_when_all_else_was_lost_contradicts_the_restore(
    office: Any, sealing: Sealing
) -> None:
    """A restore that is said to go back to before what this case still holds of later checkpoints."""
    for _ in range(3):
        office.start("review", amount=30)
        seal(office, sealing)
    said = [dict(checkpoints.read(path).said) for path in checkpoints.files(sealing.folder)]
    restored = {"at": "", "by": "", "reason": "", "kept": 0, "chains": {}, "readings": {}}
    forged = {"number": 4, "heads": {}, "restored": restored}

    with pytest.raises(verify_evidence.Damaged, match="後まで残っています"):
        demanded([*said, forged], "2026-0003")
    assert demanded([*said, forged], "2026-0001").chains


def test_in_a_package_what_is_called_lost_must_be_gone(office: Any, sealing: Sealing, tmp_path: Path) -> None:
    office.start("review", amount=30)
    seal(office, sealing)
    said = dict(checkpoints.read(checkpoints.files(sealing.folder)[0]).said)
    head = said["heads"]["1"]
    lost = {"kept": 0, "stands": 1, "last": 1, "hash": head["hash"], "case": head["case"]}
    restored = {"at": "", "by": "", "reason": "", "kept": 0, "chains": {"1": lost}, "readings": {}}
    seals = demanded([said, {"number": 2, "heads": {}, "restored": restored}], office.case)
    package = zipfile.ZipFile(exported(office, sealing, office.case, tmp_path / "1.zip"))
    events = json.loads(package.read("events.json"))["chains"]["1"]

    with pytest.raises(verify_evidence.Damaged, match="残っています"):
        verify_evidence.check_chain("1", events, seals)


def test_the_report_tells_who_opened_the_case(lost: Any, sealing: Sealing, tmp_path: Path) -> None:
    record(lost, sealing)
    package = exported(lost, sealing, "2026-0001", tmp_path / "1.zip")

    page = html.document_fromstring(zipfile.ZipFile(package).read("report.html"))

    rows = [[cell.text_content() for cell in row] for row in page.xpath("//h2[starts-with(., '閲覧')]/following::tr")]
    assert rows == [
        ["日時", "開いた人", "開いたもの"],
        ["2026-11-24 10:00:00", "青山 あんな(anna)", "事案のページ"],
    ]
