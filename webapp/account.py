"""Signing in and out, and who is asking.

Flask-Login keeps the person's session key in the signed cookie; people, groups and password hashes (argon2id) are
the engine's. A new password gives a new key, which ends every session that the person still has somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from engine import accesses, cases, deployments, identity
from engine.catalogue import Start
from engine.studio import revisions
from webapp import edge, errors
from webapp.addresses import local_address
from webapp.content import content
from webapp.language import gettext as _

OPEN_PAGES = frozenset(
    {"account.sign_in", "account.check", "emergency.show", "emergency.worker", "language.switch", "static"}
)
"""Everything else is for people who are signed in."""

limiter = Limiter(get_remote_address, storage_uri="memory://")
pages = Blueprint("account", __name__)


@dataclass(frozen=True, slots=True)
class Account:
    """A person as Flask-Login and the page frame see them."""

    person: identity.Person
    starts: Sequence[Start]

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.person.active

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def label(self) -> str:
        return self.person.label

    @property
    def operates(self) -> bool:
        return self.person.operates

    @property
    def in_studio(self) -> bool:
        """Who writes or approves revisions of the processes."""
        return revisions.may_read(self.person)

    @property
    def oversees(self) -> bool:
        return self.person.cases == "all"

    @property
    def audits(self) -> bool:
        return self.person.audits

    def get_id(self) -> str:
        return self.person.session_key


def init_app(app: Flask) -> None:
    """No page but the sign-in is shown to a stranger."""
    login = LoginManager(app, add_context_processor=False)  # pages know who reads them as `reader`
    login.user_loader(_load)
    limiter.init_app(app)
    app.before_request(_only_for_people)
    app.context_processor(lambda: {"reader": _reader()})
    app.register_blueprint(pages)


@pages.get("/sign-in")
def sign_in() -> str:
    return _page(request.args.get("next", ""))


@pages.post("/sign-in")
@limiter.limit("10 per minute", deduct_when=lambda response: response.status_code == 422)
def check() -> Response | errors.Page:
    """Signed in and on to the page that was asked for; only failed attempts count towards the limit."""
    name, wanted = request.form.get("name", "").strip(), request.form.get("next", "")
    found = identity.authenticate(edge.reading(), name, request.form.get("password", ""))
    if found is None or not found.active:
        edge.write(lambda session: accesses.sign_in_refused(session, name, edge.now()))
        return _page(wanted, name, _("The user name or the password is not right.")), 422
    _forget()
    edge.write(lambda session: accesses.signed_in(session, found.name, edge.now()))
    login_user(_account(found))
    return redirect(local_address(wanted), 303)


@pages.post("/sign-out")
def sign_out() -> Response:
    if current_user.is_authenticated:
        name = current_user.name
        edge.write(lambda session: accesses.signed_out(session, name, edge.now()))
    logout_user()
    _forget()
    return redirect(url_for("account.sign_in"), 303)


def _forget() -> None:
    """Nothing of an earlier session lives on but the language."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language


def _page(wanted: str, name: str = "", error: str = "") -> str:
    return render_template("sign_in.html", next=wanted, name=name, error=error, people=_demo_people())


def _demo_people() -> list[tuple[identity.Person, str]]:
    """The people of the bundle with their roles, where the program runs to be looked at on this machine alone."""
    if not current_app.config.get("DEMO_PASSWORD"):
        return []
    reading = edge.reading()
    named = {person.name for person in deployments.catalogue(reading).people}
    labels = {name: content(group.label) for name, group in identity.groups(reading).items()}
    people = [person for person in identity.people(reading) if person.name in named]
    return [(person, _(", ").join(labels[group] for group in person.groups)) for person in people]


def _load(session_key: str) -> Account | None:
    found = identity.by_session_key(edge.reading(), session_key)
    return None if found is None or not found.active else _account(found)


def _account(person: identity.Person) -> Account:
    starts = cases.starts(edge.reading(), person)
    return Account(person, starts)


def _reader() -> Account | None:
    """Who reads the page, if it is known."""
    if g.get("away") or not current_user.is_authenticated:  # errors says when nothing can be known
        return None
    account: Account = current_user
    return account


def _only_for_people() -> Response | errors.Page | None:
    if current_user.is_authenticated or request.endpoint in OPEN_PAGES:
        return None
    if request.method == "POST":
        return errors.page(401)
    return redirect(url_for("account.sign_in", next=request.path), 303)
