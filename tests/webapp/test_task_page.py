"""The page of a task: the form as HTML, its errors at the field, and nothing typed is ever lost."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.webapp.conftest import APPLICATION, Browser, Page, People, sent

KEPT = {
    "item": "いす",
    "reason": "座面が割れた。\n<b>直したい</b>",
    "count": "二",
    "kind": "repair",
    "broken_at": "2026-11-23T09:15",
    "pace": "fast",
    "colours": ["blue", "white"],
    "agreed": "true",
    "friend": "adviser1",
    "condition": "ache",
    "places[0].room": "会議室",
    "places[0].wanted_on": "2026-12-01",
}


def entered(page: Page) -> dict[str, list[str]]:
    """What the browser would send if the form were sent as it stands."""
    found: dict[str, list[str]] = {}
    for name, value in sent(page.form("この内容で終える")[0]):
        if name not in ("csrf_token", "_key"):
            found.setdefault(name, []).append(value)
    return found


def test_starting_leads_to_the_first_step_of_a_new_case(asking: Page) -> None:
    assert asking.title == "申込みを書く"
    assert "事案 2026-0001" in asking.text
    assert "期限 2026年11月24日(火) 14:00" in asking.text
    assert "その日のうちに書き終えるため" in asking.text


def test_every_control_has_its_label_help_and_mark(asking: Page) -> None:
    labels = {label.get("for"): " ".join(label.text_content().split()) for label in asking.document.iter("label")}

    assert labels["f-item"] == "品名必須"
    assert asking.control("item").get("aria-describedby") == "f-item-help"
    assert asking.document.get_element_by_id("f-item-help").text == "ふだんの呼び名で。"
    assert labels["f-condition"] == "体調任意"
    assert asking.control("count").get("value") == "1"
    assert [option.text for option in asking.control("condition").iter("option")] == [
        "選んでください",
        "よい",
        "腰が痛い",
    ]
    groups = {field.findtext("legend"): field for field in asking.document.iter("fieldset")}
    assert [label.text_content().strip() for label in groups["色"].iter("label")] == ["青", "白"]
    assert "種類" in groups


def test_notes_are_prose_and_never_markup(asking: Page) -> None:
    note = asking.document.find_class("note")[0]

    assert note.findtext("p") == "わかるところだけで大丈夫です。"
    assert [item.text_content() for item in note.iter("li")] == ["急がなくてかまいません", "<b>印</b>はそのまま出ます"]


def test_a_rejected_form_comes_back_as_it_was_with_the_errors_at_the_fields(signed_in: People, asking: Page) -> None:
    wrong = {**KEPT, "item": "とても長い名前の、二十字を超えるいすの品名です", "places[0].room": ""}

    page = signed_in("clerk1").press(asking, "この内容で終える", wrong)

    assert page.status == 422
    assert page.error_at("item") == "「品名」は20文字以内にしてください(いまは23文字です)。"
    assert page.error_at("count") == "「個数」は数字で入れてください(例: 30)。"
    assert page.error_at("places[0].room") == "「部屋」を入れてください。"
    assert page.control("item").get("aria-invalid") == "true"
    summary = page.document.get_element_by_id("errors")
    targets = [link.get("href").removeprefix("#") for link in summary.iter("a")]
    assert targets == ["f-item", "f-count", "f-places-0-room"]
    assert all(page.document.get_element_by_id(target) is not None for target in targets)
    expected = {name: [value] if isinstance(value, str) else list(value) for name, value in wrong.items()}
    assert entered(page) == expected


def test_a_choice_that_is_missing_is_told_at_its_group(signed_in: People, asking: Page) -> None:
    page = signed_in("clerk1").press(asking, "この内容で終える", {"item": "いす", "reason": "古い"})

    assert page.error_at("kind") == "「種類」を選んでください。"


def test_bringing_the_form_up_to_date_shows_what_now_applies_and_judges_nothing(
    signed_in: People, asking: Page
) -> None:
    assert not asking.named("broken_at")

    page = signed_in("clerk1").press(asking, "表示を更新", {"kind": "repair", "reason": "脚が折れた"})

    assert page.status == 200
    assert page.control("broken_at").get("type") == "datetime-local"
    assert page.control("reason").text_content().strip() == "脚が折れた"
    assert not page.document.find_class("error")


def test_what_was_typed_in_a_field_that_is_hidden_now_comes_back_with_it(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")
    shown = clerk.press(asking, "表示を更新", {"kind": "repair"})
    hidden = clerk.press(shown, "表示を更新", {"kind": "new", "broken_at": "2026-11-23T09:15"})
    assert hidden.control("broken_at").get("type") == "hidden"

    again = clerk.press(hidden, "表示を更新", {"kind": "repair"})

    assert again.control("broken_at").get("type") == "datetime-local"
    assert again.control("broken_at").get("value") == "2026-11-23T09:15"


def test_a_choice_that_need_not_be_made_can_be_taken_back(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")
    chosen = clerk.press(asking, "表示を更新", {"pace": "fast"})

    taken_back = clerk.press(chosen, "表示を更新", {"pace": ""})

    assert [entered(page)["pace"] for page in (asking, chosen, taken_back)] == [[""], ["fast"], [""]]
    assert len(asking.named("kind")) == 2


def test_rows_are_added_and_removed_by_buttons(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    one = clerk.press(asking, "行を追加する")
    two = clerk.press(one, "行を追加する", {"places[0].room": "会議室"})
    full = clerk.press(two, "表示を更新", {"places[1].room": "倉庫"})
    left = clerk.press(full, "この行を消す")

    assert [page.named("places[0].room")[0].get("value") for page in (one, two, full)] == ["", "会議室", "会議室"]
    assert full.control("places[1].room").get("value") == "倉庫"
    assert left.control("places[0].room").get("value") == "倉庫"
    assert not left.named("places[1].room")


def test_pressing_enter_in_a_field_sends_nothing_off(asking: Page) -> None:
    form, _ = asking.form("この内容で終える")

    assert next(iter(form.iter("button"))).get("value") == "refresh"


def test_completing_leads_on_and_the_answers_can_be_read(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    page = clerk.press(asking, "この内容で終える", {**KEPT, "count": "2"})

    assert page.address == "/"
    assert "「申込みを書く」を終えました" in page.text
    case = clerk.open("/cases/2026-0001")
    given = case.document.xpath("//section[@aria-labelledby='decided']//dl")[0]
    answers = dict(
        zip((dt.text for dt in given.iter("dt")), (dd.text_content() for dd in given.iter("dd")), strict=True)
    )
    assert answers == {
        "品名": "いす",
        "理由": "座面が割れた。\n<b>直したい</b>",
        "個数": "2",
        "種類": "直す",
        "壊れた日時": "2026年11月23日(月) 09:15",
        "急ぎ具合": "早めに",
        "色": "青、白",
        "相談ずみ": "はい",
        "助言をもらう人": "大山 五月",
        "置き場所 1": "部屋: 会議室\nほしい日: 2026年12月1日(火)",
    }


def test_a_task_taken_on_keeps_what_was_typed_so_far(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    taken = clerk.press(asking, "引き受ける", {"reason": "書きかけ"})
    given_back = clerk.press(taken, "担当を戻す")

    assert "あなたが担当しています" in taken.text
    assert taken.control("reason").text_content().strip() == "書きかけ"
    assert "まだ担当が決まっていません" in given_back.text
    assert given_back.control("reason").text_content().strip() == "書きかけ"


def test_a_page_sent_twice_takes_effect_once(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    first = clerk.press(asking, "この内容で終える", APPLICATION)
    second = clerk.press(asking, "この内容で終える", APPLICATION)

    assert (first.status, second.status) == (200, 200)
    assert clerk.open("/cases/2026-0001").text.count("「申込みを書く」を終えました。") == 1


def test_a_start_button_pressed_twice_begins_one_case(signed_in: People) -> None:
    clerk = signed_in("clerk1")
    inbox = clerk.open("/")

    assert clerk.press(inbox, "申込みを始める").address == clerk.press(inbox, "申込みを始める").address
    assert clerk.open("/cases").tasks == ["事案 2026-0001"]


def test_whoever_comes_second_is_told_who_was_first_and_keeps_what_they_typed(signed_in: People, asking: Page) -> None:
    second = signed_in("clerk2")
    theirs = second.open("/tasks/1")
    signed_in("clerk1").press(asking, "この内容で終える", APPLICATION)

    page = second.press(theirs, "この内容で終える", {"item": "つくえ", "reason": "天板に傷がある", "kind": "new"})

    assert page.status == 409
    assert "青木 一郎さんが 2026年11月24日(火) 10:00 に済ませています。" in page.text
    assert {"つくえ", "天板に傷がある"} <= {text.text for text in page.document.find_class("typed")}


def test_a_step_that_another_has_taken_on_cannot_be_completed_over_their_head(signed_in: People, asking: Page) -> None:
    second = signed_in("clerk2")
    theirs = second.open("/tasks/1")
    signed_in("clerk1").press(asking, "引き受ける")

    page = second.press(theirs, "この内容で終える", APPLICATION)

    assert page.status == 409
    assert "青木 一郎さんが引き受けています。" in page.text
    assert "この内容で終える" not in second.open("/tasks/1").buttons()


def test_a_step_that_is_done_leads_to_its_case(signed_in: People, applied: str) -> None:
    page = signed_in("clerk1").open("/tasks/1")

    assert page.address == f"/cases/{applied}"
    assert "「申込みを書く」は、すでに済んでいます。" in page.text


def test_an_unforeseen_fault_gives_a_number_and_keeps_what_was_typed(
    app: Flask, signed_in: People, asking: Page, caplog: pytest.LogCaptureFixture
) -> None:
    clerk = signed_in("clerk1")
    app.view_functions["tasks.act"] = lambda task_id: 1 // 0

    page = clerk.press(asking, "この内容で終える", {"reason": "とても長い説明"})

    assert page.status == 500
    number = page.document.xpath("//p[contains(., '番号:')]")[0].text.split()[-1]
    assert f"fault {number} at POST '/tasks/1'" in caplog.text
    assert "とても長い説明" in {text.text for text in page.document.find_class("typed")}
    assert "Traceback" not in page.text


def test_who_is_signed_out_in_between_keeps_what_was_typed(app: Flask, asking: Page) -> None:
    form, _ = asking.form("この内容で終える")
    nobody = Browser(app)
    token = nobody.open("/sign-in").form("サインイン")[0].fields["csrf_token"]

    page = nobody.post(form.get("action"), [("csrf_token", token), ("_do", "complete"), ("reason", "消えては困る")])

    assert page.status == 401
    assert [text.text for text in page.document.find_class("typed")] == ["消えては困る"]


@pytest.mark.parametrize("name", ["asker", "application", "item[0].x", "__proto__", "level", "places[0].price"])
def test_a_name_that_the_form_does_not_have_is_refused(signed_in: People, asking: Page, name: str) -> None:
    clerk = signed_in("clerk1")

    page = clerk.press(asking, "この内容で終える", {**APPLICATION, name: "smuggled"})

    assert page.status == 422
    assert "この様式にありません" in page.text
    assert clerk.open("/tasks/1").title == "申込みを書く"


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>", "{{ 7*7 }}", "</textarea>"]
)
def test_what_people_type_is_text_everywhere(signed_in: People, asking: Page, text: str) -> None:
    clerk = signed_in("clerk1")

    rejected = clerk.press(asking, "この内容で終える", {"reason": text})
    clerk.press(rejected, "この内容で終える", {**APPLICATION, "reason": text})
    case = clerk.open("/cases/2026-0001")

    assert rejected.control("reason").text_content().strip() == text
    assert text in case.text
    for page in (rejected, case):
        assert not list(page.document.iter("script", "img"))


def test_no_page_needs_a_script(signed_in: People, asking: Page) -> None:
    clerk = signed_in("clerk1")

    for page in (asking, clerk.open("/"), clerk.open("/cases"), clerk.open("/cases/2026-0001"), clerk.open("/nowhere")):
        assert not list(page.document.iter("script"))
        assert not page.document.xpath("//@style | //@onclick | //@onchange | //@onsubmit")
        assert not [link for link in page.links().values() if link.startswith("javascript:")]


def test_scripts_come_from_our_own_files_and_the_pages_hold_what_they_need(
    app: Flask, signed_in: People, asking: Page
) -> None:
    app.config["SCRIPTS"] = True
    clerk = signed_in("clerk1")

    task, case, inbox = clerk.open("/tasks/1"), clerk.open("/cases/2026-0001"), clerk.open("/")

    scripts = [page.document.xpath("//script/@src") for page in (inbox, task, case)]
    own = "/static/dist/"
    assert scripts == [[f"{own}page.js", *more] for more in ([], [f"{own}form.js"], [])]
    assert case.document.xpath("//@data-script") == [f"{own}diagram.js"]  # fetched when a diagram is in view
    assert task.document.body.get("data-person") == "clerk1"
    form, _ = task.form("この内容で終える")
    assert (form.get("data-draft"), form.get("data-task")) == ("/tasks/1/draft", "1")
    texts = json.loads(task.document.get_element_by_id("form-texts").text)
    assert texts["use"] == "この入力を使う"
    assert task.document.xpath("//button[@data-without-script]/@value") == ["refresh"]
    assert "引き受ける" in inbox.document.get_element_by_id("keys").text_content()


def test_a_completed_step_tells_the_script_to_forget_what_was_typed(signed_in: People, asking: Page) -> None:
    page = signed_in("clerk1").press(asking, "この内容で終える", APPLICATION)

    assert page.document.xpath("//template/@data-completed-task") == ["1"]


def test_whoever_has_done_their_part_is_told_who_goes_on(signed_in: People, asking: Page) -> None:
    page = signed_in("clerk1").press(asking, "この内容で終える", APPLICATION)

    assert page.title == "受信箱"
    assert "このあとは「申込みを確かめる」を" in page.text
    assert page.links()["事案 2026-0001 のこのあとを見る"] == "/cases/2026-0001"
    assert page.links()["ひとこと書き添える"] == "/cases/2026-0001#comments"


def test_who_may_not_read_the_case_is_not_told_who_goes_on(signed_in: People, applied: str) -> None:
    clerk, guest = signed_in("clerk1"), signed_in("guest1")
    clerk.press(clerk.open(f"/cases/{applied}"), "急ぐことになった")

    page = guest.press(guest.open("/tasks/3"), "この内容で終える", {"note": "連絡しました"})

    assert "「急ぎの連絡をする」を終えました" in page.text
    assert "このあと" not in page.text
