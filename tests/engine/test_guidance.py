"""The cards beside the forms, and the words of a bundle in another language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine import bundles, deployments, guidance, translations
from engine.errors import DeploymentRejected, FileUnreadable

CARDS = """
channel_steps: [RV-01]
steps:
  RV-01:
    title: {ja: 審査, en: Review}
    purpose: {ja: 申請を読みます。, en: Read the request.}
    do: [{ja: ゆっくり読みましょう。, en: Read slowly.}, {ja: "はい", en: yes}]
    avoid: [{ja: 急がないでください。, en: Do not hurry.}]
    say: [{ja: 「拝見します。」, en: "“Let me read it.”"}]
    calls: [fire]
    after: [{ja: おつかれさまでした。, en: Well done.}]
    forms:
      second_look:
        do: [{ja: もう一度読みましょう。, en: Read again.}]
        avoid: [{ja: 決めつけないでください。, en: Keep an open mind.}]
        say: [{ja: 「もう一度。」, en: "“Once more.”"}]
channels:
  phone:
    title: {ja: 電話, en: Telephone}
    place: [{ja: 静かな所で。, en: Somewhere quiet.}]
    record: [{ja: 書き留めます。, en: Take notes.}]
    limits: [{ja: 三十分。, en: Thirty minutes.}]
    ending: [{ja: お礼を言います。, en: Say thank you.}]
emergency:
  title: {ja: 緊急, en: Emergency}
  purpose: {ja: 身を守ります。, en: Stay safe.}
  lines: [{ja: 離れます。, en: Leave.}]
  avoid: [{ja: 戻りません。, en: Do not go back.}]
  say: [{ja: 「助けて。」, en: "“Help.”"}]
  contacts:
    - {id: fire, name: {ja: 消防, en: Fire brigade}, number: "119", note: {ja: いつでも, en: Any time}, certainty: C}
    - {id: desk, name: {ja: 窓口, en: Desk}, number: 要確認, note: {ja: 昼間, en: By day}, certainty: D, source: S1}
"""
WORDS = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

#: review.bpmn#RV_01_review
msgid "審査する"
msgstr "Review"

msgid "まだ"
msgstr ""

#, fuzzy
msgid "たぶん"
msgstr "Perhaps"
"""


@pytest.fixture(scope="session")
def bundle_files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    folder = tmp_path_factory.mktemp("bundle")
    for path in (Path(__file__).parent / "processes").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "translations").mkdir()
    (folder / "translations" / "en.po").write_text(WORDS, "utf-8")
    (folder / "guidance.yaml").write_text(CARDS, "utf-8")
    (folder / "notes.yaml").write_text("no part of a bundle")
    return deployments.read_folder(folder)


def cards(office: Any) -> guidance.Guidance:
    with office.database.reading() as session:
        return deployments.guidance(session)


def refused(bundle_files: Mapping[str, bytes], **changed: bytes) -> list[tuple[str, str]]:
    with pytest.raises(DeploymentRejected) as rejection:
        bundles.compile_files({**bundle_files, **changed}, ("notify", "charge"))
    return [(finding.file, finding.message) for finding in rejection.value.findings]


def test_a_task_finds_the_card_of_its_step_in_both_languages(office: Any) -> None:
    card = cards(office).card("RV_01_review", "review_form")

    assert card is not None
    assert (card.step, card.title) == ("RV-01", {"ja": "審査", "en": "Review"})
    assert [line["en"] for line in card.do] == ["Read slowly.", "yes"]
    assert [(contact.id, contact.number) for contact in card.calls] == [("fire", "119")]
    assert card.after == ({"ja": "おつかれさまでした。", "en": "Well done."},)
    assert card.channel is None


def test_a_form_of_the_step_may_have_advice_of_its_own(office: Any) -> None:
    card = cards(office).card("RV_01_review", "second_look")

    assert card is not None
    assert (card.title["ja"], [line["ja"] for line in card.do]) == ("審査", ["もう一度読みましょう。"])


