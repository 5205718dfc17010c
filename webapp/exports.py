"""Taking a list of cases out of the system: what it shows, as a file for a spreadsheet, with the purpose on record."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from engine import accesses, cases, spreadsheets
from engine.catalogue import Fact
from engine.errors import PurposeMissing
from webapp import edge, names
from webapp.cases import wanted
from webapp.content import content
from webapp.language import gettext as _

MOST = 10_000  # cases in one file; who needs more narrows the search

pages = Blueprint("exports", __name__)


@pages.post("/cases/export")
def listed() -> AnyResponse:
    """The cases that fit the criteria in the form, as the person sees them, with `purpose` on record."""
    looked_for, purpose = wanted(request.form), request.form.get("purpose", "")
    person, at = edge.person(), edge.now()
    file = _csv(cases.readable_facts(edge.reading(), person), looked_for.rows(MOST))
    try:
        edge.write(lambda session: accesses.exported(session, "csv", purpose=purpose, by=person.name, at=at))
    except PurposeMissing as missing:
        flash(_("Please write what for, in at most %(most)d characters.", most=missing.limit), "warning")
        return redirect(f"{url_for('cases.listing')}?{urlencode(looked_for.given)}", 303)
    return Response(
        file,
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=cases-{at:%Y%m%d-%H%M}.csv"},
    )


def _csv(facts: tuple[Fact, ...], rows: list[cases.CaseRow]) -> bytes:
    heads = [_("Case"), _("State"), _("Process"), _("Begun"), _("Open steps"), *(content(fact.label) for fact in facts)]
    return spreadsheets.as_csv([heads, *(_cells(facts, row) for row in rows)])


def _cells(facts: tuple[Fact, ...], row: cases.CaseRow) -> list[object]:
    known = {fact.name: names.fact(fact) for fact in row.facts}
    return [
        row.business_key,
        _("under way") if row.running else _("closed"),
        content(row.title),
        row.opened_at.isoformat(timespec="minutes"),
        row.open_tasks,
        *(known.get(fact.name) for fact in facts),
    ]
