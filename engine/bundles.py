"""Bundles as they execute: processes, decisions, forms and catalogue of one deployment, compiled once per process.

Cached by content: the same files are never compiled twice, whichever database they come from.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from engine import bpmn, business_days, catalogue, columns, dmn, forms, guidance, policies, tables, translations
from engine.bpmn import Finding
from engine.catalogue import Catalogue, Fact
from engine.errors import DeploymentNotFound, DeploymentRejected, FileUnreadable, ProcessNotFound
from engine.guidance import Guidance
from engine.statements import Statement

CACHED = 32
"""Compiled bundles kept in memory; an older one that a case still runs on is compiled again when needed."""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """What one deployment executes. `files` maps decision and form ids to the file that holds them.

    `translations`: language → own words → words of that language. `against`: what breaks a policy, which does not
    keep the files from being executed; `waived`: where a policy is let be, and why.
    """

    digest: str
    processes: bpmn.Bundle
    forms: Mapping[str, forms.Form]
    catalogue: Catalogue
    files: Mapping[str, str]
    guidance: Guidance
    translations: Mapping[str, Mapping[str, str]]
    against: tuple[Finding, ...]
    waived: tuple[Finding, ...]


_kept: OrderedDict[tuple[str, tuple[str, ...], bool], Compiled] = OrderedDict()
"""By digest, job types, and whether only the rules of an earlier release let it through."""


def compile_files(files: Mapping[str, bytes], job_types: Collection[str], *, accepted: bool = False) -> Compiled:
    """All files (by name) read, checked and compiled; raises DeploymentRejected with all that cannot be executed.

    `accepted`: they were deployed already, so what this release would find does not stop the cases on them.
    """
    key = digest(files), tuple(sorted(job_types)), accepted
    kept = _kept.get(key)
    if kept is None:
        kept = _kept[key] = _compile(key[0], key[1], files, accepted)
        while len(_kept) > CACHED:
            _kept.popitem(last=False)
    return kept


def digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over names and contents, in order of name."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
    return whole.hexdigest()


def _ending(files: Mapping[str, bytes], suffix: str) -> dict[str, bytes]:
    return {name: content for name, content in sorted(files.items()) if name.endswith(suffix)}


def _compile(digest: str, job_types: tuple[str, ...], files: Mapping[str, bytes], accepted: bool) -> Compiled:
    findings: list[Finding] = []
    form_files, read_forms = _read_forms(_ending(files, ".form"), findings)
    found = _read_one(files, catalogue.FILE, catalogue.read, findings) or Catalogue()
    cards = _read_one(files, guidance.FILE, guidance.read, findings) or Guidance()
    rules = _read_one(files, policies.FILE, policies.read, findings) or ()
    words = _read_translations(_ending(files, translations.SUFFIX), findings)
    decisions = _ending(files, ".dmn")
    try:
        processes = bpmn.compile_bundle(_ending(files, ".bpmn"), decisions, form_files, job_types, accepted=accepted)
    except bpmn.BundleInvalid as invalid:
        raise DeploymentRejected((*invalid.findings, *findings)) from invalid
    findings += _dangling(found, processes) + _showing_marked(found.facts, read_forms)
    if not processes.processes and not processes.decisions and not read_forms:
        findings.append(Finding("", "", "", "プロセス・決定・フォームのファイルがありません。"))
    if findings and not accepted:
        raise DeploymentRejected(tuple(findings))
    held = form_files | _decision_files(decisions)
    judged = policies.check(rules, processes, [offer.name for offer in found.messages])
    return Compiled(digest, processes, read_forms, found, held, cards, words, judged.findings, judged.waived)


def _read_forms(sources: Mapping[str, bytes], findings: list[Finding]) -> tuple[dict[str, str], dict[str, forms.Form]]:
    """Form id → file of every file that names one, and the forms that could be read."""
    files: dict[str, str] = {}
    found: dict[str, forms.Form] = {}
    for name, source in sources.items():
        try:
            form = forms.read(source, tuple(business_days.FUNCTIONS))
        except forms.FormInvalid as invalid:
            findings += [Finding(name, fault.component_id, fault.label, fault.message) for fault in invalid.findings]
            files.setdefault(name.rpartition("/")[2].removesuffix(".form"), name)
            continue
        if form.id in found:
            findings.append(Finding(name, form.id, form.title, f"フォーム ID「{form.id}」が二つあります。"))
        files[form.id], found[form.id] = name, form
    return files, found


def _read_one(
    files: Mapping[str, bytes], name: str, read: Callable[[bytes], Read], findings: list[Finding]
) -> Read | None:
    """What the one file of this name says; None if there is none, or it cannot be read."""
    sources = {path: source for path, source in files.items() if path.rpartition("/")[2] == name}
    if len(sources) > 1:
        findings.append(Finding(", ".join(sorted(sources)), "", "", f"{name} は、ひとつだけ置いてください。"))
    for path, source in sorted(sources.items()):
        try:
            return read(source)
        except FileUnreadable as fault:
            findings.append(Finding(path, "", "", str(fault)))
    return None


def _read_translations(sources: Mapping[str, bytes], findings: list[Finding]) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for name, source in sources.items():
        language = translations.language_of(name)
        try:
            found[language] = {**found.get(language, {}), **translations.read(source, name)}
        except FileUnreadable as fault:
            findings.append(Finding(name, "", "", str(fault)))
    return found


def _dangling(found: Catalogue, processes: bpmn.Bundle) -> list[Finding]:
    """What the catalogue names that the bundle does not have."""
    groups = {group.name for group in found.groups} | {catalogue.EVERYONE}
    dangling = []
    for start in found.starts:
        process = processes.processes.get(start.process)
        if process is None or not process.startable:
            dangling.append(
                Finding(catalogue.FILE, start.id, start.label, f"プロセス「{start.process}」を始められません。")
            )
    offers: list[tuple[str, tuple[str, ...]]] = [(start.label, start.groups) for start in found.starts]
    offers += [(message.label, message.groups) for message in found.messages]
    offers += [(account.name, account.groups) for account in found.people]
    offers += found.visibility.items()
    for where, group in ((where, group) for where, named in offers for group in named):
        if group not in groups:
            dangling.append(Finding(catalogue.FILE, group, where, f"グループ「{group}」が groups にありません。"))
    return dangling


def _showing_marked(facts: Iterable[Fact], read_forms: Mapping[str, forms.Form]) -> list[Finding]:
    """The facts that would show to everybody what only some may read back."""
    shown = []
    for fact in facts:
        variable, _, entry = fact.name.partition(".")
        bodies = [read_forms[variable].body] if variable in read_forms else [form.body for form in read_forms.values()]
        fields = [body.by_key[entry or variable] for body in bodies if (entry or variable) in body.by_key]
        if any(field.visibility not in (None, fact.visibility) for field in fields):
            told = "読める人が限られた項目です。visibility に、その項目と同じ印を書いてください。"
            shown.append(Finding(catalogue.FILE, fact.name, fact.label, told))
    return shown


def _decision_files(sources: Mapping[str, bytes]) -> dict[str, str]:
    return {
        decision.get("id", ""): name
        for name, source in sources.items()
        for decision in dmn.parse_xml(source).iterchildren("{*}decision")
    }


# From the database --------------------------------------------------------------------------------------

_DEPLOYMENTS, _DEFINITIONS = columns.core(tables.Deployment), columns.core(tables.ProcessDefinition)
_LATEST = (
    select(_DEFINITIONS.c.key, func.max(_DEFINITIONS.c.version).label("version"))
    .group_by(_DEFINITIONS.c.key)
    .subquery()
)
_NEWEST = Statement(
    select(_DEFINITIONS.c.id, _DEFINITIONS.c.key, _DEFINITIONS.c.version, _DEFINITIONS.c.deployment_id)
    .join(_LATEST, (_LATEST.c.key == _DEFINITIONS.c.key) & (_LATEST.c.version == _DEFINITIONS.c.version))
    .order_by(_DEFINITIONS.c.key)
)
_STORED = Statement(
    select(_DEPLOYMENTS.c.digest, _DEPLOYMENTS.c.job_types).where(_DEPLOYMENTS.c.id == bindparam("deployment"))
)


def of_deployment(session: Session, deployment: int) -> Compiled:
    """The compiled bundle of a stored deployment; raises DeploymentNotFound."""
    known: dict[int, Compiled] = session.info.setdefault("bundles", {})  # a deployment never changes
    if deployment not in known:
        known[deployment] = _of_deployment(session, deployment)
    return known[deployment]


def _of_deployment(session: Session, deployment: int) -> Compiled:
    found = _STORED.first(session, deployment=deployment)
    if found is None:
        raise DeploymentNotFound(deployment)
    return stored(session, deployment, *found)


def stored(session: Session, deployment: int, digest: str, job_types: Collection[str]) -> Compiled:
    """The compiled bundle of a stored deployment of which digest and job types are known."""
    types = tuple(job_types)
    kept = _kept.get((digest, types, False)) or _kept.get((digest, types, True))
    if kept is None:
        query = select(tables.Resource.name, tables.Resource.content).where(tables.Resource.deployment_id == deployment)
        kept = compile_files(dict(session.execute(query).all()), job_types, accepted=True)
    return kept


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a process."""

    id: int
    key: str
    version: int
    deployment: int


def newest(session: Session, key: str) -> Definition:
    """The newest definition of a process; raises ProcessNotFound."""
    for definition in newest_of_all(session):
        if definition.key == key:
            return definition
    raise ProcessNotFound(key)


def newest_of_all(session: Session) -> tuple[Definition, ...]:
    """The newest definition of every process, in order of key; read once in a transaction that deploys nothing."""
    if "newest" not in session.info:
        session.info["newest"] = tuple(Definition(*row) for row in _NEWEST.rows(session))
    found: tuple[Definition, ...] = session.info["newest"]
    return found


def deployed(session: Session) -> None:
    """Other definitions are the newest now: for whoever writes a deployment."""
    session.info.pop("newest", None)


def current(session: Session) -> tuple[Compiled, ...]:
    """The bundles of which a process is the newest of its key, oldest deployment first."""
    deployments = sorted({definition.deployment for definition in newest_of_all(session)})
    return tuple(of_deployment(session, deployment) for deployment in deployments)
