"""What went wrong, said calmly: each error of the engine has one HTTP status, each status one page.

A rejected post never loses what was typed: the page shows it, so that it can be copied.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Flask, current_app, g, render_template, request
from flask_babel import LazyString, lazy_gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from engine import database
from engine.errors import (
    Conflict,
    EngineError,
    NotAllowed,
    NotFound,
    RevisionChanged,
    TaskAlreadyClaimed,
    TaskAlreadyClosed,
    TooManySteps,
)
from webapp import edge, names
from webapp.language import gettext as _
from webapp.language import moment

Page = tuple[str, int]
Away = tuple[str, int, dict[str, str]]

STATUS: Mapping[type[EngineError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    TooManySteps: 500,
    EngineError: 422,
}
AGAIN = "10"
"""Seconds after which a program may ask again for what could not be read or written."""
NOT_TYPED = frozenset({"csrf_token", "password", "next", "back", "to", "message"})

_OTHER = (lazy_gettext("This did not work"), lazy_gettext("Please go back and try again."))
_WORDS: Mapping[int, tuple[LazyString, LazyString]] = {
    400: (
        lazy_gettext("This page had been open for too long"),
        lazy_gettext("To be safe, nothing was sent. Please open the page again and send it once more."),
    ),
    401: (
        lazy_gettext("You are signed out"),
        lazy_gettext("Nothing was sent. Sign in again, and you can go on where you were."),
    ),
    403: (
        lazy_gettext("This is for another person"),
        lazy_gettext("This step is for another role, or for someone who has not been part of this case."),
    ),
    404: (
        lazy_gettext("There is nothing to see here"),
        lazy_gettext("The address may be wrong, or the page is not for your role."),
    ),
    409: (
        lazy_gettext("Someone else was here first"),
        lazy_gettext("The case has moved on in the meantime. Please look at where it stands now."),
    ),
    413: (lazy_gettext("This is too long to send"), lazy_gettext("Please shorten the text and send it again.")),
    422: (lazy_gettext("This cannot be taken as it is"), lazy_gettext("Please look at what you entered again.")),
    429: (
        lazy_gettext("Please wait a little"),
        lazy_gettext("There were too many attempts to sign in. Please try again in a minute."),
    ),
    500: (
        lazy_gettext("Something went wrong on our side"),
        lazy_gettext("It is not your fault. Please tell the operator the number below."),
    ),
    503: (
        lazy_gettext("The records cannot be reached just now"),
        lazy_gettext("It is not your fault, and it mostly passes within a few minutes. Please wait a little."),
    ),
}


def init_app(app: Flask) -> None:
    """Every error ends in a calm page of its status; an unforeseen one is logged under the number it shows."""
    app.register_error_handler(EngineError, _engine_error)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def status(error: EngineError) -> int:
    """The HTTP status of the error: that of its nearest class in STATUS."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def page(code: int, *reasons: str, number: str = "") -> Page:
    """The page of this status, with what was typed in the post that led here."""
    title, advice = _WORDS.get(code, _OTHER)
    html = render_template(
        "error.html",
        title=title,
        advice=advice,
        reasons=reasons,
        number=number,
        typed=[] if code == 413 else _typed(),  # what is too long is not even read
        sign_in=code == 401,
        back=_back() if code in (400, 401) else None,
        again=_again() if code == 503 else None,
    )
    return html, code


def _typed() -> list[str]:
    if request.method != "POST":
        return []
    pairs = request.form.items(multi=True)
    return [text for name, text in pairs if text.strip() and name[0] != "_" and name not in NOT_TYPED]


def _back() -> str | None:
    """Where the person was, if that is a page: the address of the post, which the form's own page shares."""
    places = current_app.create_url_adapter(request)
    return request.path if places is not None and places.test(request.path, "GET") else None


def _again() -> list[tuple[str, str]] | None:
    """The post that led here, to be sent once more as it was; None where it holds what a page must not."""
    if request.method != "POST" or request.files or "password" in request.form:
        return None
    return list(request.form.items(multi=True))


def _stale(error: CSRFError) -> Page:
    """The token of the page is not that of the session, mostly because the session has ended."""
    known = current_user.is_authenticated or request.endpoint == "account.check"
    return page(400 if known else 401)


def _engine_error(error: EngineError) -> Page:
    if status(error) == 500:
        return _fault(error)
    if request.method == "POST" or isinstance(error, NotAllowed | NotFound):
        edge.record_refusal(error)
    return page(status(error), *reasons(error))


def reasons(error: EngineError) -> tuple[str, ...]:
    """Who was first, where that is why."""
    match error:
        case TaskAlreadyClosed(by=str(by), at=at):
            return (_("%(who)s completed this step: %(when)s", who=names.current().addressed(by), when=moment(at)),)
        case TaskAlreadyClosed():
            return (_("This step is no longer needed."),)
        case RevisionChanged(by=by, at=at):
            who = names.current().addressed(by)
            told = _("%(who)s changed this in the meantime: %(when)s.", who=who, when=moment(at))
            return (told, _("Nothing was overwritten. Please look at it as it is now."))
        case TaskAlreadyClaimed(by=by):
            return (_("%(who)s has taken this on.", who=names.current().addressed(by)),)
    return ()


def _http_error(error: HTTPException) -> Page | Away:
    cause = error.original_exception if isinstance(error, InternalServerError) else None  # while another was told
    return page(error.code or 500) if cause is None else _unforeseen(cause)


def _unforeseen(error: BaseException) -> Page | Away:
    return _away(error) if database.is_away(error) else _fault(error)


def _away(error: BaseException) -> Away:
    """The page is made of what the request brought; nothing is asked of the database."""
    current_app.logger.error("the database is away at %s %r: %s", request.method, request.path, error)
    g.away = True
    return *page(503), {"Retry-After": AGAIN}


def _fault(error: BaseException) -> Page:
    number = secrets.token_hex(4)
    current_app.logger.error("fault %s at %s %r", number, request.method, request.path, exc_info=error)
    return page(500, number=number)
