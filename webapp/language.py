"""Japanese first, English where the browser or the person asks for it; moments in Japan's time.

Messages in code and templates are English; translations/ja has the Japanese. Labels of forms, steps and options
come from the deployed files, in the language they were written in.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import flask_babel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Blueprint, Flask, g, redirect, request, session
from flask_babel import Babel, format_date, format_datetime, get_locale
from werkzeug.wrappers import Response

from webapp.addresses import local_address

LANGUAGES = ("ja", "en")
CATALOGUE = Path(__file__).parent / "translations" / "ja" / "LC_MESSAGES" / "messages.po"

_MOMENT = {"ja": "y年M月d日(E) HH:mm", "en": "EEE d MMM y, HH:mm"}
_DAY = {"ja": "y年M月d日(E)", "en": "EEE d MMM y"}

pages = Blueprint("language", __name__)


def init_app(app: Flask) -> None:
    """Every request has a language, and templates the filters `moment` and `day`."""
    babel = Babel(app, default_locale="ja", default_timezone="Asia/Tokyo", locale_selector=chosen)
    # Flask-Babel reads compiled catalogues only; ours is compiled in memory, so a fresh clone needs no extra step.
    with app.app_context():
        messages = babel.domain_instance
    messages.cache["ja", messages.domain[0]] = _japanese()
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _messages().ugettext(text),
        lambda one, many, number: _messages().ungettext(one, many, number),
        newstyle=True,
    )
    app.jinja_env.filters.update(moment=moment, day=day)
    app.context_processor(lambda: {"language": str(get_locale())})
    app.register_blueprint(pages)


def chosen() -> str:
    """The language of the switch, else the browser's best, else Japanese."""
    switched = session.get("language")
    if switched in LANGUAGES:
        return str(switched)
    return request.accept_languages.best_match(LANGUAGES, default="ja") or "ja"


@pages.post("/language")
def switch() -> Response:
    """From now on the pages are in the language posted as `to`."""
    if request.form.get("to") in LANGUAGES:
        session["language"] = request.form["to"]
    return redirect(local_address(request.form.get("back")), 303)


def gettext(message: str, /, **values: object) -> str:
    """The message in the reader's language, with the values in it."""
    said = _messages().ugettext(message)
    return str(said % values if values else said)


def spoken() -> str:
    """The language of this request, `ja` or `en`; pages ask for it thousands of times."""
    try:
        found: str = g.language
    except AttributeError:
        found = g.language = str(get_locale())
    return found


def _messages() -> Translations:
    """The catalogue of this request's language; a page asks for it hundreds of times."""
    try:
        found: Translations = g.messages
    except AttributeError:
        found = g.messages = flask_babel.get_translations()
    return found


def moment(value: datetime) -> str:
    """A point in time as people write it: 2026年11月24日(火) 10:00."""
    return _moment(value, spoken())


@lru_cache(maxsize=4096)
def _moment(value: datetime, language: str) -> str:
    """A long case tells the same moments again and again; `language` is the one of the request."""
    return str(format_datetime(value, _MOMENT[language]))


def day(value: date) -> str:
    """A day as people write it: 2026年11月24日(火)."""
    return str(format_date(value, _DAY[spoken()]))


def _japanese() -> Translations:
    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="ja", abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
