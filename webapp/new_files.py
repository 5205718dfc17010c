"""Beginning a file of a revision from nothing: a process, a decision table, a form or a scenario."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine.errors import EngineError, NotAllowed, NotFound
from engine.studio import new_files, revisions
from webapp import edge, editors, errors, studio
from webapp.language import gettext as _
from webapp.told import told

CHOSEN = "group"
"""The name of the boxes that say who may begin the process."""

pages = Blueprint("new_files", __name__, url_prefix="/studio")
pages.before_request(editors.only_for_owners)


@pages.get("/revisions/<int:revision>/new/<any(bpmn, dmn, form, scenario):kind>")
def show(revision: int, kind: new_files.Kind) -> str:
    return _page(revision, kind)


@pages.post("/revisions/<int:revision>/new/<any(bpmn, dmn, form, scenario):kind>")
def make(revision: int, kind: new_files.Kind) -> Response | tuple[str, int]:
    """The file is in the revision, and its editor open; or what to write instead, beside what was written."""
    given, groups, person, at = request.form, request.form.getlist(CHOSEN), edge.person(), edge.now()

    def put(session: Session) -> str:
        files, known = revisions.files(session, revision), revisions.offers(session, revision)
        key, title, process = (given.get(name, "").strip() for name in ("key", "title", "process"))
        made = new_files.make(kind, key, title, files, known, process=process, groups=groups, at=at)
        for name, content in made.items():
            seen = revisions.digest(files.get(name))
            revisions.save(session, revision, name, content, seen=seen, actor=person, at=at)
        return next(iter(made))

    try:
        name = edge.write(put)
    except (NotFound, NotAllowed):
        raise
    except EngineError as refused:
        edge.record_refusal(refused)
        return _page(revision, kind, told(refused)), errors.status(refused)
    flash(_("The file is in the revision. You can write on it now."), "success")
    return redirect(url_for("editors.show", revision=revision, name=name), 303)


def _page(revision: int, kind: new_files.Kind, refusal: str = "") -> str:
    session = edge.reading()
    found = revisions.offers(session, revision)
    return render_template(
        "studio/new_file.html",
        revision=revisions.get(session, revision),
        kind=kind,
        title=studio.NEW[kind],
        groups=found.catalogue.groups,
        processes=[one for one in found.processes.processes.values() if one.startable],
        chosen=request.form.getlist(CHOSEN),
        typed=request.form,
        refusal=refusal,
    )
