"""Trying a decision of a revision: a row of inputs, and which rules fire."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request

from engine.errors import FileUnreadable
from engine.studio import decision_trials, revisions
from engine.studio.decision_trials import Choice, Trial
from webapp import edge, studio

PREFIX = "in."
"""Before the name of an input in the address, so that it is no other word of the address."""

pages = Blueprint("trials", __name__, url_prefix="/studio")
pages.before_request(studio.only_for_those_concerned)


@pages.get("/revisions/<int:revision>/try/<path:name>")
def show(revision: int, name: str) -> str | tuple[str, int]:
    """The inputs of the decision that was chosen, and what comes of those that were typed. Nothing is stored."""
    session = edge.reading()
    source = revisions.files(session, revision).get(name)
    if source is None or not name.endswith(".dmn"):
        abort(404)
    typed = {key.removeprefix(PREFIX): text for key, text in request.args.items() if key.startswith(PREFIX)}
    wanted = request.args.get("decision", "")
    choices: tuple[Choice, ...] = ()
    chosen: Choice | None = None
    trial: Trial | None = None
    fault = ""
    try:
        choices = decision_trials.choices(source)
        chosen = next((one for one in choices if one.id == wanted), choices[-1] if choices else None)
        if chosen is not None and typed:
            trial = decision_trials.run(source, chosen.id, typed, edge.now())
    except FileUnreadable as refused:
        fault = str(refused)
    page = render_template(
        "studio/trial.html",
        revision=revisions.get(session, revision),
        name=name,
        choices=choices,
        chosen=chosen,
        typed=typed,
        trial=trial,
        fault=fault,
        prefix=PREFIX,
    )
    return (page, 422) if fault else page
