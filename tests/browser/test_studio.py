"""A process owner changes a deadline, a decision and a form in the browser; another person approves; it is taken back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from engine import deployments, forms, scenario_files
from tests.browser.conftest import OpenWindow, Window
from tests.browser.test_every_page import violations

pytestmark = pytest.mark.usefixtures("new_company")

DEADLINES = "harassment-response/deadlines.dmn"
MEASURES = "harassment-response/measures.dmn"
PROCESS = "harassment-response/external_response.bpmn"
MEASURES = "harassment-response/measures.dmn"
OBJECTION = "harassment-response/customer_objection.bpmn"
FORM = "determination_form.form"
SAVED = re.compile("改訂案に保存しました")
READABLE = 0.75  # of the size at which a diagram was drawn
SCENARIOS = 300_000  # ms for all of them; the machine may be busy
COUNT = len(scenario_files.find([deployments.BUNDLED[0]]))
CHANGED_UPON_AN_OBJECTION = "harassment-response/scenarios/U-20_objection_changes_measures.yaml"


def begin(window: Window, title: str = "法務審査を2日以内に") -> None:
    window.follow("プロセス")
    window.page.get_by_label("何を変えますか").fill(title)
    window.press("改訂案を始める")
    expect(window.title).to_have_text(title)


def edit(window: Window, name: str) -> Locator:
    """The editor of the file; the page of the revision leads there."""
    link = window.page.get_by_role("link", name=f"編集 {name}", exact=True)
    if name.endswith(".form"):
        window.region("ファイル").locator("summary", has_text="フォーム").click()
    link.click()
    expect(window.title).to_contain_text(name.rpartition("/")[2])
    return window.page.locator("#editor")


def look_at(window: Window, element: str) -> None:
    """The editor opens anew as a link to the element opens it: the element stands in its middle, chosen."""
    window.page.goto(f"{window.page.url}?element={element}")
    chosen = window.page.locator(f"#editor .djs-shape.selected[data-element-id='{element}']")
    expect(chosen).to_be_in_viewport(ratio=1)
    assert chosen.bounding_box()["width"] >= READABLE * 100  # bpmn-js draws a task 100 wide


def saved(window: Window) -> None:
    expect(window.page.locator("#editor-status")).to_have_text(SAVED)


def back(window: Window) -> None:
    window.follow("改訂案に戻る")


def choose_table(window: Window, name: str) -> None:
    window.page.locator("#editor-views").select_option(label=name)


def write_cell(window: Window, cell: Locator, text: str) -> None:
    cell.click()
    window.keys("Control+a")
    window.type(text)


def change_deadline(window: Window) -> None:
    """The legal review is due in two business days instead of three."""
    editor = edit(window, DEADLINES)
    choose_table(window, "期限の表")
    row = editor.locator(
        "tr",
        has=window.page.get_by_text("契約書と条項を確かめられるよう、法務の審査に3営業日をとる(DT-07 行14、社内基準)"),
    )
    days = row.locator("td[data-element-id='DT_07_limit_r17_o2']")
    expect(days).to_have_text("3")
    write_cell(window, days, "2")
    write_cell(window, row.locator("td[data-element-id='DT_07_limit_r17_o7']"), '"契約を確かめるため2営業日以内"')
    window.page.locator("h1").click()
    saved(window)
    back(window)


def add_rule(window: Window) -> None:
    """DT-05 proposes A01 for level 2 in an online meeting."""
    editor = edit(window, MEASURES)
    choose_table(window, "推奨措置の候補")
    rows = editor.locator("tbody tr")
    before = rows.count()
    editor.locator(".add-rule, [title='規則を加える']").last.click()
    expect(rows).to_have_count(before + 1)
    cells = editor.locator("tbody tr").nth(before).locator("td.input-cell, td.output-cell")
    for number, text in ((0, "2"), (2, '"online_meeting"'), (9, '"A01"'), (10, "null"), (11, "true")):
        write_cell(window, cells.nth(number), text)
    window.page.locator("h1").click()
    saved(window)
    back(window)


def add_field(window: Window) -> None:
    """F-05 asks for a message to the person in charge; the page that people will see shows it at once."""
    editor = edit(window, FORM)
    editor.locator(".fjs-palette-field[data-field-type='textarea']").focus()
    window.keys("Enter")
    editor.locator(".fjs-form-field-textarea").last.click()
    panel = editor.locator(".fjs-properties-container")
    general = panel.locator("[data-group-id='group-general']")
    label = general.locator("#bio-properties-panel-label")
    if not label.is_visible():
        general.locator(".bio-properties-panel-group-header").click()
    write_cell(window, label, "責任者への申し送り")
    general.locator("[name='key']").fill("note_to_head")
    window.page.locator("h1").click()
    expect(window.page.locator("#editor-preview")).to_contain_text("責任者への申し送り")
    saved(window)
    back(window)


def test_an_owner_changes_a_deadline_a_decision_and_a_form_and_takes_it_back(open_window: OpenWindow) -> None:
    owner, head = open_window("owner1"), open_window("head1")
    begin(owner)
    change_deadline(owner)
    add_rule(owner)
    add_field(owner)

    changes = owner.region("変わるところ")
    expect(changes).to_contain_text("「営業日」を 「3」 から 「2」 に変えます。")
    expect(changes).to_contain_text("新しい規則を加えます")
    changed = changes.locator("table.decision tr.changed")
    expect(changed.locator("td.turned del").first).to_have_text("3")
    expect(changed.locator("td.turned ins").first).to_have_text("2")
    expect(changes.locator("table.decision tr.added")).to_contain_text('"online_meeting"')
    expect(changes).to_contain_text("項目「責任者への申し送り」を加えます(項目名: note_to_head")
    expect(owner.region("指摘")).to_contain_text("直すところはありません")

    owner.press("シナリオを実行する")
    outcome = owner.region("シナリオ").get_by_role("status")
    expect(outcome).to_have_text(f"{COUNT} 件すべてが、シナリオのとおりになりました。", timeout=SCENARIOS)
    owner.page.get_by_label("なぜ変えますか").fill("契約の期限に間に合わせるため")
    owner.press("承認をお願いする")
    expect(owner.main).to_contain_text("承認待ち")
    expect(owner.page.get_by_role("button", name="承認する", exact=True)).to_have_count(0)

    head.follow("プロセス")
    head.follow("法務審査を2日以内に")
    head.press("承認する")
    head.press("配備する")
    expect(head.main).to_contain_text("配備しました")

    owner.open("/studio")
    expect(owner.main).to_contain_text("新しい事案は、第 2 版で始まります。")
    expect(owner.main).to_contain_text("契約の期限に間に合わせるため")
    owner.follow("第 1 版")
    owner.page.get_by_label("なぜ戻しますか").fill("まず様子を見るため")
    owner.press("この版に戻す")
    expect(owner.main).to_contain_text("第 1 版に戻したもの")


def test_a_diagram_is_drawn_on_and_keeps_what_it_does_when_only_moved(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "図を見やすく")
    edit(owner, PROCESS)
    look_at(owner, "ST_14_legal_review")
    owner.keys("ArrowRight", "ArrowRight")
    saved(owner)
    back(owner)

    changes = owner.region("変わるところ")
    expect(changes).to_contain_text("「法務審査」の、図の上での位置だけを変えます。")
    expect(changes).to_contain_text("実行のされ方は何も変わりません")
    changes.locator("[data-diagram]").scroll_into_view_if_needed()
    expect(changes.locator(".djs-shape.moved[data-element-id='ST_14_legal_review']")).to_have_count(1)


def test_a_wide_diagram_opens_where_it_starts_large_enough_to_read(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "図を読む")
    editor = edit(owner, PROCESS)

    start = editor.locator(".djs-shape[data-element-id='response_required'] .djs-hit")
    expect(start).to_be_in_viewport(ratio=1)
    assert start.bounding_box()["width"] >= READABLE * 36  # bpmn-js draws an event 36 wide
    owner.press("全体を表示")
    assert start.bounding_box()["width"] < READABLE * 36


def test_a_token_walks_the_diagram_to_the_first_step(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "流れを見る")
    editor = edit(owner, PROCESS)

    editor.get_by_text("流れを試す").click()
    tokens = editor.locator(".bts-token-count")
    expect(tokens).to_have_count(0)
    editor.locator("[data-container-id='response_required'] .bts-context-pad").first.click()
    expect(tokens.first).to_be_visible()
    expect(editor.locator(".bts-log")).to_contain_text("手続が始まりました")
    told = editor.locator(".bts-text").all_text_contents()
    assert told
    assert [text for text in told if re.search("[A-Za-z]{3}", text)] == []


def test_the_panel_speaks_japanese_and_offers_what_exists_and_the_server_tells_what_is_missing(
    open_window: OpenWindow,
) -> None:
    owner = open_window("owner1")
    begin(owner, "担当を変える")
    editor = edit(owner, PROCESS)
    look_at(owner, "ST_14_legal_review")
    panel = editor.locator(".editor-panel")
    expect(panel).to_contain_text("あるものから選ぶ")
    expect(panel.get_by_label("フォーム").first).to_have_value("legal_review")
    for label in ("法務", "顧問弁護士"):
        box = panel.get_by_label(label, exact=True)
        if box.is_checked():
            box.uncheck()
    saved(owner)

    findings = owner.page.locator("#editor-findings")
    expect(findings).to_contain_text("法務審査")
    expect(editor.locator(".has-finding[data-element-id='ST_14_legal_review']")).to_have_count(1)

    panel.get_by_label("顧問弁護士", exact=True).check()
    saved(owner)
    expect(findings).to_contain_text("直すところはありません")
    back(owner)
    expect(owner.region("変わるところ")).to_contain_text(
        "人の作業「法務審査」の担当する役割を 「legal」 から 「lawyer」 に変えます。"
    )


ENGLISH = """(root) => {
    const written = ".fjs-form-field, .bio-properties-panel-header-label, [contenteditable], style";
    const found = [];
    for (const each of [root, ...root.querySelectorAll("*")].filter((each) => each.checkVisibility() && !each.closest(written))) {
        const own = [...each.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data);
        found.push(...own, ...["title", "placeholder", "aria-label"].map((name) => each.getAttribute(name)));
    }
    const ours = /^(ID|URL|FEEL|Powered by bpmn.io)$/;
    return found.map((text) => text?.trim()).filter((text) => /[a-z]{3}/i.test(text ?? "") && !ours.test(text));
}"""
"""The texts and names of a part of an editor that hold a word in Latin letters, but for what people wrote."""


def unfold(panel: Locator) -> None:
    """Every group of the panel that can be opened is open."""
    closed = panel.locator(".bio-properties-panel-group-header:not(.open, .empty)")
    while closed.count():
        closed.first.click(position={"x": 30, "y": 10})


def test_every_part_of_the_panel_speaks_japanese(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "読める言葉で")
    edit(owner, PROCESS)
    panel = owner.page.locator(".editor-panel")
    written = re.compile(r"[a-z_]+|dueEvent|excludedUsers")  # names of variables, as the diagram has them

    for chosen in ("ST_14_legal_review", "measures", "response_required", "decision_merge"):
        owner.page.goto(f"{owner.page.url.partition('?')[0]}?element={chosen}")
        expect(panel.locator(".bio-properties-panel-group").first).to_be_visible()
        expect(panel.locator("[title='Toggle section']")).to_have_count(0)
        unfold(panel)
        expect(panel.locator("[title='開閉する']").first).to_be_attached()
        assert [text for text in panel.evaluate(ENGLISH) if not written.fullmatch(text)] == [], chosen


def test_a_task_gets_a_deadline_by_what_its_rules_say(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "期限を変える")
    edit(owner, PROCESS)
    look_at(owner, "ST_14_legal_review")
    panel = owner.page.locator(".editor-panel")
    deadline = panel.get_by_label("期限", exact=True).first
    expect(deadline).to_have_value("legal_review")
    expect(deadline.locator("option:checked")).to_contain_text("契約を確かめるため3営業日以内")
    deadline.select_option(label="承認の後、2営業日以内")
    saved(owner)
    back(owner)

    expect(owner.region("変わるところ")).to_contain_text("「legal_review」 から 「notice_issue」")


def test_roles_that_an_expression_computes_stand_as_such_and_are_not_ticked_away(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "決裁する人")
    edit(owner, PROCESS)
    look_at(owner, "ST_12_response_decision")
    panel = owner.page.locator(".editor-panel")

    expect(panel.get_by_label("式で決まります")).to_have_value(re.compile(r"^=if level >= 3"))
    expect(panel.get_by_label("上長", exact=True)).to_have_count(0)


def test_the_preview_answers_to_what_is_typed_and_leads_to_the_field_that_is_worked_on(
    open_window: OpenWindow,
) -> None:
    owner = open_window("owner1")
    begin(owner, "項目を見る")
    editor = edit(owner, "accommodation.form")
    preview = owner.page.locator("#editor-preview")
    expect(preview).to_contain_text("条件によって隠れている項目")
    hidden = preview.locator("textarea[name='alternatives']")
    expect(hidden).to_have_count(0)

    preview.locator("[name='undue_burden'][value='yes']").check()
    expect(hidden).to_have_count(1)
    expect(preview.locator("[name='undue_burden'][value='yes']")).to_be_focused()
    editor.locator(".fjs-form-field", has_text="合意内容").last.click()
    expect(preview.locator(".chosen")).to_contain_text("合意内容")
    expect(preview.locator(".chosen")).to_be_in_viewport()


def test_the_form_editor_offers_only_what_can_be_used_and_speaks_japanese(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "項目を加える")
    editor = edit(owner, FORM)
    offered = editor.locator(".fjs-palette-field:visible")
    expect(offered).to_have_count(len(forms.COMPONENTS))
    panel = editor.locator(".fjs-properties-container")

    for number in range(offered.count()):
        offered.nth(number).focus()
        owner.keys("Enter")
        unfold(panel)
        assert editor.locator(".fjs-palette-container").evaluate(ENGLISH) == []
        assert panel.evaluate(ENGLISH) == []
        assert editor.locator(".fjs-empty-component").evaluate_all(f"found => found.flatMap({ENGLISH})") == []
    expect(owner.page.locator("#editor-preview")).to_contain_text("くり返しの行")
    expect(owner.page.locator("#editor-findings")).not_to_contain_text("使えません", timeout=20_000)


def test_a_second_writer_is_told_in_the_editor_and_overwrites_nothing(open_window: OpenWindow) -> None:
    first, second = open_window("owner1"), open_window("owner2")
    begin(first, "二人で直す")
    second.awaited.add("409")
    second.open("/studio/revisions/1")
    edit(first, PROCESS)
    edit(second, PROCESS)
    for window in (first, second):
        look_at(window, "ST_14_legal_review")
    first.keys("ArrowRight")
    saved(first)
    second.keys("ArrowDown")

    expect(second.page.locator("#editor-status")).to_contain_text("堤 真由さんが先に変更しています")
    second.press("いまの内容を開く")
    expect(second.page.locator("#editor-status")).to_have_text("")


def test_a_cell_that_is_no_feel_is_marked_where_it_stands(open_window: OpenWindow) -> None:
    owner = open_window("owner1")
    begin(owner, "式を間違える")
    editor = edit(owner, DEADLINES)
    choose_table(owner, "期限の表")
    cell = editor.locator("td[data-element-id='DT_07_limit_r17_o2']")
    write_cell(owner, cell, "2 +")
    owner.page.locator("h1").click()
    saved(owner)

    findings = owner.page.locator("#editor-findings")
    expect(findings).to_contain_text("期限の表")
    expect(findings).not_to_contain_text("直すところはありません")
    expect(editor.locator("td.has-finding[data-element-id='DT_07_limit_r17_o2']")).to_have_count(1)

    write_cell(owner, cell, "2")
    owner.page.locator("h1").click()
    expect(findings).to_contain_text("直すところはありません", timeout=20_000)
    expect(editor.locator("td.has-finding")).to_have_count(0)


def test_without_script_a_file_is_changed_as_text(open_window: OpenWindow) -> None:
    owner = open_window("owner1", java_script_enabled=False)
    begin(owner, "文字だけで直す")
    owner.open("/studio/revisions/1/edit/legal_review.form")
    expect(owner.page.locator("#editor")).to_be_hidden()
    text = owner.page.get_by_role("textbox", name="中身")
    text.fill(text.input_value().replace("契約類型", "契約の類型"), timeout=60_000)
    owner.press("保存する")
    back(owner)

    expect(owner.region("変わるところ")).to_contain_text("「契約類型」 から 「契約の類型」 に変えます。")


def test_everyone_can_use_the_pages_around_the_editors(open_window: OpenWindow) -> None:
    """axe-core finds nothing. Its script comes from outside the page, so this window does without the policy."""
    owner = open_window("owner1", bypass_csp=True)
    begin(owner, "役割の呼び方")
    revision = owner.page.url.removeprefix(owner.address)
    owner.open(f"{revision}/edit/harassment-response/bundle.yaml")
    text = owner.page.get_by_role("textbox", name="中身")
    text.fill(text.input_value().replace("groups: [handler, supervisor, desk]", "groups: [nobody]", 1))
    owner.press("保存する")
    expect(owner.page.locator("#editor-findings")).to_contain_text("nobody")

    found = {}
    for path in (revision, f"{revision}/edit/harassment-response/bundle.yaml", "/studio", "/studio/versions/1"):
        owner.open(path)
        found[path] = violations(owner.page)

    assert {path: faults for path, faults in found.items() if faults} == {}


def test_what_no_scenario_reached_is_drawn_on_the_diagram_and_marked_in_the_table(open_window: OpenWindow) -> None:
    """Without the one scenario that changes a measure upon an objection; axe-core finds nothing on these pages."""
    owner = open_window("owner1", bypass_csp=True)
    begin(owner, "試し方を足す")
    revision = owner.page.url.removeprefix(owner.address)
    owner.region("ファイル").locator("summary", has_text="シナリオ").click()
    owner.press(f"取り除く {CHANGED_UPON_AN_OBJECTION}")
    owner.press("シナリオを実行する")
    told = f"{COUNT - 1} 件すべてが"
    expect(owner.region("シナリオ").get_by_role("status")).to_contain_text(told, timeout=SCENARIOS)

    owner.page.locator(f"a[href$='/coverage/{OBJECTION}']").click()
    expect(owner.main).to_contain_text("送るイベント「これまでの措置を止める」")
    drawing = owner.page.locator("[data-diagram]")
    drawing.scroll_into_view_if_needed()
    expect(drawing.locator(".djs-shape.unreached[data-element-id='response_replaced']")).to_have_count(1)
    expect(drawing.locator(".djs-connection.unreached")).to_have_count(2)
    expect(drawing.locator(".diagram-flag.unreached")).to_have_count(2)
    expect(drawing.locator(".diagram-flag.unreached").first).to_have_text("通っていません")
    assert violations(owner.page) == []

    owner.open(f"{revision}/coverage/{MEASURES}")
    expect(owner.page.locator("tr.unreached").first).to_contain_text("当てはまらず")
    assert violations(owner.page) == []
