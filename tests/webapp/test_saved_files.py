"""Files that other modelers saved go up and come down as they were, and what they carry for others does no harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask

from engine import deployments
from engine.studio import inspections
from tests.saved_files import SAVED, crlf
from tests.webapp.conftest import BUNDLE, People
from tests.webapp.test_studio import FILES, REVISION, present, uploaded

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda content: content,
    "with CRLF": crlf,
    "with a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
}


@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name in SAVED for form in FORMS if not (name.endswith(".form") and "mark" in form)],  # RFC 8259
)
def test_a_file_comes_down_byte_by_byte_as_it_went_up(signed_in: People, app: Flask, name: str, form: str) -> None:
    owner, content = signed_in("owner1"), FORMS[form](SAVED[name])
    page = owner.press(owner.open("/studio"), "改訂案を始める", {"title": "外で描いたもの"})

    page = uploaded(owner, page, (name, content))

    assert present(app)[name] == content
    assert owner.client.get(f"{REVISION}/files/{name}").data == content
    assert zipfile.ZipFile(io.BytesIO(owner.client.get(f"{REVISION}/bundle.zip").data)).read(name) == content
    assert owner.client.get(f"{REVISION}/edit/{name}").status_code == 200


def test_what_they_carry_for_others_is_no_finding() -> None:
    files = deployments.read_folder(BUNDLE)

    for form in (SAVED, {name: crlf(content) for name, content in SAVED.items()}):
        found = inspections.inspect(files | form, deployments.JOB_TYPES)
        assert (found.executable, [str(one) for one in found.findings]) == (True, [])


def test_an_unknown_extension_of_what_is_executed_is_told_and_the_file_kept(signed_in: People, app: Flask) -> None:
    owner = signed_in("owner1")
    mark = b"        <zeebe:formDefinition"
    content = SAVED["desktop.bpmn"].replace(mark, b'        <plan:note text="x" />\n' + mark)
    page = owner.press(owner.open("/studio"), "改訂案を始める", {"title": "外で描いたもの"})

    page = uploaded(owner, page, ("desktop.bpmn", content), ("room.form", SAVED["room.form"]))

    assert "部屋を選ぶ 拡張 note" in page.text
    assert present(app)["desktop.bpmn"] == content
    assert present(app).keys() == FILES.keys() | {"desktop.bpmn", "room.form"}
