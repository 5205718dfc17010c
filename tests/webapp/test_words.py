"""Every page that people of every role reach by following links speaks the reader's language, and only that.

The company has a case before the judge, a step that stopped, a comment, a refused attempt, a version that was
changed, and a revision with findings.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest
from flask import Flask
from freezegun import freeze_time
from lxml import html

from engine import identity, incidents, tasklist
from tests.webapp.company import NUMBER, Company, answers
from tests.webapp.conftest import NOW, Browser, serve

PEOPLE = (
    "handler1", "supervisor1", "desk1", "head1", "legal1", "lawyer1", "hr1", "physician1", "executive1",
    "auditor1", "trainer1", "owner1",
)  # fmt: skip
"""One person of each role of the bundled content."""
JAPANESE = re.compile(r"[\u3041-\u30fa\u30fc-\u30ff\u3400-\u9fff]")
NOT_PAGES = re.compile(r"/static/|/studio/.*/(files|findings)/|\.zip$|\.bpmn$|/replay/steps")
SPOKEN = "//@title | //@aria-label | //@placeholder | //@alt | //@data-texts | //input[@type='submit']/@value"
TYPED = "//textarea | //code | //pre | //script | //style | //body//*[@lang]"
"""What people write (files as text among it), and what says itself that it is in another language."""
MOST = 4
"""Pages of one kind (the same path and query but for numbers) that one person opens."""
BRAND = {"守り"}
"""The one word that stays in English: the name of the product, beside its reading."""


@pytest.fixture(scope="module")
def lively(company_that_judges: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    path = Path(shutil.copy(company_that_judges, tmp_path_factory.mktemp("words") / "mamori.db"))
    served = serve(path)
    with freeze_time(NOW) as clock:
        enliven(Company(served, clock, {}, answers("C-11")))
        yield served
    served.extensions["mamori"].close()


def enliven(company: Company) -> None:
    judge, owner = company.at("supervisor1"), company.at("owner1")
    page = judge.open(f"/cases/{NUMBER}")
    judge.press(page, "コメントを載せる", {"text": "@desk1 Please look.", "to": ""})
    with company.app.extensions["mamori"].transaction() as session:
        task = tasklist.of_case(session, NUMBER)[0]
        incidents.open(
            session,
            instance=task.instance,
            business_key=NUMBER,
            token=9999,
            element=task.element,
            message="決定「no_decision」が、この配備にありません。",
            at=NOW,
        )
    owner.press(owner.open("/studio"), "改訂案を始める", {"title": "A trial"})
    for name, old, new in CHANGES:
        page = owner.open(f"/studio/revisions/1/edit/{name}")
        text = page.control("content").text.removeprefix("\n")
        assert old in text, name
        owner.press(page, "保存", {"content": text.replace(old, new, 1)})


CHANGES = (
    ("harassment-response/complaint_intake.bpmn", 'formId="', 'formId="no_'),
    ("harassment-response/care.dmn", 'hitPolicy="FIRST"', 'hitPolicy="UNIQUE"'),
    ("harassment-response/policies.yaml", "{form: determination_review}", "{form: nowhere}"),
    ("closure.form", '"label": "', '"label": "X '),
)


def pages(browser: Browser) -> Iterator[tuple[str, html.HtmlElement]]:
    """Each page that links lead to from the inbox, up to MOST of a kind."""
    waiting, seen = ["/", "/emergency", "/nowhere", "/settings"], Counter[str]()
    for path in waiting:
        kind = re.sub(r"\d+", "0", path)
        seen[kind] += 1
        if seen[kind] > MOST:
            continue
        page = browser.open(path)
        if page.response.mimetype == "text/html":
            links = dict.fromkeys(urldefrag(str(link)).url for link in page.document.xpath("//a/@href"))
            ours = [link for link in links if link.startswith("/") and not NOT_PAGES.search(urlsplit(link).path)]
            waiting += [link for link in ours if link not in waiting]
            yield path, page.document


def read(document: html.HtmlElement) -> list[str]:
    """What a person reads or hears on the page."""
    for each in document.xpath(TYPED):
        tail = each.tail or ""
        each.clear()
        each.tail = tail
    texts = [*document.itertext(), *map(str, document.xpath(SPOKEN))]
    return [" ".join(text.split()) for text in texts if text.strip()]


def japanese(app: Flask, name: str) -> dict[str, set[str]]:
    """Text → pages on which this person, reading English, finds Japanese in it that nobody typed."""
    with app.extensions["mamori"].reading() as session:
        people = [one.label for one in identity.people(session)]
    typed = sorted({*people, *written(answers("C-11"))} - {""}, key=len, reverse=True)
    found: dict[str, set[str]] = {}
    browser = Company(app, None, {}, {}).at(name)
    browser.press(browser.open("/"), "English")
    for path, document in pages(browser):
        for text in read(document):
            rest = text
            for each in typed:
                rest = rest.replace(each, "")
            if JAPANESE.search(rest) and rest not in BRAND:
                found.setdefault(text, set()).add(path)
    return found


def written(value: Any) -> set[str]:
    """Every text in the answers of a scenario, in lines and as a page runs it together."""
    if isinstance(value, str):
        return {*value.splitlines(), " ".join(value.split())}
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for one in each for text in written(one)}


@pytest.mark.parametrize("name", PEOPLE)
def test_nobody_who_reads_english_meets_japanese(lively: Flask, name: str) -> None:
    assert japanese(lively, name) == {}


def test_what_only_this_company_has_is_among_the_pages(lively: Flask) -> None:
    read_by_owner = " ".join(
        text for _, document in pages(Company(lively, None, {}, {}).at("owner1")) for text in read(document)
    )
    read_by_desk = " ".join(
        text for _, document in pages(Company(lively, None, {}, {}).at("desk1")) for text in read(document)
    )

    for told in ("がありません", "Please look", "に変えます"):
        assert told in read_by_owner + read_by_desk
    assert "この配備にありません" in read_by_desk


def test_a_planted_word_is_found(lively: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lively.jinja_env.filters, "told", str)

    found = japanese(lively, "desk1")

    assert "決定「no_decision」が、この配備にありません。" in found
