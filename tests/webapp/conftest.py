"""A browser without JavaScript over the real application, a real SQLite database and a fixed clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from argon2 import PasswordHasher
from flask import Flask
from freezegun import freeze_time
from lxml import html
from werkzeug.test import TestResponse

from engine import deployments, identity
from engine.database import Database, connect
from webapp import create_app

BUNDLE = Path(__file__).parent / "bundle"
PASSWORD = "three blue parcels"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))

Fields = Mapping[str, str | Sequence[str]]

APPLICATION: Fields = {
    "item": "いす",
    "reason": "座面が割れた",
    "kind": "new",
    "condition": "ache",
    "friend": "adviser1",
}


@dataclass
class Page:
    """A response as a person sees it."""

    response: TestResponse
    document: html.HtmlElement = field(init=False)

    def __post_init__(self) -> None:
        page = self.response.text if self.response.mimetype == "text/html" else ""
        self.document = html.document_fromstring(page or "<html></html>")

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def address(self) -> str:
        return self.response.request.path

    @property
    def text(self) -> str:
        return " ".join(self.document.find("body").text_content().split())

    @property
    def title(self) -> str:
        return self.document.findtext(".//h1").strip()

    @property
    def tasks(self) -> list[str]:
        """The names of the steps on the page, in order."""
        return [" ".join(found.text_content().split()) for found in self.document.find_class("title")]

    def links(self) -> dict[str, str]:
        return {" ".join(a.text_content().split()): a.get("href") for a in self.document.iter("a")}

    def buttons(self) -> set[str]:
        return {" ".join(button.text_content().split()) for button in self.document.iter("button")}

    def control(self, name: str) -> html.HtmlElement:
        return self.document.xpath("//main//*[@name=$name]", name=name)[0]

    def named(self, name: str) -> list[html.HtmlElement]:
        return list(self.document.xpath("//main//*[@name=$name]", name=name))

    def error_at(self, name: str) -> str:
        """The text of the error that the control, or the fieldset around it, is described by."""
        control = self.control(name)
        described = control if control.get("aria-describedby") else control.xpath("ancestor::fieldset[1]")[0]
        ids = [each for each in (described.get("aria-describedby") or "").split() if each.endswith("-error")]
        return " ".join(self.document.get_element_by_id(each).text_content() for each in ids)

    def form(self, button: str) -> tuple[html.FormElement, html.HtmlElement]:
        """The form with the button that begins with this text, and the button."""
        for found in self.document.iter("button"):
            if " ".join(found.text_content().split()).startswith(button):
                return found.xpath("ancestor::form[1]")[0], found
        raise AssertionError(f"no button {button!r} on {self.address}: {sorted(self.buttons())}")


def sent(form: html.FormElement) -> Iterator[tuple[str, str]]:
    """What a browser sends of the form as it stands, without a button."""
    for control in form.xpath("(.//input | .//select | .//textarea)[@name]"):
        name = control.get("name")
        if control.get("type") in ("radio", "checkbox"):
            if control.get("checked") is not None:
                yield name, control.get("value", "on")
        elif control.tag == "textarea":
            yield name, (control.text or "").removeprefix("\n")
        else:
            yield name, (control.value if control.tag == "select" else control.get("value")) or ""


class Browser:
    """Follows links and sends forms as they stand on the page, with what was filled in."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def open(self, path: str, **headers: str) -> Page:
        return Page(self.client.get(path, headers=headers, follow_redirects=True))

    def press(self, page: Page, button: str, fields: Fields | None = None) -> Page:
        """The page after the button was pressed; `fields` replace what stands in the form, or are added to it."""
        form, pressed = page.form(button)
        pairs = [(name, value) for name, value in sent(form) if name not in (fields or {})]
        for name, value in (fields or {}).items():
            pairs += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        if pressed.get("name"):
            pairs.append((pressed.get("name"), pressed.get("value", "")))
        return self.post(form.get("action"), pairs)

    def post(self, path: str, pairs: Sequence[tuple[str, str]]) -> Page:
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        return Page(self.client.post(path, data=data, follow_redirects=True))

    def sign_in(self, name: str, password: str = PASSWORD) -> Page:
        page = self.open("/sign-in")
        return self.press(page, "サインイン", {"name": name, "password": password})


