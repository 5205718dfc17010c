"""What to do in danger: readable by anyone, signed in or not, and without a connection once a page has been open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, send_from_directory
from flask_login import current_user
from werkzeug.wrappers import Response

from engine import cases, deployments
from engine.catalogue import MessageOffer
from webapp import edge

MESSAGE = "danger_arose"
"""The message of a bundle by which people tell a case that there is danger."""
FORM = "emergency_record"
"""The form of a bundle that people fill in while, or just after, they are in danger."""
REPORT = "report"
"""The start of a bundle for telling what happened, with or without a case."""
NEWEST = 100  # cases under way; an older one is told of danger on its own page
RECENT = 20  # of them, those that changed last: one is the case in which there is danger now

pages = Blueprint("emergency", __name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A case that can be told of danger, and the message for it."""

    case: cases.CaseRow
    message: MessageOffer


@pages.get("/emergency")
def show() -> str:
    card = deployments.guidance(edge.reading()).emergency
    alarms = _alarms() if current_user.is_authenticated else []
    return render_template("emergency.html", card=card, alarms=alarms, report=REPORT)


@pages.get("/service-worker.js")
def worker() -> Response:
    """The script that keeps the card; from the root, because a worker sees only addresses below its own."""
    return send_from_directory("static/dist", "service-worker.js")


def _alarms() -> list[Alarm]:
    """The cases of this person that wait for the message, the latest change first."""
    session, person = edge.reading(), edge.person()
    newest = cases.list_cases(session, person, at=edge.now(), running=True, limit=NEWEST)
    running = sorted(newest, key=lambda case: case.changed_at, reverse=True)[:RECENT]
    offers = cases.offers(session, [case.business_key for case in running], person)
    return [Alarm(case, offer) for case in running for offer in offers[case.business_key] if offer.name == MESSAGE]
