"""The edge of a request: who asks, when it is, and the one place where the pages read and write.

Below it time and person are arguments, and nothing commits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import Flask, current_app, g, request
from flask_login import current_user
from sqlalchemy.orm import Session

from engine import accesses, history
from engine.database import Database
from engine.errors import EngineError
from engine.identity import Person
from webapp.forms_html import ZONE

CASE_NUMBER = re.compile(r"\d{4}-\d{4,9}", re.ASCII)  # anything else in an address is nobody's case

T = TypeVar("T")


def init_app(app: Flask, opened: Database) -> None:
    """Requests read and write in this database; what they read from is given back at their end."""
    app.extensions["mamori"] = opened
    app.teardown_appcontext(lambda _: close())


def now() -> datetime:
    """The time of this request, the same from its begin to its end."""
    if "now" not in g:
        g.now = datetime.now(ZONE)
    moment: datetime = g.now
    return moment


def person() -> Person:
    """Who is signed in; only behind the sign-in check."""
    reader: Person = current_user.person
    return reader


def reading() -> Session:
    """The read transaction of this request."""
    if "reading" not in g:
        transaction = database().reading()
        g.reading = (transaction, transaction.__enter__())
    session: Session = g.reading[1]
    return session


def close() -> None:
    """The read transaction is over; the next `reading` sees what was written since."""
    transaction, _ = g.pop("reading", (None, None))
    if transaction is not None:
        transaction.__exit__(None, None, None)


def write(command: Callable[[Session], T]) -> T:
    """What `command` did is stored, whole; again from the start where another step came in between."""
    close()
    return database().retrying(command)


def opened(number: str, page: str = "") -> None:
    """The record says that the person reads this case; what cannot be recorded is not shown.

    To be asked for once they may read it, before the page is made up. `page`: the endpoint that stands for this one.
    """
    name, at, opened_page = person().name, now(), page or str(request.endpoint)
    if not accesses.is_noted(reading(), number, name, opened_page, at):
        write(lambda session: accesses.note(session, number, name, opened_page, at))


def record_refusal(error: EngineError) -> None:
    """History says who tried what in vain."""
    close()
    place = request.view_args or {}
    number = str(place.get("number", ""))
    actor = person().name if current_user.is_authenticated else None
    database().retrying(
        lambda session: history.reject(
            session,
            attempt=request.endpoint or request.path,
            error=error,
            actor=actor,
            at=now(),
            task=place.get("task_id"),
            business_key=number if CASE_NUMBER.fullmatch(number) else None,
        )
    )


def clock() -> datetime:
    """The time now, for what goes on beside the request."""
    return datetime.now(ZONE)


def database() -> Database:
    """The database of the application, for what goes on beside the request."""
    opened: Database = current_app.extensions["mamori"]
    return opened
