"""Whole cases, worked by their roles in a real browser: at a desk, on a phone, without JavaScript, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import DEMO_PASSWORD, DESK, PHONE, Answers, OpenWindow, Window, marked

HARASSMENT = (
    ("handler1", "受付・一次対応", "contact_record"),
    ("handler1", "緊急・危険の判定", "emergency_check"),
    ("supervisor1", "引継ぎと複数名対応", "handover"),
    ("supervisor1", "中止の要請と終了", "interaction_control"),
    ("handler1", "速報", "incident_quick_report"),
    ("supervisor1", "安全の確保と分離", "care_separation"),
    ("supervisor1", "最初の声かけ", "care_first_contact"),
    ("hr1", "ケアレベルの決定と計画", "care_plan"),
    ("desk1", "証拠保全", "evidence_item"),
    ("desk1", "事実調査", "fact_finding"),
    ("supervisor1", "判定(一人目)", "determination_form"),
    ("desk1", "判定(二人目)", "determination_review"),
    ("head1", "判定の確定", "determination_confirm"),
    ("head1", "対応方針の決定", "response_plan"),
)
COMPLAINT = (
    ("handler1", "受付・一次対応", "contact_record"),
    ("handler1", "緊急・危険の判定", "emergency_check"),
    ("handler1", "要求の特定と事実確認", "demand_check"),
    ("supervisor1", "正当な苦情への回答", "complaint_reply"),
    ("head1", "事例検証・改善", "case_review"),
    ("desk1", "終結・記録の保管", "closure"),
)
BEGIN = "苦情・要望を受け付ける"
CASE = "/cases/2026-0001"

Steps = Iterable[tuple[str, str, str]]


def work(open_window: OpenWindow, steps: Steps, answers: Answers, **size: Any) -> dict[str, Window]:
    """The case is begun and worked, each person in a window of their own; their windows."""
    windows: dict[str, Window] = {}
    for name, step, form in steps:
        if not windows:
            windows[name] = open_window(name, **size)
            windows[name].press(BEGIN)
        elif name not in windows:
            windows[name] = open_window(name, **size)
        windows[name].work(step, form, answers.next(form))
    return windows


@pytest.mark.usefixtures("new_company")
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_harassment_case_goes_through_five_roles_to_its_measures(
    open_window: OpenWindow, answers_of: Callable[[str], Answers], size: Mapping[str, Any]
) -> None:
    """C-11 of the domain as far as ST-12, with the first care for the person at its side."""
    windows = work(open_window, HARASSMENT, answers_of("C-11"), **size)

    head = windows["head1"]
    head.open(CASE)
    expect(head.title).to_contain_text("進行中")
    for label, fact in (("判定", "該当"), ("レベル", "3 重大"), ("主な類型", "暴力行為")):
        expect(head.fact(label)).to_have_text(fact)
    expect(head.region("次にすること")).to_contain_text("警察・弁護士の要否")


@pytest.mark.usefixtures("new_company")
def test_a_legitimate_complaint_is_answered_and_closed(
    open_window: OpenWindow, answers_of: Callable[[str], Answers]
) -> None:
    """C-01 of the domain."""
    desk = work(open_window, COMPLAINT, answers_of("C-01"), **PHONE)["desk1"]

    desk.open(CASE)
    expect(desk.title).to_contain_text("終結")
    for label, fact in (("判定", "非該当"), ("終結状態", "ES-01 正当な苦情・要望として解決")):
        expect(desk.fact(label)).to_have_text(fact)
    expect(desk.region("次にすること")).to_contain_text("いま行う工程はありません。")


@pytest.mark.usefixtures("new_company")
def test_the_first_steps_need_no_script(open_window: OpenWindow, answers_of: Callable[[str], Answers]) -> None:
    answers = answers_of("C-11")
    handler = open_window("handler1", **PHONE, java_script_enabled=False)
    handler.press(BEGIN)
    handler.fill_without_script("contact_record", answers.next("contact_record"))
    handler.done()
    handler.fill_without_script("emergency_check", answers.next("emergency_check"))
    handler.press("下書きを保存")
    expect(handler.main).to_contain_text("下書きを保存しました")
    handler.done()

    supervisor = open_window("supervisor1", **PHONE, java_script_enabled=False)
    supervisor.follow("引継ぎと複数名対応")
    supervisor.fill_without_script("handover", answers.next("handover"))
    supervisor.done()
    expect(supervisor.title).to_have_text("中止の要請と終了")


@pytest.mark.usefixtures("new_company")
def test_the_first_steps_are_done_by_keyboard_alone(open_window: OpenWindow) -> None:
    window = open_window()
    page = window.page
    window.open("/")
    window.tab_to(page.get_by_role("link", name="本文へ移る"))
    window.keys("Enter")
    window.keys("Tab")
    expect(page.get_by_label(marked("ユーザー名"))).to_be_focused()
    window.type("handler1")
    window.tab_to(page.get_by_label(marked("パスワード")))
    window.type(DEMO_PASSWORD)
    window.keys("Enter")
    arrived(window, "受信箱")

    window.keys("?")
    expect(page.get_by_role("dialog", name="キーボード操作")).to_be_visible()
    window.keys("Escape", "g", "c")
    arrived(window, "事案")
    window.tab_to(page.get_by_role("button", name=BEGIN))
    window.keys("Enter")
    arrived(window, "受付・一次対応")

    window.tab_to(page.get_by_label(marked("受けた方法")))
    window.keys("ArrowDown", "ArrowDown")
    for label, text in (
        ("顧客(または匿名)", "文具の通販店"),
        ("申出の内容(事実)", "届いた品が違うとの申出。"),
        ("顧客の求め", "正しい品の発送。"),
    ):
        window.tab_to(page.get_by_label(marked(label)))
        window.type(text)
    window.tab_to(page.get_by_label(marked("要求を復唱し確認した")))
    window.keys("Space")
    window.tab_to(choice(window, "会社側の落ち度の見込み", "なし"))
    window.keys("Space", "ArrowDown")
    expect(choice(window, "会社側の落ち度の見込み", "一部")).to_be_checked()
    window.tab_to(choice(window, "配慮の申出", "なし"))
    window.keys("Space")
    window.tab_to(page.get_by_label(marked("次の連絡の約束")))
    window.keys(*["ArrowUp", "ArrowRight"] * 6)  # year, month, day, hour, minute, and half of the day in some languages
    window.tab_to(page.get_by_role("button", name="この内容で終える"))
    window.keys("Enter")

    expect(window.title).to_have_text("緊急・危険の判定")
    for said in ("電話", "文具の通販店", "届いた品が違うとの申出。", "一部"):
        expect(window.main.locator("dd").filter(has_text=said)).not_to_have_count(0)


def arrived(window: Window, title: str) -> None:
    """The page is there with its scripts: nobody's fingers are as fast as this test."""
    expect(window.title).to_have_text(title)
    window.page.wait_for_load_state()


def choice(window: Window, question: str, answer: str) -> Locator:
    return window.page.get_by_role("group", name=marked(question)).get_by_role("radio", name=answer, exact=True)
