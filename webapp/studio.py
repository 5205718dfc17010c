"""The studio: what is deployed, who changed it and why, and the revisions on their way to the next version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from engine import bundle_files, bundles, deployments, scenario_outcomes, scenario_runs
from engine.errors import Conflict, DeploymentRejected, EngineError, Finding, NotAllowed, NotFound
from engine.states import RevisionState
from engine.studio import differences, new_files, revisions
from webapp import changes, downloads, edge, errors, file_names
from webapp.language import gettext as _
from webapp.told import told

EDITORS = {"bpmn": "bpmn", "dmn": "dmn", "form": "form"}
"""The ending of a file → the editor that opens it; others are edited as text."""
STATES = {
    RevisionState.WRITING: lazy_gettext("being written"),
    RevisionState.SUBMITTED: lazy_gettext("waits for approval"),
    RevisionState.APPROVED: lazy_gettext("approved, not deployed yet"),
    RevisionState.DEPLOYED: lazy_gettext("deployed"),
    RevisionState.DROPPED: lazy_gettext("dropped"),
}
KINDS = {
    "structure": lazy_gettext("cannot be executed"),
    "table": lazy_gettext("decision table"),
    "policy": lazy_gettext("policy"),
}
DEFINITIONS = {
    "process": lazy_gettext("Process"),
    "decision": lazy_gettext("Decision"),
    "form": lazy_gettext("Form"),
}
FILES = {
    "bpmn": lazy_gettext("Processes, as diagrams"),
    "dmn": lazy_gettext("Decision tables"),
    "form": lazy_gettext("Forms"),
    "scenario": lazy_gettext("Scenarios"),
    "other": lazy_gettext("Roles, guidance, policies and words"),
}
NEW: dict[new_files.Kind, Any] = {
    "bpmn": lazy_gettext("A new process"),
    "dmn": lazy_gettext("A new decision table"),
    "form": lazy_gettext("A new form"),
    "scenario": lazy_gettext("A new scenario"),
}
MAX_UPLOAD = bundle_files.MAX_BUNDLE + 1024 * 1024  # bytes of a post: the files, and what surrounds them

T = TypeVar("T")

pages = Blueprint("studio", __name__, url_prefix="/studio")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a person wanted and did not get: why, every finding, and what they had written."""

    reason: str
    findings: Sequence[Finding] = ()
    typed: dict[str, str] = field(default_factory=dict)


@pages.before_request
def only_for_those_concerned() -> errors.Page | None:
    return None if revisions.may_read(edge.person()) else errors.page(404)


def make_room() -> None:
    """A post of files may be larger than other posts; for those who may write revisions alone."""
    takes_files = (request.endpoint or "").startswith(("studio.", "editors."))
    if takes_files and current_user.is_authenticated and revisions.may_write(current_user.person):
        request.max_content_length = MAX_UPLOAD
        request.max_form_memory_size = 3 * bundle_files.MAX_FILE  # a file as text, percent-encoded


# What is deployed ---------------------------------------------------------------------------------------


@pages.get("")
def library() -> str:
    """What new cases begin on, what is being changed, and every version so far."""
    session = edge.reading()
    versions = deployments.listing(session)
    found = revisions.listing(session)
    return render_template(
        "studio/library.html",
        current=[(row, deployments.definitions(session, row.id)) for row in versions if row.current],
        versions=versions,
        in_work=[one for one in found if one.in_work],
        done=[one for one in found if not one.in_work],
        may_write=revisions.may_write(edge.person()),
        states=STATES,
        kinds=DEFINITIONS,
    )


@pages.get("/versions/<int:deployment>")
def version(deployment: int) -> str:
    """A version: what is in it, and what it changed."""
    return _version_page(deployment)


def _version_page(deployment: int, refusal: Refusal | None = None) -> str:
    session = edge.reading()
    rows = {row.id: row for row in deployments.listing(session)}
    files = deployments.files(session, deployment)
    others = [row for row in rows.values() if row.title == rows[deployment].title and row.id != deployment]
    since = request.args.get("since", 0, int)
    if since not in {row.id for row in others}:
        since = max((row.id for row in others if row.id < deployment), default=0)
    old = deployments.files(session, since) if since else files

    def address(name: str) -> str:
        return url_for("studio.version_file", deployment=deployment, name=name)

    return render_template(
        "studio/version.html",
        row=rows[deployment],
        definitions=deployments.definitions(session, deployment),
        files=sorted(files),
        others=others,
        since=since,
        current=next((row.id for row in others if row.current), None),
        newest=deployments.successor(session, deployment) == deployment,
        may_write=revisions.may_write(edge.person()),
        kinds=DEFINITIONS,
        refusal=refusal,
        called=file_names.of(bundles.of_deployment(session, deployment), files),
        **changes.shown(differences.between(old, files), old, files, address),
    )


@pages.get("/versions/<int:deployment>/files/<path:name>")
def version_file(deployment: int, name: str) -> Response:
    return downloads.one(deployments.files(edge.reading(), deployment), name)


