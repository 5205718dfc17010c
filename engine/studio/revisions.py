"""Revisions: changes to the files of a deployment, from the first word written to the next version, or dropped.

Whoever edits processes writes them; an approver who wrote nothing of it approves; then it is deployed, whole. Only
what differs from the base is stored. Nobody overwrites what they have not seen: a file is saved upon the digest of
what was read, everything else upon the version of the revision. History tells every act but the saving of files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine import bundle_files, bundles, deployments, scenario_outcomes, states, tables, texts
from engine.bundles import Compiled
from engine.deployments import JOB_TYPES, Deployed, Grounds
from engine.errors import (
    DeploymentRejected,
    Finding,
    RevisionNotYours,
    RevisionOutdated,
    RevisionUnfinished,
)
from engine.identity import Person
from engine.scenario_outcomes import ScenarioRow
from engine.states import EventType, RevisionState
from engine.studio import differences, inspections, revision_rows
from engine.studio.coverage import FileCoverage
from engine.studio.differences import FileDifference
from engine.studio.inspections import Inspection
from engine.studio.revision_rows import Revision

MAX_TITLE = 100
MAX_REASON = 2_000
"""Characters."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A reason not to deploy that is no finding in a file."""

    file: str
    element_id: str
    element_name: str
    message: str

    def __str__(self) -> str:
        return f"{self.file} {self.element_name}: {self.message}".strip()


# Who may ------------------------------------------------------------------------------------------------


def may_read(person: Person) -> bool:
    """Whether the person may see definitions and revisions at all."""
    return person.active and not person.read_only and (person.edits or person.approves)


def may_write(person: Person) -> bool:
    return may_read(person) and person.edits


def may_approve(person: Person, revision: Revision) -> bool:
    """Four eyes: an approver who began and wrote nothing of it."""
    return may_read(person) and person.approves and person.name not in (revision.author, *revision.writers)


def _demand(allowed: bool, message: str) -> None:
    if not allowed:
        raise RevisionNotYours(message)


def _demand_writer(actor: Person) -> None:
    _demand(may_write(actor), "書き換えられるのは、手続きの管理者だけです。")


# Reading ------------------------------------------------------------------------------------------------


def listing(session: Session) -> tuple[Revision, ...]:
    """Every revision, the one changed last first."""
    table = tables.Revision
    rows = session.execute(select(table).order_by(table.changed_at.desc(), table.id.desc())).scalars()
    return tuple(map(revision_rows.read, rows))


def awaiting(session: Session, person: Person) -> tuple[Revision, ...]:
    """The revisions that this person is asked to approve, the one that waits longest first."""
    if not (may_read(person) and person.approves):
        return ()
    table = tables.Revision
    rows = select(table).where(table.state == RevisionState.SUBMITTED).order_by(table.changed_at, table.id)
    found = map(revision_rows.read, session.execute(rows).scalars())
    return tuple(one for one in found if may_approve(person, one))


def get(session: Session, revision: int) -> Revision:
    """The revision; raises RevisionNotFound."""
    return revision_rows.read(revision_rows.find(session, revision))


def files(session: Session, revision: int) -> dict[str, bytes]:
    """All files as they would be deployed; raises RevisionNotFound."""
    found = deployments.files(session, revision_rows.find(session, revision).base)
    for name, content in _revised(session, revision).items():
        if content is None:
            found.pop(name, None)
        else:
            found[name] = content
    return dict(sorted(found.items()))


def inspect(session: Session, revision: int) -> Inspection:
    """What speaks against deploying it, as files."""
    return inspections.inspect(files(session, revision), JOB_TYPES)


def offers(session: Session, revision: int) -> Compiled:
    """What a writer may choose from: the revision as it executes, else the version that it is based on."""
    try:
        return bundles.compile_files(files(session, revision), JOB_TYPES)
    except DeploymentRejected:
        return bundles.of_deployment(session, get(session, revision).base)


def differs(session: Session, revision: int) -> tuple[FileDifference, ...]:
    """What it changes, in words, against what it is based on."""
    found = get(session, revision)
    return differences.between(deployments.files(session, found.base), files(session, revision))


def scenarios(session: Session, revision: int) -> tuple[ScenarioRow, ...]:
    """Every scenario among the files, and how it went with them."""
    return scenario_outcomes.listing(session, revision, files(session, revision))


def covered(session: Session, revision: int) -> tuple[FileCoverage, ...]:
    """What of the files its scenarios reached so far; nothing, while none could run with them."""
    return scenario_outcomes.covered(session, revision, files(session, revision))


def obstacles(session: Session, revision: int) -> tuple[Finding, ...]:
    """All that keeps it from being deployed unless an approver overrides: findings, and scenarios not passed."""
    found: list[Finding] = list(inspect(session, revision).findings)
    for one in scenarios(session, revision):
        if one.passed is None:
            found.append(Obstacle(one.file, "", "", "このシナリオは、いまのファイルでまだ実行していません。"))
        elif not one.passed:
            found.append(Obstacle(one.file, "", one.title, f"シナリオのとおりになりません。{one.difference}"))
    return tuple(found)


