"""Coverage: what of a file of a revision its scenarios reached, drawn on the diagram or the tables and as a list."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from engine.studio import revisions
from webapp import edge, studio, traces
from webapp.language import gettext as _

pages = Blueprint("coverage", __name__, url_prefix="/studio")
pages.before_request(studio.only_for_those_concerned)


@pages.get("/revisions/<int:revision>/coverage/<path:name>")
def show(revision: int, name: str) -> str:
    """What was never reached of the file; not found while no scenario ran with the present files."""
    session = edge.reading()
    found = next((one for one in revisions.covered(session, revision) if one.file == name), None)
    if found is None:
        abort(404)
    return render_template(
        "studio/coverage.html",
        revision=revisions.get(session, revision),
        covered=found,
        marks={"unreached": [part.id for part in found.missing]},
        texts={**traces.texts(), "unreached": _("never reached")},
    )
