"""The command line: the same rules as the pages, and one clear line for what is refused."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner, Result

from engine import cases, cli, database, history, identity, instances
from engine.audit import verify_evidence
from engine.states import EventType

FOLDER = Path(__file__).parent / "processes"
Mamori = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The office's files but for the job type that only tests know."""
    copied = tmp_path / "bundle"
    copied.mkdir()
    for path in FOLDER.iterdir():
        if path.name != "charge.bpmn":
            (copied / path.name).write_bytes(path.read_bytes())
    return copied


@pytest.fixture
def mamori(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mamori:
    """`mamori …` on a database of its own, everything deployed and seeded."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'var' / 'cli.db'}")
    monkeypatch.setenv("MAMORI_CHECKPOINTS", str(tmp_path / "var" / "checkpoints"))
    monkeypatch.setenv("MAMORI_CHECKPOINT_KEY", str(tmp_path / "var" / "key.json"))
    monkeypatch.setattr(identity, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    def run(*arguments: str, **options: str) -> Result:
        return CliRunner().invoke(cli.main, list(arguments), **options)  # type: ignore[arg-type]  # click's own options

    for command in (["upgrade-db"], ["deploy", "--bundle", str(folder)], ["seed", "--password", "ひみつ"]):
        assert run(*command).exit_code == 0
    return run


def start(tmp_path: Path, start_id: str) -> None:
    """Anna has begun a case."""
    found = database.connect(f"sqlite:///{tmp_path / 'var' / 'cli.db'}")
    with found.transaction() as session:
        cases.start(session, start_id, actor=identity.person(session, "anna"), at=cli.now())
    found.close()


def test_upgrade_deploy_and_seed_twice_change_nothing(mamori: Mamori, folder: Path) -> None:
    assert mamori("upgrade-db").output == "データベースは最新です。\n"
    assert "すでに配備されています" in mamori("deploy", "--bundle", str(folder)).output
    assert mamori("seed", "--password", "x").output == "新しい人はいません。\n"


def test_a_person_lists_claims_and_completes_their_work(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")
    values = tmp_path / "values.json"
    values.write_text(json.dumps({"verdict": "good"}), "utf-8")

    assert "審査する" in mamori("tasks", "list", "--as", "ben").output
    assert mamori("tasks", "claim", "1", "--as", "ben").output == "審査する(2026-0001)を引き受けました。\n"
    refused = mamori("tasks", "complete", "1", "--as", "anna", "--values", str(values))
    assert (refused.exit_code, refused.output) == (1, "Error: この作業は、「ben」さんが引き受けています。\n")
    assert "済ませました" in mamori("tasks", "complete", "1", "--as", "ben", "--values", str(values)).output
    assert mamori("tasks", "list", "--as", "dora").output == "いま行う作業はありません。\n"
    assert "すべて記録どおりです" in mamori("audit", "verify").output
    assert "一致 1 件、値が消去済み 0 件、不一致 0 件" in mamori("audit", "replay").output


def test_an_auditor_seals_and_verifies_and_the_exit_code_says_what_came_of_it(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")
    assert "チェックポイントはまだありません" in mamori("audit", "verify").output
    sealed = mamori("audit", "checkpoint")
    assert (sealed.exit_code, sealed.output.count("2 件の連鎖を封印しました。")) == (0, 1)
    assert "新しい出来事も閲覧もありません" in mamori("audit", "checkpoint").output
    assert (
        "すべての出来事が、チェックポイントで封印されています。"
        in mamori("audit", "verify", "--case", "2026-0001").output
    )
    start(tmp_path, "review")
    whole = mamori("audit", "verify")
    assert (whole.exit_code, "まだ封印されていない出来事: 1 件" in whole.output) == (0, True)

    held = tmp_path / "held"
    (tmp_path / "var" / "checkpoints").rename(held)
    with sqlite3.connect(tmp_path / "var" / "cli.db") as by_hand:
        by_hand.executescript(
            "DROP TRIGGER history_event_no_update; UPDATE history_event SET actor = 'ben' WHERE chain = '1' AND seq = 1"
        )
    by_hand.close()
    damaged = mamori("audit", "verify", "--checkpoint", str(held))
    assert damaged.exit_code == 1
    assert "出来事の書き換え: 履歴 1 の 1 番目(事案 2026-0001)" in damaged.output
    (held / "00000001.json").write_text("{}", "utf-8")
    assert "チェックポイントの差し替え" in mamori("audit", "verify", "--checkpoint", str(held)).output


def test_an_operator_records_a_restore_and_it_is_told_ever_after(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")
    mamori("audit", "checkpoint")
    with sqlite3.connect(tmp_path / "var" / "cli.db") as by_hand:
        by_hand.execute(f"VACUUM INTO '{tmp_path / 'backup.db'}'")
    by_hand.close()
    start(tmp_path, "review")
    mamori("audit", "checkpoint")
    for leftover in (tmp_path / "var").glob("cli.db*"):
        leftover.unlink()
    (tmp_path / "backup.db").rename(tmp_path / "var" / "cli.db")
    restored = ["audit", "restored", "--reason", "ディスクの故障"]
    assert mamori("audit", "verify").exit_code == 1
    assert "その先は封印できません" in mamori("audit", "checkpoint").output
    assert mamori(*restored, "--by", "nobody").exit_code == 2
    assert mamori("audit", "restored", "--reason", " ").exit_code == 2

    recorded = mamori(*restored, "--by", "carla")

    lost = "  事案 2026-0002 の履歴 2: 1 番目まで封印され、確かなものはありません。1 番目は失われました。\n"
    assert recorded.exit_code == 0
    assert lost in recorded.output
    assert "carla が、データベースをバックアップから復元したと記録しました" in recorded.output
    verified = mamori("audit", "verify")
    assert verified.exit_code == 0
    assert lost in verified.output
    assert "理由: ディスクの故障" in verified.output
    assert "出来事のうち 1 件(事案 1 件)が失われました" in verified.output
    assert "復元で失われたと記録されたもののほかは、すべて記録どおりです。" in verified.output
    assert "復元" not in mamori("audit", "verify", "--case", "2026-0001").output
    assert lost in mamori("audit", "verify", "--case", "2026-0002").output
    again = mamori(*restored)
    assert (again.exit_code, "失われたものはありません" in again.output) == (2, True)


def test_an_evidence_package_is_written_once_and_for_a_purpose(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")
    out = tmp_path / "out.zip"
    export = ["audit", "export", str(out), "--case", "2026-0001"]

    assert mamori(*export, "--purpose", "裁判所への提出", "--as", "nobody").exit_code == 2
    assert mamori(*export, "--purpose", " ").exit_code == 2
    assert not out.exists()
    assert mamori(*export, "--purpose", "裁判所への提出", "--as", "anna").exit_code == 0
    assert verify_evidence.verify(out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = mamori(*export, "--purpose", "裁判所への提出")
    assert (again.exit_code, len(again.output.splitlines())) == (2, 1)
    assert "すべて記録どおりです" in mamori("audit", "verify").output


@pytest.mark.parametrize(("form", "beginning"), [("csv", b"\xef\xbb\xbfcase,"), ("xes", b"<?xml"), ("ocel", b"{")])
def test_an_event_log_is_of_one_case_or_all_and_on_record(
    mamori: Mamori, tmp_path: Path, form: str, beginning: bytes
) -> None:
    start(tmp_path, "review")
    start(tmp_path, "review")
    export = ["audit", "export", "--format", form, "--purpose", "改善", "--as", "anna"]

    assert mamori(*export, str(tmp_path / "all")).exit_code == 0
    assert mamori(*export, str(tmp_path / "one"), "--case", "2026-0002").exit_code == 0
    assert mamori(*export, str(tmp_path / "none"), "--case", "1999-0001").exit_code == 2

    every, one = (tmp_path / "all").read_bytes(), (tmp_path / "one").read_bytes()
    assert every.startswith(beginning)
    assert (b"2026-0001" in every, b"2026-0001" in one, b"2026-0002" in one) == (True, False, True)
    assert not (tmp_path / "none").exists()
    found = database.connect(f"sqlite:///{tmp_path / 'var' / 'cli.db'}")
    with found.reading() as session:
        last = [*history.of_system(session), *history.of_case(session, "2026-0002")]
    found.close()
    assert [(e.actor, e.facts) for e in last if e.type is EventType.EXPORTED] == [
        ("anna", {"format": form, "purpose": "改善"})
    ] * 2
    assert mamori("audit", "export", str(tmp_path / "x"), "--purpose", "x").exit_code == 2


def test_what_cannot_be_checked_is_neither_whole_nor_damaged(mamori: Mamori, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    for arguments in (["--checkpoint", nowhere], ["--case", "1999-0001"]):
        result = mamori("audit", "verify", *arguments)
        assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert mamori("audit", "replay", "--case", "1999-0001").exit_code == 2
    assert mamori("--database", f"sqlite:///{nowhere}", "audit", "verify").exit_code == 2


def test_the_key_is_shown_and_rotated(mamori: Mamori, tmp_path: Path) -> None:
    first = mamori("audit", "keys").output
    assert mamori("audit", "keys").output == first
    rotated = mamori("audit", "keys", "--rotate").output.splitlines()

    assert rotated[1] == first.strip().replace("公開鍵", "紹介した鍵")
    assert mamori("audit", "keys").output.splitlines() == rotated


def test_verifying_trusts_the_key_that_was_written_down(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")
    mamori("audit", "checkpoint")
    key = mamori("audit", "keys").output.split()[1]
    mamori("audit", "keys", "--rotate")

    assert mamori("audit", "verify").exit_code == 0
    assert mamori("audit", "verify", "--key", key).exit_code == 0
    foreign = mamori("audit", "verify", "--key", "0" * 64)
    assert (foreign.exit_code, "チェックポイントの差し替え" in foreign.output) == (1, True)
    (tmp_path / "var" / "key.json").unlink()
    mamori("audit", "keys")
    assert mamori("audit", "verify").exit_code == 1


def test_a_refused_attempt_is_recorded(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "review")

    assert mamori("tasks", "complete", "1", "--as", "anna").exit_code == 1

    found = database.connect(f"sqlite:///{tmp_path / 'var' / 'cli.db'}")
    with found.reading() as session:
        last = history.of_case(session, "2026-0001")[-1]
    assert (last.type, last.actor, last.facts["error"]) == (EventType.ATTEMPT_REJECTED, "anna", "SubmissionInvalid")
    found.close()


def test_a_message_is_sent_by_who_may(mamori: Mamori, tmp_path: Path) -> None:
    start(tmp_path, "wait")

    assert (
        mamori("publish-message", "ordered", "2026-0001", "--as", "anna").output == "1 件のプロセスが受け取りました。\n"
    )
    assert "ほかの担当の方" in mamori("publish-message", "called", "2026-0001", "--as", "anna").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tasks", "list", "--as", "nobody"], "「nobody」さんは登録されていません。"),
        (["tasks", "claim", "99", "--as", "anna"], "作業 99 は見つかりません。"),
        (["tasks", "complete", "1", "--as", "anna", "--values", "nowhere.json"], "nowhere.json"),
        (["deploy", "--bundle", "nowhere"], "フォルダ nowhere がありません。"),
        (["scenarios", "run", "nowhere"], "nowhere"),
        (["feel", "1 +"], "line 1"),
        (["decide", "nowhere.dmn", "d"], "nowhere.dmn"),
        (["--database", "nonsense", "tasks", "list", "--as", "anna"], "データベース"),
    ],
)
def test_what_is_refused_is_one_line_and_no_traceback(mamori: Mamori, arguments: list[str], told: str) -> None:
    result = mamori(*arguments)

    assert result.exit_code == 1
    assert told in result.output
    assert isinstance(result.exception, SystemExit)
    assert len(result.output.splitlines()) == 1


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli.main, ["--database", f"sqlite:///{tmp_path / 'empty.db'}", "tasks", "list", "--as", "a"]
    )

    assert result.exit_code == 1
    assert "mamori upgrade-db" in result.output


def test_every_finding_of_a_rejected_bundle_is_a_line(mamori: Mamori, folder: Path) -> None:
    (folder / "second_look.form").write_text("{", "utf-8")
    (folder / "deadlines.dmn").unlink()

    result = mamori("deploy", "--bundle", str(folder))

    assert result.exit_code == 1
    assert "answer_by" in result.output
    assert "second_look.form" in result.output


def test_feel_is_evaluated_with_the_host_functions(mamori: Mamori) -> None:
    assert mamori("feel", 'add business days(date("2026-11-20"), 1)').output == "2026-11-24\n"


def test_a_decision_says_its_value_and_what_was_evaluated(mamori: Mamori, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.json"
    inputs.write_text('{"opened_at": null}', "utf-8")

    result = mamori("decide", str(FOLDER / "deadlines.dmn"), "answer_by", "--inputs", str(inputs))

    assert result.exit_code == 0
    assert 'escalate_to: ["chiefs"]' in result.output


SCENARIO = """
id: S-1
title: 審査
start: {process: review, by: anna, at: 2026-11-24T10:00:00+09:00}
answers: {review_form: {verdict: good}, second_look: {note: 見ました}}
expect: {reviewers: [anna]}
"""


def test_scenarios_print_a_line_each_and_exit_with_what_came_of_them(
    mamori: Mamori, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "good.yaml").write_text(SCENARIO, "utf-8")
    good = mamori("scenarios", "run", str(tmp_path / "good.yaml"), "--bundle", str(folder))
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace("[anna]", "[ben]"), "utf-8")
    both = mamori("scenarios", "run", str(tmp_path), "--bundle", str(folder))

    assert good.exit_code == 0
    assert good.output.startswith("✓ S-1 審査")
    assert "1 / 1 件が期待どおりです" in good.output
    assert both.exit_code == 1
    assert 'reviewers: ["ben"] のはずが ["anna"] でした。' in both.output
    assert "1 / 2 件が期待どおりです" in both.output


TABLE = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">
<decision id="fee" name="料金"><decisionTable>
<input><inputExpression typeRef="number"><text>level</text></inputExpression>
<inputValues><text>1, 2, 3</text></inputValues></input><output name="fee"/>
<rule><inputEntry><text>1</text></inputEntry><outputEntry><text>10</text></outputEntry></rule>
<rule><inputEntry><text>1, 2</text></inputEntry><outputEntry><text>20</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def test_decision_tables_are_checked_for_gaps_and_overlaps_with_examples(mamori: Mamori, tmp_path: Path) -> None:
    path = tmp_path / "fee.dmn"
    path.write_text(TABLE, "utf-8")
    wrong = mamori("dmn", "check", str(path))
    path.write_text(TABLE.replace("1, 2</text></inputEntry>", "2, 3</text></inputEntry>"), "utf-8")
    right = mamori("dmn", "check", str(path))
    path.write_text("<definitions", "utf-8")
    broken = mamori("dmn", "check", str(path))

    assert wrong.exit_code == 1
    assert len(wrong.output.splitlines()) == 2
    assert all(line.startswith(f"{path} 料金: ") for line in wrong.output.splitlines())
    assert "level = 3" in wrong.output  # the gap
    assert "level = 1" in wrong.output  # the overlap
    assert (right.exit_code, right.output) == (0, "1 件のファイルの決定表に、指摘はありません。\n")
    assert broken.exit_code == 1
    assert mamori("dmn", "check", str(tmp_path / "gone.dmn")).output.endswith(
        "を読めません(No such file or directory)。\n"
    )


def test_lint_warns_of_parallel_writes_and_lets_them_pass(folder: Path) -> None:
    pair = folder / "pair.bpmn"
    assert not CliRunner().invoke(cli.main, ["lint", str(folder)]).output.startswith("注意")
    mapping = '<zeebe:ioMapping><zeebe:output source="=1" target="shared"/></zeebe:ioMapping></bpmn:extensionElements>'
    pair.write_text(pair.read_text("utf-8").replace("</bpmn:extensionElements>", mapping), "utf-8")

    result = CliRunner().invoke(cli.main, ["lint", str(folder)])

    assert result.exit_code == 0
    (warning,) = [line for line in result.output.splitlines() if line.startswith("注意: pair.bpmn")]
    assert "「shared」" in warning
    assert result.output.endswith("このまま配備できます。\n")


def test_an_operator_lists_what_stopped_and_retries_it_with_a_corrected_value(mamori: Mamori, tmp_path: Path) -> None:
    found = database.connect(f"sqlite:///{tmp_path / 'var' / 'cli.db'}")
    with found.transaction() as session:
        for amount in ("多い", "少ない"):
            instances.start(session, "choice", {"amount": amount}, actor="anna", at=cli.now())
    found.close()

    listed = mamori("incidents", "list", "--as", "carla").output
    assert [case in listed for case in ("2026-0001", "2026-0002", "2026-0003")] == [True, True, False]
    assert "待機 0、遅れ 0" in listed
    refused = mamori("incidents", "retry", "--all", "--as", "anna")
    assert (refused.exit_code, "障害を扱えるのは" in refused.output) == (1, True)
    wrong = mamori("incidents", "retry", "1", "--set", "amount=word", "--as", "carla")
    assert (wrong.exit_code, "amount: 値として読めません" in wrong.output) == (1, True)
    assert mamori("incidents", "retry", "1", "--all", "--as", "carla").exit_code == 2
    again = mamori("incidents", "retry", "--of", "choice", "which", "--as", "carla")
    assert (again.exit_code, again.output.splitlines()[0]) == (1, "2 件がまた止まりました。")
    done = mamori("incidents", "retry", "--all", "--set", "amount=500", "--as", "carla")
    assert (done.exit_code, done.output) == (0, "2 件が進みました。\n")
    assert "止まっている処理はありません。" in mamori("incidents", "list", "--as", "carla").output
