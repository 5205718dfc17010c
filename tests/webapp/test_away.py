"""The disk is full, or the database gone: the person is told, what was typed stands there, and it goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

from engine import history
from engine.states import EventType
from tests import postgresql
from tests.webapp.conftest import APPLICATION, BUNDLE, Browser, Page, build_at, serve_at

REASON = "座面が割れた。\n<b>\"'&amp; " + "長い説明。" * 4_000
"""More than what is free in the pages of a database file, and nothing that HTML may eat."""
TITLE = "いま記録につながりません"


@pytest.fixture(autouse=True)
def clock() -> None:
    """The real one: a server is at work here."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[postgresql.Server]:
    with postgresql.serving() as running:
        yield running


@dataclass
class Trouble:
    """An application, and what takes its database away from it for a while."""

    app: Flask
    begun: Callable[[], AbstractContextManager[None]]
    gone: bool
    """Nothing can be read either."""

    def is_told(self, page: Page) -> bool:
        """Calmly; what needs no writing may also be done on a full disk."""
        return is_calm(page) or (not self.gone and page.status == 200)


@contextmanager
def full_file(app: Flask) -> Iterator[None]:
    """SQLite may not use one more page, as on a full disk."""
    engine = app.extensions["mamori"].engine

    def limit(connection: object, *_: object, pages: int = 1) -> None:  # 1: as many as there are
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    def no_limit(connection: object, *_: object) -> None:
        limit(connection, pages=1_000_000)

    event.listen(engine, "checkout", limit)
    yield
    event.remove(engine, "checkout", limit)
    event.listen(engine, "checkout", no_limit)


@contextmanager
def full_server(app: Flask) -> Iterator[None]:
    """PostgreSQL says of every event what it says where the disk is full."""
    engine = app.extensions["mamori"].engine
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        connection.execute(text("CREATE TRIGGER full_disk BEFORE INSERT ON history_event EXECUTE FUNCTION full_disk()"))
    yield
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION full_disk CASCADE"))


@contextmanager
def gone_file(path: Path) -> Iterator[None]:
    """The file cannot be opened, as on a share that is away."""
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()
    try:
        yield
    finally:
        path.rmdir()
        aside.rename(path)


@contextmanager
def stopped(server: postgresql.Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@pytest.fixture(params=["sqlite full", "sqlite gone", "postgresql full", "postgresql gone"])
def trouble(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trouble]:
    kind, _, what = request.param.partition(" ")
    if kind == "sqlite":
        path = tmp_path / "mamori.db"
        url = f"sqlite:///{path}"
        build_at(url, BUNDLE)
        app = serve_at(url, SQLALCHEMY_ENGINE_OPTIONS={} if what == "full" else _new_each_time())
        yield Trouble(app, lambda: full_file(app) if what == "full" else gone_file(path), what == "gone")
        app.extensions["mamori"].close()
        return
    server: postgresql.Server = request.getfixturevalue("postgres")
    with server.database(f"away{time.monotonic_ns()}") as url:
        build_at(url, BUNDLE)
        app = serve_at(url)
        yield Trouble(app, lambda: full_server(app) if what == "full" else stopped(server), what == "gone")
        app.extensions["mamori"].close()


def _new_each_time() -> dict[str, object]:
    """A file that is open stays readable wherever it goes."""
    from sqlalchemy import NullPool

    return {"poolclass": NullPool}


def completions(app: Flask) -> int:
    with app.extensions["mamori"].reading() as session:
        events = history.of_case(session, "2026-0001")
    return sum(found.type is EventType.TASK_COMPLETED for found in events)


def is_calm(page: Page) -> bool:
    told = (page.status, page.title, page.response.headers.get("Retry-After")) == (503, TITLE, "10")
    return told and "Traceback" not in page.text and "SELECT" not in page.text.upper().split()


def test_the_typed_text_is_kept_and_sent_when_the_database_is_back(trouble: Trouble) -> None:
    clerk = Browser(trouble.app)
    assert clerk.sign_in("clerk1").status == 200
    asking = clerk.press(clerk.open("/"), "申込みを始める")

    with trouble.begun():
        page = clerk.press(asking, "この内容で終える", {**APPLICATION, "reason": REASON})
        assert is_calm(page)
        shown = [pre.text_content() for pre in page.document.find_class("typed")]
        assert REASON in shown
        again = clerk.press(page, "もう一度送る")
        assert is_calm(again)
    done = clerk.press(again, "もう一度送る")

    assert done.status == 200, done.text
    assert completions(trouble.app) == 1
    case = clerk.open("/cases/2026-0001")
    assert " ".join(REASON.split()) in case.text


def test_a_page_that_cannot_be_read_is_told_calmly_and_is_there_again(trouble: Trouble) -> None:
    clerk = Browser(trouble.app)
    clerk.sign_in("clerk1")
    clerk.press(clerk.open("/"), "申込みを始める")

    with trouble.begun():
        pages = [clerk.open(path) for path in ("/", "/cases", "/cases/2026-0001", "/settings")]
        assert all(trouble.is_told(page) for page in pages)
    assert [clerk.open(path).status for path in ("/", "/cases", "/cases/2026-0001", "/settings")] == [200] * 4


def test_who_cannot_sign_in_is_told_and_the_password_is_not_on_the_page(trouble: Trouble) -> None:
    clerk = Browser(trouble.app)
    page = clerk.open("/sign-in")

    with trouble.begun():
        told = clerk.press(page, "サインイン", {"name": "clerk1", "password": "three blue parcels"})
        assert "three blue parcels" not in told.response.text
        assert trouble.is_told(told)
    assert clerk.sign_in("clerk1").status == 200


def test_a_refusal_that_cannot_be_recorded_is_told_as_that(trouble: Trouble) -> None:
    clerk = Browser(trouble.app)
    clerk.sign_in("clerk1")
    start = clerk.open("/")
    first = clerk.press(start, "申込みを始める")
    clerk.press(first, "この内容で終える", APPLICATION)

    with trouble.begun():
        page = clerk.press(first, "この内容で終える", {**APPLICATION, "reason": REASON})
        assert trouble.is_told(page)
    assert completions(trouble.app) == 1
