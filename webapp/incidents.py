"""The operator's pages: what has stopped and what fails, corrected and set going again, one or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import incidents, operations
from engine.errors import IncidentNotFound, SubmissionInvalid
from engine.operations import Outcome, Tried
from webapp import edge, errors
from webapp.language import gettext as _

MOST = 1_000
"""Incidents that one press of a button tries again; the page has the rest."""
NAMED = 10
"""Cases in which something stopped again that are named."""
VARIABLE = "variable."
"""What the name of a control begins with that holds the value of a variable."""

pages = Blueprint("incidents", __name__)


@pages.get("/incidents")
def listing() -> str | errors.Page:
    if not edge.person().operates:
        return errors.page(404)
    session = edge.reading()
    kinds, work = operations.kinds(session), operations.work(session, at=edge.now())
    return render_template("incidents.html", kinds=kinds, work=work)


@pages.get("/incidents/<int(max=2147483647):incident>")
def show(incident: int) -> str:
    _for_operators(incident)
    edge.opened(incidents.get(edge.reading(), incident).business_key)
    return _page(incident)


@pages.post("/incidents/<int(max=2147483647):incident>")
def act(incident: int) -> Response | errors.Page:
    """It was tried again, after its variables were corrected if that is what was pressed."""
    _for_operators(incident)
    actor, at = edge.person(), edge.now()
    if request.form.get("_do") != "correct":
        tried = edge.write(lambda session: operations.retry(session, incident, actor=actor, at=at))
        return _told([tried])
    version = request.form.get("version", type=int)
    if version is None:
        abort(400)
    typed = _typed(operations.correction(edge.reading(), incident, actor, at=at).values)
    try:
        tried = edge.write(
            lambda session: operations.retry(session, incident, typed, actor=actor, at=at, version=version)
        )
    except SubmissionInvalid as invalid:
        return _page(incident, typed, invalid.errors), 422
    return _told([tried])


@pages.post("/incidents/retry")
def retry() -> Response | errors.Page:
    """The chosen ones, or all of one kind, were tried again."""
    if not edge.person().operates:
        return errors.page(404)
    if request.form.get("_do") == "all":
        process, element = request.form.get("process", ""), request.form.get("element", "")
        chosen = operations.of_kind(edge.reading(), process, element)
    else:
        chosen = request.form.getlist("incident", int)
    edge.close()
    return _told(operations.retry_each(edge.database(), chosen[:MOST], actor=edge.person(), at=edge.now()))


def _for_operators(incident: int) -> None:
    """To others it is as if there were none."""
    if not edge.person().operates:
        raise IncidentNotFound(incident)


def _typed(shown: Mapping[str, str]) -> dict[str, str]:
    """What differs from what was shown, by name of variable; a new one where a name was typed."""
    typed = {}
    for name, text in shown.items():
        value = request.form.get(VARIABLE + name, text).replace("\r\n", "\n").strip()
        if value != text.replace("\r\n", "\n").strip():
            typed[name] = value
    new = request.form.get("name", "").strip()
    return {**typed, new: request.form.get("value", "").strip()} if new else typed


def _page(incident: int, typed: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None) -> str:
    session = edge.reading()
    found = operations.correction(session, incident, edge.person(), at=edge.now())
    new = next((name for name in typed or {} if name not in found.values), "")
    return render_template(
        "incident.html",
        stopped=operations.stopped(session, incident),
        correction=found,
        typed=typed or {},
        wrong=wrong or {},
        new=new,
        prefix=VARIABLE,
    )


def _told(tried: Sequence[Tried]) -> Response:
    """Back on the list, where stands what came of it."""
    counts = Counter(each.outcome for each in tried)
    if not tried:
        flash(_("Nothing was chosen."), "warning")
    if went := counts[Outcome.WENT_ON]:
        flash(_("%(count)s went on.", count=went), "success")
    if queued := counts[Outcome.QUEUED]:
        flash(_("%(count)s are being tried again now; what fails again comes back here.", count=queued), "success")
    if gone := counts[Outcome.GONE]:
        flash(_("%(count)s had been settled already.", count=gone), "success")
    if counts[Outcome.STOPPED]:
        cases = dict.fromkeys(each.business_key for each in tried if each.outcome is Outcome.STOPPED)
        told = _(", ").join(list(cases)[:NAMED]) + ("…" if len(cases) > NAMED else "")
        flash(_("%(count)s stopped again: %(cases)s", count=counts[Outcome.STOPPED], cases=told), "warning")
    return redirect(url_for("incidents.listing"), 303)
