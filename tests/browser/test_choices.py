"""Long lists of choices, narrowed by what is typed above them."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow, control


def test_a_long_list_shows_what_holds_the_words_and_what_is_chosen(open_window: OpenWindow) -> None:
    window = open_window("supervisor1")
    window.find("判定(一人目)")
    form = window.forms["determination_form"].body
    codes = control(window.main, form.by_key["confirmed_codes"])
    words = codes.get_by_role("searchbox", name="言葉で絞り込む")
    shown = codes.get_by_role("checkbox")
    every = shown.count()
    chosen = codes.locator("input:checked").count()

    words.press_sequentially("v0")
    words.press_sequentially("1")  # narrower and narrower, in capitals or not

    expect(codes.get_by_role("checkbox", name=re.compile("^V01"), checked=False)).to_be_visible()
    expect(shown).to_have_count(chosen + 1)
    words.fill("どこにもない言葉")
    expect(shown).to_have_count(chosen)
    words.fill("人格")
    with window.page.expect_response(re.compile(r"/tasks/\d+/draft$")):
        codes.get_by_role("checkbox", name=re.compile("人格")).click()
    expect(window.page.locator("#draft")).to_contain_text("下書きを保存しました")
    expect(words).to_have_value("人格")
    expect(shown).to_have_count(chosen + 1)

    words.fill("")

    expect(shown).to_have_count(every)
