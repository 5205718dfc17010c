"""Editing one file of a revision: as text everywhere, and with an editor of its kind where scripts run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, current_app, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from engine import forms
from engine.errors import EngineError, NotAllowed, NotFound
from engine.states import RevisionState
from engine.studio import deadlines, inspections, revisions
from engine.studio.inspections import Finding
from webapp import edge, errors, file_names, headers, studio
from webapp.content import content
from webapp.forms_html import FormPage
from webapp.language import gettext as _
from webapp.told import told

AS_TEXT = "text"
"""The `view` that the address asks for, of a file that has an editor."""
TYPED = "typed."
"""Before the name of a field that something was typed into, beside the form itself."""

pages = Blueprint("editors", __name__, url_prefix="/studio")


@pages.before_request
def only_for_owners() -> errors.Page | None:
    if not revisions.may_write(edge.person()):
        return errors.page(403 if revisions.may_read(edge.person()) else 404)
    return None


@pages.get("/revisions/<int:revision>/edit/<path:name>")
def show(revision: int, name: str) -> str:
    present = _present(revision, name)
    return _page(revision, name, _as_text(present), revisions.digest(present))


@pages.post("/revisions/<int:revision>/edit/<path:name>")
def save(revision: int, name: str) -> Response | errors.Page | tuple[Response, int]:
    """The file is what was written, if nobody changed it since it was read; else both can be seen.

    A script that asks for JSON gets `seen`, the digest to save upon the next time, or the `reason` of a refusal.
    """
    by_script = request.accept_mimetypes.best == "application/json"
    text, seen = request.form.get("content", ""), request.form.get("seen", "")
    try:
        digest = _put(revision, name, text, seen)
    except (NotFound, NotAllowed):
        raise
    except EngineError as refused:
        edge.record_refusal(refused)
        reason, status = " ".join(errors.reasons(refused)) or told(refused), errors.status(refused)
        if by_script:
            return jsonify(reason=reason), status
        return _page(revision, name, text, seen, reason, _instead(revision, name, seen)), status
    if by_script:
        return jsonify(seen=digest)
    flash(_("The file is saved."), "success")
    return redirect(url_for("editors.show", revision=revision, name=name), 303)


@pages.get("/revisions/<int:revision>/findings/<path:name>")
def findings(revision: int, name: str) -> Response:
    """What speaks against the file as it is saved, and how much against others, as JSON."""
    return jsonify(findings=_findings(revision, name), elsewhere=_elsewhere(revision, name))


@pages.post("/revisions/<int:revision>/preview")
def preview(revision: int) -> str:
    """The form in `content` as people who typed the other texts will see it, or why not; a part of a page."""
    revisions.get(edge.reading(), revision)
    source, pairs = request.form.get("content", "").encode(), request.form.items(multi=True)
    try:
        typed = ((name.removeprefix(TYPED), text) for name, text in pairs if name.startswith(TYPED))
        view = inspections.form_view(source, typed, edge.now())
    except forms.FormInvalid as invalid:
        return render_template("studio/preview.html", show=None, faults=[str(one) for one in invalid.findings])
    except forms.FormFault as fault:
        return render_template("studio/preview.html", show=None, faults=[str(fault)])
    hidden = [field.field.label for field in _every(view.fields) if not field.visible and field.field.label]
    return render_template("studio/preview.html", show=FormPage(view), faults=[], hidden=hidden)


def _every(fields: Sequence[forms.FieldView]) -> Iterator[forms.FieldView]:
    for field in fields:
        yield field
        if field.visible:
            yield from _every(field.fields)


def _put(revision: int, name: str, text: str, seen: str) -> str:
    person, at = edge.person(), edge.now()
    if b"\r\n" not in _present(revision, name):
        text = text.replace("\r\n", "\n")  # a browser sends every end of line so
    return edge.write(
        lambda session: revisions.save(session, revision, name, text.encode("utf-8"), seen=seen, actor=person, at=at)
    )


def _present(revision: int, name: str) -> bytes:
    found = revisions.files(edge.reading(), revision)
    if name not in found:
        abort(404)
    return found[name]


def _as_text(content: bytes) -> str | None:
    """The text of the file; None for what is no UTF-8, which a page cannot give back as it was."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _findings(revision: int, name: str) -> list[dict[str, Any]]:
    inspection = revisions.inspect(edge.reading(), revision)
    return [_told(one) for one in inspection.findings if one.file == name]


def _elsewhere(revision: int, name: str) -> int:
    """How much speaks against other files: what is changed in one may be missed in another."""
    return sum(1 for one in revisions.inspect(edge.reading(), revision).findings if one.file != name)


