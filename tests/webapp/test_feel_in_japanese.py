"""What FEEL says reaches Japanese readers in Japanese, with their expression as they wrote it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from engine import feel
from tests.webapp import engine_texts
from webapp.told import FEEL, told

PLACE = re.compile(r"\{\d\}")


@pytest.fixture(autouse=True)
def japanese(app: Flask) -> Iterator[None]:
    with app.test_request_context("/", headers={"Accept-Language": "ja"}):
        yield


def known() -> dict[str, str]:
    with FEEL.open("rb") as source:
        return {str(entry.id): str(entry.string) for entry in read_po(source, abort_invalid=True) if entry.id}


def test_the_catalogue_holds_just_what_feel_can_say() -> None:
    assert set(known()) == engine_texts.feel_texts()


def test_every_saying_keeps_its_places() -> None:
    assert {own for own, said in known().items() if sorted(PLACE.findall(own)) != sorted(PLACE.findall(said))} == set()


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 +", "1行4文字目で、式の終わり は読めません。ここに書けるもの: 値"),
        ("x in [1..2", "1行11文字目で、式の終わり は読めません。ここに書けるもの: ']' または ')' または '['"),
        ('a\n  = "x', "2行5文字目で、'\"' は読めません。ここに書けるもの: 閉じる引用符"),
        ("if a then b", "1行12文字目で、式の終わり は読めません。ここに書けるもの: 'else'"),
    ],
)
def test_a_syntax_error_tells_where_and_what_may_stand_there(expression: str, said: str) -> None:
    with pytest.raises(feel.FeelSyntaxError) as fault:
        feel.parse_expression(expression)

    assert told(str(fault.value)) == said
    assert told(f"式 {expression} が FEEL として読めません: {fault.value}") == (
        f"式 {expression} が FEEL として読めません: {said}"
    )
    assert told(f"x.bpmn: 式を読めません({fault.value})。") == f"x.bpmn: 式を読めません({said})。"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "式 f(1) を計算できません: the evaluation needs more than 1000000 steps",
            "式 f(1) を計算できません: 計算の手順が1000000回を超えました",
        ),
        ("= is not defined for number and string", "数値と文字列に「=」は使えません"),
        ("not a date: '2026-02-30'", "日付ではありません: '2026-02-30'"),
        ("決定「期限」を評価できません: 型「tDay」は定義されていません。", None),
        ("式 a = 1 or b = 2 を計算できません: 値が大きすぎます。", None),
        ("式 date and time(x) が文字列になりません(list)。", None),
        ("人が書いたこと: number, date, a list or a date", None),
    ],
)
def test_what_feel_says_is_told_and_what_others_wrote_stays(sentence: str, said: str | None) -> None:
    assert told(sentence) == (sentence if said is None else said)


@pytest.mark.parametrize("text", [": (" * 50_000, "(" * 100_000, "line 1, column 1: " * 10_000, " or " * 30_000])
def test_a_hostile_text_takes_no_time(text: str) -> None:
    started = time.process_time()

    assert isinstance(told(text), str)
    assert time.process_time() - started < 5
