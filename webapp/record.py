"""The auditor's record: who read a case, what was refused in it, and what happened outside of any case."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from engine import accesses, cases, concealments, history
from engine.audit import losses
from engine.errors import CaseNotFound
from engine.states import EventType
from webapp import edge, errors, sentences
from webapp.language import gettext as _

PAGE = 100
LAST_PAGE = 1_000_000
SHOWN = (
    EventType.SIGNED_IN,
    EventType.SIGNED_OUT,
    EventType.SIGN_IN_REFUSED,
    EventType.ATTEMPT_REJECTED,
    EventType.DEPLOYED,
    EventType.PEOPLE_ADDED,
    EventType.EXPORTED,
    EventType.RESTORED,
    *(each for each in EventType if each.startswith("revision_")),
)
"""What happens outside of any process."""

pages = Blueprint("record", __name__)


@dataclass(frozen=True, slots=True)
class Lost:
    """What a restore lost of one chain, or of the readings of a case; `case` is None for what belongs to none."""

    case: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """An event in words, with the case that it is about, if any; `lost` is what a restore lost."""

    event: history.Event
    text: str
    lost: tuple[Lost, ...] = ()


@pages.get("/cases/<number>/readings")
def readings(number: str) -> str:
    """Who has read the case and when, what was refused to whom, and what a restore lost of it; for auditors."""
    person = edge.person()
    if not person.audits:
        raise CaseNotFound(number)
    case = cases.get(edge.reading(), number, person, at=edge.now())
    edge.opened(number)
    page = _page()
    found = accesses.of_case(edge.reading(), number, reader=person, limit=PAGE + 1, offset=(page - 1) * PAGE)
    rejected = (EventType.ATTEMPT_REJECTED,)
    refused = history.newest_of_no_instance(edge.reading(), rejected, limit=PAGE, business_key=number)
    restored = history.newest_of_no_instance(edge.reading(), (EventType.RESTORED,), limit=PAGE)
    return render_template(
        "readings.html",
        case=case,
        readings=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        opened={
            "cases.show": _("the case's page"),
            "tasks.show": _("a step of the case"),
            "replay.show": _("the replay"),
            "replay.text": _("the replay as text"),
            "record.readings": _("this record"),
            "incidents.show": _("what stopped in it"),
        },
        refused=_lines(refused),
        restored=_lines([each for each in restored if losses.recorded(each).concerns(number)]),
    )


@pages.get("/record")
def show() -> str | errors.Page:
    """Sign-ins, refused attempts and deployments, the latest first; for auditors."""
    if not edge.person().audits:
        return errors.page(404)
    page = _page()
    found = history.newest_of_no_instance(edge.reading(), SHOWN, limit=PAGE + 1, offset=(page - 1) * PAGE)
    return render_template("record.html", lines=_lines(found[:PAGE]), more=len(found) > PAGE, page=page)


def _page() -> int:
    return min(max(request.args.get("page", 1, int), 1), LAST_PAGE)


def _lines(events: list[history.Event]) -> list[Line]:
    teller = sentences.Teller.to_reader({})
    keys = {event.business_key for event in events if event.business_key is not None}
    concealed = concealments.from_reader(edge.reading(), edge.person(), keys)
    return [Line(event, teller.whole(event), _lost(event)) for event in map(concealed.event, events)]


def _lost(event: history.Event) -> tuple[Lost, ...]:
    if event.type is not EventType.RESTORED:
        return ()
    restore = losses.recorded(event)
    events = (
        Lost(each.case, _("history “%(chain)s”: %(span)s", chain=chain, span=_span(each)))
        for chain, each in restore.chains.items()
    )
    readings = (
        Lost(case, _("who read the case: %(span)s", span=_span(each))) for case, each in restore.readings.items()
    )
    return (*events, *readings)


def _span(loss: losses.Loss) -> str:
    if not loss.unproven:
        return _(
            "of entries %(first)d to %(last)d, which were sealed, %(gone)d are gone.",
            first=loss.kept + 1,
            last=loss.last,
            gone=loss.gone,
        )
    return _(
        "of entries %(first)d to %(last)d, which were sealed, %(gone)d are gone;"
        " %(unproven)d are there, but the seal does not prove them.",
        first=loss.kept + 1,
        last=loss.last,
        gone=loss.gone,
        unproven=loss.unproven,
    )