def test_the_rules_of_the_channel_stand_beside_the_steps_that_have_them(office: Any) -> None:
    found = cards(office)

    card = found.card("RV_01_review", "review_form", "phone")
    assert card is not None
    assert card.channel is not None
    assert card.channel.limits == ({"ja": "三十分。", "en": "Thirty minutes."},)
    unknown = found.card("RV_01_review", "review_form", "pigeon")
    assert unknown is not None
    assert unknown.channel is None


def test_a_step_without_a_card_has_none(office: Any) -> None:
    assert cards(office).card("RV_02_second_look", "second_look") is None
    assert guidance.Guidance().card("RV_01_review") is None


def test_a_number_that_is_not_confirmed_is_not_there(office: Any) -> None:
    emergency = cards(office).emergency

    assert emergency is not None
    assert [(contact.id, contact.number, contact.source) for contact in emergency.contacts] == [
        ("fire", "119", None),
        ("desk", None, "S1"),
    ]


def test_of_two_bundles_the_later_one_holds(office: Any) -> None:
    steps = CARDS.replace("ゆっくり", "はやく").replace("    calls: [fire]\n", "").split("    forms:")[0]
    earlier, later = cards(office), guidance.read(steps.encode())

    joined = earlier.joined(later)

    card = joined.card("RV_01_review", "second_look")
    assert card is not None
    assert card.do[0]["ja"] == "はやく読みましょう。"
    assert joined.emergency == earlier.emergency
    assert joined.channels == earlier.channels


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("channel_steps: [RV-01]", "channel_steps: [RV-09]", "RV-09"),
        ("purpose: {ja: 申請を読みます。, en: Read the request.}", "purpose: {ja: 申請を読みます。}", "en"),
        ("title: {ja: 電話, en: Telephone}", "title: 電話", "channels.phone.title"),
        ("title: {ja: 電話, en: Telephone}", "title: {ja: 電話, en: 1}", "channels.phone.title.en"),
        ("say: [{ja: 「助けて。」", "says: [{ja: 「助けて。」", "says"),
        ("avoid: [{ja: 急がないでください。, en: Do not hurry.}]", "avoid: []", "avoid"),
        ("calls: [fire]", "calls: [brigade]", "brigade"),
        ("channels:", "channels: [", "行目"),
    ],
)
def test_guidance_of_another_shape_is_refused_with_its_place(
    bundle_files: Mapping[str, bytes], old: str, new: str, told: str
) -> None:
    assert old in CARDS

    findings = refused(bundle_files, **{"guidance.yaml": CARDS.replace(old, new).encode()})

    assert [file for file, _ in findings] == ["guidance.yaml"]
    assert told in findings[0][1]


def test_a_second_file_of_guidance_is_refused(bundle_files: Mapping[str, bytes]) -> None:
    assert len(refused(bundle_files, **{"more/guidance.yaml": CARDS.encode()})) == 1


def test_words_are_those_of_the_language_without_what_is_empty_or_unsure(office: Any) -> None:
    with office.database.reading() as session:
        assert deployments.translations(session, "en") == {"審査する": "Review"}
        assert deployments.translations(session, "ja") == deployments.translations(session, "fr") == {}


@pytest.mark.parametrize("broken", [b'msgid "a\nmsgstr "b"\n', b"nonsense\n", b'msgid "\xff"\nmsgstr "x"\n'])
def test_a_translation_that_cannot_be_read_is_refused(bundle_files: Mapping[str, bytes], broken: bytes) -> None:
    findings = refused(bundle_files, **{"translations/en.po": broken})

    assert [file for file, _ in findings] == ["translations/en.po"]


def test_a_translation_that_is_too_large_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="大きすぎます"):
        translations.read(b"#" * (translations.MAX_BYTES + 1), "en.po")