def _told(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "label": str(studio.KINDS[one.kind]),
        "element": one.element_id,
        "name": content(one.element_name) or one.element_id,
        "message": told(one.message),
        "rules": one.rules,
        "column": one.column,
    }


def _instead(revision: int, name: str, seen: str) -> str | None:
    """What the file says by now, if that is not what the writer saw: saved upon it, once both are on one page."""
    present = _present(revision, name)
    return _as_text(present) if revisions.digest(present) != seen else None


def _page(revision: int, name: str, text: str | None, seen: str, refusal: str = "", instead: str | None = None) -> str:
    """`instead` is what another person wrote meanwhile; saving the page then replaces that."""
    if instead is not None:
        seen = revisions.digest(_present(revision, name))
    found = revisions.get(edge.reading(), revision)
    kind = studio.editor(name)
    plain = kind == "text" or text is None or bool(refusal) or request.args.get("view") == AS_TEXT
    drawn = bool(current_app.config["SCRIPTS"]) and not plain
    writable = found.state is RevisionState.WRITING
    spoken_against = _findings(revision, name)
    return render_template(
        "studio/editor.html",
        revision=found,
        name=name,
        called=file_names.of(revisions.offers(edge.reading(), revision), {name: (text or "").encode()})[name].title,
        kind=kind if drawn else "text",
        has_editor=kind != "text" and text is not None,
        text=text,
        seen=seen,
        refusal=refusal,
        instead=instead,
        writable=writable,
        findings=spoken_against,
        elsewhere=_elsewhere(revision, name),
        nonce=headers.allow_own_styles() if drawn else "",
        settings=_settings(revision, name, seen, writable, spoken_against) if drawn else None,
    )


def _settings(revision: int, name: str, seen: str, writable: bool, findings: list[dict[str, Any]]) -> Mapping[str, Any]:
    """What the script of an editor has to know."""
    return {
        "seen": seen,
        "writable": writable,
        "findings": findings,
        "elsewhere": _elsewhere(revision, name),
        "language": str(get_locale()),
        "element": request.args.get("element", ""),
        "token": generate_csrf(),
        "save": url_for("editors.save", revision=revision, name=name),
        "inspect": url_for("editors.findings", revision=revision, name=name),
        "asText": url_for("editors.show", revision=revision, name=name, view=AS_TEXT),
        "preview": url_for("editors.preview", revision=revision),
        "offers": _offers(revision, name),
        "components": sorted(forms.COMPONENTS),
        "texts": _texts(),
    }


def _offers(revision: int, name: str) -> Mapping[str, list[tuple[str, str]]]:
    """Pairs of what the diagram of this name can name and what people call it."""
    session = edge.reading()
    found = revisions.offers(session, revision)
    decisions, deadline = found.processes.decisions, deadlines.decision(found, name)
    events = deadlines.events(found, revisions.files(session, revision), deadline) if deadline else {}
    return {
        "groups": [(group.name, content(group.label)) for group in found.catalogue.groups],
        "forms": [(form.id, content(form.title) or form.id) for form in found.forms.values()],
        "decisions": [(key, decisions[key].decisions[key].name or key) for key in decisions],
        "deadlines": [(event, " / ".join(map(content, said)) or event) for event, said in events.items()],
        "processes": [(key, process.name or key) for key, process in found.processes.processes.items()],
    }


def _texts() -> Mapping[str, str]:
    return {
        "saving": _("Saving …"),
        "saved": _("Saved in the revision ({time})"),
        "offline": _("No connection. It is saved as soon as there is one; please leave this page open."),
        "refused": _("This could not be saved. Please go back to the revision and look at it as it is now."),
        "look": _("Open it as it is now"),
        "show": _("Show"),
        "checking": _("Being checked …"),
        "unchecked": _("Not checked yet"),
        "found": _("Findings: {count}"),
        "elsewhere": _("Findings in other files: {count}"),
        "clean": _("There is nothing to mend in this file."),
        "asText": _("Change it as text"),
        "loses": _("Saving it with this editor takes {count} things out of the file that the editor does not know."),
        "unopened": _("The editor cannot draw this file. You can change it as text below."),
        "overview": _("The whole picture"),
        "larger": _("Larger"),
        "smaller": _("Smaller"),
        "whole": _("All of it"),
        "offered": _("Choose from what exists"),
        "roles": _("Who may do it"),
        "deadline": _("Deadline"),
        "computed": _("An expression says who"),
        "below": _("It can be changed under Assignment, below."),
        "form": _("Form"),
        "decision": _("Decision"),
        "process": _("Process"),
        "none": _("None"),
    }
