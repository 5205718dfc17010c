"""The command line: the same rules as the pages, one clear line for what is refused."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from engine import (
    accesses,
    business_days,
    cases,
    connectors,
    database,
    deployments,
    dmn,
    feel,
    history,
    identity,
    mail,
    scenario_files,
    scenarios,
    tasklist,
    user_tasks,
)
from engine.audit import checkpoint_delivery
from engine.audit_cli import audit
from engine.errors import Conflict, FileUnreadable, NotAllowed, NotFound, SubmissionInvalid
from engine.incidents_cli import incidents
from engine.studio import inspections
from engine.terminal import Result, console, now, opened, told
from engine.worker import Worker

DEFAULT_DATABASE = "sqlite:///var/mamori.db"


@click.group()
@click.option("--database", "url", envvar="DATABASE_URL", default=DEFAULT_DATABASE, show_default=True)
@click.pass_context
def main(context: click.Context, url: str) -> None:
    """Mamori: 守り."""
    context.obj = url


main.add_command(audit)
main.add_command(incidents)


@main.command("upgrade-db")
@click.pass_obj
@told
def upgrade_db(url: str) -> None:
    """Create the database, or bring its schema up to date."""
    path = database.file_of(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with opened(url) as found:
        found.upgrade()
    console.print("データベースは最新です。")


@main.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="Folder with *.bpmn *.dmn *.form bundle.yaml.")
@click.pass_obj
@told
def deploy(url: str, bundle: Path | None) -> None:
    """Deploy a bundle; the bundled processes without --bundle."""
    files = bundle_files(bundle)
    with opened(url) as found, found.transaction() as session:
        deployed = deployments.deploy(session, files, by=None, at=now())
    if not deployed.new:
        console.print("同じ内容がすでに配備されています。")
    for key, version in deployed.versions.items():
        console.print(f"{key} 第 {version} 版")


@main.command()
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path))
@told
def lint(folders: tuple[Path, ...]) -> None:
    """Check a bundle, without deploying it; the bundled processes without FOLDERS."""
    found = inspections.inspect(deployments.read_folder(*(folders or deployments.BUNDLED)), deployments.JOB_TYPES)
    for finding in (*found.waived, *found.findings):
        console.print(str(finding), markup=False)
    for warning in found.warnings:
        console.print(f"注意: {warning}", markup=False)
    if found.findings:
        raise SystemExit(1)
    console.print("このまま配備できます。")


def bundle_files(folder: Path | None) -> dict[str, bytes]:
    return deployments.read_folder(*(deployments.BUNDLED if folder is None else (folder,)))


@main.command()
@click.option("--password", envvar="MAMORI_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
@click.pass_obj
@told
def seed(url: str, password: str) -> None:
    """Add the people of the deployed bundle who have no account yet, with this password."""
    with opened(url) as found, found.transaction() as session:
        added = accesses.add_people(session, deployments.catalogue(session).people, password=password, at=now())
    console.print("、".join(added) or "新しい人はいません。")


@main.command()
@click.pass_obj
@told
def worker(url: str) -> None:
    """Run jobs when they are due, until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with opened(url) as found:
        mailing = mail.from_environment(os.environ)
        job_types = connectors.from_environment(os.environ, mailing)
        sealing = checkpoint_delivery.from_environment(os.environ, mailing)
        runner = Worker(found, now, job_types=job_types, mailing=mailing, sealing=sealing)
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: runner.stop(0))
        console.print("ワーカーを始めました。Ctrl+C で終わります。")
        runner.loop()


# Tasks --------------------------------------------------------------------------------------------------


@main.group()
def tasks() -> None:
    """Work of people."""


actor_option = click.option("--as", "name", required=True, help="User name of the person who acts.")


@tasks.command("list")
@actor_option
@click.pass_obj
@told
def list_tasks(url: str, name: str) -> None:
    """The person's own tasks, then those they may take."""
    with opened(url) as found, found.reading() as session:
        person = identity.person(session, name)
        rows = tasklist.mine(session, person) + tasklist.offered(session, person)
    table = Table("ID", "事案", "作業", "期限", "担当")
    for row in rows:
        due = "" if row.due is None else f"{row.due:%Y-%m-%d %H:%M}"
        table.add_row(str(row.id), row.business_key, row.name, due, row.assignee or "")
    console.print(table if rows else "いま行う作業はありません。")


@tasks.command()
@click.argument("task", type=int)
@actor_option
@click.pass_obj
@told
def claim(url: str, task: int, name: str) -> None:
    """Take a task."""
    row = _acting(url, name, "claim", lambda s, who: user_tasks.claim(s, task, actor=who, at=now()), task=task)
    console.print(f"{row.name}({row.business_key})を引き受けました。")


@tasks.command()
@click.argument("task", type=int)
@actor_option
@click.option("--values", type=click.Path(path_type=Path), help="JSON file with the values of the form.")
@click.pass_obj
@told
def complete(url: str, task: int, name: str, values: Path | None) -> None:
    """Complete a task with the values of its form."""
    submitted = {} if values is None else read_json(values)
    done = _acting(
        url, name, "complete", lambda s, who: user_tasks.complete(s, task, submitted, actor=who, at=now()), task=task
    )
    console.print(f"{done.task.name}({done.task.business_key})を済ませました。")
    for row in done.next_tasks:
        console.print(f"次の作業: {row.id} {row.name}")