People = Callable[[str], Browser]


def build(path: Path, *folders: Path) -> None:
    """A database at `path` with these folders deployed and their people seeded, with cheap hashes of the password."""
    build_at(f"sqlite:///{path}", *folders)


def build_at(url: str, *folders: Path) -> None:
    database = connect(url)
    database.create()
    fill(database, *folders)
    database.close()


def fill(database: Database, *folders: Path, by: str | None = None) -> None:
    with database.transaction() as session:
        deployments.deploy(session, deployments.read_folder(*folders), by=by, at=NOW)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(identity, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
            identity.seed(session, deployments.catalogue(session).people, password=PASSWORD)


def serve(path: Path, **config: object) -> Flask:
    """The application as it is where no script was built, unless `config` says otherwise."""
    return serve_at(f"sqlite:///{path}", **config)


def serve_at(url: str, **config: object) -> Flask:
    settings = {"TESTING": True, "SECRET_KEY": "a fixed key for tests only, long enough", "SCRIPTS": False, **config}
    return create_app(url, **settings)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared") / "mamori.db"
    build(path, BUNDLE)
    return path


@pytest.fixture(scope="session")
def prepared_and_applied(prepared: Path) -> Path:
    """As `prepared`, and clerk1 has completed the first step of a case through the pages."""
    path = Path(shutil.copy(prepared, prepared.with_name("applied.db")))
    served = serve(path)
    with freeze_time(NOW):
        clerk = Browser(served)
        asking = clerk.press(clerk.sign_in("clerk1"), "申込みを始める")
        assert clerk.press(asking, "この内容で終える", APPLICATION).status == 200
    served.extensions["mamori"].close()
    return path


@pytest.fixture(scope="session")
def prepared_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company") / "mamori.db"
    build(path, *deployments.BUNDLED)
    return path


@pytest.fixture(scope="session")
def company_that_judges(prepared_company: Path) -> Path:
    """C-11 up to the first judge, with supervisor2 among the victims."""
    path = Path(shutil.copy(prepared_company, prepared_company.with_name("judging.db")))
    served = serve(path)
    with freeze_time(NOW) as clock:
        from tests.webapp.company import Company, answers, begin  # it imports from here

        at_work = Company(served, clock, {}, answers("C-11"))
        at_work.answers["incident_quick_report"][0]["victims"] = ["handler1", "supervisor2"]
        begin(at_work)
        at_work.play_until("determination_form")
    served.extensions["mamori"].close()
    return path


@pytest.fixture
def app(request: pytest.FixtureRequest, prepared: Path, tmp_path: Path) -> Iterator[Flask]:
    source = request.getfixturevalue("prepared_and_applied") if "applied" in request.fixturenames else prepared
    served = serve(Path(shutil.copy(source, tmp_path / "mamori.db")))
    yield served
    served.extensions["mamori"].close()


@pytest.fixture(autouse=True)
def clock() -> Iterator[object]:
    with freeze_time(NOW, ignore=["_pytest"]) as frozen:
        yield frozen


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def signed_in(app: Flask) -> People:
    """Browsers of people who have signed in, by user name; the same one each time."""
    browsers: dict[str, Browser] = {}

    def browser(name: str) -> Browser:
        if name not in browsers:
            browsers[name] = Browser(app)
            assert browsers[name].sign_in(name).status == 200
        return browsers[name]

    return browser


@pytest.fixture
def asking(signed_in: People) -> Page:
    """The first step of a new case, open before clerk1."""
    clerk = signed_in("clerk1")
    return clerk.press(clerk.open("/"), "申込みを始める")


@pytest.fixture
def applied() -> str:
    """The number of a case in which clerk1 has completed the first step (task 1; now task 2 is open)."""
    return "2026-0001"
