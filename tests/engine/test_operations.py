"""Operations: what stopped is seen, corrected, and set going again, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from engine import feel, history, incidents, instances, jobs, operations
from engine.errors import IncidentNotFound, NotAnOperator, StaleInstance, SubmissionInvalid
from engine.jobs import BUILT_IN, Call, CallFailed, Outside
from engine.operations import Outcome, Tried
from engine.states import EventType


def refuse(_: Call) -> Mapping[str, feel.Value]:
    raise CallFailed("相手が応じません")


REFUSING = {**BUILT_IN, "charge": Outside(refuse)}


def stuck(office: Any, *amounts: Any) -> list[str]:
    """A case for each amount, which stops where amounts are compared; their numbers."""
    return [office.start("choice", amount=amount).case for amount in amounts]


def numbers(office: Any) -> list[int]:
    with office.database.reading() as session:
        return [row.id for row in incidents.open_ones(session)]


def retry(office: Any, *chosen: int, by: str = "carla", **typed: str) -> list[Tried]:
    return operations.retry_each(office.database, chosen, typed, actor=office.person(by), at=office.now)


def test_what_stopped_is_told_by_kind_with_its_name_and_how_often_it_was_tried(office: Any) -> None:
    first, second = stuck(office, "多い", "少ない")
    office.start("charge", amount=1)
    for _ in range(3):
        office.run_jobs(REFUSING)
        office.later(minutes=5)

    with office.database.reading() as session:
        kinds = operations.kinds(session)

    assert [(kind.process, kind.element, kind.name, kind.count) for kind in kinds] == [
        ("choice", "which", "which", 2),
        ("charge", "charge_card", "charge_card", 1),
    ]
    assert [each.incident.business_key for each in kinds[0].shown] == [first, second]
    assert [each.tried for kind in kinds for each in kind.shown] == [1, 1, 3]


def test_each_retry_counts_as_a_try(office: Any) -> None:
    stuck(office, "多い")
    retry(office, *numbers(office))
    retry(office, *numbers(office))

    with office.database.reading() as session:
        assert operations.stopped(session, *numbers(office)).tried == 3


def test_an_element_is_told_by_its_name_also_inside_a_called_process_or_subprocess(office: Any) -> None:
    office.start("wait")
    with office.database.reading() as session:
        bundle = instances.load(session, office.instance).compiled.processes

    assert bundle.name_of("CH_01_ask_again", "charge") == "もう一度たずねる"
    assert bundle.name_of("CH_01_ask_again", "choice") == "もう一度たずねる"
    assert bundle.name_of("charge_card", "charge") == "charge_card"
    assert bundle.name_of("nowhere", "charge") == "nowhere"


def test_many_are_tried_again_and_it_is_told_of_each_what_came_of_it(office: Any) -> None:
    cases = stuck(office, "多い", "少ない", "中くらい")
    first, second, third = numbers(office)
    with office.database.transaction() as session:  # only the second is mended
        values = {"amount": feel.from_python(500)}
        instances.change_variables(session, office.instance - 1, values, actor="carla", at=office.now)

    tried = retry(office, first, second, third, second, 99)

    assert [(each.business_key, each.outcome) for each in tried] == [
        (cases[0], Outcome.STOPPED),
        (cases[1], Outcome.WENT_ON),
        (cases[2], Outcome.STOPPED),
        ("", Outcome.GONE),
    ]
    assert tried[0].reason
    assert len(numbers(office)) == 2


def test_one_that_meets_a_fault_of_ours_keeps_no_other_from_going_on(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck(office, "多い", "少ない")
    first, second = numbers(office)
    real = jobs.retry

    def faulty(session: Any, incident: int, **rest: Any) -> None:
        if incident == first:
            raise ZeroDivisionError
        real(session, incident, **rest)

    monkeypatch.setattr(jobs, "retry", faulty)
    tried = retry(office, first, second, amount="1")

    assert [each.outcome for each in tried] == [Outcome.STOPPED, Outcome.WENT_ON]
    assert numbers(office) == [first]
    with office.database.reading() as session:
        row = incidents.get(session, first)
        assert operations.correction(session, row.id, office.person("carla"), at=office.now).values == {
            "amount": '"多い"'
        }


def test_a_corrected_value_is_recorded_with_who_did_it_before_the_retry(office: Any) -> None:
    stuck(office, "多い")

    (tried,) = retry(office, *numbers(office), amount="50 + 450")

    assert tried.outcome is Outcome.WENT_ON
    assert office.open_tasks() == ["high"]
    with office.database.reading() as session:
        events = history.of_case(session, office.case)[-2:]
        assert history.last_written(session, office.case)["amount"] == feel.from_python(500)
    assert [(event.type, event.actor) for event in events] == [
        (EventType.VARIABLES_CHANGED, "carla"),
        (EventType.INCIDENT_RETRIED, "carla"),
    ]


def test_a_call_that_gave_up_is_made_again_with_the_corrected_value(office: Any) -> None:
    office.start("charge", amount=1)
    for _ in range(3):
        office.run_jobs(REFUSING)
        office.later(minutes=5)
    calls: list[Call] = []

    (tried,) = retry(office, *numbers(office), amount="900")
    office.run_jobs({**BUILT_IN, "charge": Outside(lambda call: calls.append(call) or {"receipt": "R"})})

    assert tried.outcome is Outcome.QUEUED
    assert [call.values["amount"] for call in calls] == [feel.from_python(900)]
    assert office.running() == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a "b"\n', '"a \\"b\\"\\n"'),
        (3, "3"),
        (True, "true"),
        (None, "null"),
        ([1, "x"], '[1, "x"]'),
    ],
)
def test_a_value_is_written_so_that_it_can_be_read_back(office: Any, value: Any, text: str) -> None:
    stuck(office, "多い")
    assert operations.written(feel.from_python(value)) == text

    retry(office, *numbers(office), spare=text)

    with office.database.reading() as session:
        assert history.last_written(session, office.case)["spare"] == feel.from_python(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("amount", "word"),
        ("amount", "1 +"),
        ("amount", ""),
        ("amount", "1 / 0"),
        ("amount", "function(x) x"),
        ("amount", "[" * 5_000),
        ("amount", '"' + "x" * operations.LONGEST + '"'),
        ("1st", "1"),
        ("", "1"),
        ("a b", "1"),
        ("business_key", '"2026-0002"'),
    ],
)
def test_what_is_no_value_or_no_name_is_refused_and_nothing_is_written(office: Any, name: str, text: str) -> None:
    stuck(office, "多い")
    (incident,) = numbers(office)
    carla = office.person("carla")

    with office.database.transaction() as session, pytest.raises(SubmissionInvalid) as refused:
        operations.retry(session, incident, {"other": "1", name: text}, actor=carla, at=office.now)

    assert list(refused.value.errors) == [name]
    assert numbers(office) == [incident]
    with office.database.reading() as session:
        assert [event.type for event in history.of_case(session, office.case)] == [EventType.INSTANCE_STARTED]


def test_a_correction_of_what_has_moved_on_since_it_was_read_is_refused(office: Any) -> None:
    stuck(office, "多い")
    (incident,) = numbers(office)
    carla = office.person("carla")
    with office.database.reading() as session:
        version = operations.correction(session, incident, carla, at=office.now).version
    with office.database.transaction() as session:
        values = {"other": feel.from_python(1)}
        instances.change_variables(session, office.instance, values, actor="nina", at=office.now)

    with office.database.transaction() as session, pytest.raises(StaleInstance):
        operations.retry(session, incident, {"amount": "1"}, actor=carla, at=office.now, version=version)


@pytest.mark.parametrize("name", ["anna", "dora", "watson", "gus"])
def test_only_operators_may_see_or_retry(office: Any, name: str) -> None:
    stuck(office, "多い")
    (incident,) = numbers(office)

    with pytest.raises(NotAnOperator):
        retry(office, incident, by=name)
    with office.database.reading() as session, pytest.raises(NotAnOperator):
        operations.correction(session, incident, office.person(name), at=office.now)

    assert numbers(office) == [incident]


def test_an_incident_that_is_not_open_has_nothing_to_correct(office: Any) -> None:
    with office.database.reading() as session, pytest.raises(IncidentNotFound):
        operations.correction(session, 99, office.person("carla"), at=office.now)


def test_jobs_that_fail_wait_and_are_late_are_told(office: Any) -> None:
    office.start("charge", amount=1).run_jobs(REFUSING)
    office.start("pause")

    with office.database.reading() as session:
        work = operations.work(session, at=office.now)
        later = operations.work(session, at=office.now + timedelta(minutes=2))

    assert (work.waiting, work.late, work.running, work.failing) == (2, 0, 0, 1)
    assert (later.waiting, later.late) == (2, 1)
    (failing,) = work.shown
    assert (failing.element, failing.type, failing.error) == ("charge_card", "charge", "相手が応じません")
    assert (failing.attempts, failing.retries, failing.due) == (1, 3, office.now + jobs.BACKOFF)
