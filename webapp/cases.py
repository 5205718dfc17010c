"""Cases: the list, and the page of one with its processes, open steps, answers and history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engine import bundles, cases, deployments, history, identity, tables, user_tasks
from engine.forms import Form
from engine.states import EventType, InstanceState
from webapp import answers, edge, names, sentences
from webapp.language import gettext as _
from webapp.starts import next_address

PAGE = 50
LAST_PAGE = 1_000_000

pages = Blueprint("cases", __name__)


@dataclass(frozen=True, slots=True)
class Step:
    """A completed step: who answered what and when."""

    name: str
    by: str | None
    at: datetime
    lines: list[answers.Line]


@pages.get("/cases")
def listing() -> str:
    number = min(max(request.args.get("page", 1, int), 1), LAST_PAGE)
    found = cases.list_cases(edge.reading(), edge.person(), at=edge.now(), limit=PAGE + 1, offset=(number - 1) * PAGE)
    return render_template("cases.html", cases=found[:PAGE], more=len(found) > PAGE, number_of_page=number)


@pages.get("/cases/<number>")
def show(number: str) -> str:
    session, person = edge.reading(), edge.person()
    case = cases.get(session, number, person, at=edge.now())
    events = cases.timeline(session, number, person)
    tasks = user_tasks.of_case(session, number)
    told = {message.name: message.label for message in deployments.catalogue(session).messages}
    instances = cases.instances(session, number)
    teller = sentences.Teller(names.current(), {each.id: each.name for each in instances}, told)
    return render_template(
        "case.html",
        case=case,
        now=edge.now(),
        states={
            InstanceState.ACTIVE: _("under way"),
            InstanceState.COMPLETED: _("completed"),
            InstanceState.CANCELLED: _("cancelled"),
        },
        instances=instances,
        tasks=tasks,
        may_work={task.id for task in tasks if identity.may(person, task)},
        messages=cases.offers(session, number, person),
        decided=decided(session, number, events),
        history=teller.lines(events),
    )


@pages.post("/cases/<number>/messages")
def tell(number: str) -> Response:
    """The case knows what the person told it, and the step this opened is before them."""
    person, message = edge.person(), request.form.get("message", "")
    key = request.form.get("_key") or None
    sent = edge.write(
        lambda session: cases.send(session, number, message, {}, actor=person, at=edge.now(), submission=key)
    )
    return redirect(next_address(sent.tasks, number), 303)


def decided(session: Session, number: str, events: Iterable[history.Event]) -> list[Step]:
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


def _forms(session: Session, number: str) -> dict[int, Mapping[str, Form]]:
    """Instance → the forms it was deployed with: an answer is read with the form it was given in."""
    runs, definitions = tables.ProcessInstance, tables.ProcessDefinition
    found = session.execute(
        select(runs.id, definitions.deployment_id)
        .join(definitions, definitions.id == runs.definition_id)
        .where(runs.business_key == number)
    )
    return {instance: bundles.of_deployment(session, deployment).forms for instance, deployment in found}
