"""The windows of these tests see what must not happen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenWindow


@pytest.mark.parametrize(
    ("done", "noted"),
    [
        ("setTimeout(() => { throw new Error('broken') })", "script error: broken"),
        ("console.error('broken')", "console: broken"),
        ("document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))", "script-src"),
        ("location.href = 'https://outside.example/'", "left the machine: https://outside.example/"),
    ],
    ids=["script error", "console error", "refused by the policy", "request to elsewhere"],
)
def test_what_must_not_happen_is_noted(open_window: OpenWindow, done: str, noted: str) -> None:
    window = open_window()
    window.open("/emergency")
    expect(window.title).to_be_visible()

    window.page.evaluate(f"() => {{ {done} }}")
    for _ in range(100):
        if window.faults:
            break
        window.page.wait_for_timeout(50)

    assert any(noted in fault for fault in window.faults), window.faults
    window.faults.clear()
