"""Cases: the list with its search, and the page of one: where it stands, what was decided, said and done."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from engine import bundles, cases, comments, diagrams, history, identity, saved_filters, tasklist
from engine.audit import moments
from engine.catalogue import Fact
from engine.errors import InstanceNotFound
from engine.forms import Form
from engine.states import EventType, InstanceState
from webapp import answers, edge, emergency, filters, names, sentences, traces
from webapp.language import gettext as _
from webapp.starts import next_address

PAGE = 50
EVENTS = 100
"""Of a case that are told on one page."""

pages = Blueprint("cases", __name__)


@dataclass(frozen=True, slots=True)
class Step:
    """A completed step: who answered what and when."""

    name: str
    by: str | None
    at: datetime
    lines: list[answers.Line]


@dataclass(frozen=True, slots=True)
class Past:
    """Some of what happened in a case, oldest first; `older`: the event before which there is more, if there is."""

    decided: list[Step]
    lines: list[sentences.Sentence]
    older: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for in the list: `given` as it stands in the address, the rest as the engine takes it."""

    given: dict[str, str]
    offered: dict[str, Fact]
    query: str
    facts: dict[str, str]
    running: bool | None
    overdue: bool | None

    def rows(self, limit: int, before: str | None = None, after: str | None = None) -> list[cases.CaseRow]:
        return cases.list_cases(
            edge.reading(),
            edge.person(),
            at=edge.now(),
            query=self.query,
            facts=self.facts,
            running=self.running,
            overdue=self.overdue,
            limit=limit,
            before=before,
            after=after,
        )

    def counts(self) -> cases.CaseCounts:
        return cases.count_cases(
            edge.reading(),
            edge.person(),
            at=edge.now(),
            query=self.query,
            facts=self.facts,
            running=self.running,
            overdue=self.overdue,
        )


def wanted(values: Mapping[str, str]) -> Wanted:
    """What an address or a form looks for, as far as the person may choose cases by it."""
    person = edge.person()
    offered = {f"fact.{fact.name}": fact for fact in cases.readable_facts(edge.reading(), person) if fact.values}
    asked = filters.wanted("cases", values)
    given = {name: text for name, text in asked.items() if name in offered or not name.startswith("fact.")}
    query = given.get("q", "")
    if person.masked:  # what people wrote holds names: who must not read them does not find cases by them
        query = " ".join(edge.CASE_NUMBER.findall(query))
    return Wanted(
        given,
        offered,
        query,
        {fact.name: given[name] for name, fact in offered.items() if name in given},
        {"running": True, "closed": False}.get(given.get("state", "")),
        True if "overdue" in given else None,
    )


@pages.get("/cases")
def listing() -> str:
    """The cases that the person may read and that fit what was searched for, with how many fit, if not too many.

    A page is named by the case beside it, not by a number: what is further down takes no longer to come to.
    """
    looked_for = wanted(request.args)
    found, newer, older = _page(looked_for, request.args.get("before"), request.args.get("after"))
    return render_template(
        "cases.html",
        cases=found,
        newer=newer,
        older=older,
        counts=looked_for.counts(),
        most=cases.COUNTED,
        wanted=looked_for.given,
        more_wanted=not looked_for.given.keys() <= {"q"},
        facts=looked_for.offered,
        filters=saved_filters.listing(edge.reading(), "cases", edge.person()),
    )


def _page(
    looked_for: Wanted, before: str | None, after: str | None
) -> tuple[list[cases.CaseRow], str | None, str | None]:
    """The cases of a page, and the case after which newer ones and before which older ones come, if any do."""
    if after is not None:
        found = looked_for.rows(PAGE + 1, after=after)
        if len(found) > PAGE:
            return found[1:], found[1].business_key, found[-1].business_key
        before = None  # the newest are a page of their own
    found = looked_for.rows(PAGE + 1, before)
    shown = found[:PAGE]
    older = shown[-1].business_key if len(found) > PAGE else None
    return shown, shown[0].business_key if before and shown else None, older


