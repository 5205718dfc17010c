"""A diagram that another modeler saved keeps everything it carries when it is opened here and saved."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from engine.studio import differences
from tests.browser.conftest import OpenWindow, Window
from tests.browser.test_studio import SAVED as IS_SAVED
from tests.browser.test_studio import begin
from tests.saved_files import SAVED, crlf, extensions

pytestmark = pytest.mark.usefixtures("new_company")

MARK = b"        <zeebe:formDefinition"
NOTED = SAVED["desktop.bpmn"].replace(
    MARK, b'        <plan:note text="a"><plan:more>b</plan:more></plan:note>\n' + MARK
)
DRAWN = {
    "desktop": ("Activity_choose", SAVED["desktop.bpmn"]),
    "desktop with CRLF": ("Activity_choose", crlf(SAVED["desktop.bpmn"])),
    "an extension unknown to the engine": ("Activity_choose", NOTED),
    "online": ("Task_0wm2v8e", SAVED["online.bpmn"]),
}


def upload(window: Window, content: bytes) -> None:
    window.region("ファイル").locator("summary", has_text="手元のファイル").click()
    window.page.locator("#upload").set_input_files({"name": "drawn.bpmn", "mimeType": "text/xml", "buffer": content})
    window.press("アップロードする")


def download(window: Window, revision: str) -> bytes:
    answer = window.page.request.get(f"{window.address}{revision}/files/harassment-response/drawn.bpmn")
    assert answer.ok
    return answer.body()


@pytest.mark.parametrize("form", DRAWN)
def test_an_open_and_save_keeps_every_extension_and_changes_nothing_that_is_executed(
    open_window: OpenWindow, form: str
) -> None:
    shape, content = DRAWN[form]
    owner = open_window("owner1")
    begin(owner, "外で描いたもの")
    revision = owner.page.url.removeprefix(owner.address)
    upload(owner, content)
    assert download(owner, revision) == content

    for keys, moved in ((("ArrowRight",), {shape}), (("ArrowLeft",), set())):
        owner.open(f"{revision}/edit/harassment-response/drawn.bpmn?element={shape}")
        expect(owner.page.locator("#editor .djs-shape.selected")).to_have_count(1)
        owner.keys(*keys)
        expect(owner.page.locator("#editor-status")).to_have_text(IS_SAVED)

        saved = download(owner, revision)
        assert saved != content
        assert extensions(saved) == extensions(content)
        (found,) = differences.between({"drawn.bpmn": content}, {"drawn.bpmn": saved})
        assert found.kind == "moved", found.differences
        assert found.executes_alike
        told = {each.element for each in found.differences if each.element and "Flow" not in each.element}
        assert shape in told if moved else shape not in told
