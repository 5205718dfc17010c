"""Comments: said beside the case, told to whom they name, found by who may read the case."""

from __future__ import annotations

from typing import Any

import pytest

from engine import cases, comments, history, notices
from engine.audit import verification
from engine.errors import CaseNotFound, CommentInvalid, MayOnlyRead
from engine.states import EventType


@pytest.fixture
def review(office: Any) -> Any:
    return office.start("review", amount=30)


def say(office: Any, text: str, by: str = "anna", key: str | None = None) -> comments.Written:
    with office.database.transaction() as session:
        return comments.write(session, office.case, text, actor=office.person(by), at=office.now, submission=key)


def said(office: Any, by: str = "anna") -> list[tuple[str, str]]:
    with office.database.reading() as session:
        found = comments.of_case(session, office.case, office.person(by))
    return [(comment.author, comment.text) for comment in found]


def told(office: Any, name: str) -> list[notices.NoticeRow]:
    with office.database.reading() as session:
        return notices.unread(session, name)


def test_comments_stand_in_the_order_they_were_written(review: Any) -> None:
    written = say(review, "  資料を待っています。\r\n明日また見ます。 ")
    review.later(minutes=3)
    say(review, "わかりました。", by="carla")

    assert said(review) == [("anna", "資料を待っています。\n明日また見ます。"), ("carla", "わかりました。")]
    assert written.comment.business_key == review.case


def test_who_is_named_has_a_notice_without_the_text(review: Any) -> None:
    written = say(review, "@ben さん、@carla さん、お願いします。")

    assert (written.comment.mentions, written.unknown) == (("ben", "carla"), ())
    (notice,) = told(review, "ben")
    assert (notice.kind, notice.business_key, notice.task) == ("mention", review.case, None)
    assert "お願い" not in notice.subject
    assert len(told(review, "carla")) == 1


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("@ben。", ("ben",)),
        ("(@ben、@ben)", ("ben",)),
        ("お願いします@ben.", ("ben",)),
        ("mail@ben と a@ben", ()),
        ("@ benと@べん", ()),
    ],
)
def test_a_name_begins_after_a_sign_or_space_and_ends_before_one(
    review: Any, text: str, mentions: tuple[str, ...]
) -> None:
    assert say(review, text).comment.mentions == mentions


def test_who_may_not_read_the_case_is_told_nothing_and_named_as_unknown_like_nobody(review: Any) -> None:
    written = say(review, "@gus @nobody @ben")

    assert (written.comment.mentions, written.unknown) == (("ben",), ("gus", "nobody"))
    assert told(review, "gus") == []


def test_nobody_is_told_of_their_own_comment(review: Any) -> None:
    written = say(review, "@anna 忘れないこと")

    assert written.comment.mentions == ("anna",)
    assert told(review, "anna") == []


def test_history_says_who_commented_what_and_named_whom(review: Any) -> None:
    say(review, "@ben 見てください")

    with review.database.reading() as session:
        events = [event for event in history.of_case(session, review.case) if event.type is EventType.COMMENTED]
        shown = cases.timeline(session, review.case, review.person("carla"))[-1]
        assert verification.verify(session).findings == ()
    assert [(event.actor, event.facts["text"], event.facts["mentions"]) for event in events] == [
        ("anna", "@ben 見てください", ["ben"])
    ]
    assert shown.facts["text"] == "@ben 見てください"


def test_a_comment_is_a_change_of_the_case_and_makes_its_author_take_part(review: Any) -> None:
    review.later(hours=1)
    say(review, "私も見ます", by="ben")
    review.complete("RV_01_review", by="anna", verdict="good")
    review.complete("RV_02_second_look", by="carla", note="済")

    with review.database.reading() as session:
        row = cases.get(session, review.case, review.person("ben"), at=review.now)
    assert row.changed_at == review.now


def test_a_comment_is_found_by_its_words(review: Any) -> None:
    say(review, "倉庫の鍵をお借りします")

    with review.database.reading() as session:
        found = cases.list_cases(session, review.person("carla"), at=review.now, query="鍵 倉庫")
    assert [row.business_key for row in found] == [review.case]


def test_who_may_only_read_reads_and_writes_nothing(review: Any) -> None:
    say(review, "見えますか")

    assert said(review, by="watson") == [("anna", "見えますか")]
    with pytest.raises(MayOnlyRead):
        say(review, "はい", by="watson")


def test_a_case_that_may_not_be_read_is_as_good_as_none(review: Any) -> None:
    for attempt in (said, lambda office, by: say(office, "のぞき見", by=by)):
        with pytest.raises(CaseNotFound):
            attempt(review, by="gus")
    review.case = "2026-0099"
    with pytest.raises(CaseNotFound):
        say(review, "だれもいない")


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "あ" * 10_001])
def test_a_comment_that_says_nothing_or_too_much_is_refused_and_nothing_is_written(review: Any, text: str) -> None:
    with pytest.raises(CommentInvalid):
        say(review, text)

    assert said(review) == []


def test_signs_that_no_database_keeps_are_left_out(review: Any) -> None:
    assert say(review, "前\x00\ud800後").comment.text == "前後"


def test_sending_twice_by_a_double_click_is_one_comment(review: Any) -> None:
    first = say(review, "@ben @nobody 一度だけ", key="click")

    assert say(review, "@ben @nobody 一度だけ", key="click") == first
    assert len(said(review)) == len(told(review, "ben")) == 1
