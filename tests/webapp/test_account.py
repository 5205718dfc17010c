"""Signing in and out, and what every response carries."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from freezegun.api import FrozenDateTimeFactory, real_time

from tests.webapp.conftest import PASSWORD, Browser, People

PAGES = ("/", "/cases", "/cases/2026-0001", "/tasks/1", "/incidents")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_sign_in(stranger: Browser, path: str) -> None:
    assert stranger.open(path).address == "/sign-in"


def test_after_signing_in_one_is_where_one_wanted_to_go(stranger: Browser) -> None:
    asked = stranger.open("/cases")

    page = stranger.press(asked, "サインイン", {"name": "clerk1", "password": PASSWORD})

    assert page.address == "/cases"
    assert "青木 一郎" in page.text


@pytest.mark.parametrize(
    "target", ["https://example.org/", "//example.org/", "/\\example.org/", "javascript:alert(1)", "/\x00", ""]
)
def test_a_sign_in_leads_to_no_other_site(stranger: Browser, target: str) -> None:
    page = stranger.open("/sign-in")
    form, _ = page.form("サインイン")
    token = form.fields["csrf_token"]

    response = stranger.client.post(
        "/sign-in", data={"csrf_token": token, "name": "clerk1", "password": PASSWORD, "next": target}
    )

    assert (response.status_code, response.location) == (303, "/")


@pytest.mark.parametrize(("name", "password"), [("clerk1", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(stranger: Browser, name: str, password: str) -> None:
    page = stranger.sign_in(name, password)

    assert page.status == 422
    assert "ユーザー名かパスワードが違うようです" in page.text
    assert page.control("name").get("value") == name
    assert page.control("password").get("value") is None
    assert stranger.open("/cases").address == "/sign-in"


def test_the_eleventh_failed_sign_in_within_a_minute_has_to_wait(
    stranger: Browser, clock: FrozenDateTimeFactory
) -> None:
    # The limiter forgets in a thread of its own, which sees the real time: a frozen past would be over at once.
    clock.move_to(datetime.fromtimestamp(real_time(), UTC) + timedelta(hours=1))

    tries = [stranger.sign_in("clerk1", "wrong").status for _ in range(11)]

    assert tries == [422] * 10 + [429]
    assert "少しお待ちください" in stranger.sign_in("clerk1").text


def test_signing_in_rightly_never_has_to_wait(app: Flask) -> None:
    assert [Browser(app).sign_in("clerk1").status for _ in range(12)] == [200] * 12


def test_who_looks_around_signs_in_as_a_fictional_person_with_one_press(app: Flask) -> None:
    app.config["DEMO_PASSWORD"] = PASSWORD
    stranger = Browser(app)

    page = stranger.press(stranger.open("/sign-in?next=/cases"), "青木 一郎 受付係")

    assert (page.address, page.status) == ("/cases", 200)


def test_the_sign_in_names_nobody_where_others_can_see_it(stranger: Browser) -> None:
    page = stranger.open("/sign-in")

    assert page.buttons() == {"サインイン", "English"}
    assert page.document.findall(".//details") == []


def test_after_signing_out_nothing_can_be_opened(signed_in: People) -> None:
    clerk = signed_in("clerk1")

    clerk.press(clerk.open("/"), "サインアウト")

    assert clerk.open("/").address == "/sign-in"


def test_a_new_password_ends_every_session(app: Flask, signed_in: People) -> None:
    from engine import identity

    clerk = signed_in("clerk1")

    with app.extensions["mamori"].transaction() as session:
        identity.set_password(session, "clerk1", "another one")

    assert clerk.open("/").address == "/sign-in"


def test_the_session_cookie_is_for_this_site_and_no_script(stranger: Browser) -> None:
    page = stranger.open("/sign-in")
    form, _ = page.form("サインイン")

    response = stranger.client.post(
        "/sign-in", data={"csrf_token": form.fields["csrf_token"], "name": "clerk1", "password": PASSWORD}
    )

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("mamori=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_no_account_can_be_made_from_a_page(stranger: Browser) -> None:
    assert {stranger.client.get(path).status_code for path in ("/register", "/sign-up")} == {303}
    assert {stranger.client.post(path).status_code for path in ("/register", "/sign-up")} == {401}


POSTS = (
    "/sign-in",
    "/sign-out",
    "/language",
    "/starts/apply",
    "/tasks/1",
    "/tasks/1/claim",
    "/tasks/1/release",
    "/tasks/1/draft",
    "/tasks/1/assign",
    "/cases/2026-0001/messages",
    "/cases/2026-0001/comments",
    "/cases/export",
    "/filters",
    "/filters/1/delete",
    "/notices/1",
    "/settings",
    "/incidents/1",
    "/incidents/retry",
    "/studio/revisions",
    "/studio/revisions/1/upload",
    "/studio/revisions/1/reset",
    "/studio/revisions/1/remove",
    "/studio/revisions/1/scenarios",
    "/studio/revisions/1/act",
    "/studio/revisions/1/edit/call.form",
    "/studio/revisions/1/preview",
    "/studio/revisions/1/new/form",
    "/studio/versions/1/take-back",
)


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_its_token_does_nothing(signed_in: People, applied: str, path: str) -> None:
    clerk = signed_in("clerk1")
    before = clerk.open(f"/cases/{applied}").text

    page = clerk.post(path, [("name", "clerk1"), ("password", PASSWORD), ("_do", "complete"), ("message", "urgent")])

    assert page.status == 400
    assert "安全のため、送信していません" in page.text
    assert clerk.open(f"/cases/{applied}").text == before


def test_every_address_that_takes_a_post_is_in_the_list_above(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    taking_posts = {rule.endpoint for rule in app.url_map.iter_rules() if rule.methods and "POST" in rule.methods}

    assert {adapter.match(path, "POST")[0] for path in POSTS} == taking_posts


@pytest.mark.parametrize("path", ["/sign-in", "/", "/cases", "/static/mamori.css", "/static/nothing", "/nowhere"])
def test_every_response_lets_the_browser_trust_only_our_own_pages(signed_in: People, path: str) -> None:
    with signed_in("clerk1").client.get(path) as response:
        headers = response.headers

    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_of_people_are_kept_by_no_cache(signed_in: People) -> None:
    assert signed_in("clerk1").client.get("/").headers["Cache-Control"] == "no-store"


def test_files_travel_compressed(signed_in: People) -> None:
    client, packed = signed_in("clerk1").client, {"Accept-Encoding": "gzip"}

    with client.get("/static/mamori.css") as plain, client.get("/static/mamori.css", headers=packed) as file:
        assert file.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(file.data) == plain.data


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_a_page_asked_for_here_travels_compressed(signed_in: People, site: str) -> None:
    page = signed_in("clerk1").client.get("/", headers={"Accept-Encoding": "gzip", "Sec-Fetch-Site": site})

    assert page.headers["Content-Encoding"] == "gzip"
    assert 'name="csrf_token"' in gzip.decompress(page.data).decode("utf-8")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", None])
def test_the_length_of_a_page_tells_another_site_nothing(signed_in: People, site: str | None) -> None:
    said = {} if site is None else {"Sec-Fetch-Site": site}
    page = signed_in("clerk1").client.get("/", headers={"Accept-Encoding": "gzip", **said})

    assert "Content-Encoding" not in page.headers
    assert 'name="csrf_token"' in page.text


def test_what_set_up_compressed_goes_to_a_browser_that_takes_it(app: Flask, signed_in: People, tmp_path: Path) -> None:
    client = signed_in("clerk1").client
    (tmp_path / "page.js").write_bytes(b"plain")
    (tmp_path / "page.js.br").write_bytes(b"packed")
    app.static_folder = str(tmp_path)

    with client.get("/static/page.js", headers={"Accept-Encoding": "br"}) as packed:
        assert (packed.data, packed.headers["Content-Encoding"]) == (b"packed", "br")
        assert packed.content_type.startswith("text/javascript")
        assert "Accept-Encoding" in packed.headers["Vary"]
    with client.get("/static/page.js") as plain:
        assert (plain.data, "Content-Encoding" in plain.headers) == (b"plain", False)
    with client.get("/static/../page.js", headers={"Accept-Encoding": "br"}) as outside:
        assert outside.status_code == 404