def _acting(
    url: str,
    name: str,
    attempt: str,
    command: Callable[[Session, identity.Person], Result],
    *,
    task: int | None = None,
    business_key: str | None = None,
) -> Result:
    """What the command gives, done by this person; a refusal is recorded in a transaction of its own."""
    with opened(url) as found:
        try:
            return found.retrying(lambda session: command(session, identity.person(session, name)))
        except (NotFound, NotAllowed, Conflict, SubmissionInvalid) as refused:
            rejected = partial(
                history.reject,
                attempt=attempt,
                error=refused,
                actor=name,
                at=now(),
                task=task,
                business_key=business_key,
            )
            found.retrying(rejected)
            raise


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file, its numbers exact; raises FileUnreadable."""
    try:
        found = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as fault:
        raise FileUnreadable(f"{path} を JSON として読めません({fault})。") from fault
    if not isinstance(found, dict):
        raise FileUnreadable(f"{path} には、名前と値の組を書いてください。")
    return found


@main.command("publish-message")
@click.argument("message")
@click.argument("business_key")
@click.option("--values", type=click.Path(path_type=Path), help="JSON file with the payload.")
@actor_option
@click.pass_obj
@told
def publish_message(url: str, message: str, business_key: str, values: Path | None, name: str) -> None:
    """Send a message to a case, as the person may from its page."""
    payload = {} if values is None else {key: feel.from_python(value) for key, value in read_json(values).items()}
    sent = _acting(
        url,
        name,
        "publish-message",
        lambda s, who: cases.send(s, business_key, message, payload, actor=who, at=now()),
        business_key=business_key,
    )
    console.print(f"{len(sent.taken_by)} 件のプロセスが受け取りました。")


# Scenarios, FEEL, DMN ---------------------------------------------------------------------------


@main.group("scenarios")
def scenario_commands() -> None:
    """Whole cases as files."""


@scenario_commands.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="Take processes, decisions and forms from here.")
@told
def run_scenarios(paths: tuple[Path, ...], bundle: Path | None) -> None:
    """Run scenario files, and those in folders, each on a scratch database with a virtual clock."""
    began = time.perf_counter()
    files = bundle_files(bundle)
    failed = 0
    found = scenario_files.find(paths)
    for path in found:
        result = scenarios.run(path, files)
        passed = result.difference is None
        mark = Text("✓", style="green") if passed else Text("✗", style="red")
        name = f"{result.id} {result.title}" if passed else f"{path}: {result.id} {result.title}"
        console.print(mark, name, f"({result.seconds:.2f} s)", markup=False, soft_wrap=True)
        if not passed:
            failed += 1
            console.print(f"    {result.difference}", markup=False, soft_wrap=True)
    seconds = time.perf_counter() - began
    console.print(f"{len(found) - failed} / {len(found)} 件が期待どおりです({seconds:.1f} 秒)。")
    if failed:
        raise SystemExit(1)


@main.command("feel")
@click.argument("expression")
@told
def evaluate_feel(expression: str) -> None:
    """Evaluate a FEEL expression; now() is the clock."""
    environment = feel.Environment(now=now(), functions=business_days.FUNCTIONS)
    value = feel.parse_expression(expression, tuple(business_days.FUNCTIONS)).evaluate({}, environment)
    console.print(feel.to_text(value), markup=False)
    _warn(environment)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("decision")
@click.option("--inputs", type=click.Path(path_type=Path), help="JSON file with the input values.")
@told
def decide(file: Path, decision: str, inputs: Path | None) -> None:
    """Evaluate a decision of a DMN file, and say which rules held."""
    definitions = read_decisions(file)
    given = {} if inputs is None else {key: feel.from_python(value) for key, value in read_json(inputs).items()}
    environment = feel.Environment(now=now(), functions=business_days.FUNCTIONS)
    outcome = definitions.evaluate(decision, given, environment)
    for each in outcome.evaluations:
        rules = "、".join(f"{rule.index} {rule.annotation}".strip() for rule in each.rules)
        console.print(
            f"{each.decision_name}: {feel.to_text(each.value)}" + (f"  [{rules}]" if rules else ""), markup=False
        )
    console.print(feel.to_text(outcome.value), markup=False)
    _warn(environment)
    if outcome.faults:
        raise click.ClickException("、".join(outcome.faults))


def read_decisions(file: Path) -> dmn.Definitions:
    """The decisions of the file; raises FileUnreadable, dmn.DmnInvalid, dmn.XmlRefused."""
    try:
        return dmn.read(file.read_bytes())
    except OSError as fault:
        raise FileUnreadable(f"{file} を読めません({fault.strerror})。") from fault


@main.group("dmn")
def decision_tables() -> None:
    """Decision tables as files."""


@decision_tables.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@told
def check_tables(files: tuple[Path, ...]) -> None:
    """Tell gaps, overlaps, rules that never match, and cells that are no FEEL or do not fit their column."""
    found = [(file, finding) for file in files for finding in dmn.analyse(read_decisions(file))]
    for file, finding in found:
        console.print(f"{file} {finding.message}", markup=False)
    if found:
        raise SystemExit(1)
    console.print(f"{len(files)} 件のファイルの決定表に、指摘はありません。")


def _warn(environment: feel.Environment) -> None:
    for warning in environment.warnings:
        click.echo(warning, err=True)
