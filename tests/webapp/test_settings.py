"""A person chooses where mail reaches them, and it reaches them there."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from flask import Flask

from engine import mail
from tests.webapp.conftest import APPLICATION, NOW, People


def test_new_work_reaches_the_address_that_was_chosen_on_the_page(app: Flask, signed_in: People) -> None:
    clerk, other = signed_in("clerk2"), signed_in("clerk1")
    saved = clerk.press(clerk.open("/settings"), "保存する", {"address": " clerk2@example.jp ", "mode": "at_once"})
    assert "設定を保存しました" in saved.text
    assert saved.control("address").get("value") == "clerk2@example.jp"
    other.press(other.press(other.open("/"), "申込みを始める"), "この内容で終える", APPLICATION)

    sent: list[EmailMessage] = []
    mail.run_due(app.extensions["mamori"], mail.Mailing(sent.append, "mamori@example.jp", "http://here"), at=NOW)

    assert [message["To"] for message in sent] == ["clerk2@example.jp"]
    assert "http://here/tasks/2" in sent[0].get_content()
    assert "座面が割れた" not in sent[0].get_content()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "メールアドレスを書いてください"),
        ("clerk2", "の形で書いてください"),
        ("a@b\nBcc: c@d", "の形で書いてください"),
    ],
)
def test_an_address_that_is_none_is_told_at_the_field_and_nothing_is_stored(
    app: Flask, signed_in: People, address: str, told: str
) -> None:
    clerk = signed_in("clerk2")

    page = clerk.press(clerk.open("/settings"), "保存する", {"address": address, "mode": "daily"})

    assert page.status == 422
    assert told in page.error_at("address")
    with app.extensions["mamori"].reading() as session:
        assert mail.setting(session, "clerk2") == mail.Setting()


def test_no_mail_needs_no_address(signed_in: People) -> None:
    clerk = signed_in("clerk2")

    assert clerk.press(clerk.open("/settings"), "保存する", {"address": "", "mode": "none"}).status == 200


def test_a_way_that_no_page_offers_is_refused(signed_in: People) -> None:
    clerk = signed_in("clerk2")

    assert clerk.press(clerk.open("/settings"), "保存する", {"address": "", "mode": "hourly"}).status == 400
