"""`mamori audit`: what an auditor runs. Exit code 0: all is as recorded; 1: it is not; 2: it could not be checked."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine import identity
from engine.audit import checkpoint_keys, checkpoints, event_logs, evidence, replay, restores, verification
from engine.audit.checkpoints import Checkpoint
from engine.audit.findings import Damage, Finding
from engine.audit.verification import Verdict
from engine.audit.verify_evidence import lost_words
from engine.bpmn import SEMANTICS
from engine.database import Database
from engine.errors import CaseNotFound, CheckpointInvalid, FileUnreadable
from engine.terminal import Arguments, Result, console, now, opened, told


class NotChecked(click.ClickException):
    exit_code = 2


def checked(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """As `told`, but exit code 2: that something could not be checked is not damage."""
    telling = told(command)

    @wraps(command)
    def run(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return telling(*arguments, **options)
        except click.ClickException as refused:
            raise NotChecked(refused.message) from refused

    return run


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the error output, if that is a terminal; gives what moves it on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    error_output = Console(stderr=True)
    with Progress(*columns, console=error_output, transient=True, disable=not error_output.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.advance(task, done)


@click.group()
def audit() -> None:
    """Prove that history is what happened: 0 it is, 1 it is not, 2 it could not be checked."""


# Checkpoints and their key ------------------------------------------------------------------------------


@audit.command()
@click.pass_obj
@checked
def checkpoint(url: str) -> None:
    """Sign what changed and was read since the last checkpoint into MAMORI_CHECKPOINTS; the worker does so itself."""
    sealing = checkpoints.from_environment(os.environ)
    with opened(url) as found:
        made = checkpoints.make(found, sealing, at=now())
    if made is None:
        console.print("前のチェックポイントから、新しい出来事も閲覧もありません。")
        return
    console.print(f"{sealing.folder / checkpoints.name_of(made.number)}: {len(made.heads)} 件の連鎖を封印しました。")
    console.print(f"SHA-256 {made.digest}")


@audit.command()
@click.option("--rotate", is_flag=True, help="Make a new key, which the present one introduces, and destroy that one.")
@checked
def keys(rotate: bool) -> None:
    """Show the public key that signs checkpoints; write it down where nobody who runs Mamori can change it."""
    path = checkpoints.from_environment(os.environ).key
    key = checkpoint_keys.rotate(path) if rotate else checkpoint_keys.get(path)
    console.print(f"公開鍵 {key.public}")
    if key.introduction is not None:
        console.print(f"紹介した鍵 {key.introduction['by']}")


@audit.command()
@click.option("--reason", required=True, help="Why; it stays readable in the checkpoint for ever, so name nobody.")
@click.option("--by", "name", help="User name of the person who restored it; without it the account that runs this.")
@click.pass_obj
@checked
def restored(url: str, reason: str, name: str | None) -> None:
    """Record that the database was restored from a backup: what was sealed and is gone is told ever after."""
    sealing = checkpoints.from_environment(os.environ)
    with opened(url) as found:
        made = restores.record(found, sealing, reason=reason, by=_actor(found, name), at=now())
    _tell_lost(made, None)
    console.print(f"{sealing.folder / checkpoints.name_of(made.number)}: すべての連鎖を封印しなおしました。")
    console.print("ほかが記録どおりかは、mamori audit verify で確かめてください。")


# Verifying ----------------------------------------------------------------------------------------------


@audit.command()
@click.option("--case", "business_key", help="Case number; all of history without it.")
@click.option(
    "--checkpoint",
    "held",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Checkpoint file or folder that you keep, besides those of MAMORI_CHECKPOINTS; may be repeated.",
)
@click.option("--key", help="Public key that you wrote down; without it that of MAMORI_CHECKPOINT_KEY is trusted.")
@click.pass_obj
@checked
def verify(url: str, business_key: str | None, held: tuple[Path, ...], key: str | None) -> None:
    """Check every event, value and checkpoint; name the first bad event of each chain and the damage."""
    sealed, invalid = _sealed(held)
    trusted = _trusted(key)
    with opened(url) as found, found.reading() as session:
        total = verification.count(session, business_key)
        with bar("履歴を確かめています", total) as progress:
            verdict = verification.verify(
                session, sealed, trusted=trusted, business_key=business_key, progress=progress
            )
    if business_key is not None and not (verdict.events or verdict.findings or verdict.restores):
        raise CaseNotFound(business_key)
    for finding in (*invalid, *verdict.findings):
        console.print(str(finding), markup=False)
    for each in verdict.restores:
        _tell_lost(each, business_key)
    damaged = bool(invalid or verdict.findings)
    whole = "復元で失われたと記録されたもののほかは、" * bool(verdict.restores) + "すべて記録どおりです。"
    console.print(f"履歴 {verdict.events} 件を確かめました。" + ("" if damaged else whole))
    if Damage.OLDER_DATABASE in {finding.damage for finding in verdict.findings}:
        console.print("バックアップから復元したのなら、mamori audit restored で記録してください。")
    console.print(_unsealed(verdict, now()))
    if verdict.unsealed_readings:
        console.print(f"まだ封印されていない閲覧: {verdict.unsealed_readings} 件。")
    if damaged:
        raise SystemExit(1)


def _sealed(held: tuple[Path, ...]) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints of the folder and those held, and those files that are none."""
    folder = checkpoints.from_environment(os.environ).folder
    sealed, invalid = [], []
    for path in (*([folder] if folder.exists() else []), *held):
        for file in checkpoints.files(path):
            try:
                sealed.append(checkpoints.read(file))
            except CheckpointInvalid as fault:
                invalid.append(Finding(Damage.CHECKPOINT_REPLACED, str(fault)))
    return sealed, invalid


