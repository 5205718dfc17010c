"""Drafts: nothing that was typed is lost, and it is nobody else's business."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import drafts, history, instances
from engine.errors import DraftTooLarge, SubmissionInvalid, TaskAlreadyClosed, TaskNotFound, TaskNotYours

TYPED = [
    ("reason", "まだ途中です"),
    ("verdict", "mend"),
    ("rows[0].name", "<script>"),
    ("choice", "a"),
    ("choice", "b"),
]


@pytest.fixture
def review(office: Any) -> Any:
    return office.start("review", amount=30)


def save(office: Any, by: str, pairs: Any = TYPED, element: str = "RV_01_review") -> drafts.Draft:
    task = office.task(element).id
    with office.database.transaction() as session:
        return drafts.save(session, task, pairs, actor=office.person(by), at=office.now)


def kept(office: Any, by: str, element: str = "RV_01_review") -> list[tuple[str, str]] | None:
    with office.database.reading() as session:
        draft = drafts.get(session, office.task(element).id, office.person(by))
    return None if draft is None else list(draft.pairs)


def test_what_was_typed_comes_back_as_it_was(review: Any) -> None:
    saved = save(review, "anna")

    assert (saved.task, saved.saved_at) == (review.task("RV_01_review").id, review.now)
    assert kept(review, "anna") == TYPED


def test_the_latest_save_takes_the_place_of_the_one_before(review: Any) -> None:
    save(review, "anna")
    review.later(minutes=1)
    save(review, "anna", [("reason", "書き直しました")])

    assert kept(review, "anna") == [("reason", "書き直しました")]
    with review.database.reading() as session:
        assert [draft.saved_at for draft in drafts.mine(session, review.person("anna"))] == [review.now]


def test_everybody_has_a_draft_of_their_own(review: Any) -> None:
    save(review, "anna")
    save(review, "ben", [("reason", "べつの考え")])

    assert kept(review, "anna") == TYPED
    assert kept(review, "ben") == [("reason", "べつの考え")]
    assert kept(review, "carla") is None


def test_the_draft_goes_when_its_writer_completes_the_task(review: Any) -> None:
    save(review, "anna")

    review.complete("RV_01_review", by="anna", verdict="good")

    assert kept(review, "anna") is None


def test_the_draft_stays_when_somebody_else_completed_the_task(review: Any) -> None:
    save(review, "ben")
    review.complete("RV_01_review", by="anna", verdict="good")

    assert kept(review, "ben") == TYPED
    save(review, "ben", [*TYPED, ("reason", "最後の一文字まで")])
    assert len(kept(review, "ben") or []) == len(TYPED) + 1


def test_the_draft_stays_when_the_case_was_cancelled(review: Any) -> None:
    save(review, "anna")
    with review.database.transaction() as session:
        instances.cancel(session, review.instance, reason="取り下げ", actor="carla", at=review.now)

    assert kept(review, "anna") == TYPED


def test_a_form_that_was_refused_keeps_its_draft(review: Any) -> None:
    save(review, "anna")

    with pytest.raises(SubmissionInvalid):
        review.complete("RV_01_review", by="anna")

    assert kept(review, "anna") == TYPED


def test_who_completed_the_task_saves_no_more_of_it(review: Any) -> None:
    review.complete("RV_01_review", by="anna", verdict="good")

    with pytest.raises(TaskAlreadyClosed):
        save(review, "anna")
    assert kept(review, "anna") is None


def test_only_who_may_do_the_task_saves_a_draft_of_it(review: Any) -> None:
    review.complete("RV_01_review", by="anna", verdict="good")

    for name in ("anna", "watson"):  # excluded; may only read
        with pytest.raises(TaskNotYours):
            save(review, name, element="RV_02_second_look")
    with pytest.raises(TaskNotFound):  # may not know of it
        save(review, "gus", element="RV_02_second_look")
    with pytest.raises(TaskNotFound), review.database.transaction() as session:
        drafts.save(session, 4711, TYPED, actor=review.person("anna"), at=review.now)


def test_who_may_do_a_task_that_another_claimed_still_keeps_what_they_typed(review: Any) -> None:
    review.claim("RV_01_review", by="ben")

    save(review, "anna")

    assert kept(review, "anna") == TYPED


def test_a_draft_has_a_limit_and_what_was_saved_before_stays(review: Any) -> None:
    save(review, "anna", [("reason", "あ" * 300_000)])

    with pytest.raises(DraftTooLarge):
        save(review, "anna", [("reason", "あ" * 400_000)])

    assert kept(review, "anna") == [("reason", "あ" * 300_000)]


def test_signs_that_no_database_keeps_cost_nothing_else(review: Any) -> None:
    save(review, "anna", [("reason", "前\ud800後\x00")])

    assert kept(review, "anna") == [("reason", "前?後\x00")]


def test_a_draft_can_be_thrown_away_by_its_writer_alone(review: Any) -> None:
    save(review, "anna")
    task = review.task("RV_01_review").id

    with review.database.transaction() as session:
        drafts.delete(session, task, review.person("ben"))
    assert kept(review, "anna") == TYPED

    with review.database.transaction() as session:
        drafts.delete(session, task, review.person("anna"))
    assert kept(review, "anna") is None


def test_the_drafts_of_a_person_are_listed_the_newest_first(review: Any) -> None:
    save(review, "anna")
    first = review.task("RV_01_review").id
    review.later(minutes=5).start("review", amount=1)
    save(review, "anna")

    with review.database.reading() as session:
        listed = drafts.mine(session, review.person("anna"))

    assert [draft.task for draft in listed] == [review.task("RV_01_review").id, first]
    assert listed[0].saved_at - listed[1].saved_at == timedelta(minutes=5)


def test_drafts_are_no_facts_of_history(review: Any) -> None:
    with review.database.reading() as session:
        before = len(history.of_case(session, review.case))

    save(review, "anna")

    with review.database.reading() as session:
        assert len(history.of_case(session, review.case)) == before
