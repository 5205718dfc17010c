"""What is taken out of the system is what its taker sees, and stays on record with its purpose."""

from __future__ import annotations

import csv
import io

import pytest

from tests.webapp.conftest import Browser, Page, People
from tests.webapp.test_task_page import APPLICATION

PURPOSE = "月例の報告"
BUTTON = "CSV で保存する"


def taken_out(browser: Browser, address: str = "/cases") -> list[list[str]]:
    page = browser.press(browser.open(address), BUTTON, {"purpose": PURPOSE})
    assert page.response.content_type == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(page.response.text.removeprefix("\ufeff"))))


@pytest.fixture
def known(applied: str, signed_in: People) -> dict[str, dict[str, str]]:
    """Person → what the file says of the only case."""
    return {name: dict(zip(*taken_out(signed_in(name)), strict=True)) for name in ("clerk1", "nurse1", "auditor1")}


def test_the_file_holds_what_the_list_shows_to_each(known: dict[str, dict[str, str]]) -> None:
    assert {row["事案"] for row in known.values()} == {"2026-0001"}
    assert known["clerk1"]["品名"] == APPLICATION["item"]
    assert "体調" not in known["clerk1"]
    assert known["nurse1"]["体調"] == "腰が痛い"
    assert known["auditor1"]["品名"] == "●●●"


def test_who_may_read_no_case_takes_none_out(signed_in: People, applied: str) -> None:
    adviser = signed_in("adviser2")
    token = adviser.open("/").form("サインアウト")[0].fields["csrf_token"]

    page = adviser.post("/cases/export", [("csrf_token", token), ("purpose", PURPOSE)])

    assert len(page.response.text.splitlines()) == 1
    assert "2026-0001" not in page.response.text


def test_only_what_was_searched_for_is_taken_out(signed_in: People, applied: str) -> None:
    assert len(taken_out(signed_in("chief1"), "/cases?state=running")) == 2
    page = signed_in("chief1").open("/cases?state=closed")
    assert BUTTON not in page.buttons()


@pytest.mark.parametrize("purpose", ["", " ", "x" * 501])
def test_without_a_purpose_nothing_is_taken_out(signed_in: People, applied: str, purpose: str) -> None:
    chief = signed_in("chief1")

    page: Page = chief.press(chief.open("/cases"), BUTTON, {"purpose": purpose})

    assert page.title == "事案"
    assert "何のために書き出すのかを、500字までで書いてください。" in page.text
    assert "書き出しました" not in signed_in("auditor1").open("/record").text


def test_auditors_see_who_took_what_out_for_what(signed_in: People, applied: str) -> None:
    taken_out(signed_in("nurse1"))

    page = signed_in("auditor1").open("/record")

    assert f"保健係 1さんが事案の一覧をファイルに書き出しました(目的: {PURPOSE})。" in page.text


def test_a_spreadsheet_computes_nothing_that_somebody_typed(signed_in: People, asking: Page) -> None:
    signed_in("clerk1").press(asking, "この内容で終える", {**APPLICATION, "item": "=1+1"})

    rows = taken_out(signed_in("clerk1"))

    assert "'=1+1" in rows[1]
