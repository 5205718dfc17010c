"""Taking a list of cases out of the system: what it shows, as a file for a spreadsheet, with the purpose on record."""

from __future__ import annotations

import csv
import io
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from engine import accesses, cases
from engine.catalogue import Fact
from engine.errors import PurposeMissing
from webapp import edge, names
from webapp.cases import wanted
from webapp.content import content
from webapp.language import gettext as _

MOST = 10_000  # cases in one file; who needs more narrows the search
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet computes a text that begins like this."""

pages = Blueprint("exports", __name__)


@pages.post("/cases/export")
def listed() -> AnyResponse:
    """The cases that fit the criteria in the form, as the person sees them, with `purpose` on record."""
    looked_for, purpose = wanted(request.form), request.form.get("purpose", "")
    person, at = edge.person(), edge.now()
    content_ = _csv(cases.readable_facts(edge.reading(), person), looked_for.rows(MOST))
    try:
        edge.write(lambda session: accesses.exported(session, "csv", purpose=purpose, by=person.name, at=at))
    except PurposeMissing as missing:
        flash(_("Please write what for, in at most %(most)d characters.", most=missing.limit), "warning")
        return redirect(f"{url_for('cases.listing')}?{urlencode(looked_for.given)}", 303)
    return Response(
        content_,
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=cases-{at:%Y%m%d-%H%M}.csv"},
    )


def _csv(facts: tuple[Fact, ...], rows: list[cases.CaseRow]) -> str:
    """With a byte order mark, without which a spreadsheet takes Japanese for something else."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(
        [_("Case"), _("State"), _("Process"), _("Begun"), _("Open steps"), *(content(fact.label) for fact in facts)]
    )
    for row in rows:
        known = {fact.name: names.fact(fact) for fact in row.facts}
        cells = [
            row.business_key,
            _("under way") if row.running else _("closed"),
            content(row.title),
            row.opened_at.isoformat(timespec="minutes"),
            str(row.open_tasks),
            *(known.get(fact.name, "") for fact in facts),
        ]
        written.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells])
    return "\ufeff" + out.getvalue()
