"""The replay in a real browser: stepped by the script it shows at each moment just what the server shows."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, OpenWindow, Window

REPLAY = "/cases/2026-0001/replay"
SHOWN = ("head", "stands", "values")
SCREENSHOTS = os.environ.get("MAMORI_SCREENSHOTS")
"""A folder for pictures to look at; none are taken without it."""


def ready(window: Window, path: str = REPLAY) -> None:
    """The replay is open, its steps and its first drawing are there."""
    window.open(path)
    expect(window.page.locator("#replay")).not_to_have_attribute("aria-busy", "true")
    expect(window.page.locator("[data-picture] svg[role=img]")).to_be_visible()


def shown(window: Window) -> dict[str, str]:
    """What the parts of the page say, also in what is folded up; white space aside."""
    texts = {part: window.page.locator(f"[data-{part}]").evaluate("part => part.textContent") for part in SHOWN}
    return {part: re.sub(r"\s+", "", text) for part, text in texts.items()}


def number(window: Window) -> int:
    return int(window.page.locator("output").inner_text())


def settled(window: Window, step: int) -> None:
    """The address is that of the moment, and its form is there."""
    expect(window.page.locator("output")).to_have_text(str(step))
    here = window.page.get_by_role("link", name="この時点へのリンク").get_attribute("href")
    expect(window.page).to_have_url(f"{window.address}{here}")


def test_each_moment_is_the_same_by_script_and_by_server(open_window: OpenWindow) -> None:
    stepped, served = open_window("auditor1"), open_window("auditor1", java_script_enabled=False)
    ready(stepped)
    last = int(stepped.page.locator("#step").get_attribute("max") or 0)
    assert last > 10
    for step in range(1, last + 1):
        served.open(f"{REPLAY}?step={step}")
        if step > 1:
            stepped.keys("ArrowRight")
        assert shown(stepped) == shown(served), step

    assert number(stepped) == last


def test_the_row_that_held_is_in_sight_however_far_down_its_table(open_window: OpenWindow) -> None:
    window = open_window("auditor1")
    ready(window)
    last = int(window.page.locator("#step").get_attribute("max") or 0)
    found = 0

    for _step in range(2, last + 1):
        window.keys("ArrowRight")
        for box in window.page.locator("[data-step] details[open] .wide:has(.fired)").all():
            fired, around, head = (
                part.evaluate("part => { const { top, bottom } = part.getBoundingClientRect(); return [top, bottom]; }")
                for part in (box.locator(".fired").first, box, box.locator("thead th").first)
            )
            assert around[0] <= head[0] < head[1] <= fired[0] + 1
            assert fired[0] < around[1]
            found += box.evaluate("box => box.scrollTop > 0")

    assert found


def test_the_diagram_marks_where_it_stands_and_the_way_it_came(open_window: OpenWindow) -> None:
    window = open_window("auditor1")
    ready(window)

    def marked(name: str) -> set[str]:
        drawn = window.page.locator(f"[data-picture] .diagram:not([hidden]) .djs-element.{name}")
        return set(drawn.evaluate_all("all => all.map((each) => each.dataset.elementId)"))

    assert marked("here") == {"ST_01_first_response"}
    window.keys("ArrowRight")
    assert marked("here") == {"ST_02_emergency_check"}
    assert "ST_01_first_response" in marked("way")
    window.keys("ArrowLeft")
    assert marked("here") == {"ST_01_first_response"}
    assert "ST_01_first_response" not in marked("way")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_keys_buttons_slider_and_search_lead_to_moments(open_window: OpenWindow, size: Mapping[str, Any]) -> None:
    window = open_window("supervisor1", **size)
    window.open("/cases/2026-0001")
    window.follow("経過を再生する")
    ready(window, REPLAY)

    window.keys("End")
    last = number(window)
    picture(window, size, "last")
    window.follow("前へ")
    assert number(window) == last - 1
    window.keys("Home")
    assert number(window) == 1
    picture(window, size, "first")
    window.page.locator("#step").fill("6")
    settled(window, 6)
    expect(window.page.locator("[data-head]")).to_contain_text("「速報」を終えました。")
    expect(window.page.get_by_role("group", name="いまの安全")).to_be_visible()
    picture(window, size, "amid")
    window.page.get_by_label("人・工程・項目・言葉").fill("事実調査 終えました")
    window.page.locator("[data-found] a").last.click()
    expect(window.page.locator("[data-head]")).to_contain_text("「事実調査」を終えました。")
    assert number(window) > 6


def picture(window: Window, size: Mapping[str, Any], name: str) -> None:
    if SCREENSHOTS:
        window.page.wait_for_timeout(800)
        window.page.screenshot(
            path=Path(SCREENSHOTS) / f"replay-{name}-{size['viewport']['width']}.png", full_page=True
        )


def test_it_plays_until_it_is_stopped(open_window: OpenWindow) -> None:
    window = open_window("auditor1")
    ready(window)

    window.keys(" ")
    expect(window.page.locator("output")).to_have_text("3")
    window.press("停止")
    stopped = number(window)
    window.page.wait_for_timeout(2000)

    assert number(window) == stopped


def test_a_decision_shows_its_table_with_the_rows_that_held(open_window: OpenWindow) -> None:
    window = open_window("auditor1")
    ready(window, f"{REPLAY}?step=6")
    window.keys("ArrowLeft", "ArrowRight")  # so that the script shows it

    fired = window.page.get_by_role("region", name="行為コード表").locator("tr.fired")

    assert fired.evaluate_all("rows => rows.map((row) => row.dataset.row)") == ["2", "3"]
    expect(fired.first).to_contain_text("当てはまった行")


def test_without_a_script_links_lead_from_moment_to_moment(open_window: OpenWindow) -> None:
    window = open_window("supervisor1", **PHONE, java_script_enabled=False)
    window.open(REPLAY)
    window.follow("次へ")
    expect(window.page.locator("[data-head]")).to_contain_text("「受付・一次対応」を終えました。")
    expect(window.page.get_by_role("button", name="再生")).to_have_count(0)
    window.page.locator("#step").fill("6")
    window.press("この時点へ")
    expect(window.page.locator("[data-head]")).to_contain_text("「速報」を終えました。")
    expect(window.page.get_by_role("group", name="いまの安全")).to_be_visible()
    window.page.get_by_label("人・工程・項目・言葉").fill("事実調査")
    window.press("探す")
    # By key: what is above the link is laid out only as it comes into view, and would move it.
    window.page.locator("[data-found] a").last.press("Enter")
    expect(window.page.locator("[data-head]")).to_contain_text("事実調査")


def test_the_text_leads_to_each_moment(open_window: OpenWindow) -> None:
    window = open_window("auditor1")
    window.open(f"{REPLAY}/text")
    window.page.locator("#step-6").get_by_role("link").click()
    expect(window.page.locator("output")).to_have_text("6")
