"""The overview of all cases: where they wait, which deadlines were kept, which judgements changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, abort, render_template, request

from engine import cases
from engine.audit import overview
from engine.audit.overview import Change, Definition, Figures
from webapp import edge, traces
from webapp.content import content, title
from webapp.language import gettext as _
from webapp.values import lasting

DAYS = {"30": 30, "90": 90, "365": 365, "all": 36500}
"""The choices of how far back the cases began."""
USUAL = "90"
HEAT = (timedelta(), timedelta(hours=1), timedelta(days=1), timedelta(days=3))
"""From which median wait on an element is as warm as its place here, counted from 1."""
CHANGES = 200
"""Changes of judgement that are shown one by one."""

pages = Blueprint("overview", __name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A step of a process with its figures, the median in words."""

    name: str
    figures: Figures
    wait: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of judgement in words."""

    change: Change
    fact: str
    before: str
    after: str


@pages.get("/overview")
def show() -> str:
    """The figures of one version of a process, and the changes of judgement in all cases."""
    _only_for_overseers()
    session, at = edge.reading(), edge.now()
    known = overview.definitions(session)
    days = request.args.get("days", USUAL)
    since = at - timedelta(days=DAYS.get(days, DAYS[USUAL]))
    asked = request.args.get("process", type=int)
    chosen = next((each for each in known if each.id == asked), known[0] if known else None)
    return render_template(
        "overview.html",
        definitions=known,
        chosen=chosen,
        days=days if days in DAYS else USUAL,
        choices={
            "30": _("begun in the last 30 days"),
            "90": _("begun in the last 90 days"),
            "365": _("begun in the last year"),
            "all": _("all"),
        },
        texts=traces.texts(),
        **_figures(chosen, since, at),
        **_turns(since),
    )


@pages.get("/overview/<int(max=2147483647):definition>.bpmn")
def diagram(definition: int) -> Response:
    """The file of a process, for its heat map."""
    _only_for_overseers()
    found = [each for each in overview.definitions(edge.reading()) if each.id == definition]
    if not found:
        abort(404)
    return Response(traces.named(overview.source(edge.reading(), found[0])), mimetype="application/xml")


def _only_for_overseers() -> None:
    """Figures tell of every case: they are for those who may read every one."""
    if edge.person().cases != "all":
        abort(404)


def _figures(chosen: Definition | None, since: datetime, at: datetime) -> Mapping[str, object]:
    if chosen is None:
        return {"rows": [], "heat": {}}
    found = overview.figures(edge.reading(), chosen, since=since, at=at)
    called = traces.felt(overview.source(edge.reading(), chosen))
    rows = [
        Row(title(called[element]), each, "" if each.median is None else lasting(each.median))
        for element, each in found.items()
        if element in called
    ]
    return {
        "rows": sorted(rows, key=lambda row: row.figures.median or timedelta(), reverse=True),
        "heat": {element: _heat(each) for element, each in found.items() if element in called},
    }


def _heat(figures: Figures) -> dict[str, object]:
    """How warm an element is, and what stands beside it in the picture."""
    level = 0 if figures.median is None else sum(figures.median >= least for least in HEAT)
    times = _("%(count)d times", count=figures.count)
    return {
        "level": level,
        "text": times
        if figures.median is None
        else _("%(times)s, %(wait)s", times=times, wait=lasting(figures.median)),
    }


def _turns(since: datetime) -> Mapping[str, object]:
    """The changes one by one, and how often each kind of change happened, the most frequent first."""
    facts = {fact.name: fact for fact in cases.readable_facts(edge.reading(), edge.person())}
    turns = []
    for change in overview.changes(edge.reading(), facts.values(), since=since):
        fact = facts[change.fact]
        before, after = (content(fact.values.get(value, value)) for value in (change.before, change.after))
        turns.append(Turn(change, content(fact.label), before, after))
    counts: dict[tuple[str, str, str], int] = {}
    for turn in turns:
        kind = turn.fact, turn.before, turn.after
        counts[kind] = counts.get(kind, 0) + 1
    return {"turns": turns[:CHANGES], "kinds": sorted(counts.items(), key=lambda each: -each[1])}
