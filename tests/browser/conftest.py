"""A real Chromium before the real application: served here by waitress over a SQLite file, with its worker running.

A window takes note of every script error, console error, refusal by the content security policy and request that
leaves the machine; one note fails the test.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect
from pytest_playwright.pytest_playwright import CreateContextCallback
from waitress import wasyncore
from waitress.server import create_server

from engine import bundles, business_days, deployments, feel, forms, identity, scenario_files, scenarios
from engine.columns import JST
from engine.database import connect
from engine.worker import Worker
from webapp import create_app
from webapp.__main__ import DEMO_PASSWORD, prepare

CHROMIUM = shutil.which("chromium")
MISSING = "No Chromium for the browser tests; get it with: apt-get install chromium fonts-noto-cjk"
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
)
NOTHING_OUTSIDE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"

SCENARIOS = deployments.BUNDLED[0] / "harassment-response" / "scenarios"
DESK: Mapping[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: Mapping[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
TIMEOUT = 10_000  # ms for anything to happen; the machine may be busy

NO_CONNECTION = "net::ERR_INTERNET_DISCONNECTED"
MANY_TABS = 60
FOCUS = """() => {
    const element = document.activeElement, box = element.getBoundingClientRect(), style = getComputedStyle(element);
    const middle = [(box.left + box.right) / 2, (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2];
    const hit = document.elementFromPoint(...middle);
    const ours = element.matches(":focus"); // else the focus is in a part that the browser draws, with its own mark
    const marked = !ours || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
    const free = hit !== null && (element.contains(hit) || hit.contains(element));
    return { element: element.outerHTML.slice(0, 200), seen: marked && free };
}"""
"""What has the focus, and whether it is marked and nothing lies over it."""

Answer: TypeAlias = Mapping[str, Any]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is no Chromium one test of this folder stands for all, and says how to get it."""
    if CHROMIUM is None:
        _, *rest = (item for item in items if Path(__file__).parent in item.path.parents)
        config.hook.pytest_deselected(items=rest)
        items[:] = [item for item in items if item not in rest]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium for pytest-playwright, which looks up no name but this machine's."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    return {"executable_path": CHROMIUM, "args": [*FLAGS.split(), NOTHING_OUTSIDE]}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """What all windows have in common."""
    return {"locale": "ja-JP", "timezone_id": "Asia/Tokyo"}


# The company --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


@pytest.fixture(scope="session")
def bundled_forms(files: dict[str, bytes]) -> Mapping[str, forms.Form]:
    return bundles.compile_files(files, deployments.JOB_TYPES).forms


@pytest.fixture(scope="session")
def new_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as `make run` prepares it, but for cheap hashes of the password."""
    path = tmp_path_factory.mktemp("company") / "mamori.db"
    database = connect(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        prepare(database, datetime.now(JST))
    database.close()
    return path


CASES = (("C-11", "determination_form"), ("C-01", "complaint_reply"), ("C-05", "emergency_check"))
"""The cases of `busy_company`, from 2026-0001 on in this order: the scenario, and the form that it waits for."""


@pytest.fixture(scope="session")
def busy_company(new_company: Path, files: dict[str, bytes]) -> Path:
    """A company amid its work, begun an hour ago."""
    path = Path(shutil.copy(new_company, new_company.with_name("busy.db")))
    database = connect(f"sqlite:///{path}")
    for name, waiting in CASES:
        scenarios.run_on(database, _until(scenario_files.read(SCENARIOS / f"{name}.yaml"), waiting), files)
    database.close()
    return path


def _until(scenario: scenario_files.Scenario, waiting: str) -> scenario_files.Scenario:
    """The scenario as it stands when the form is asked, without any time going by."""
    at = datetime.now(JST) - timedelta(hours=1)
    given = {form: answer for form, answer in scenario.answers.items() if form != waiting}
    no_time = feel.parse_expression('duration("PT0S")').evaluate({}, feel.Environment(now=at))
    return replace(scenario, at=at, answers=given, events=(), expect={}, until=no_time, leave_open=frozenset({waiting}))


@contextmanager
def _served(path: Path) -> Iterator[str]:
    """The address at which the application serves this database, with the worker beside it."""
    app = create_app(f"sqlite:///{path}", SECRET_KEY="a fixed key for tests only, long enough")
    database = app.extensions["mamori"]
    sockets: dict[int, object] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=4)
    serving = threading.Thread(target=server.run)
    worker = Worker(database, lambda: datetime.now(JST), pause=0.1)
    serving.start()
    worker.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        worker.stop()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        serving.join()
        server.task_dispatcher.shutdown()
        database.close()


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a company: a busy one, or a new one where the test is marked by using `new_company`."""
    source = "new_company" if "new_company" in request.fixturenames else "busy_company"
    with _served(Path(shutil.copy(request.getfixturevalue(source), tmp_path / "mamori.db"))) as address:
        yield address


# Windows ------------------------------------------------------------------------------------------------


class Window:
    """A browser window, worked as a person works it: by what the page says."""

    def __init__(self, context: BrowserContext, address: str, bundled: Mapping[str, forms.Form]) -> None:
        self.context, self.address, self.forms = context, address, bundled
        self.faults: list[str] = []
        self.awaited: set[str] = set()
        """Why the test lets requests fail: HTTP statuses, or the browser's name for a lost connection."""
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"script error: {error.error}"))
        context.set_default_timeout(TIMEOUT)
        self.page: Page = context.new_page()

    def _requested(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(f"{self.address}/"):
            self.faults.append(f"left the machine: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        failed = re.fullmatch(r"Failed to load resource: .*?(\d{3} |net::ERR_INTERNET_DISCONNECTED).*", message.text)
        if message.type in ("error", "warning") and not (failed and failed[1].strip() in self.awaited):
            self.faults.append(f"console: {message.text} ({self.page.url})")

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def title(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).first.click()

    def follow(self, label: str) -> None:
        self.page.get_by_role("link", name=label, exact=True).first.click()

    def region(self, heading: str) -> Locator:
        return self.page.get_by_role("region", name=heading, exact=True)

    def fact(self, label: str) -> Locator:
        """What the page says that is known of the case under this label."""
        known = self.page.locator("dt", has_text=re.compile(rf"^{re.escape(label)}$"))
        return self.main.locator("dl > div", has=known).locator("dd")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def tab_to(self, target: Locator) -> None:
        """The focus stands here, and could be seen on all its way."""
        for _ in range(MANY_TABS):
            self.keys("Tab")
            focused = self.page.evaluate(FOCUS)
            assert focused["seen"], f"nobody sees where the focus is: {focused['element']} ({self.page.url})"
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{MANY_TABS} tabs do not lead to {target}")

    def sign_in(self, name: str) -> None:
        self.open("/sign-in")
        self.page.get_by_label("ユーザー名").fill(name)
        self.page.get_by_label("パスワード").fill(DEMO_PASSWORD)
        self.press("サインイン")
        expect(self.title).to_have_text("受信箱")

    def fill(self, form: str, answer: Answer) -> None:
        """The answers stand in the form, field by field as they are shown."""
        self._fill(self.main, self.forms[form].body, answer)

    def fill_without_script(self, form: str, answer: Answer) -> None:
        """As `fill`, where the page shows further fields when it is brought up to date."""
        body = self.forms[form].body
        shown = {key: value for key, value in answer.items() if control(self.main, body.by_key[key]).is_visible()}
        self._fill(self.main, body, shown)
        self.press("表示を更新")
        self._fill(self.main, body, {key: value for key, value in answer.items() if key not in shown})

    def _fill(self, around: Locator, fields: forms.Fields, answer: Answer) -> None:
        assert answer.keys() <= fields.by_key.keys()
        for key, field in fields.by_key.items():
            if key in answer:
                self._answer(control(around, field), field, answer[key])

    def _answer(self, found: Locator, field: forms.Field, value: Any) -> None:
        match field.kind:
            case "list":
                for number, row in enumerate(value, start=1):
                    place = found.get_by_role("group", name=f"{number}件目")
                    if number > 1:
                        found.get_by_role("button", name="行を追加する").click()
                    self._fill(place, field.fields, row)
            case "bool":
                found.set_checked(value)
            case "multi":
                chosen = found.locator("input:checked").evaluate_all("boxes => boxes.map((box) => box.value)")
                for each in {*chosen, *value}:
                    found.locator(f"input[value='{each}']").set_checked(each in value)
            case "enum" if field.component == "radio":
                found.locator(f"input[value='{value}']").check()
            case "enum":
                found.select_option(value=str(value))
            case _:
                found.fill(typed(value, field.kind))

    def done(self) -> None:
        """The form is sent, and another page is there."""
        before = self.page.url
        self.press("この内容で終える")
        self.page.wait_for_url(lambda url: url != before)

    def find(self, step: str) -> None:
        """The step is open from the inbox, where the worker may be about to bring it."""
        link = self.page.get_by_role("link", name=step, exact=True).first
        end = time.monotonic() + TIMEOUT / 1000
        self.open("/")
        while not link.is_visible() and time.monotonic() < end:
            self.page.reload()
        link.click()

    def work(self, step: str, form: str, answer: Answer) -> None:
        """The step, which stands open or waits in the inbox, is done."""
        if self.title.inner_text() != step:
            self.find(step)
        expect(self.title).to_have_text(step)
        self.fill(form, answer)
        self.done()
        expect(self.page.get_by_role("status").filter(has_text=f"「{step}」を終えました")).to_be_visible()


def marked(label: str) -> re.Pattern[str]:
    """The label, with or without the mark that it must be filled in."""
    return re.compile(rf"^\s*{re.escape(label)}\s*(必須|任意)?\s*$")


def control(around: Locator, field: forms.Field) -> Locator:
    """What has the field's label: one control, or the group around its choices or rows."""
    if field.kind in ("multi", "list") or field.component == "radio":
        return around.get_by_role("group", name=marked(field.label)).first
    return around.get_by_label(marked(field.label))


def typed(value: Any, kind: forms.model.Kind) -> str:
    """The answer of a scenario as it is typed; `=` begins what is computed from the present."""
    if not (isinstance(value, str) and value.startswith("=")):
        return str(value)
    environment = feel.Environment(now=datetime.now(JST), functions=business_days.FUNCTIONS)
    found = feel.parse_expression(value[1:], tuple(business_days.FUNCTIONS)).evaluate({}, environment)
    return feel.to_text(found)[: {"datetime": 16, "date": 10}[kind]]


OpenWindow: TypeAlias = Callable[..., Window]


@pytest.fixture
def open_window(
    new_context: CreateContextCallback, served: str, bundled_forms: Mapping[str, forms.Form]
) -> Iterator[OpenWindow]:
    """Opens the window of a person who signs in, or of a stranger, with Playwright's options for it."""
    windows: list[Window] = []

    def opened(name: str | None = None, **options: Any) -> Window:
        windows.append(Window(new_context(**{**DESK, **options}), served, bundled_forms))
        if name:
            windows[-1].sign_in(name)
        return windows[-1]

    yield opened
    for window in windows:
        window.context.close()
    assert [fault for window in windows for fault in window.faults] == []


@dataclass(frozen=True)
class Answers:
    """What a scenario answers, a form at a time; a form that is asked again gets its next answer."""

    given: Mapping[str, list[Answer]]

    def next(self, form: str) -> Answer:
        return self.given[form].pop(0)


@pytest.fixture
def answers_of() -> Callable[[str], Answers]:
    def read(scenario: str) -> Answers:
        given = scenario_files.read(SCENARIOS / f"{scenario}.yaml").answers
        return Answers({form: [one] if isinstance(one, Mapping) else list(one) for form, one in given.items()})

    return read
