"""The pages through which people work: server-rendered, complete without JavaScript.

One module per page family (inbox, tasks, cases, exports, replay, record, overview, starts, incidents, emergency,
filters, settings, account, studio, editors, new_files, trials, coverage); `edge` is the only place that knows the
clock, the signed-in person and the transaction; forms_html and templates/fields.html turn a form into HTML and back;
content and told speak the reader's language; errors maps every error of the engine to one status and one calm page.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from engine import database, tables
from webapp import (
    account,
    cases,
    content,
    coverage,
    edge,
    editors,
    emergency,
    errors,
    exports,
    filters,
    forms_html,
    headers,
    inbox,
    incidents,
    language,
    names,
    new_files,
    overview,
    record,
    replay,
    settings,
    starts,
    studio,
    tasks,
    told,
    trials,
)

MAX_POST = 1024 * 1024  # bytes; a form with every text at its limit is far below
PAGES = (
    inbox.pages,
    tasks.pages,
    cases.pages,
    exports.pages,
    replay.pages,
    record.pages,
    overview.pages,
    filters.pages,
    starts.pages,
    settings.pages,
    incidents.pages,
    emergency.pages,
    studio.pages,
    editors.pages,
    new_files.pages,
    trials.pages,
    coverage.pages,
)


def create_app(database_url: str, **config: object) -> Flask:
    """The application over a database that has its tables; `config` are Flask settings, SECRET_KEY among them."""
    app = Flask(__name__)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=database_url,
        SQLALCHEMY_ENGINE_OPTIONS=database.options(database_url),
        SECRET_KEY=secrets.token_hex(32),
        SESSION_COOKIE_NAME="mamori",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: somebody may write for an hour
        MAX_CONTENT_LENGTH=MAX_POST,
        MAX_FORM_MEMORY_SIZE=MAX_POST,
        SCRIPTS=(Path(app.root_path) / "static" / "dist" / "page.js").exists(),  # built at set-up; pages work without
    )
    app.config.update(config)
    connections = SQLAlchemy(metadata=tables.metadata)
    connections.init_app(app)
    with app.app_context():
        edge.init_app(app, database.Database(connections.engine))
    app.before_request(studio.make_room)  # before the check of the token, which reads the post
    CSRFProtect(app)
    for part in (language, account, forms_html, content, names, headers, errors, told):
        part.init_app(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    app.jinja_env.globals["fresh_key"] = lambda: secrets.token_urlsafe(16)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app
