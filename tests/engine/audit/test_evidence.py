"""The evidence package: it verifies where nothing is installed but `cryptography`, and no change in it goes unnoticed."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import cryptography
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from sqlalchemy import select

from engine import accesses, history, tables
from engine.audit import checkpoint_keys, checkpoints, evidence, verification, verify_evidence
from engine.audit.checkpoints import Sealing
from engine.errors import CaseNotFound, PurposeMissing, TaskNotYours
from engine.states import EventType

Files = dict[str, bytes]
RUN = "import sys, runpy; sys.path.append(sys.argv.pop(1)); del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.fixture
def sealing(tmp_path: Path) -> Sealing:
    return Sealing(tmp_path / "sealed", tmp_path / "key.json", timedelta(minutes=10))


@pytest.fixture
def told(office: Any, sealing: Sealing) -> Any:
    """A case with a refused attempt, an erased value, a decision and a key that was changed meanwhile."""
    office.start("answer")
    office.start("review", amount=30)
    checkpoints.make(office.database, sealing, at=office.now)
    office.later(hours=1)
    office.complete("RV_01_review", by="anna", verdict="mend", reason="印がない <b>", helper="dora")
    with office.database.transaction() as session:
        refused = TaskNotYours(2, "anna")
        history.reject(session, attempt="x", error=refused, actor="anna", at=office.now, business_key=office.case)
    checkpoints.make(office.database, sealing, at=office.now)
    for person in ("anna", "ben", "anna"):
        with office.database.transaction() as session:
            accesses.note(session, office.case, person, "cases.show", office.now)
        checkpoints.make(office.database, sealing, at=office.now)
    checkpoint_keys.rotate(sealing.key)
    office.complete("RV_02_second_look", by="ben", note="秘密の話")
    with office.database.transaction() as session:
        table = tables.HistoryValue
        query = select(table.number).where(table.event_id == 6, table.value.contains("秘密の話"))
        places = [(3, number) for number in session.execute(query).scalars()]
        assert places
        history.erase(session, str(office.instance), places, reason="本人の求め", actor="carla", at=office.now)
    return office


@pytest.fixture
def package(told: Any, sealing: Sealing) -> bytes:
    return evidence.export(told.database, sealing, told.case, purpose="裁判所への提出", by="carla", at=told.now)


def unpacked(package: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(files: Files, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return path


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a script with a Python that has nothing but its own library and `cryptography`."""
    site, only = Path(cryptography.__file__).parents[1], tmp_path / "only"
    only.mkdir()
    for found in (site / "cryptography", site / "cffi", *site.glob("_cffi_backend*")):
        (only / found.name).symlink_to(found)

    def run(*arguments: Any) -> subprocess.CompletedProcess[str]:
        python = [sys.executable, "-I", "-S", "-X", "utf8", "-c", RUN, only]
        return subprocess.run([*python, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


def test_a_package_verifies_where_there_is_nothing_but_cryptography(
    package: bytes, alone: Any, tmp_path: Path, sealing: Sealing
) -> None:
    folder = tmp_path / "package"
    for name, content in unpacked(package).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / ".DS_Store").write_bytes(b"")
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import cryptography\ntry:\n    import rfc8785, sqlalchemy\nexcept ImportError:\n    print('alone')\n"
    )

    assert alone(probe).stdout == "alone\n"
    done = alone(folder / "verify.py", "--key", checkpoint_keys.read(sealing.key).public)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "すべて記録どおりです。"
    assert "裁判所への提出" in done.stdout
    assert "まだ封印されていない出来事 0 件" in done.stdout


def test_a_damaged_package_is_refused_with_exit_code_1(package: bytes, alone: Any, tmp_path: Path) -> None:
    files = unpacked(package)
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    files["events.json"] = files["events.json"].replace("印がない".encode(), "印がある".encode())

    done = alone(tmp_path / "verify.py", packed(files, tmp_path / "p.zip"))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "記録どおりではありません: events.json の内容が変えられています。\n"
    assert alone(tmp_path / "verify.py", tmp_path / "nowhere.zip").returncode == 2
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 no zip")
    assert alone(tmp_path / "verify.py", tmp_path / "no.zip").returncode == 1