@pages.get("/versions/<int:deployment>/bundle.zip")
def version_archive(deployment: int) -> Response:
    return downloads.archive(deployments.files(edge.reading(), deployment), f"version-{deployment}.zip")


@pages.post("/versions/<int:deployment>/take-back")
def take_back(deployment: int) -> Response | errors.Page:
    """The files of this version are the newest again."""
    reason, person, at = request.form.get("reason", ""), edge.person(), edge.now()
    try:
        done = edge.write(lambda session: revisions.take_back(session, deployment, reason, actor=person, at=at))
    except (NotFound, NotAllowed):
        raise
    except EngineError as refused:
        edge.record_refusal(refused)
        return _version_page(deployment, _refusal(refused)), errors.status(refused)
    flash(
        _(
            "Version %(number)s is in use now, with the files of version %(earlier)s.",
            number=done.id,
            earlier=deployment,
        ),
        "success",
    )
    return redirect(url_for("studio.version", deployment=done.id), 303)


# Revisions ----------------------------------------------------------------------------------------------


@pages.post("/revisions")
def begin() -> Response:
    base, title, person, at = request.form.get("base", 0, int), request.form.get("title", ""), edge.person(), edge.now()
    if not title.strip():
        flash(_("Please write in a few words what you want to change."), "warning")
        return redirect(url_for("studio.library"), 303)
    revision = edge.write(lambda session: revisions.begin(session, base, title, actor=person, at=at))
    return redirect(url_for("studio.revision", revision=revision), 303)


@pages.get("/revisions/<int:revision>")
def revision(revision: int) -> str:
    return page(revision)


def page(number: int, refusal: Refusal | None = None) -> str:
    """The revision: what it changes, what speaks against it, and what can be done next."""
    person = edge.person()
    edge.close()  # asked first and read afterwards: a run that ends in between shows its outcome
    running = scenario_runs.is_running(edge.database(), number)
    session = edge.reading()
    found = revisions.get(session, number)
    inspection = revisions.inspect(session, number)
    scenarios, covered = revisions.scenarios(session, number), revisions.covered(session, number)
    files, differing = revisions.files(session, number), revisions.differs(session, number)

    def address(name: str) -> str:
        return url_for("studio.file", revision=number, name=name)

    return render_template(
        "studio/revision.html",
        revision=found,
        state=STATES[found.state],
        files=_by_kind(sorted(files)),
        names=list(files),
        called=file_names.of(revisions.offers(session, number), files),
        changed={change.file: change for change in differing},
        inspection=inspection,
        scenarios=scenarios,
        covered=covered,
        unreached=sum(1 for one in covered if not one.complete),
        tried=sum(1 for one in scenarios if one.passed is not None),
        failed=sum(1 for one in scenarios if one.passed is False),
        running=running,
        moment=int(edge.now().timestamp()),  # in the address, so that a browser reloads though the fragment stays
        obstacles=len(inspection.findings) + sum(1 for one in scenarios if not one.passed),
        outdated=found.in_work and deployments.successor(session, found.base) != found.base,
        may_write=revisions.may_write(person) and found.state is RevisionState.WRITING,
        may_withdraw=revisions.may_write(person) and found.state in (RevisionState.SUBMITTED, RevisionState.APPROVED),
        may_approve=revisions.may_approve(person, found) and found.state is RevisionState.SUBMITTED,
        may_send_back=revisions.may_approve(person, found)
        and found.state in (RevisionState.SUBMITTED, RevisionState.APPROVED),
        may_deploy=found.state is RevisionState.APPROVED,
        editor=editor,
        file_words=FILES,
        new_files=NEW,
        finding_words=KINDS,
        refusal=refusal,
        **changes.shown(differing, deployments.files(session, found.base), files, address),
    )


def _by_kind(names: Sequence[str]) -> dict[str, list[str]]:
    """The files under the heading of their kind, in the order of FILES; none that is empty."""
    found: dict[str, list[str]] = {kind: [] for kind in FILES}
    for name in names:
        ending = name.rpartition(".")[2]
        found["scenario" if scenario_outcomes.is_scenario(name) else ending if ending in FILES else "other"].append(
            name
        )
    return {kind: some for kind, some in found.items() if some}


def editor(name: str) -> str:
    """The kind of editor that opens a file of this name."""
    return EDITORS.get(name.rpartition(".")[2], "text")


@pages.get("/revisions/<int:revision>/files/<path:name>")
def file(revision: int, name: str) -> Response:
    return downloads.one(revisions.files(edge.reading(), revision), name)


@pages.get("/revisions/<int:revision>/bundle.zip")
def archive(revision: int) -> Response:
    return downloads.archive(revisions.files(edge.reading(), revision), f"revision-{revision}.zip")


