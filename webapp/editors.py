"""Editing one file of a revision: as text everywhere, and with an editor of its kind where scripts run."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import revisions
from engine.errors import EngineError, NotAllowed, NotFound
from engine.states import RevisionState
from webapp import edge, errors, studio
from webapp.language import gettext as _

pages = Blueprint("editors", __name__, url_prefix="/studio")


@pages.before_request
def _only_for_owners() -> errors.Page | None:
    if not revisions.may_write(edge.person()):
        return errors.page(403 if revisions.may_read(edge.person()) else 404)
    return None


@pages.get("/revisions/<int:revision>/edit/<path:name>")
def show(revision: int, name: str) -> str:
    content = _present(revision, name)
    return _page(revision, name, _as_text(content), revisions.digest(content))


@pages.post("/revisions/<int:revision>/edit/<path:name>")
def save(revision: int, name: str) -> Response | errors.Page:
    """The file is what was written, if nobody changed it since it was read; else both can be seen."""
    text, seen = request.form.get("content", ""), request.form.get("seen", "")
    try:
        _put(revision, name, text, seen)
    except (NotFound, NotAllowed):
        raise
    except EngineError as refused:
        edge.record_refusal(refused)
        return _page(revision, name, text, seen, " ".join(errors.reasons(refused)) or str(refused)), errors.status(
            refused
        )
    flash(_("The file is saved."), "success")
    return redirect(url_for("editors.show", revision=revision, name=name), 303)


def _put(revision: int, name: str, text: str, seen: str) -> str:
    person, at = edge.person(), edge.now()
    before = _present(revision, name)
    if b"\r\n" not in before:
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


def _page(revision: int, name: str, text: str | None, seen: str, refusal: str = "") -> str:
    session = edge.reading()
    found = revisions.get(session, revision)
    inspection = revisions.inspect(session, revision)
    return render_template(
        "studio/editor.html",
        revision=found,
        name=name,
        kind=studio.editor(name),
        text=text,
        seen=seen,
        refusal=refusal,
        writable=found.state is RevisionState.WRITING,
        findings=[one for one in inspection.findings if one.file == name],
        finding_words=studio.KINDS,
    )