@pages.get("/cases/<number>")
def show(number: str) -> str:
    session, person = edge.reading(), edge.person()
    case = cases.get(session, number, person, at=edge.now())
    edge.opened(number)
    session = edge.reading()
    tasks = tasklist.of_case(session, number)
    return render_template(
        "case.html",
        case=case,
        now=edge.now(),
        states={
            InstanceState.ACTIVE: _("under way"),
            InstanceState.COMPLETED: _("completed"),
            InstanceState.CANCELLED: _("cancelled"),
        },
        processes=[(each, _traces(session, each)) for each in cases.instances(session, number)],
        texts=traces.texts(),
        tasks=tasks,
        may_work={task.id for task in tasks if identity.may(person, task)},
        messages=cases.offers(session, [number], person)[number],
        alarm=emergency.MESSAGE,
        past=past(number),
        comments=comments.of_case(session, number, person),
        known=[name for name in comments.readers_known_to(session, number, person) if name != person.name],
        may_write=not person.read_only,
    )


@pages.get("/cases/<number>/history")
def older(number: str) -> str:
    """What happened in the case before the event `before`."""
    case = cases.get(edge.reading(), number, edge.person(), at=edge.now())
    edge.opened(number, "cases.show")
    before = min(request.args.get("before", sys.maxsize, int), sys.maxsize)
    return render_template("case_history.html", case=case, past=past(number, before))


@pages.get("/cases/<number>/diagrams/<int(max=2147483647):instance>/<process>.bpmn")
def diagram(number: str, instance: int, process: str) -> Response:
    """The file of a process of the case, for its picture."""
    for drawn in diagrams.of_instance(edge.reading(), instance, edge.person()):
        if drawn.process == process:
            return Response(traces.named(drawn.xml), mimetype="application/xml")
    raise InstanceNotFound(instance)


@pages.post("/cases/<number>/messages")
def tell(number: str) -> AnyResponse:
    """The case knows what the person told it, and the step this opened is before them."""
    person, message = edge.person(), request.form.get("message", "")
    key = request.form.get("_key") or None
    sent = edge.write(
        lambda session: cases.send(session, number, message, {}, actor=person, at=edge.now(), submission=key)
    )
    return redirect(next_address(sent.tasks, number), 303)


@pages.post("/cases/<number>/comments")
def comment(number: str) -> AnyResponse:
    """What the person wrote stands at the case, and who was named in it is told."""
    person, text, key = edge.person(), request.form.get("text", ""), request.form.get("_key") or None
    if request.form.get("to"):
        text = f"@{request.form['to']} {text}"
    written = edge.write(
        lambda session: comments.write(session, number, text, actor=person, at=edge.now(), submission=key)
    )
    if written.unknown:
        unknown = _(", ").join(f"@{name}" for name in written.unknown)
        flash(_("Nobody who may read this case has this name: %(names)s", names=unknown), "warning")
    return redirect(url_for("cases.show", number=number, _anchor="comments"), 303)


def _traces(session: Session, instance: cases.InstanceRow) -> list[traces.Trace]:
    """Where the process and those that it called stand, and the way they came; of one that has ended nothing."""
    drawn = () if instance.ended_at else diagrams.of_instance(session, instance.id, edge.person())
    return list(map(traces.trace, drawn))


def past(number: str, before: int | None = None) -> Past:
    """The newest part of what happened in the case, or of what came before the event with this id."""
    session = edge.reading()
    found = cases.timeline(session, number, edge.person(), limit=EVENTS + 1, before=before)
    events = found[-EVENTS:]
    teller = sentences.Teller.to_reader({each.id: each.name for each in cases.instances(session, number)})
    older = events[0].id if len(found) > EVENTS else None
    return Past(_decided(session, number, events), teller.lines(events), older)


def _decided(session: Session, number: str, events: Iterable[history.Event]) -> list[Step]:
    """The completed steps in order, as far as the events hold what this reader may see."""
    forms = _forms(session, number)
    return [
        _step(event, event.task, forms.get(event.instance or 0, {}))
        for event in events
        if event.type is EventType.TASK_COMPLETED and event.task
    ]


def _step(event: history.Event, task: history.TaskFact, forms: Mapping[str, Form]) -> Step:
    form = forms.get(task.form_id or "")
    lines = [] if form is None else answers.lines(form, event.submitted, names.current())
    return Step(task.name, event.actor, event.at, lines)


def form_of(session: Session, task: tasklist.TaskRow) -> Form | None:
    """The form of the task, as it was deployed with its process."""
    return _forms(session, task.business_key).get(task.instance, {}).get(task.form_id or "")


def _forms(session: Session, number: str) -> dict[int, Mapping[str, Form]]:
    """Instance → the forms it was deployed with: an answer is read with the form it was given in."""
    found = moments.deployments(session, number)
    return {instance: bundles.of_deployment(session, deployment).forms for instance, deployment in found.items()}
