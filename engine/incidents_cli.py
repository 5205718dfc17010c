"""`mamori incidents`: what an operator does on the page, by command and in bulk."""

from __future__ import annotations

from collections import Counter

import click
from rich.table import Table

from engine import identity, operations
from engine.errors import SubmissionInvalid
from engine.operations import Outcome, Tried
from engine.terminal import console, now, opened, told

OUTCOMES = {
    Outcome.WENT_ON: "進みました",
    Outcome.QUEUED: "ワーカーが再試行します",
    Outcome.STOPPED: "また止まりました",
    Outcome.GONE: "すでに解決しています",
}
actor_option = click.option("--as", "name", required=True, help="User name of the person who acts.")


@click.group()
def incidents() -> None:
    """What has stopped, and setting it going again."""


@incidents.command("list")
@actor_option
@click.pass_obj
@told
def list_incidents(url: str, name: str) -> None:
    """Every open incident, and the jobs that fail."""
    with opened(url) as found, found.reading() as session:
        operations.check(identity.person(session, name))
        kinds, work = operations.kinds(session), operations.work(session, at=now())
    table = Table("ID", "事案", "プロセス", "要素", "いつから", "試行", "理由")
    for kind in kinds:
        for each in kind.shown:
            row = each.incident
            since = f"{row.opened_at:%Y-%m-%d %H:%M}"
            where = f"{each.name} ({row.element})"
            table.add_row(str(row.id), row.business_key, row.process, where, since, str(each.tried), row.message)
    console.print(table if kinds else "止まっている処理はありません。")
    for kind in kinds:
        if kind.count > len(kind.shown):
            console.print(f"{kind.process} {kind.element}: ほかに {kind.count - len(kind.shown)} 件", markup=False)
    console.print(
        f"ジョブ: 待機 {work.waiting}、遅れ {work.late}、実行中 {work.running}、失敗して再試行待ち {work.failing}"
    )


@incidents.command("retry")
@click.argument("ids", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that are open.")
@click.option("--of", "kind", nargs=2, metavar="PROCESS ELEMENT", help="All that are open at this element.")
@click.option("--set", "corrected", multiple=True, metavar="NAME=FEEL", help="Correct this variable of each first.")
@actor_option
@click.pass_obj
@told
def retry(
    url: str,
    ids: tuple[int, ...],
    everything: bool,
    kind: tuple[str, str] | None,
    corrected: tuple[str, ...],
    name: str,
) -> None:
    """Try incidents again: by number, all of a kind, or all. Exit code 1 if some stopped again."""
    if (bool(ids), everything, kind is not None).count(True) != 1:
        raise click.UsageError("番号、--of、--all のどれか一つで選んでください。")
    typed = dict(_pair(each) for each in corrected)
    with opened(url) as found:
        with found.reading() as session:
            actor = identity.person(session, name)
            operations.check(actor)
            chosen = ids or operations.of_kind(session, *(kind or (None, None)))
        tried = operations.retry_each(found, chosen, typed, actor=actor, at=now())
    _tell(tried)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise SubmissionInvalid({text: "名前=値 の形で書いてください。"})
    return name.strip(), value.strip()


def _tell(tried: list[Tried]) -> None:
    counts = Counter(each.outcome for each in tried)
    for outcome in Outcome:
        if counts[outcome]:
            console.print(f"{counts[outcome]} 件が{OUTCOMES[outcome]}。")
    for each in tried:
        if each.outcome is Outcome.STOPPED:
            console.print(f"    {each.incident} 事案 {each.business_key} {each.reason}".rstrip(), markup=False)
    if not tried:
        console.print("止まっている処理はありません。")
    if counts[Outcome.STOPPED]:
        raise SystemExit(1)