def digest(content: bytes | None) -> str:
    """What a file is saved upon: the SHA-256 (hex) of what was read, empty where there was none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


# Writing ------------------------------------------------------------------------------------------------


def begin(session: Session, base: int, title: str, *, actor: Person, at: datetime) -> int:
    """A revision of the newest deployment after `base` is there, without a change yet; gives its id."""
    _demand_writer(actor)
    base = deployments.successor(session, base)
    deployments.files(session, base)
    row = {
        "base": base,
        "title": _text(title, MAX_TITLE, "何を変えるのか、短い名前"),
        "state": RevisionState.WRITING,
        "version": 1,
        "author": actor.name,
        "writers": [],
        "created_at": at,
        "changed_at": at,
    }
    id_ = session.execute(insert(tables.Revision).returning(tables.Revision.id), row).scalar_one()
    revision_rows.tell(session, EventType.REVISION_BEGUN, id_, actor, at, title=row["title"], base=base)
    return int(id_)


def save(
    session: Session, revision: int, name: str, content: bytes | None, *, seen: str, actor: Person, at: datetime
) -> str:
    """The file is this one (None: taken out), if it still is what the writer had `seen`; gives its new digest.

    Raises FileRefused for what no editor could open, and RevisionChanged if somebody was faster.
    """
    row = _writing(session, revision, actor)
    name = bundle_files.check_name(name)
    if content is not None:
        bundle_files.check(name, content)
    present = files(session, revision).get(name)
    if digest(present) == digest(content):
        return digest(content)
    if digest(present) != seen:
        raise revision_rows.changed(session, row, name)
    _put(session, row, {name: content}, actor, at)
    return digest(content)


def save_all(
    session: Session,
    revision: int,
    given: Mapping[str, bytes],
    *,
    only: bool,
    version: int,
    actor: Person,
    at: datetime,
) -> None:
    """The files are all in the revision; with `only`, no others are. Nothing of it, if one is refused."""
    row = _writing(session, revision, actor, version)
    for name, content in given.items():
        bundle_files.check(name, content)
    present = files(session, revision)
    changes: dict[str, bytes | None] = {name: body for name, body in given.items() if present.get(name) != body}
    if only:
        changes |= {name: None for name in present if name not in given}
    if changes:
        _put(session, row, changes, actor, at)


def catch_up(session: Session, revision: int, *, version: int, actor: Person, at: datetime) -> tuple[str, ...]:
    """The revision is based on the newest deployment; gives the files that both changed, which stay as revised."""
    row = _writing(session, revision, actor, version)
    newest = deployments.successor(session, row.base)
    before, after = deployments.files(session, row.base), deployments.files(session, newest)
    clashing = []
    for name, content in _revised(session, revision).items():
        if after.get(name) == content:
            _forget(session, revision, name)
        elif before.get(name) != after.get(name):
            clashing.append(name)
    row.base = newest
    revision_rows.touch(row, actor, at, wrote=bool(clashing))
    return tuple(clashing)


def drop(session: Session, revision: int, *, version: int, actor: Person, at: datetime) -> None:
    """Nothing will come of it; it stays readable."""
    row = _writing(session, revision, actor, version)
    revision_rows.move(session, row, RevisionState.DROPPED, actor, at)


# On the way to the next version -------------------------------------------------------------------------


def submit(session: Session, revision: int, reason: str, *, version: int, actor: Person, at: datetime) -> None:
    """An approver can look at it now. Raises RevisionUnfinished if nothing is changed, or it cannot be executed."""
    row = _writing(session, revision, actor, version)
    row.reason = _text(reason, MAX_REASON, "変更の理由")
    if not _revised(session, revision):
        raise RevisionUnfinished("まだ何も変えていません。")
    inspection = inspect(session, revision)
    if not inspection.executable:
        raise DeploymentRejected(inspection.findings)
    row.remark = None
    revision_rows.move(
        session, row, RevisionState.SUBMITTED, actor, at, reason=row.reason, digest=_digest(session, revision)
    )


def withdraw(session: Session, revision: int, *, version: int, actor: Person, at: datetime) -> None:
    """It can be written again; an approval it had is gone."""
    _demand_writer(actor)
    row = revision_rows.expected(session, revision, version)
    row.approved_by = row.override = None
    revision_rows.move(session, row, RevisionState.WRITING, actor, at)


def send_back(session: Session, revision: int, remark: str, *, version: int, actor: Person, at: datetime) -> None:
    """Its writers read why, and can write again."""
    row = revision_rows.expected(session, revision, version)
    _demand(may_approve(actor, revision_rows.read(row)), "差し戻せるのは、承認する役割の、この案を書いていない方です。")
    row.remark = _text(remark, MAX_REASON, "差し戻す理由")
    row.approved_by = row.override = None
    revision_rows.move(session, row, RevisionState.WRITING, actor, at, EventType.REVISION_SENT_BACK, remark=row.remark)


def approve(session: Session, revision: int, override: str, *, version: int, actor: Person, at: datetime) -> None:
    """It may be deployed, in spite of the obstacles only with the reason in `override`; raises DeploymentRejected."""
    row = revision_rows.expected(session, revision, version)
    _demand(
        may_approve(actor, revision_rows.read(row)),
        "承認できるのは、承認する役割の、この案を書いていない方だけです(四つの目)。",
    )
    found = obstacles(session, revision)
    override = _text(override, MAX_REASON, "指摘があっても進める理由") if override.strip() else ""
    if found and not override:
        raise DeploymentRejected(found)
    row.approved_by, row.override = actor.name, override or None
    facts: dict[str, Any] = {"digest": _digest(session, revision)}
    if override:
        facts |= {"override": override, "obstacles": [str(one) for one in found]}
    revision_rows.move(session, row, RevisionState.APPROVED, actor, at, **facts)


def deploy(session: Session, revision: int, *, version: int, actor: Person, at: datetime) -> Deployed:
    """New cases begin on it, all of it. Raises RevisionOutdated, and DeploymentRejected as `approve`."""
    _demand(may_read(actor), "配備できるのは、手続きの管理者と承認する方です。")
    row = revision_rows.expected(session, revision, version)
    if row.state is not RevisionState.APPROVED:
        raise RevisionUnfinished("配備には、別の方の承認が要ります。")
    newest = deployments.successor(session, row.base)
    if newest != row.base:
        raise RevisionOutdated(row.base, newest)
    found = obstacles(session, revision)
    if found and not row.override:
        raise DeploymentRejected(found)
    grounds = Grounds(row.reason or "", row.approved_by, row.override)
    deployed = deployments.deploy(session, files(session, revision), by=actor.name, at=at, grounds=grounds)
    states.move(row.state, RevisionState.DEPLOYED, states.REVISION_MOVES)  # the deployment itself is the event
    row.state, row.deployment_id = RevisionState.DEPLOYED, deployed.id
    revision_rows.touch(row, actor, at, wrote=False)
    return deployed


def take_back(session: Session, deployment: int, reason: str, *, actor: Person, at: datetime) -> Deployed:
    """The files of an earlier deployment are the newest version again. They were approved when they were deployed."""
    _demand(may_read(actor), "前の版に戻せるのは、手続きの管理者と承認する方です。")
    restored = deployments.files(session, deployment)
    said = _text(reason, MAX_REASON, "前の版に戻す理由")
    earlier = session.get_one(tables.Deployment, deployment)
    grounds = Grounds(said, earlier.approved_by, earlier.override, restores=deployment)
    deployed = deployments.deploy(session, restored, by=actor.name, at=at, grounds=grounds)
    if not deployed.new:
        raise RevisionUnfinished("この版は、いま使われています。")
    return deployed


# Rows ---------------------------------------------------------------------------------------------------


def _writing(session: Session, revision: int, actor: Person, version: int | None = None) -> tables.Revision:
    """The row, for a writer, while it can be written."""
    _demand_writer(actor)
    row = (
        revision_rows.find(session, revision, lock=True)
        if version is None
        else revision_rows.expected(session, revision, version)
    )
    if row.state is not RevisionState.WRITING:
        raise RevisionUnfinished("承認を頼んだ案は、そのままでは書き換えられません。先に取り戻してください。")
    return row


def _revised(session: Session, revision: int) -> dict[str, bytes | None]:
    table = tables.RevisedFile
    return dict(session.execute(select(table.name, table.content).where(table.revision_id == revision)).all())


def _put(
    session: Session, row: tables.Revision, changes: Mapping[str, bytes | None], actor: Person, at: datetime
) -> None:
    base = deployments.files(session, row.base)
    table = tables.RevisedFile
    for name, content in changes.items():
        _forget(session, row.id, name)
        if base.get(name) != content:
            values = {"name": name, "content": content, "changed_by": actor.name, "changed_at": at}
            session.execute(insert(table), {"revision_id": row.id, **values})
    revision_rows.touch(row, actor, at, wrote=True)


def _forget(session: Session, revision: int, name: str) -> None:
    table = tables.RevisedFile
    session.execute(delete(table).where(table.revision_id == revision, table.name == name))


def _digest(session: Session, revision: int) -> str:
    return bundles.digest(files(session, revision))


def _text(text: str, limit: int, what: str) -> str:
    text = texts.usable(text).strip()
    if not text:
        raise RevisionUnfinished(f"{what}を書いてください。")
    if len(text) > limit:
        raise RevisionUnfinished(f"{what}は {limit} 文字までにしてください。")
    return text