def _trusted(key: str | None) -> set[str]:
    """The key that was written down; else that of the key file, if it is here, and the one that introduced it."""
    if key is not None:
        return {key.strip().lower()}
    path = checkpoints.from_environment(os.environ).key
    if not path.exists():
        return set()
    own = checkpoint_keys.read(path)
    return {own.public} | ({own.introduction["by"]} if own.introduction else set())


def _tell_lost(checkpoint: Checkpoint, business_key: str | None) -> None:
    """Who recorded a restore when and why, and what is lost: all of it, or of one case."""
    restore = checkpoint.restored
    if restore is None:
        return
    console.print(
        f"復元の記録: {restore.at:%Y-%m-%d %H:%M} に {restore.by} が、データベースをバックアップから復元したと"
        f"記録しました(チェックポイント {checkpoint.number})。理由: {restore.reason}",
        markup=False,
    )
    console.print(
        f"  チェックポイント {restore.kept + 1} から {checkpoint.number - 1} が封印した出来事のうち {restore.gone} 件"
        f"(事案 {len(restore.cases)} 件)が失われました。"
        + f"ほかに {restore.unproven} 件は、残っていますが封印からは確かめられません。" * bool(restore.unproven)
        + f"閲覧の記録は {restore.gone_readings} 件が失われました。" * bool(restore.gone_readings)
        + "封印の前に失われたものは、数えられません。"
    )
    facts = restore.facts()
    for chain, events in facts["chains"].items():
        if business_key in (None, events["case"]):
            where = f"事案 {events['case']} の履歴 {chain}" if events["case"] else f"履歴 {chain}"
            console.print(f"  {where}: {lost_words(events, '番目')}", markup=False)
    for case, readings in facts["readings"].items():
        if business_key in (None, case):
            console.print(f"  事案 {case} の閲覧: {lost_words(readings, '件目')}", markup=False)


