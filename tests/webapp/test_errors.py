"""Each error of the engine has one HTTP status."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from engine import errors as engine_errors
from engine.errors import EngineError
from tests.webapp.conftest import Browser, People
from webapp.errors import status

MOMENT = datetime(2026, 11, 24, tzinfo=UTC)
TABLE = [
    (engine_errors.CaseNotFound("2026-0001"), 404),
    (engine_errors.TaskNotFound(1), 404),
    (engine_errors.StartNotFound("x"), 404),
    (engine_errors.MessageNotFound("x"), 404),
    (engine_errors.PersonNotFound("x"), 404),
    (engine_errors.TaskNotYours(1, "clerk1"), 403),
    (engine_errors.StartNotYours("x"), 403),
    (engine_errors.MessageNotYours("x"), 403),
    (engine_errors.CannotBeAssigned(1, "clerk1"), 403),
    (engine_errors.StaleInstance(1), 409),
    (engine_errors.TaskAlreadyClosed(1, "clerk1", MOMENT), 409),
    (engine_errors.TaskAlreadyClosed(1, None, MOMENT), 409),
    (engine_errors.TaskAlreadyClaimed(1, "clerk1"), 409),
    (engine_errors.InstanceEnded(1), 409),
    (engine_errors.SubmissionInvalid({"item": "?"}), 422),
    (engine_errors.TooManySteps(1000), 500),
]


@pytest.mark.parametrize(("error", "code"), TABLE, ids=lambda value: type(value).__name__)
def test_an_error_has_its_status_and_a_calm_page(app: Flask, signed_in: People, error: EngineError, code: int) -> None:
    def fail() -> str:
        raise error

    clerk = signed_in("clerk1")
    app.view_functions["inbox.show"] = fail

    page = clerk.open("/")

    assert (status(error), page.status) == (code, code)
    assert page.title
    assert "受信箱へ" in page.text
    assert "Traceback" not in page.text


def test_every_kind_of_error_has_a_status() -> None:
    def kinds(kind: type[EngineError]) -> list[type[EngineError]]:
        return [kind, *(below for child in kind.__subclasses__() for below in kinds(child))]

    for kind in kinds(EngineError):
        assert status(kind.__new__(kind)) in (403, 404, 409, 422, 500)


def test_a_post_that_is_too_long_is_told_so(signed_in: People, applied: str) -> None:
    clerk = signed_in("clerk1")
    token = clerk.open("/").form("サインアウト")[0].fields["csrf_token"]

    page = clerk.post("/tasks/2", [("csrf_token", token), ("note", "あ" * 400_000)])

    assert page.status == 413
    assert page.title == "内容が長すぎて送れませんでした"


def test_whose_session_ended_amid_a_form_keeps_the_text_and_is_led_back_to_it(
    app: Flask, signed_in: People, applied: str
) -> None:
    form = signed_in("chief1").open("/tasks/2")

    page = Browser(app).press(form, "この内容で終える", {"result": "ok"})

    assert (page.status, page.title) == (401, "サインインが切れていました")
    assert page.links()["サインイン"] == "/sign-in?next=/tasks/2"
    assert [text.text for text in page.document.find_class("typed")] == ["ok"]


def test_a_page_that_is_older_than_the_session_can_be_opened_again(signed_in: People, applied: str) -> None:
    page = signed_in("chief1").post("/tasks/2", [("result", "ok")])

    assert (page.status, page.links()["画面を開き直す"]) == (400, "/tasks/2")


def test_a_press_that_has_no_page_of_its_own_leads_to_the_inbox(signed_in: People, applied: str) -> None:
    page = signed_in("chief1").post("/tasks/2/claim", [])

    assert page.status == 400
    assert "画面を開き直す" not in page.links()
    assert page.links()["受信箱へ"] == "/"
