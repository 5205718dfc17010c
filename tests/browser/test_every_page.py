"""What holds on every page: help is near, everyone can use it, a phone shows it whole."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, NO_CONNECTION, PHONE, OpenWindow, Window

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
AXE_MISSING = f"{AXE.relative_to(ROOT)} is missing: get the packages of package-lock.json with: npm ci --ignore-scripts"
SCREENSHOTS = os.environ.get("MAMORI_SCREENSHOTS")
"""A folder for the pictures of the README; none are taken without it."""

JUDGING, REPLYING = "判定(一人目)", "正当な苦情への回答"
IN_DANGER, REPORT = "危ないとき", "速報を書く(1分)"
CASE = "/cases/2026-0001"


def on(path: str) -> Callable[[Window], None]:
    return lambda window: window.open(path)


def on_a_task(window: Window) -> None:
    window.open("/")
    window.follow(JUDGING)


def on_a_case(window: Window) -> None:
    """With the diagram, which is drawn when somebody comes to it."""
    window.open(CASE)
    window.page.get_by_role("heading", name="経過").scroll_into_view_if_needed()
    expect(window.region("手続").get_by_role("img", name="手続の図")).to_be_visible()


def on_a_replay(window: Window) -> None:
    """Amid the case, with a form, a decision table and the diagram, and stepped once by the script."""
    window.open(f"{CASE}/replay?step=5")
    expect(window.page.locator("#replay")).not_to_have_attribute("aria-busy", "true")
    expect(window.page.get_by_role("img", name="手続の図")).to_be_visible()
    window.keys("ArrowRight")
    expect(window.page.get_by_role("group", name="いまの安全")).to_be_visible()


def on_a_rejected_form(window: Window) -> None:
    window.open("/")
    window.follow(REPLYING)
    window.press("この内容で終える")
    expect(window.page.get_by_role("alert")).to_be_visible()


def with_the_list_of_keys(window: Window) -> None:
    window.open("/")
    window.press("キーボード操作")
    expect(window.page.get_by_role("dialog")).to_be_visible()


PAGES: Mapping[str, Callable[[Window], None]] = {
    "inbox": on("/"),
    "filtered inbox": on("/?q=判定"),
    "task": on_a_task,
    "rejected form": on_a_rejected_form,
    "cases": on("/cases"),
    "search without a hit": on("/cases?q=見当たらない言葉&overdue=yes"),
    "case": on_a_case,
    "replay": on_a_replay,
    "replay as text": on(f"{CASE}/replay/text"),
    "emergency": on("/emergency"),
    "settings": on("/settings"),
    "nothing there": on("/nowhere"),
}
"""The pages of somebody who is signed in."""


@pytest.fixture
def supervisor(open_window: OpenWindow) -> Window:
    window = open_window("supervisor1")
    window.awaited = {"404", "422"}
    return window


def test_help_in_danger_and_the_quick_report_are_one_action_away_on_every_page(supervisor: Window) -> None:
    for visit in PAGES.values():
        visit(supervisor)
        expect(supervisor.page.get_by_role("button", name=REPORT).first).to_be_visible()
        supervisor.follow(IN_DANGER)
        expect(supervisor.page.get_by_role("link", name=re.compile("^110"))).to_be_in_viewport()

    supervisor.press(REPORT)
    expect(supervisor.title).to_have_text("緊急・危険の判定")  # the first thing that the report asks


def test_help_in_danger_needs_no_name_and_no_connection(open_window: OpenWindow) -> None:
    stranger = open_window(**PHONE)
    stranger.open("/sign-in")
    stranger.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    stranger.follow(IN_DANGER)
    card = stranger.main.get_by_role("list").first.inner_text()

    stranger.awaited = {NO_CONNECTION}
    stranger.context.set_offline(True)
    stranger.open("/sign-in")

    expect(stranger.main.get_by_role("list").first).to_have_text(card, use_inner_text=True)
    expect(stranger.page.get_by_role("link", name=re.compile("^110"))).to_be_in_viewport()
    expect(stranger.main).to_contain_text("いまは接続がありません")
    expect(stranger.main.get_by_text("お探しの画面の代わりに")).to_be_visible()


def test_everyone_can_use_every_page_by_light_and_dark_on_desk_and_phone(open_window: OpenWindow) -> None:
    """axe-core finds nothing. Its script comes from outside the page, so these windows do without the policy."""
    assert AXE.exists(), AXE_MISSING
    supervisor = open_window("supervisor1", bypass_csp=True)
    supervisor.awaited = {"404", "422"}
    pages = {**PAGES, "list of keys": with_the_list_of_keys}
    found = {name: violations(supervisor.page) for name, visit in pages.items() if visit(supervisor) is None}
    stranger, operator = open_window(bypass_csp=True), open_window("desk1", bypass_csp=True)
    auditor = open_window("auditor1", bypass_csp=True)
    for window, path in (
        (stranger, "/sign-in"),
        (stranger, "/emergency"),
        (operator, "/incidents"),
        (auditor, "/record"),
        (auditor, f"{CASE}/readings"),
        (auditor, "/overview"),
    ):
        window.open(path)
        if path == "/overview":
            expect(window.page.get_by_role("img", name="手続の図")).to_be_visible()
        found[f"{path} of another"] = violations(window.page)

    assert {name: faults for name, faults in found.items() if faults} == {}


def violations(page: Page) -> list[str]:
    """What axe finds on the page in each size and colour scheme; of its rules only contrast depends on the scheme.

    And whether somebody would have to scroll sideways, or a cell of a table stands in no column.
    """
    page.add_script_tag(path=AXE)
    found: list[str] = []
    for size, options in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(options["viewport"])
        for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
            page.emulate_media(color_scheme=scheme)
            wide = ["wider than the window"] if page.evaluate(IS_WIDE) else []
            faults = [*wide, *page.evaluate(ASTRAY), *page.evaluate(RUN_AXE, rules)]
            found += [f"{size}, {scheme}: {fault}" for fault in faults]
    return found


IS_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
ASTRAY = """() => [...document.querySelectorAll("tr > *")]
    .filter((cell) => getComputedStyle(cell.parentElement).display === "table-row")
    .filter((cell) => !["table-cell", "none"].includes(getComputedStyle(cell).display))
    .map((cell) => `no column: ${cell.outerHTML.slice(0, 80)}`)"""
RUN_AXE = """async (runOnly) => {
    const found = await axe.run(document, { ...(runOnly && { runOnly }), resultTypes: ["violations"] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id} ${node.target.join(" ")}`));
}"""


def test_the_pages_of_the_readme_show_what_is_to_do(open_window: OpenWindow) -> None:
    at_desk = open_window("supervisor1")
    on_the_way = open_window("supervisor1", **PHONE, device_scale_factor=2)
    for name, window, visit, shown in (
        ("inbox", on_the_way, on("/"), REPLYING),
        ("task", at_desk, on_a_task, "この内容で終える"),
        ("case", at_desk, on_a_case, "経過"),
    ):
        visit(window)
        expect(window.main.get_by_text(shown, exact=True).first).to_be_visible()
        if SCREENSHOTS:
            window.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")
