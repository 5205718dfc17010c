"""In English no Japanese is left on any page of a real case, but for names of people and what people typed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from flask import Flask, render_template
from freezegun.api import FrozenDateTimeFactory
from lxml import etree, html

from engine import deployments, feel, forms, identity
from tests.webapp import engine_texts
from tests.webapp.company import NUMBER, SCENARIOS, Company, answers
from tests.webapp.conftest import NOW, Browser, serve
from webapp import edge
from webapp.content import content, title
from webapp.forms_html import FormPage
from webapp.told import CATALOGUE, told

JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]+")
BRAND = {"守り", "日本語"}
FORMS = sorted((SCENARIOS.parents[2] / "forms").glob("*.form"))


@pytest.fixture
def app(company_that_judges: Path, tmp_path: Path) -> Iterator[Flask]:
    served = serve(Path(shutil.copy(company_that_judges, tmp_path / "mamori.db")))
    yield served
    served.extensions["mamori"].close()


@pytest.fixture
def company(app: Flask, clock: FrozenDateTimeFactory) -> Company:
    return Company(app, clock, {}, answers("C-11"))


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    """Inside a request of somebody who reads English."""
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield
        edge.close()


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def typed(app: Flask) -> list[str]:
    """What people wrote in the case, and what they are called; the longest first."""
    with app.extensions["mamori"].reading() as session:
        people = [one.label for one in identity.people(session)]
    written = [line for text in texts(answers("C-11")) for line in text.splitlines()]
    return sorted({*people, *written}, key=len, reverse=True)


def japanese(document: html.HtmlElement, typed: list[str]) -> set[str]:
    """The Japanese in texts and attributes of the page that nobody typed."""
    attributes = " ".join(document.xpath("//@value | //@title | //@aria-label | //@data-texts | //@data-leftover"))
    text = f"{document.text_content()} {attributes}"
    for each in typed:
        text = text.replace(each, "")
    return set(JAPANESE.findall(text)) - BRAND


def reading_english(company: Company, name: str) -> Browser:
    browser = company.at(name)
    browser.press(browser.open("/"), "English")
    return browser


@pytest.mark.parametrize("name", ["handler1", "supervisor1", "desk1", "head1", "hr1", "auditor1"])
def test_no_japanese_is_left_on_the_pages_of_a_case(company: Company, typed: list[str], name: str) -> None:
    browser = reading_english(company, name)
    tasks = [f"/tasks/{task.id}" for task in company.open_tasks()]

    left = {}
    for path in ("/", "/?due=week", "/cases", "/cases?q=2026", f"/cases/{NUMBER}", "/emergency", "/nowhere", *tasks):
        page = browser.open(path)
        left[path] = japanese(page.document, typed)

    assert {path: found for path, found in left.items() if found} == {}


def test_a_rejected_form_says_in_english_what_to_mend(company: Company, typed: list[str]) -> None:
    judge = reading_english(company, "supervisor1")
    task = company.task("determination_form")

    page = judge.press(judge.open(f"/tasks/{task.id}"), "Done: send this", {"conflict_declared": "yes"})

    assert page.status == 422
    assert page.document.find_class("error")
    assert japanese(page.document, typed) == set()


def test_the_diagrams_are_named_in_english(company: Company) -> None:
    judge = reading_english(company, "supervisor1")

    drawn = judge.client.get(f"/cases/{NUMBER}/diagrams/1/complaint_intake.bpmn")

    names = [str(name) for name in etree.fromstring(drawn.data).xpath("//@name")]
    assert "First response" in names
    assert [name for name in names if JAPANESE.search(name)] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_every_field_of_every_form_is_in_english(app: Flask, english: None, path: Path) -> None:
    form = forms.read(path.read_bytes())
    page = FormPage(replace(shown(form), fields=tuple(map(laid_open, shown(form).fields))))

    document = html.document_fromstring(render_template("form.html", page=page, saved=None))

    assert japanese(document, []) == set()
    assert len(document.xpath("//label | //legend")) >= len(form.body.by_key)


def shown(form: forms.Form) -> forms.FormView:
    people: feel.Value = [{"label": "Somebody", "value": "somebody", "groups": ["lawyer"]}]
    evidence: feel.Value = [{"id": "V-01", "kind": "recording"}]
    known = {"people": people, "evidence_items": evidence, "actor": {"name": "a", "groups": []}}
    return forms.fill(form, {}, known, feel.Environment(now=NOW))


def laid_open(view: forms.FieldView) -> forms.FieldView:
    """The field as it is where no condition hides it; a list with a row, and no text that a formula computed."""
    rows = (tuple(map(laid_open, view.blank)),) if view.blank else ()
    return replace(view, visible=True, fields=tuple(map(laid_open, view.fields)), rows=rows)


PLACE = re.compile(r"\{(\w+)\}")


def known() -> dict[str, str]:
    with CATALOGUE.open("rb") as source:
        return {str(entry.id): str(entry.string) for entry in read_po(source, abort_invalid=True) if entry.id}


def test_the_catalogue_holds_just_what_the_engine_can_say() -> None:
    assert set(known()) == set(engine_texts.texts())


def test_every_sentence_of_the_engine_has_its_english(english: None) -> None:
    wrong = {}
    for own, english_one in known().items():
        assert sorted(PLACE.findall(own)) == sorted(PLACE.findall(english_one)), own
        said = told(PLACE.sub(lambda place: f"V{place[1]}", own))
        if said.strip() != PLACE.sub(lambda place: f"V{place[1]}", english_one).strip():
            wrong[own] = said

    assert wrong == {}
    assert [one for one in known().values() if JAPANESE.search(one)] == []


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "決定「期限」を評価できません: 型「tDay」は定義されていません。",
            "The decision “deadline” cannot be evaluated: The type “tDay” is not defined.",
        ),
        (
            "人の作業「受付・一次対応」の期限を なし から 「P2D」 に変えます。",
            "User task “First response”: deadline becomes “P2D”; it was nothing.",
        ),
        ("期限・フォームがありません。", "It has no deadline, form."),
        (
            "2 行目には決して届きません。その前の 1 行目、3 行目が、いつも先に当てはまります。",
            "Row 2 is never reached. Before it, row 1, row 3 always hold first.",
        ),
        ("「A → B」と進むと、「C」か「D」を通りません。", "The way “A → B” does not pass “C” or “D”."),
        (
            "当てはまる行がありません(例: a = 1、b = 2)。ほかにもあります。",
            "No row holds (example: a = 1, b = 2). There are more of this kind.",
        ),
        (
            "a.yaml 3 行目: YAML として読めません(x)。\nb.form: JSON として読めません: y",
            "a.yaml line 3: It cannot be read as YAML (x).\nb.form: It cannot be read as JSON: y",
        ),
    ],
)
def test_sentences_within_sentences_and_next_to_each_other_are_told(english: None, sentence: str, said: str) -> None:
    assert told(sentence) == said


def test_what_a_hostile_file_nests_and_repeats_is_told_soon(english: None) -> None:
    for text in ("決定「" * 20_000, "の" * 50_000, "、「あ」" * 5_000, "。" * 50_000, "「" * 50_000 + "」の" * 9_000):
        told(f"型「{text}」は定義されていません。")


def test_a_text_that_the_files_put_together_is_translated_in_its_parts(english: None) -> None:
    joined = "速報が登録されました(2026-0001)。一人にせず、組織で対応します。"

    assert content(joined) == (
        "A quick report has been filed (2026-0001). Nobody is left alone with it; we respond together."
    )


def test_a_process_is_called_by_its_name_without_the_number_of_its_file(company: Company) -> None:
    handler = company.at("handler1")

    japanese_page = handler.open(f"/cases/{NUMBER}").text
    english_page = reading_english(company, "handler1").open(f"/cases/{NUMBER}").text

    assert "苦情・要望の受付と初期対応" in japanese_page
    assert "Complaints and requests: first response" in english_page
    assert not re.search(r"P\d |ST-\d\d", japanese_page + english_page)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("P1 受付", "受付"),
        ("ST-18・19 検証と終結", "検証と終結"),
        ("備品の申込み", "備品の申込み"),
        ("A4 用紙", "A4 用紙"),
    ],
)
def test_a_number_before_a_name_is_left_out(app: Flask, name: str, said: str) -> None:
    with app.test_request_context():
        assert title(name) == said


def test_the_bundle_is_translated_as_it_is_deployed(english: None) -> None:
    known = deployments.translations(edge.reading(), "en")

    assert known["受付・一次対応"] == "First response"
    assert deployments.translations(edge.reading(), "ja") == {}
