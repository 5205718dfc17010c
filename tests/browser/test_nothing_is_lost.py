"""What somebody typed is there whatever happens to the task, the form or the connection."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import NO_CONNECTION, OpenWindow, Window

REPLYING = "正当な苦情への回答"
TYPED = "更新の記録を確かめ、設定の抜けを見つけた。"


def replying(window: Window) -> None:
    """The form of a reply stands open, with the first field written."""
    window.open("/")
    window.follow(REPLYING)
    window.fill("complaint_reply", {"investigation": TYPED})


def test_a_lost_race_shows_what_was_typed(open_window: OpenWindow, answers_of) -> None:
    slow, fast = open_window("supervisor1"), open_window("supervisor2")
    slow.awaited = {"409"}
    replying(slow)
    replying(fast)
    fast.fill("complaint_reply", answers_of("C-01").next("complaint_reply"))
    fast.done()

    slow.press("この内容で終える")

    expect(slow.title).to_have_text(f"「{REPLYING}」は、すでに済んでいます。")
    expect(slow.main).to_contain_text("江川 直樹さん")
    expect(slow.region("入力していた内容")).to_contain_text(TYPED)


def test_a_rejected_form_keeps_what_was_typed_and_leads_to_the_fields(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    window.awaited = {"422"}
    replying(window)

    window.press("この内容で終える")

    summary = window.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(window.main.get_by_label("調べたこと")).to_have_value(TYPED)
    summary.get_by_role("link", name="回答の内容").click()
    expect(window.main.get_by_label("回答の内容")).to_be_focused()


def test_a_window_that_is_closed_keeps_what_was_typed(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    replying(window)
    window.page.close()

    window.page = window.context.new_page()
    window.open("/")
    window.follow(REPLYING)
    expect(window.main.get_by_label("調べたこと")).to_have_value(TYPED)


def test_without_a_connection_the_text_is_kept_and_saved_when_it_is_back(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    window.open("/")
    window.follow(REPLYING)
    expect(window.page.locator("[data-without-script]")).to_have_count(0)  # the script is at work
    window.awaited = {NO_CONNECTION}
    window.context.set_offline(True)
    window.fill("complaint_reply", {"investigation": TYPED})
    expect(window.main).to_contain_text("入力した内容はこの端末に残しました")

    window.context.set_offline(False)
    expect(window.main).to_contain_text("下書きを保存しました")
    window.page.reload()
    expect(window.main.get_by_label("調べたこと")).to_have_value(TYPED)


def test_without_a_connection_a_form_is_not_sent_and_stays_before_the_person(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    window.open("/")
    window.follow(REPLYING)
    expect(window.page.locator("[data-without-script]")).to_have_count(0)  # the script is at work
    window.awaited = {NO_CONNECTION, "422"}
    window.context.set_offline(True)
    window.fill("complaint_reply", {"investigation": TYPED})
    window.press("この内容で終える")
    expect(window.main).to_contain_text("まだ送っていません")
    expect(window.title).to_have_text(REPLYING)

    window.context.set_offline(False)
    window.press("この内容で終える")
    expect(window.page.get_by_role("alert")).to_be_visible()
    expect(window.main.get_by_label("調べたこと")).to_have_value(TYPED)


def test_what_is_typed_before_the_script_has_come_is_kept(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    held: list[Route] = []
    window.page.route("**/form.js", lambda route: held.append(route))
    window.open("/")
    window.page.get_by_role("link", name=REPLYING, exact=True).first.click(no_wait_after=True)
    window.main.get_by_label("調べたこと").fill(TYPED)
    assert len(held) == 1
    held[0].continue_()
    expect(window.page.locator("[data-without-script]")).to_have_count(0)  # the script is at work
    window.page.close()

    window.page = window.context.new_page()
    window.open("/")
    window.follow(REPLYING)
    expect(window.main.get_by_label("調べたこと")).to_have_value(TYPED)