@pages.post("/revisions/<int:revision>/upload")
def upload(revision: int) -> Response | errors.Page:
    """The files, or those of a zip archive, are in the revision: all of them or none."""
    posted = [one for one in request.files.getlist("files") if one.filename]
    only, person, at = "only" in request.form, edge.person(), edge.now()
    seen = request.form.get("version", 0, int)

    def put(session: Session) -> int:
        present = revisions.files(session, revision)
        given = _given(posted, present)
        revisions.save_all(session, revision, given, only=only, version=seen, actor=person, at=at)
        return len(given)

    return acted(
        revision,
        put,
        lambda number: _("%(number)s files were taken.", number=number) if number else _("Please choose a file."),
    )


def _given(posted: Sequence[FileStorage], present: dict[str, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in posted:
        one.stream.seek(0)  # a command may be run again
        content, name = one.stream.read(), (one.filename or "").replace("\\", "/").rpartition("/")[2]
        if name.casefold().endswith(".zip"):
            found |= bundle_files.unpack(content, present)
        else:
            found[bundle_files.place(name, present)] = content
    return found


@pages.post("/revisions/<int:revision>/reset")
def reset(revision: int) -> Response | errors.Page:
    """A file is again as it is in the version that the revision is based on."""
    name, person, at = request.form.get("name", ""), edge.person(), edge.now()

    def put(session: Session) -> None:
        base = deployments.files(session, revisions.get(session, revision).base)
        seen = revisions.digest(revisions.files(session, revision).get(name))
        revisions.save(session, revision, name, base.get(name), seen=seen, actor=person, at=at)

    return acted(revision, put, lambda _none: _("The file is as it was before."))


@pages.post("/revisions/<int:revision>/remove")
def remove(revision: int) -> Response | errors.Page:
    name, person, at = request.form.get("name", ""), edge.person(), edge.now()

    def put(session: Session) -> None:
        seen = revisions.digest(revisions.files(session, revision).get(name))
        revisions.save(session, revision, name, None, seen=seen, actor=person, at=at)

    return acted(revision, put, lambda _none: _("The file was taken out."))


@pages.post("/revisions/<int:revision>/scenarios")
def scenarios(revision: int) -> Response:
    """The scenarios are being run; the page shows how far they are."""
    edge.close()
    scenario_runs.start(edge.database(), revision, edge.clock)
    return redirect(url_for("studio.revision", revision=revision, _anchor="scenarios"), 303)


@pages.post("/revisions/<int:revision>/act")
def act(revision: int) -> Response | errors.Page:
    """One step of the revision towards the next version, upon the state that the person saw."""
    form = request.form
    common: dict[str, Any] = {"actor": edge.person(), "at": edge.now(), "version": request.form.get("version", 0, int)}
    commands: dict[str, tuple[Callable[[Session], object], str]] = {
        "submit": (
            lambda s: revisions.submit(s, revision, form.get("reason", ""), **common),
            _("An approver can look at it now."),
        ),
        "withdraw": (lambda s: revisions.withdraw(s, revision, **common), _("You can write it again.")),
        "send-back": (
            lambda s: revisions.send_back(s, revision, form.get("remark", ""), **common),
            _("It went back to its author."),
        ),
        "approve": (
            lambda s: revisions.approve(s, revision, form.get("override", ""), **common),
            _("Approved. It can be deployed now."),
        ),
        "deploy": (
            lambda s: revisions.deploy(s, revision, **common),
            _("Deployed. New cases begin on this version; running ones keep theirs."),
        ),
        "drop": (
            lambda s: revisions.drop(s, revision, **common),
            _("The revision is dropped. You can still read it here."),
        ),
        "catch-up": (
            lambda s: revisions.catch_up(s, revision, **common),
            _("The revision is based on the newest version now."),
        ),
    }
    if form.get("_do") not in commands:
        abort(400)
    command, said = commands[form["_do"]]
    return acted(revision, command, lambda found: _caught_up(said, found))


def _caught_up(said: str, found: object) -> str:
    if isinstance(found, tuple) and found:
        return _("%(said)s Both changed these files, please look at them: %(files)s", said=said, files=", ".join(found))
    return said


def acted(number: int, command: Callable[[Session], T], said: Callable[[T], str]) -> Response | errors.Page:
    """Back on the page of the revision, which tells what was done, or why not, with what was written."""
    try:
        done = edge.write(command)
    except (NotFound, NotAllowed):
        raise
    except EngineError as refused:
        edge.record_refusal(refused)
        return page(number, _refusal(refused)), errors.status(refused)
    flash(said(done), "success")
    return redirect(url_for("studio.revision", revision=number), 303)


def _refusal(error: EngineError) -> Refusal:
    typed = {name: text for name, text in request.form.items() if name not in errors.NOT_TYPED}
    if isinstance(error, DeploymentRejected):
        return Refusal(_("It cannot go on like this yet. Please look at these first:"), error.findings, typed)
    if isinstance(error, Conflict):
        return Refusal(" ".join(errors.reasons(error)) or told(error), (), typed)
    return Refusal(told(error), (), typed)
