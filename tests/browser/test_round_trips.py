"""What an editor gives back means what went in: every file of the bundle, opened, changed, the change undone, saved."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

import pytest
from lxml import etree
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenWindow, Window
from tests.browser.test_studio import SAVED, begin

pytestmark = pytest.mark.usefixtures("new_company")

DEFAULTS = {("decisionTable", "hitPolicy"): "UNIQUE"}
"""What a file says when it says nothing (DMN 1.3, 8.2.8); an editor need not write it."""
UNORDERED = {"flowNodeRef", "incoming", "outgoing", "startEvent", "BPMNShape", "BPMNEdge"}
"""Members of a set, in whatever order."""


def meaning(source: bytes) -> Counter[tuple[object, ...]]:
    """Everything an XML file says, comments too: each element with its own words, inside what, and as which of its kind.

    How it is laid out as text is left out, and the order of elements of different names, which both standards fix.
    """
    found: Counter[tuple[object, ...]] = Counter()
    for element in etree.fromstring(source).iter():
        around = next((each.get("id") for each in element.iterancestors() if each.get("id")), "")
        if not isinstance(element.tag, str):
            found[around, "comment", element.text] += 1
            continue
        name = etree.QName(element).localname
        if name == "Bounds" and etree.QName(element.getparent()).localname == "BPMNLabel":
            continue  # a browser measures the text anew
        number = 0 if name in UNORDERED else len(list(element.itersiblings(element.tag, preceding=True)))
        own = {str(key): text for key, text in element.attrib.items() if DEFAULTS.get((name, str(key))) != text}
        found[around, element.tag, number, tuple(sorted(own.items())), (element.text or "").strip()] += 1
    return found


def form_meaning(source: bytes) -> object:
    """A form as plain JSON, without the version of the format, which the editor raises."""
    form = json.loads(source)
    del form["schemaVersion"]
    return form


def change_and_undo_diagram(window: Window, editor: Locator) -> None:
    window.keys("ArrowRight", "Control+z")


def change_and_undo_tables(window: Window, editor: Locator) -> None:
    """In every view: a rule more in a table; elsewhere nothing can be changed by a key alone."""
    views = window.page.locator("#editor-views")
    for option in views.locator("option").all():
        views.select_option(option.get_attribute("value"))
        for more in editor.locator(".add-rule").all()[-1:]:
            more.click()
            window.keys("Control+z")


def change_and_undo_form(window: Window, editor: Locator) -> None:
    editor.locator(".fjs-palette-field[data-field-type='textarea']").focus()
    window.keys("Enter", "Control+z")


CHANGES = {"bpmn": change_and_undo_diagram, "dmn": change_and_undo_tables, "form": change_and_undo_form}


def first_shape(source: bytes) -> str:
    """A start event, which can be moved by a key when it is looked at."""
    found = next(etree.fromstring(source).iter("{*}startEvent"))
    return str(found.get("id"))


def given_back(window: Window, revision: str, name: str, source: bytes) -> bytes:
    """The file as it is in the revision after the editor saved it."""
    kind = PurePath(name).suffix[1:]
    element = f"?element={first_shape(source)}" if kind == "bpmn" else ""
    window.open(f"{revision}/edit/{name}{element}")
    editor = window.page.locator("#editor")
    expect(window.page.locator("#editor-checked")).not_to_be_empty()
    if element:
        expect(editor.locator(".djs-shape.selected")).to_have_count(1)
    expect(window.page.locator("#editor-losses")).to_have_count(0)
    CHANGES[kind](window, editor)
    expect(window.page.locator("#editor-status")).to_have_text(SAVED)
    answer = window.page.request.get(f"{window.address}{revision}/files/{name}")
    assert answer.ok
    return answer.body()


def begin_with(window: Window, files: Mapping[str, bytes]) -> str:
    """A revision of these files alone, which is checked sooner than the whole; gives its address."""
    begin(window, "開いて保存するだけ")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, source in files.items():
            archive.writestr(name, source)
    region = window.region("ファイル")
    region.locator("summary", has_text="手元のファイル").click()
    region.locator("#upload").set_input_files(
        {"name": "bundle.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    )
    region.get_by_label("ここに含まれないファイルは取り除く").check()
    window.press("アップロードする")
    expect(window.main).to_contain_text(f"{len(files)} 個のファイルを読み込みました")
    return window.page.url.removeprefix(window.address).partition("#")[0]


@pytest.mark.parametrize("kind", CHANGES)
def test_every_file_says_the_same_after_its_editor_saved_it(
    open_window: OpenWindow, files: dict[str, bytes], kind: str
) -> None:
    owner = open_window("owner1")
    chosen = {name: source for name, source in files.items() if name.endswith(f".{kind}")}
    revision = begin_with(owner, chosen)
    said = form_meaning if kind == "form" else meaning

    for name, source in chosen.items():
        saved = given_back(owner, revision, name, source)
        assert saved != source, name
        assert said(saved) == said(source), name


def test_what_an_editor_does_not_know_is_kept_or_told_before_it_is_lost(
    open_window: OpenWindow, files: dict[str, bytes]
) -> None:
    """An extension is kept; a comment, and what the standard has no place for, would be lost and can be kept as text."""
    diagram, tables = files["harassment-response/legit_complaint.bpmn"], files["harassment-response/care.dmn"]
    foreign = b'<!-- why --><bpmn:process xmlns:plan="urn:plan" plan:cost="1" '
    form = json.loads(files["legal_review.form"])
    form["components"][0]["plan"] = {"cost": [1, {"of": None}]}
    form["plan"] = "x"
    noted = {
        "diagram.bpmn": diagram.replace(b"<bpmn:process ", foreign, 1),
        "tables.dmn": tables.replace(b"</decision>", b"<cost>1</cost></decision>", 1),
        "form.form": json.dumps(form).encode(),
    }
    owner = open_window("owner1")
    revision = begin_with(owner, noted)
    losses = owner.page.locator("#editor-losses")

    saved = given_back(owner, revision, "form.form", noted["form.form"])
    assert form_meaning(saved) == form_meaning(noted["form.form"])
    for name, lost in (("diagram.bpmn", "<!-- why -->"), ("tables.dmn", "<cost> 1")):
        owner.open(f"{revision}/edit/{name}")
        expect(losses.get_by_role("listitem")).to_have_text([lost])
        losses.get_by_role("link", name="テキストとして変更する").click()
        text = owner.page.get_by_role("textbox", name="中身")
        text.fill(text.input_value().replace(" name=", "  name=", 1), timeout=60_000)
        owner.press("保存する")
        expect(losses).to_have_count(1)
        kept = owner.page.request.get(f"{owner.address}{revision}/files/{name}").body()
        assert kept == noted[name].replace(b" name=", b"  name=", 1)
