"""English for the content: every Japanese text that people can see has it, and nothing stands in it that is not seen.

A text is what a form, a diagram, a decision or the bundle says in Japanese. Where a file calculates a text (FEEL), its
string literals are the texts. The cards of guidance.yaml bring their own English, and names of people are not translated.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from lxml import etree
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "processes" / "harassment-response"
ENGLISH = BUNDLE / "translations" / "en.po"

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
NOT_ENGLISH = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
STRING_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
FEEL_IN_DMN = {"literalExpression", "inputExpression", "inputEntry", "outputEntry", "inputValues", "outputValues"}
KEPT = re.compile(
    r"%\(\w+\)s|\{\w+\}"  # placeholders
    r"|(?<![A-Za-z0-9])[A-Z]{1,3}-?\d{1,2}[a-z]?(?![A-Za-z0-9])|\[D\]"  # codes: V01, ST-05, C3, E8, S12, [D]
    r"|\d{2,}(?![\d万])"  # figures: 16, 110, 9110
)
"""What has to stand in the English as it stands in the Japanese. Figures of one digit may be words (1回, once)."""

Text = tuple[str, str]
"""Place (`file#field or element`) and words."""


def spoken(words: str, place: str, *, feel: bool) -> Iterator[Text]:
    """The Japanese that reaches people: the words themselves, or the string literals of an expression."""
    for said in STRING_LITERAL.findall(words) if feel else [words]:
        if JAPANESE.search(said):
            yield place, said


def in_data(node: Any, file: str, owner: str) -> Iterator[Text]:
    """Texts of JSON or YAML, each at the nearest thing around it that has a key, path, id or name."""
    if isinstance(node, Mapping):
        named = next((node[name] for name in ("key", "path", "id", "name") if name in node), owner)
        for value in node.values():
            yield from in_data(value, file, named)
    elif isinstance(node, list):
        for value in node:
            yield from in_data(value, file, owner)
    elif isinstance(node, str):
        yield from spoken(node, f"{file}#{owner}", feel=node.startswith("="))


def in_form(path: Path) -> Iterator[Text]:
    return in_data(json.loads(path.read_text("utf-8")), place(path), path.stem)


def in_bundle(path: Path) -> Iterator[Text]:
    declared = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    del declared["people"]
    declared["groups"] = [{"id": name, **group} for name, group in declared["groups"].items()]
    return in_data(declared, place(path), path.stem)


def in_model(path: Path) -> Iterator[Text]:
    """Texts of a diagram or decision, each at the nearest element around it that has an id."""
    for element in etree.parse(path).iter(etree.Element):
        owner = next(each.get("id") for each in (element, *element.iterancestors()) if each.get("id"))
        where = f"{place(path)}#{owner}"
        for value in element.attrib.values():
            yield from spoken(value, where, feel=value.startswith("="))
        above = element.getparent()
        feel = above is not None and etree.QName(above).localname in FEEL_IN_DMN
        yield from spoken(element.text or "", where, feel=feel)


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def seen() -> Iterator[Text]:
    forms, models = (ROOT / "forms").glob("*.form"), (*BUNDLE.glob("*.bpmn"), *BUNDLE.glob("*.dmn"))
    for path in sorted([*forms, *models, BUNDLE / "bundle.yaml"]):
        yield from READERS[path.suffix](path)


READERS = {".form": in_form, ".bpmn": in_model, ".dmn": in_model, ".yaml": in_bundle}


def places() -> Mapping[str, list[str]]:
    """Each text and where it stands, in the order of files and within them."""
    found: dict[str, list[str]] = defaultdict(list)
    for where, words in seen():
        if where not in found[words]:
            found[words].append(where)
    return found


SEEN = places()


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with ENGLISH.open("rb") as source:
        return read_po(source, locale="en", abort_invalid=True)


@pytest.fixture(scope="module")
def entries(catalogue: Catalog) -> dict[str, Message]:
    return {str(entry.id): entry for entry in catalogue if entry.id}


def lines(what: str, found: list[str]) -> str:
    return f"{what}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("forms/demand_check.form#demand_check", "求めと事情の確認"),
        ("forms/demand_check.form#own_fault", "会社側の落ち度"),
        ("forms/contact_record.form#channel", "対面(自社内)"),
        (
            "forms/handover.form#lead_responder",
            "対応者と記録者は別の人にしてください。一人に負担が集まらないようにするためです。",
        ),
        ("forms/notice_issue.form#doc_type", "D-01 警告書"),
        ("processes/harassment-response/complaint_intake.bpmn#ST_01_first_response", "受付・一次対応"),
        ("processes/harassment-response/measures.dmn#measure_catalogue", "措置コード表"),
        ("processes/harassment-response/bundle.yaml#danger_arose", "危険が起きた"),
        ("processes/harassment-response/bundle.yaml#auditor", "監査"),
    ],
)
def test_texts_are_found_where_they_stand(where: str, words: str) -> None:
    assert where in SEEN[words]


@pytest.mark.parametrize(
    "words",
    [
        "お待たせしないため当日中",
        "承認された措置の中から選んでください。ほかの措置が要るときは、対応方針の決裁に戻します。",
        "速報が登録されました(",
        "録音",
    ],
)
def test_of_a_calculated_text_the_literals_are_found(words: str) -> None:
    assert words in SEEN


def test_every_text_has_english(entries: dict[str, Message]) -> None:
    missing = [f"{', '.join(wheres)}: {words}" for words, wheres in SEEN.items() if words not in entries]
    assert not missing, lines("These have no English", missing)


def test_no_entry_is_stale(entries: dict[str, Message]) -> None:
    stale = [words for words in entries if words not in SEEN]
    assert not stale, lines("Nobody sees these any more", stale)


def test_the_english_is_there_and_is_english(entries: dict[str, Message]) -> None:
    unclear = [f"{words}: {entry.string}" for words, entry in entries.items() if not says_it_in_english(entry)]
    assert not unclear, lines("Empty, fuzzy or not yet English", unclear)


def says_it_in_english(entry: Message) -> bool:
    english = str(entry.string)
    return bool(english) and english == english.strip() and not NOT_ENGLISH.search(english) and not entry.fuzzy


def test_placeholders_codes_and_figures_are_kept(entries: dict[str, Message]) -> None:
    lost = [f"{words}: {', '.join(kept)}" for words, entry in entries.items() if (kept := kept_only_in(words, entry))]
    assert not lost, lines("The English lost these", lost)


def kept_only_in(words: str, entry: Message) -> list[str]:
    return sorted(set(KEPT.findall(words)) - set(KEPT.findall(str(entry.string))))


def test_what_differs_at_one_place_differs_in_english(entries: dict[str, Message]) -> None:
    """Otherwise two options of a field would look the same."""
    at: dict[tuple[str, str], list[str]] = defaultdict(list)
    for words, wheres in SEEN.items():
        for where in wheres if words in entries else ():
            at[where, str(entries[words].string).casefold()].append(words)
    alike = [f"{where}: {' / '.join(words)} = {english}" for (where, english), words in at.items() if len(words) > 1]
    assert not alike, lines("These read the same", alike)


def test_each_text_is_translated_once(catalogue: Catalog) -> None:
    ids = re.findall(r'^msgid "(.+)"$', ENGLISH.read_text("utf-8"), re.MULTILINE)
    assert len(ids) == len(set(ids)) == len(catalogue)
    assert not catalogue.obsolete


def test_entries_say_where_the_text_stands(entries: dict[str, Message]) -> None:
    untrue = [f"{words}: {', '.join(wrong)}" for words, entry in entries.items() if (wrong := misplaced(entry))]
    assert not untrue, lines("These do not stand there", untrue)


def misplaced(entry: Message) -> set[str]:
    stated = {where for where, _ in entry.locations} or {"no place is given"}
    return stated - set(SEEN.get(str(entry.id), ()))


def test_entries_stand_in_the_order_of_their_files(entries: dict[str, Message]) -> None:
    files = [entry.locations[0][0].partition("#")[0] for entry in entries.values() if entry.locations]
    assert files == sorted(files)
