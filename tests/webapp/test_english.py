"""In English no Japanese is left on any page of a real case, but for names of people and what people typed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template
from freezegun.api import FrozenDateTimeFactory
from lxml import etree, html

from engine import deployments, feel, forms, identity
from engine.forms import messages
from tests.webapp.company import NUMBER, SCENARIOS, Company, answers
from tests.webapp.conftest import NOW, Browser, serve
from webapp import edge
from webapp.content import content, title
from webapp.forms_html import FormPage
from webapp.told import ENGLISH, told

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


SENTENCES = {name: text for name, text in vars(messages).items() if isinstance(text, str) and "{label}" in text}


@pytest.mark.parametrize("name", [*SENTENCES, "UNKNOWN_FIELD"])
def test_every_sentence_to_who_fills_a_form_has_its_english(english: None, name: str) -> None:
    template = getattr(messages, name)
    places = set(re.findall(r"\{(\w+)\}", template))
    assert places == set(re.findall(r"\{(\w+)\}", ENGLISH[template]))

    said = told(template.format(**dict.fromkeys(places, "X")))

    assert said == ENGLISH[template].format(**dict.fromkeys(places, "X"))
    assert not JAPANESE.search(said)


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