def signed_anew(files: Files, key: Ed25519PrivateKey) -> Files:
    """As somebody would who has the key."""
    manifest = json.loads(files["manifest.json"])
    del manifest["signature"]
    manifest["files"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    manifest["key"] = key.public_key().public_bytes_raw().hex()
    manifest["signature"] = key.sign(rfc8785.dumps(manifest)).hex()
    return {**files, "manifest.json": rfc8785.dumps(manifest)}


def hashed(event: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps({k: v for k, v in event.items() if k not in ("hash", "values")})).hexdigest()


def remade(events: list[dict[str, Any]]) -> None:
    """The chain holds in itself again."""
    previous = "0" * 64
    for seq, event in enumerate(events, start=1):
        event["seq"], event["previous"] = seq, previous
        previous = event["hash"] = hashed(event)


def change(files: Files, what: Callable[[dict[str, list[dict[str, Any]]]], object]) -> Files:
    told = json.loads(files["events.json"])
    what(told["chains"])
    return {**files, "events.json": rfc8785.dumps(told)}


def edit_actor(chains: Any) -> None:
    chains["2"][1]["actor"] = "ben"


def edit_value(chains: Any) -> None:
    chains["2"][0]["values"][0]["value"] = "31"


def drop_value(chains: Any) -> None:
    chains["2"][1]["values"].pop()


def erase_silently(chains: Any) -> None:
    chains["2"][0]["values"][0] |= {"value": None, "salt": None}


def drop_event(chains: Any) -> None:
    del chains["2"][1]


def truncate(chains: Any) -> None:
    del chains["2"][2:]


def reorder(chains: Any) -> None:
    chains["2"][1], chains["2"][2] = chains["2"][2], chains["2"][1]


def make_anew(chains: Any) -> None:
    chains["2"][1]["actor"] = "ben"
    remade(chains["2"])


def drop_chain(chains: Any) -> None:
    del chains["case 2026-0002"]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (edit_actor, "連鎖「2」の 2 番目: 出来事の内容が変えられています。"),
        (edit_value, "連鎖「2」の 1 番目: 「amount」の値が変えられています。"),
        (drop_value, "連鎖「2」の 2 番目: 値が足りないか、余っています。"),
        (erase_silently, "連鎖「2」の 1 番目: 「amount」の値が、消去の記録なしに消えています。"),
        (drop_event, "連鎖「2」の 2 番目がありません"),
        (truncate, "連鎖「2」は 4 番目まで封印されているのに、2 番目までしかありません。"),
        (reorder, "連鎖「2」の 2 番目がありません(削除、挿入、または入れ替え)。"),
        (make_anew, "連鎖「2」の 2 番目: 封印されたものと違います(連鎖の作り直し)。"),
        (drop_chain, "封印されている連鎖「case 2026-0002」が、丸ごとありません。"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_whoever_has_the_key_still_cannot_change_what_is_sealed(
    package: bytes, sealing: Sealing, tmp_path: Path, what: Any, words: str
) -> None:
    key = checkpoint_keys.read(sealing.key).private
    files = signed_anew(change(unpacked(package), what), key)

    with pytest.raises(verify_evidence.Damaged) as damage:
        verify_evidence.verify(packed(files, tmp_path / "p.zip"))
    assert str(damage.value).startswith(words)


def test_a_changed_definition_is_noticed(package: bytes, sealing: Sealing, tmp_path: Path) -> None:
    files = unpacked(package)
    (name,) = [name for name in files if name.endswith("/review.bpmn")]
    files[name] += b" "

    with pytest.raises(verify_evidence.Damaged, match="定義"):
        verify_evidence.verify(
            packed(signed_anew(files, checkpoint_keys.read(sealing.key).private), tmp_path / "p.zip")
        )


def test_another_key_is_noticed_by_whoever_wrote_the_true_one_down(
    package: bytes, sealing: Sealing, tmp_path: Path
) -> None:
    path = packed(unpacked(package), tmp_path / "p.zip")
    new = checkpoint_keys.read(sealing.key)
    assert new.introduction is not None

    assert verify_evidence.verify(path, new.public)
    assert verify_evidence.verify(path, new.introduction["by"])
    with pytest.raises(verify_evidence.Damaged, match="指定された鍵"):
        verify_evidence.verify(path, "0" * 64)
    foreign = packed(signed_anew(unpacked(package), Ed25519PrivateKey.generate()), tmp_path / "f.zip")
    with pytest.raises(verify_evidence.Damaged, match="違う鍵"):
        verify_evidence.verify(foreign)


def test_a_held_checkpoint_is_compared(package: bytes, sealing: Sealing, tmp_path: Path) -> None:
    path = packed(unpacked(package), tmp_path / "p.zip")
    held = sealing.folder / "00000003.json"
    other = tmp_path / "other.json"
    said = json.loads(held.read_bytes())
    other.write_bytes(rfc8785.dumps(said | {"at": "2026-01-01T00:00:00.000000Z"}))

    assert verify_evidence.verify(path, held=held)
    with pytest.raises(verify_evidence.Damaged, match="内容が違います"):
        verify_evidence.verify(path, held=other)
    with pytest.raises(verify_evidence.NotChecked):
        verify_evidence.verify(path, held=tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["events.json", "manifest.json", "proofs/checkpoints/00000003.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_any_rubbish_is_damage_and_no_traceback(
    package: bytes, sealing: Sealing, tmp_path: Path, name: str, content: bytes
) -> None:
    files = {**unpacked(package), name: content}
    if name != "manifest.json":
        files = signed_anew(files, checkpoint_keys.read(sealing.key).private)

    with pytest.raises(verify_evidence.Damaged):
        verify_evidence.verify(packed(files, tmp_path / "p.zip"))


def test_a_file_more_or_less_is_noticed(package: bytes, tmp_path: Path) -> None:
    files = unpacked(package)
    with pytest.raises(verify_evidence.Damaged, match=r"note\.txt"):
        verify_evidence.verify(packed({**files, "note.txt": b""}, tmp_path / "more.zip"))
    del files["report.html"]
    with pytest.raises(verify_evidence.Damaged, match=r"report\.html がありません"):
        verify_evidence.verify(packed(files, tmp_path / "less.zip"))


def test_the_export_is_on_record_with_its_purpose_and_in_the_package(told: Any, package: bytes) -> None:
    with told.database.reading() as session:
        last = history.of_case(session, told.case)[-1]
        assert verification.verify(session).findings == ()
    assert (last.type, last.actor, last.facts) == (
        EventType.EXPORTED,
        "carla",
        {"format": "evidence", "purpose": "裁判所への提出"},
    )
    chains = json.loads(unpacked(package)["events.json"])["chains"]
    assert [event["type"] for event in chains[f"case {told.case}"]] == ["attempt_rejected", "exported"]
    assert set(chains) == {"2", f"case {told.case}"}


def test_the_report_tells_what_was_entered_by_whom_and_what_was_erased(package: bytes) -> None:
    page = html.document_fromstring(unpacked(package)["report.html"])
    text = page.text_content()

    assert "印がない <b>" in text
    assert "判断直す" in text  # the label of the option that was chosen
    assert "作業の完了「審査する」" in text
    assert "青山 あんな(anna)" in text
    assert "(消去されました)" in text
    assert "秘密の話" not in text
    assert "本人の求め" in text
    assert not page.findall(".//script")


def test_the_report_tells_also_what_it_has_no_word_for(told: Any, sealing: Sealing) -> None:
    new = history.NewEvent(EventType.REVISION_BEGUN, told.now, "anna", business_key=told.case)
    with told.database.transaction() as session:
        history.append(session, new)

    package = evidence.export(told.database, sealing, told.case, purpose="x", by="carla", at=told.now)

    assert "revision_begun" in unpacked(package)["report.html"].decode()


def test_the_readme_is_japanese_and_names_the_case_and_purpose(package: bytes) -> None:
    readme = unpacked(package)["README.txt"].decode()

    assert "python verify.py --key" in readme
    assert "2026-0002" in readme
    assert "目的: 裁判所への提出" in readme
    assert "{" not in readme


@pytest.mark.parametrize("purpose", ["", "  ", "あ" * 501])
def test_nothing_leaves_without_a_purpose(told: Any, sealing: Sealing, purpose: str) -> None:
    with pytest.raises(PurposeMissing):
        evidence.export(told.database, sealing, told.case, purpose=purpose, by="carla", at=told.now)


def test_an_unknown_case_is_told_and_nothing_recorded(told: Any, sealing: Sealing) -> None:
    with pytest.raises(CaseNotFound):
        evidence.export(told.database, sealing, "1999-0001", purpose="x", by="carla", at=told.now)
    with told.database.reading() as session:
        assert history.of_case(session, "1999-0001") == []


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_its_own_canonical_form_is_that_of_the_standard(said: Any) -> None:
    assert verify_evidence.canonical(said) == rfc8785.dumps(said)


@pytest.mark.parametrize("said", [2**53, -(2**60), float("nan"), float("inf"), "\ud800", {"\udc00": 1}])
def test_what_has_no_canonical_form_is_refused(said: Any) -> None:
    with pytest.raises(ValueError, match=r"canonical|surrogates"):
        verify_evidence.canonical(said)


def test_the_readings_of_the_case_are_in_the_package_and_proved(
    package: bytes, told: Any, sealing: Sealing, tmp_path: Path
) -> None:
    readings = json.loads(unpacked(package)["readings.json"])["readings"]

    at = told.now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert [(each["person"], each["page"], each["at"]) for each in readings] == [
        (person, "cases.show", at) for person in ("anna", "ben", "anna")
    ]
    said = verify_evidence.verify(packed(unpacked(package), tmp_path / "p.zip"))
    assert "閲覧 3 件。まだ封印されていない閲覧 0 件。" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda readings: readings[1].update(person="anna"),
        lambda readings: readings[0].update(at="2020-01-01T00:00:00.000000Z"),
        lambda readings: readings.pop(1),
        lambda readings: readings.clear(),
        lambda readings: readings.insert(1, readings[1] | {"person": "dora"}),
        lambda readings: readings.insert(0, readings[0] | {"id": -1}),
        lambda readings: readings[2].update(id=99),
    ],
)
@pytest.mark.parametrize("without_a_checkpoint", [False, True])
def test_readings_made_up_by_who_packs_the_package_are_noticed(
    package: bytes, change: Callable[[list[Any]], Any], without_a_checkpoint: bool
) -> None:
    """Also where the checkpoint that sealed the second of them is left out."""
    files = unpacked(package)
    proofs = [json.loads(files[name]) for name in sorted(files) if name.startswith("proofs/checkpoints/")]
    readings = json.loads(files["readings.json"])["readings"]
    case = json.loads(files["manifest.json"])["case"]
    assert verify_evidence.check_readings(files, case, proofs) == (3, 0)
    sealed_second = next(each for each in proofs if each["readings"]["cases"].get(case, {}).get("total") == 2)
    if without_a_checkpoint:
        proofs.remove(sealed_second)

    change(readings)
    files["readings.json"] = json.dumps({"readings": readings}).encode()

    with pytest.raises(verify_evidence.Damaged):
        verify_evidence.check_readings(files, case, proofs)
