"""Every message of the pages has its Japanese, and the catalogue holds nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import webapp
from webapp.language import CATALOGUE

FOLDER = Path(webapp.__file__).parent
PLACES = re.compile(r"%\((\w+)\)")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="ja", abort_invalid=True)


@pytest.fixture(scope="module")
def messages() -> set[str]:
    found = extract_from_dir(
        FOLDER,
        method_map=[("**.py", "python"), ("**/templates/**.html", "jinja2")],
        keywords={"_": None, "ngettext": (1, 2), "lazy_gettext": None},
    )
    return {each[2][0] if isinstance(each[2], tuple) else each[2] for each in found}


def _id(entry_id: str | tuple[str, ...] | list[str]) -> str:
    return entry_id if isinstance(entry_id, str) else entry_id[0]


def test_every_message_has_its_japanese_and_none_is_left_over(catalogue: Catalog, messages: set[str]) -> None:
    translated = {_id(entry.id) for entry in catalogue if entry.id and all(entry.string) and not entry.fuzzy}

    assert translated == messages


def test_a_translation_names_the_same_places(catalogue: Catalog) -> None:
    for entry in catalogue:
        strings = [entry.string] if isinstance(entry.string, str) else list(entry.string)
        for string in strings if entry.id else []:
            wanted = set(PLACES.findall(" ".join([entry.id] if isinstance(entry.id, str) else entry.id)))
            assert set(PLACES.findall(string)) == wanted, entry.id


def test_templates_hold_no_text_outside_the_catalogue() -> None:
    """Japanese in a template would be missing in English; the brand and the language switch are the same in both."""
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")

    found = {text for path in FOLDER.glob("templates/*.html") for text in japanese.findall(path.read_text())}

    assert found == {"守", "り", "日本語"} or found == {"守り", "日本語"}
