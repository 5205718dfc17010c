"""Deployments: files in, the next version of everything in them out, or every reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import func, insert, literal, select
from sqlalchemy.orm import Session

from engine import bundles, history, identity, tables
from engine.catalogue import FILE as CATALOGUE
from engine.catalogue import Catalogue
from engine.errors import DeploymentNotFound, DeploymentRejected, FileUnreadable
from engine.guidance import FILE as GUIDANCE
from engine.guidance import Guidance
from engine.policies import FILE as POLICIES
from engine.states import EventType, InstanceState

SUFFIXES = (".bpmn", ".dmn", ".form", ".po")
NAMES = (CATALOGUE, GUIDANCE, POLICIES)
SCENARIOS = "scenarios"
"""The folder of a bundle whose YAML files are scenarios."""
BUNDLED = tuple(Path(__file__).resolve().parent.parent / folder for folder in ("processes", "forms"))
"""The folders that come with the program."""
OUTSIDE = ("mail", "webhook")
"""Job types that reach outside, which a scenario never does."""
JOB_TYPES = frozenset({"notify", *OUTSIDE})
"""What the worker that comes with the program can do."""


Defining: TypeAlias = type[tables.ProcessDefinition | tables.DecisionDefinition | tables.FormDefinition]
_KINDS: Mapping[str, Defining] = {
    "process": tables.ProcessDefinition,
    "decision": tables.DecisionDefinition,
    "form": tables.FormDefinition,
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed now; `new` is False if the same files were already."""

    id: int
    digest: str
    new: bool
    versions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why something is deployed: who approved it, `override` in spite of what, `restores` which earlier deployment."""

    reason: str
    approved_by: str | None = None
    override: str | None = None
    restores: int | None = None


def read_folder(*folders: Path) -> dict[str, bytes]:
    """The files of a bundle anywhere below the folders, by relative name; raises FileUnreadable."""
    files: dict[str, bytes] = {}
    for folder in folders:
        if not folder.is_dir():
            raise FileUnreadable(f"フォルダ {folder} がありません。")
        for path in sorted(folder.rglob("*")):
            if path.is_file() and _belongs(path):
                files[path.relative_to(folder).as_posix()] = _content(path)
    if not files:
        raise FileUnreadable(f"{'、'.join(map(str, folders))} に、プロセスや決定やフォームのファイルがありません。")
    return files


def _belongs(path: Path) -> bool:
    is_scenario = path.parent.name == SCENARIOS and path.suffix in (".yaml", ".yml")
    return path.suffix in SUFFIXES or path.name in NAMES or is_scenario


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise FileUnreadable(f"{path} を読めません({fault.strerror})。") from fault


def deploy(
    session: Session,
    files: Mapping[str, bytes],
    *,
    by: str | None,
    at: datetime,
    job_types: Collection[str] = JOB_TYPES,
    grounds: Grounds | None = None,
) -> Deployed:
    """The newest version of every process in `files` is theirs; running instances keep the version they began with.

    Writes nothing if these very files are what is deployed. Raises DeploymentRejected with every finding; what is
    against a policy is let through by an override.
    """
    compiled = bundles.compile_files(files, job_types)
    if compiled.against and not (grounds and grounds.override):
        raise DeploymentRejected(compiled.against)
    standing = _standing(session, compiled)
    if standing is not None:
        return standing
    row = {
        "digest": compiled.digest,
        "execution_digest": compiled.processes.execution_digest,
        "title": compiled.catalogue.title,
        "job_types": sorted(job_types),
        "at": at,
        "by": by,
        **(asdict(grounds) if grounds else {}),
    }
    deployment: int = session.execute(insert(tables.Deployment).returning(tables.Deployment.id), row).scalar_one()
    contents = [
        {"deployment_id": deployment, "name": name, "digest": hashlib.sha256(content).hexdigest(), "content": content}
        for name, content in sorted(files.items())
    ]
    session.execute(insert(tables.Resource), contents)
    versions = _define(session, deployment, compiled)
    bundles.deployed(session)
    identity.put_groups(session, compiled.catalogue)
    facts = {"deployment_id": deployment, "versions": versions, "files": sorted(files), **_told(grounds)}
    history.append(session, history.NewEvent(EventType.DEPLOYED, at, by, facts, definition=compiled.digest))
    return Deployed(deployment, compiled.digest, True, versions)


def _told(grounds: Grounds | None) -> dict[str, Any]:
    return {} if grounds is None else {key: value for key, value in asdict(grounds).items() if value is not None}


def _standing(session: Session, compiled: bundles.Compiled) -> Deployed | None:
    """The deployment of the same files, if it is still the newest of every process in it."""
    table, definitions = tables.Deployment, tables.ProcessDefinition
    query = select(func.max(table.id)).where(table.digest == compiled.digest)
    deployment = session.execute(query).scalar()
    if deployment is None:
        return None
    own = select(definitions.key, definitions.version).where(definitions.deployment_id == deployment)
    versions = dict(session.execute(own).all())
    newest = {found.key: found.version for found in bundles.newest_of_all(session) if found.key in versions}
    return Deployed(deployment, compiled.digest, False, versions) if newest == versions else None


def _define(session: Session, deployment: int, compiled: bundles.Compiled) -> dict[str, int]:
    """Give each process, decision and form its next version; the versions of the processes."""
    processes = [(p.key, p.name, p.file) for p in compiled.processes.processes.values()]
    decisions = [
        (key, found.decisions[key].name, compiled.files[key]) for key, found in compiled.processes.decisions.items()
    ]
    forms = [(form.id, form.title, compiled.files[form.id]) for form in compiled.forms.values()]
    versions = _next_versions(session, tables.ProcessDefinition, deployment, processes)
    _next_versions(session, tables.DecisionDefinition, deployment, decisions)
    _next_versions(session, tables.FormDefinition, deployment, forms)
    return versions


def _next_versions(
    session: Session,
    table: Defining,
    deployment: int,
    definitions: list[tuple[str, str, str]],
) -> dict[str, int]:
    query = select(table.key, func.max(table.version)).group_by(table.key)
    newest = dict(session.execute(query).all())
    rows: list[dict[str, Any]] = [
        {"deployment_id": deployment, "key": key, "version": newest.get(key, 0) + 1, "name": name or key, "file": file}
        for key, name, file in sorted(definitions)
    ]
    if rows:
        session.execute(insert(table), rows)
    return {row["key"]: row["version"] for row in rows}


def catalogue(session: Session) -> Catalogue:
    """What the bundles that are deployed now offer together; a later one replaces what has the same name."""
    found = [compiled.catalogue for compiled in bundles.current(session)]
    return Catalogue(
        title=next((one.title for one in reversed(found) if one.title), ""),
        starts=tuple({start.id: start for one in found for start in one.starts}.values()),
        messages=tuple({message.name: message for one in found for message in one.messages}.values()),
        groups=tuple({group.name: group for one in found for group in one.groups}.values()),
        visibility={mark: readers for one in found for mark, readers in one.visibility.items()},
        people=tuple({account.name: account for one in found for account in one.people}.values()),
        facts=tuple({fact.name: fact for one in found for fact in one.facts}.values()),
        labels=tuple({label.name: label for one in found for label in one.labels}.values()),
    )


def guidance(session: Session) -> Guidance:
    """The cards of the bundles that are deployed now; a later one replaces what has the same name."""
    found = Guidance()
    for compiled in bundles.current(session):
        found = found.joined(compiled.guidance)
    return found


def translations(session: Session, language: str) -> Mapping[str, str]:
    """The words of the bundles that are deployed now → the words of `language`; empty for one that none has."""
    found = [words for one in bundles.current(session) if (words := one.translations.get(language))]
    return found[0] if len(found) == 1 else {own: other for words in found for own, other in words.items()}


def process_names(session: Session) -> dict[str, str]:
    """Process key → name of its newest version."""
    return {
        key: process.name
        for compiled in bundles.current(session)
        for key, process in compiled.processes.processes.items()
    }


# What was deployed --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """One deployment, as told in a list."""

    id: int
    title: str
    at: datetime
    by: str | None
    reason: str | None
    approved_by: str | None
    override: str | None
    restores: int | None
    current: bool


def listing(session: Session) -> tuple[DeploymentRow, ...]:
    """Every deployment, newest first; `current` are those that new cases begin on."""
    current = {found.deployment for found in bundles.newest_of_all(session)}
    rows = session.execute(select(tables.Deployment).order_by(tables.Deployment.id.desc())).scalars()
    return tuple(
        DeploymentRow(
            row.id,
            row.title,
            row.at,
            row.by,
            row.reason,
            row.approved_by,
            row.override,
            row.restores,
            row.id in current,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """A process, decision or form of a deployment; `running` instances of a process are on this version."""

    kind: str
    key: str
    name: str
    version: int
    file: str
    running: int = 0


def definitions(session: Session, deployment: int) -> tuple[DefinitionRow, ...]:
    """What a deployment defines, processes first."""
    instances = tables.ProcessInstance
    active = (
        select(instances.definition_id, func.count().label("running"))
        .where(instances.state == InstanceState.ACTIVE)
        .group_by(instances.definition_id)
        .subquery()
    )
    found: list[DefinitionRow] = []
    for kind, table in _KINDS.items():
        running = func.coalesce(active.c.running, 0) if kind == "process" else literal(0)
        query = select(table.key, table.name, table.version, table.file, running).where(
            table.deployment_id == deployment
        )
        if kind == "process":
            query = query.outerjoin(active, active.c.definition_id == table.id)
        found += [DefinitionRow(kind, *row) for row in session.execute(query.order_by(table.file, table.key))]
    return tuple(found)


def last_by(session: Session) -> str | None:
    """Who deployed last; None for the program itself, and where nothing is deployed."""
    query = select(tables.Deployment.by).order_by(tables.Deployment.id.desc()).limit(1)
    return session.execute(query).scalar()


def files(session: Session, deployment: int) -> dict[str, bytes]:
    """The files of a deployment, byte by byte; raises DeploymentNotFound."""
    query = select(tables.Resource.name, tables.Resource.content).where(tables.Resource.deployment_id == deployment)
    found = dict(session.execute(query.order_by(tables.Resource.name)).all())
    if not found:
        raise DeploymentNotFound(deployment)
    return found


def successor(session: Session, deployment: int) -> int:
    """The newest deployment that defines a process, decision or form of this one; itself if none came after it."""
    newest = deployment
    for table in _KINDS.values():
        own = select(table.key).where(table.deployment_id == deployment)
        found = session.execute(select(func.max(table.deployment_id)).where(table.key.in_(own))).scalar()
        newest = max(newest, found or 0)
    return newest