def _unsealed(verdict: Verdict, at: datetime) -> str:
    if verdict.unsealed_since is None:
        return "すべての出来事が、チェックポイントで封印されています。"
    minutes = max(0, int((at - verdict.unsealed_since).total_seconds() // 60))
    age = f"{minutes // 1440} 日 {minutes // 60 % 24} 時間 {minutes % 60} 分"
    since = (
        "チェックポイントはまだありません"
        if verdict.sealed_at is None
        else f"最後の封印 {verdict.sealed_at:%Y-%m-%d %H:%M}"
    )
    return f"まだ封印されていない出来事: {verdict.unsealed} 件、最も古いもので {age}前({since})。"


# Taking out ---------------------------------------------------------------------------------------------


@audit.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--case", "business_key", help="Case number; an event log may be of all cases.")
@click.option("--purpose", required=True, help="What for; history keeps it.")
@click.option("--as", "name", help="User name of the person who takes it out; without it the account that runs this.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["evidence", *event_logs.FORMATS]),
    default="evidence",
    show_default=True,
    help="The evidence package of a case, or an event log for process mining.",
)
@click.pass_obj
@checked
def export(url: str, out: Path, business_key: str | None, purpose: str, name: str | None, form: str) -> None:
    """Write an evidence package (report, events, definitions, forms, proofs and what checks them), or an event log."""
    _refuse_existing(out)
    sealing = checkpoints.from_environment(os.environ)
    with opened(url) as found:
        by = _actor(found, name)
        if form != "evidence":
            content = _event_log(found, form, business_key, purpose, by, name)
        elif business_key is None:
            raise click.UsageError("証拠パッケージには --case が要ります。")
        else:
            content = evidence.export(found, sealing, business_key, purpose=purpose, by=by, at=now())
    _write(out, content)
    console.print(f"{out} に書き出しました。")


def _event_log(found: Database, form: str, business_key: str | None, purpose: str, by: str, name: str | None) -> bytes:
    evidence.record(found, business_key, form, purpose=purpose, by=by, at=now())
    with found.reading() as session:
        reader = None if name is None else identity.person(session, name)
        return event_logs.FORMATS[form](event_logs.read(session, business_key, reader=reader))


def _actor(found: Database, name: str | None) -> str:
    """The person of this user name, or the account of the operating system; raises PersonNotFound."""
    if name is None:
        return f"os:{getpass.getuser()}"
    with found.reading() as session:
        return identity.person(session, name).name


def _refuse_existing(out: Path) -> None:
    if out.exists() or not out.parent.is_dir():
        raise FileUnreadable(f"{out} に書けません。まだないファイルの名前を、あるフォルダの中に指定してください。")


def _write(out: Path, content: bytes) -> None:
    if not checkpoint_keys.write_whole(out, content, mode=0o600):
        raise FileUnreadable(f"{out} は、もうあります。")


# Replaying ----------------------------------------------------------------------------------------------


@audit.command("replay")
@click.option("--case", "business_key", help="Case number; all cases without it.")
@click.option("--all", "every", is_flag=True, help="All cases, which is also what no option means.")
@click.pass_obj
@checked
def replay_cases(url: str, business_key: str | None, every: bool) -> None:
    """Fold the recorded causes again through the recorded definitions, and compare with what was stored."""
    if every and business_key is not None:
        raise click.UsageError("--case と --all は、どちらかだけにしてください。")
    agreed = diverged = erased = events = 0
    with opened(url) as found, found.reading() as session:
        instances = replay.instances_of(session, business_key)
        if business_key is not None and not instances:
            raise CaseNotFound(business_key)
        with bar("再現しています", len(instances)) as progress:
            for instance in instances:
                folded = replay.fold(session, instance)
                events += folded.events
                if folded.divergence is not None:
                    diverged += 1
                elif folded.erased:
                    erased += 1
                else:
                    agreed += 1
                _tell(folded)
                progress(1)
    console.print(f"{len(instances)} 件の実行、{events} 件の原因を再現しました。")
    console.print(f"一致 {agreed} 件、値が消去済み {erased} 件、不一致 {diverged} 件。")
    if diverged:
        raise SystemExit(1)


def _tell(folded: replay.Replay) -> None:
    if folded.erased:
        console.print(f"実行 {folded.instance}: 値が消去されています。{folded.events} 件までを再現しました。")
    one = folded.divergence
    if one is None:
        return
    event = "" if one.at is None else f"({one.type}、{one.at:%Y-%m-%d %H:%M:%S}、{one.actor or '自動'})"
    rules = (
        "" if one.semantics in (None, SEMANTICS) else f" 記録したときの意味の版は {one.semantics}、今は {SEMANTICS}。"
    )
    console.print(f"実行 {one.instance} の {one.seq} 番目{event}: {one.what} が違います。{rules}", markup=False)
    console.print(f"  記録: {one.recorded}\n  再現: {one.folded}", markup=False)
