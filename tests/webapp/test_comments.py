"""Comments on a case, and who is told of them."""

from __future__ import annotations

from tests.webapp.conftest import Page, People


def comments(page: Page) -> list[str]:
    return [said.text for said in page.document.find_class("said")]


def test_a_comment_stands_at_the_case_and_in_its_history(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open(f"/cases/{applied}"), "コメントを載せる", {"text": "値段は、\n私が聞きます。"})

    assert page.address == f"/cases/{applied}"
    assert comments(page) == ["値段は、\n私が聞きます。"]
    assert "上野 三津さんがコメントを書きました。" in page.text
    assert comments(signed_in("adviser1").open(f"/cases/{applied}")) == ["値段は、\n私が聞きます。"]


def test_somebody_chosen_is_named_and_told(signed_in: People, applied: str) -> None:
    chief, clerk = signed_in("chief1"), signed_in("clerk1")
    page = chief.open(f"/cases/{applied}")
    assert [option.get("value") for option in page.control("to").iter("option")] == [
        *("", "clerk1", "clerk2", "nurse1", "adviser1", "auditor1")  # clerk2 may take the open step
    ]

    page = chief.press(page, "コメントを載せる", {"to": "clerk1", "text": "ありがとう。"})

    assert comments(page) == ["@青木 一郎さん ありがとう。"]
    assert f"事案 {applied} のコメントで、声がかかっています" in clerk.open("/").links()


def test_who_may_do_the_next_step_can_be_named_before_they_have_taken_part(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")
    page = clerk.open(f"/cases/{applied}")
    assert "chief1" in [option.get("value") for option in page.control("to").iter("option")]

    clerk.press(page, "コメントを載せる", {"to": "chief1", "text": "お願いします。"})

    assert f"事案 {applied} のコメントで、声がかかっています" in signed_in("chief1").open("/").links()


def test_a_name_of_nobody_who_may_read_it_is_told_to_the_writer(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open(f"/cases/{applied}"), "コメントを載せる", {"text": "@adviser2 @nobody どうでしょう"})

    assert "この事案を読める人の中に、次の名前の方はいません: @adviser2、@nobody" in page.text
    assert "声がかかっています" not in signed_in("adviser2").open("/").text


def test_a_comment_sent_twice_stands_once(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    page = chief.open(f"/cases/{applied}")

    chief.press(page, "コメントを載せる", {"text": "一度だけ"})

    assert comments(chief.press(page, "コメントを載せる", {"text": "一度だけ"})) == ["一度だけ"]


def test_an_empty_comment_is_refused(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    assert chief.press(chief.open(f"/cases/{applied}"), "コメントを載せる", {"text": " "}).status == 422


def test_who_may_only_read_is_offered_no_comment(signed_in: People, applied: str) -> None:
    auditor = signed_in("auditor1")
    page = auditor.open(f"/cases/{applied}")
    assert "コメントを載せる" not in page.buttons()
    token = page.form("サインアウト")[0].fields["csrf_token"]

    refused = auditor.post(f"/cases/{applied}/comments", [("csrf_token", token), ("text", "x")])

    assert refused.status == 403


def test_who_may_not_read_the_case_cannot_write_to_it(signed_in: People, applied: str) -> None:
    adviser = signed_in("adviser2")
    token = adviser.open("/").form("サインアウト")[0].fields["csrf_token"]

    page = adviser.post(f"/cases/{applied}/comments", [("csrf_token", token), ("text", "x")])

    assert page.status == 404


def test_a_masked_reader_meets_no_name_in_comments(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")
    text = "@clerk1 青木さんと相談しました"

    chief.press(chief.open(f"/cases/{applied}"), "コメントを載せる", {"text": text})

    shown = comments(signed_in("auditor1").open(f"/cases/{applied}"))[0]
    assert "青木" not in shown
    assert "clerk1" not in shown


def test_what_is_typed_in_a_comment_is_text(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    page = chief.press(chief.open(f"/cases/{applied}"), "コメントを載せる", {"text": "<script>alert(1)</script>"})

    assert comments(page) == ["<script>alert(1)</script>"]
