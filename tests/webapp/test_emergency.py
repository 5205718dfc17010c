"""The emergency page: one press from everywhere, for everyone, and a way to raise the alarm."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.webapp.conftest import Browser, People, serve


@pytest.mark.parametrize("path", ["/", "/cases", "/cases/2026-0001", "/tasks/2", "/incidents", "/nowhere"])
def test_it_is_one_press_away_on_every_page(signed_in: People, applied: str, path: str) -> None:
    assert signed_in("chief1").open(path).links()["危ないとき"] == "/emergency"


def test_it_is_one_press_away_before_signing_in_and_can_be_read(stranger: Browser) -> None:
    sign_in = stranger.open("/sign-in")

    page = stranger.open(sign_in.links()["危ないとき"])

    assert (page.status, page.title) == (200, "緊急のとき")
    assert page.buttons() == {"English"}


def test_it_says_what_to_do_in_order_and_calls_at_a_press(stranger: Browser) -> None:
    page = stranger.open("/emergency")

    assert [line.text for line in page.document.xpath("//ol/li")] == ["その場を離れてください。", "110番へ。"]
    calls = {link for link in page.links().values() if link.startswith("tel:")}
    assert calls == {"tel:110", "tel:%239110"}
    assert page.document.find_class("call")[0].get("href") == "tel:110"
    assert {"戻らないでください。", "「助けてください。」"} <= {item.text for item in page.document.iter("li")}


def test_a_number_that_is_not_confirmed_is_not_shown(stranger: Browser) -> None:
    page = stranger.open("/emergency")

    assert "要確認" not in page.text
    assert "社内の窓口" not in page.text


def test_it_speaks_the_language_of_the_browser(stranger: Browser) -> None:
    page = stranger.open("/emergency", **{"Accept-Language": "en"})

    assert page.title == "Emergency"
    assert "Leave." in page.text


def test_a_bundle_without_a_card_still_says_the_most_important(app: Flask, tmp_path: Path) -> None:
    served = serve(tmp_path / "empty.db")
    served.extensions["mamori"].create()

    page = Browser(served).open("/emergency")

    served.extensions["mamori"].close()
    assert page.status == 200
    assert "まずその場を離れてください。110番・119番に承認はいりません。" in page.text


def test_the_script_that_keeps_it_is_served_from_the_root(stranger: Browser, app: Flask) -> None:
    with stranger.client.get("/service-worker.js") as response:
        assert response.status_code == (
            200 if (Path(app.root_path) / "static/dist/service-worker.js").exists() else 404
        )
        assert response.status_code == 404 or "javascript" in response.content_type
