"""The tasklist, and claim, release, assign, complete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import bpmn, cases, feel, history, identity, instances, tasklist, user_tasks
from engine.errors import (
    CannotBeAssigned,
    StaleInstance,
    SubmissionInvalid,
    TaskAlreadyClaimed,
    TaskAlreadyClosed,
    TaskNotFound,
    TaskNotYours,
)
from engine.states import EventType, TaskState

GOOD = {"verdict": "good"}


@pytest.fixture
def review(office: Any) -> Any:
    return office.start("review", amount=30)


def test_completing_a_task_offers_the_next_to_its_candidate_groups(review: Any) -> None:
    review.complete("RV_01_review", by="anna", **GOOD)

    task = review.task("RV_02_second_look")
    assert review.open_tasks() == ["RV_02_second_look"]
    assert task.candidate_groups == ("clerks", "chiefs")
    assert task.excluded_users == ("anna",)


def test_an_unclaimed_task_is_offered_to_its_group_and_to_nobody_else(review: Any) -> None:
    with review.database.reading() as session:
        offered = {
            person.name: [task.element for task in tasklist.offered(session, person)]
            for person in identity.people(session)
        }

    assert offered == {
        "anna": ["RV_01_review"],
        "ben": ["RV_01_review"],
        "carla": [],
        "dora": [],
        "nina": [],
        "watson": [],
        "gus": [],
    }


def test_a_claimed_task_is_its_assignees_alone(review: Any) -> None:
    review.claim("RV_01_review", "ben")

    with review.database.reading() as session:
        assert [task.element for task in tasklist.mine(session, review.person("ben"))] == ["RV_01_review"]
        assert tasklist.offered(session, review.person("anna")) == []
    with pytest.raises(TaskAlreadyClaimed) as refused:
        review.claim("RV_01_review", "anna")
    assert refused.value.by == "ben"
    with pytest.raises(TaskAlreadyClaimed):
        review.complete("RV_01_review", by="anna", **GOOD)


def test_claiming_twice_is_one_claim_in_history(review: Any) -> None:
    review.claim("RV_01_review", "ben")
    review.claim("RV_01_review", "ben")

    with review.database.reading() as session:
        kinds = [event.type for event in history.of_case(session, review.case)]
    assert kinds == [EventType.INSTANCE_STARTED, EventType.TASK_CLAIMED]


def test_releasing_gives_the_task_back_to_its_candidates(review: Any) -> None:
    review.claim("RV_01_review", "ben")
    task = review.task("RV_01_review")

    with review.database.transaction() as session:
        user_tasks.release(session, task.id, actor=review.person("ben"), at=review.now)

    assert review.task("RV_01_review").state is TaskState.CREATED
    review.complete("RV_01_review", by="anna", **GOOD)


def test_only_who_claimed_a_task_releases_it(review: Any) -> None:
    review.claim("RV_01_review", "ben")

    with review.database.transaction() as session, pytest.raises(TaskNotYours):
        user_tasks.release(session, review.task("RV_01_review").id, actor=review.person("anna"), at=review.now)


def test_an_assignee_gives_a_task_on_to_another_candidate(review: Any) -> None:
    review.claim("RV_01_review", "ben")
    task = review.task("RV_01_review").id

    with review.database.transaction() as session:
        given = user_tasks.assign(session, task, to=review.person("anna"), actor=review.person("ben"), at=review.now)

    assert given.assignee == "anna"
    with review.database.reading() as session:
        assert history.of_case(session, review.case)[-1].assignee == "anna"


def test_a_task_is_never_given_to_somebody_who_may_not_do_it(review: Any) -> None:
    task = review.task("RV_01_review").id

    with review.database.transaction() as session, pytest.raises(CannotBeAssigned):
        user_tasks.assign(session, task, to=review.person("carla"), actor=review.person("anna"), at=review.now)


def test_who_is_excluded_can_neither_claim_nor_complete(review: Any) -> None:
    review.complete("RV_01_review", by="anna", **GOOD)

    with pytest.raises(TaskNotYours):
        review.claim("RV_02_second_look", "anna")
    with pytest.raises(TaskNotYours):
        review.complete("RV_02_second_look", by="anna", note="私が見ます")
    review.complete("RV_02_second_look", by="ben", note="見ました")


def test_a_task_of_another_group_cannot_be_done_even_by_who_reads_every_case(review: Any) -> None:
    with pytest.raises(TaskNotYours):
        review.complete("RV_01_review", by="carla", **GOOD)
    with pytest.raises(TaskNotYours):
        review.complete("RV_01_review", by="watson", **GOOD)


def test_who_may_not_know_of_a_task_is_told_that_there_is_none(review: Any) -> None:
    task = review.task("RV_01_review").id

    with review.database.reading() as session, pytest.raises(TaskNotFound):
        tasklist.get(session, task, review.person("gus"))
    with pytest.raises(TaskNotFound):
        review.complete("RV_01_review", by="gus", **GOOD)


def test_completing_a_closed_task_says_who_was_first_and_when(review: Any) -> None:
    review.complete("RV_01_review", by="anna", **GOOD)

    with pytest.raises(TaskAlreadyClosed) as refused:
        review.complete("RV_01_review", by="ben", **GOOD)

    assert (refused.value.by, refused.value.at) == ("anna", review.now)
    assert str(refused.value) == "この作業は、「anna」さんが 2026-11-24 10:00 に済ませています。"


def test_the_same_submission_twice_takes_effect_once(review: Any) -> None:
    first = review.complete("RV_01_review", by="anna", key="form-1", **GOOD)
    again = review.complete("RV_01_review", by="anna", key="form-1", **GOOD)

    assert again.task == first.task
    with review.database.reading() as session:
        completed = [e for e in history.of_case(session, review.case) if e.type is EventType.TASK_COMPLETED]
    assert len(completed) == 1


def test_anothers_submission_key_opens_nothing(review: Any) -> None:
    review.complete("RV_01_review", by="anna", key="form-1", **GOOD)

    with pytest.raises(TaskAlreadyClosed):
        review.complete("RV_01_review", by="ben", key="form-1", **GOOD)


def test_the_form_shows_the_prefill_and_completes_with_it(review: Any) -> None:
    task = review.task("RV_01_review").id
    with review.database.reading() as session:
        shown = user_tasks.form_view(session, task, actor=review.person("anna"), at=review.now)
    fields = {view.path: view for view in shown.view.fields} if shown.view else {}

    review.complete("RV_01_review", by="anna", **GOOD)

    assert fields["amount"].value == feel.from_python(30)
    assert not fields["reason"].visible
    assert ("青山 あんな", "anna") in [(option.label, option.value) for option in fields["helper"].options]
    assert "watson" not in [option.value for option in fields["helper"].options]
    with review.database.reading() as session:
        submitted = history.of_case(session, review.case)[-1].submitted
    assert submitted["amount"] == feel.from_python(30)


def test_what_was_typed_stands_in_the_form_again(review: Any) -> None:
    task = review.task("RV_01_review").id

    with review.database.reading() as session:
        entered = {"verdict": "mend", "amount": "たくさん"}
        shown = user_tasks.form_view(session, task, actor=review.person("anna"), at=review.now, entered=entered)

    fields = {view.path: view for view in shown.view.fields} if shown.view else {}
    assert fields["reason"].visible
    assert fields["amount"].value == "たくさん"


def test_an_invalid_submission_changes_nothing_and_names_each_field(review: Any) -> None:
    with pytest.raises(SubmissionInvalid) as refused:
        review.complete("RV_01_review", by="anna", verdict="mend", amount=-1, colour="red")

    assert sorted(refused.value.errors) == ["amount", "colour", "reason"]
    assert review.open_tasks() == ["RV_01_review"]


def test_a_task_without_form_takes_no_values(review: Any) -> None:
    review.complete("RV_01_review", by="anna", **GOOD)
    review.complete("RV_02_second_look", by="ben", note="見ました")

    with pytest.raises(SubmissionInvalid):
        review.complete("RV_03_archive", by="dora", shelf="A")
    assert review.complete("RV_03_archive", by="dora").ended


def test_a_field_that_grants_lets_the_chosen_person_into_the_case(review: Any) -> None:
    with review.database.reading() as session:
        assert not identity.may_read_case(session, review.person("dora"), review.case)

    review.complete("RV_01_review", by="anna", helper="dora", **GOOD)

    with review.database.reading() as session:
        assert identity.may_read_case(session, review.person("dora"), review.case)


def test_after_completing_the_actor_sees_what_they_may_do_next(office: Any) -> None:
    office.start("pair")

    done = office.complete("left", by="anna")

    assert [task.element for task in done.next_tasks] == ["right"]
    assert not done.ended


def test_the_earliest_due_comes_first_and_what_has_no_due_date_last(office: Any) -> None:
    office.start("review", amount=1)
    office.later(hours=1).start("answer")
    office.later(hours=1).start("answer")

    with office.database.reading() as session:
        offered = tasklist.offered(session, office.person("anna"))

    assert [task.element for task in offered] == ["AN_01_answer", "AN_01_answer", "RV_01_review"]
    assert offered[0].due == office.now - timedelta(hours=1) + timedelta(days=1)
    assert offered[0].due_reason == "受付の翌日まで"
    assert not offered[0].overdue(office.now)
    assert offered[0].overdue(office.now + timedelta(days=1))


def test_a_step_upon_an_older_version_is_refused_and_leaves_nothing(office: Any) -> None:
    office.start("pair")
    left, right = office.task("left").id, office.task("right").id
    anna = office.person("anna")

    with office.database.reading() as seen:
        running = instances.load(seen, office.instance)
        token = tasklist.find(seen, right).token
    office.complete("left", by="anna")
    occasion = instances.Occasion(EventType.TASK_COMPLETED, "anna", office.now)
    with pytest.raises(StaleInstance), office.database.transaction() as session:
        instances.advance(session, running, bpmn.CompleteTask(token, {}, "anna"), occasion)

    assert office.open_tasks() == ["right"]
    with office.database.transaction() as session:
        assert user_tasks.complete(session, right, {}, actor=anna, at=office.now).ended
    with office.database.reading() as session:
        assert not tasklist.find(session, left).is_open
        assert cases.get(session, office.case, office.person("carla"), at=office.now).running == 0
