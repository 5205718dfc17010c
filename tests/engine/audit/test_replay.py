"""Replay: folding the recorded causes gives what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import bpmn, deployments, feel, history, instances, jobs
from engine.audit import replay
from engine.errors import InstanceNotFound
from engine.jobs import BUILT_IN, Call, CallFailed, Outside
from engine.states import EventType, JobState
from engine.tables import HistoryEvent, HistoryValue, Job, ProcessInstance


def folds(office: Any) -> list[replay.Replay]:
    with office.database.reading() as session:
        return [replay.fold(session, instance) for instance in replay.instances_of(session)]


def decline(_: Call) -> Mapping[str, feel.Value]:
    raise CallFailed("残高がありません", error_code="declined")


def test_every_kind_of_cause_folds_to_the_stored_snapshot(office: Any) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good", visit="2026-12-01")
    office.complete("RV_02_second_look", by="ben", note="見ました")
    office.start("order", article="books").complete("PA_01_pack", by="dora")
    office.start("listen").start("ring")
    office.start("answer").start("pause").later(days=3).run_jobs()
    office.start("announce").start("charge", amount=1).run_jobs({**BUILT_IN, "charge": Outside(decline)})
    office.start("choice", amount="たくさん")
    with office.database.transaction() as session:
        values = {"amount": feel.from_python(7)}
        instances.change_variables(session, office.instance, values, actor="carla", at=office.now)
        jobs.retry(session, 1, actor="carla", at=office.now)
    office.start("wait")
    with office.database.transaction() as session:
        instances.cancel(session, office.instance, reason="取り下げ", actor="carla", at=office.now)

    found = folds(office)

    assert len(found) == 11
    assert [fold.divergence for fold in found] == [None] * 11
    assert sum(fold.events for fold in found) >= 20


def test_a_changed_value_shows_the_event_and_both_sides(office: Any, adversary: Any) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good")
    adversary(update(HistoryValue).where(HistoryValue.kind == "given").values(value="31"))

    (found,) = folds(office)

    assert found.divergence is not None
    assert (found.divergence.seq, found.divergence.what) == (1, "variable amount")
    assert (found.divergence.recorded, found.divergence.folded) == ("30", "31")


def test_changed_moves_show_the_event(office: Any, adversary: Any) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good")
    with office.database.reading() as session:
        facts = session.execute(select(HistoryEvent.facts).where(HistoryEvent.id == 3)).scalar_one()
    adversary(update(HistoryEvent).where(HistoryEvent.id == 3).values(facts=facts | {"moves": []}))

    (found,) = folds(office)

    assert found.divergence is not None
    assert (found.divergence.seq, found.divergence.what, found.divergence.recorded) == (2, "moves", [])


def test_a_changed_snapshot_is_the_divergence(office: Any) -> None:
    office.start("review", amount=30)
    with office.database.transaction() as session:
        session.execute(update(ProcessInstance).values(snapshot={"format": 1}))

    (found,) = folds(office)

    assert found.divergence is not None
    assert found.divergence.what == "snapshot"


def test_an_erased_value_ends_in_erased_not_in_diverged(office: Any) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good")
    with office.database.transaction() as session:
        history.erase(session, str(office.instance), [(2, 0)], reason="本人の求め", actor="carla", at=office.now)

    (found,) = folds(office)

    assert (found.erased, found.divergence, found.events) == (True, None, 1)


def test_where_only_what_came_out_was_erased_the_rest_is_still_folded(office: Any) -> None:
    office.start("review", amount=30).complete("RV_01_review", by="anna", verdict="good")
    with office.database.transaction() as session:
        came_out = select(HistoryValue.number).where(HistoryValue.event_id == 3, HistoryValue.kind == "variable")
        places = [(2, number) for number in session.execute(came_out).scalars()]
        history.erase(session, str(office.instance), places, reason="本人の求め", actor="carla", at=office.now)
    office.complete("RV_02_second_look", by="ben", note="見ました")

    (found,) = folds(office)

    assert len(places) == 2
    assert (found.erased, found.divergence, found.events) == (True, None, 3)


def test_a_divergence_tells_who_did_what_when_by_which_rules(office: Any, adversary: Any) -> None:
    office.start("review", amount=30).later(hours=1).complete("RV_01_review", by="anna", verdict="good")
    change = update(HistoryValue).where(HistoryValue.event_id == 3, HistoryValue.kind == "variable")
    adversary(change.values(value='"other"'))

    found = folds(office)[0].divergence

    assert found is not None
    assert (found.type, found.at, found.actor) == (EventType.TASK_COMPLETED, office.now, "anna")
    assert found.semantics == bpmn.SEMANTICS


def test_an_instance_keeps_its_definition_in_replay_too(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    office.start("review", amount=30)
    changed = {**bundle_files, "review.bpmn": bundle_files["review.bpmn"].replace(b"RV_01_review", b"RV_09_review")}
    with office.database.transaction() as session:
        deployments.deploy(session, changed, by=None, at=office.now, job_types=("notify", "charge"))

    office.complete("RV_01_review", by="anna", verdict="good")

    assert [fold.divergence for fold in folds(office)] == [None]
    assert office.start("review", amount=30).open_tasks() == ["RV_09_review"]


def test_an_unknown_instance_is_told(office: Any) -> None:
    with office.database.reading() as session, pytest.raises(InstanceNotFound):
        replay.fold(session, 99)


def with_daily_word(office: Any, files: Mapping[str, bytes]) -> None:
    """Deploy the pause with a daily timer at its task, which goes on."""
    cycle = (
        b'<bpmn:boundaryEvent id="daily" attachedToRef="PS_01_go_on" cancelActivity="false"><bpmn:timerEventDefinition>'
        b"<bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
        b'<bpmn:endEvent id="said"/><bpmn:sequenceFlow id="daily_said" sourceRef="daily" targetRef="said"/>'
    )
    end = b'<bpmn:endEvent id="end"/>'
    pause = {"pause.bpmn": files["pause.bpmn"].replace(end, cycle + end)}
    with office.database.transaction() as session:
        deployments.deploy(session, {**files, **pause}, by=None, at=office.now, job_types=("notify", "charge"))


def test_a_timer_served_late_tells_history_what_it_missed_and_folds(
    office: Any, bundle_files: Mapping[str, bytes]
) -> None:
    with_daily_word(office, bundle_files)
    office.start("pause").later(days=2).run_jobs()

    office.later(days=3, hours=12).run_jobs()

    with office.database.reading() as session:
        fired = history.of_instance(session, office.instance)[-1]
        (job,) = session.execute(select(Job.due).where(Job.state == JobState.WAITING)).scalars()
    assert fired.missed == 2  # after one day; after two and three days with it
    assert job == office.now + timedelta(hours=12)
    assert [fold.divergence for fold in folds(office)] == [None]


def test_what_was_taken_with_earlier_semantics_folds_with_them(
    office: Any, bundle_files: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_daily_word(office, bundle_files)
    with monkeypatch.context() as earlier:
        earlier.setattr(bpmn, "SEMANTICS", 1)
        earlier.setattr(bpmn.advance, "__defaults__", (1,))
        office.start("pause").later(days=2).run_jobs()
        office.later(days=1, hours=5).run_jobs()

    for _ in range(2):
        office.later(days=1, hours=7).run_jobs()

    with office.database.reading() as session:
        (due,) = session.execute(select(Job.due).where(Job.state == JobState.WAITING)).scalars()
        taken = session.execute(select(HistoryEvent.semantics).where(HistoryEvent.chain == str(office.instance)))
        assert list(taken.scalars()) == [1, 1, 1, bpmn.SEMANTICS, bpmn.SEMANTICS]
    assert due == office.now + timedelta(days=1) - timedelta(hours=7)
    assert [fold.divergence for fold in folds(office)] == [None]


MEND = """<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="test">
<bpmn:process id="mend" name="直す" isExecutable="true">
  <bpmn:startEvent id="start"/>
  <bpmn:userTask id="MD_01_take_apart">CLERKS
    <bpmn:standardLoopCharacteristics loopMaximum="2"/>
  </bpmn:userTask>
  <bpmn:userTask id="MD_02_order">CLERKS</bpmn:userTask>
  <bpmn:boundaryEvent id="ordered" attachedToRef="MD_02_order"><bpmn:compensateEventDefinition/></bpmn:boundaryEvent>
  <bpmn:userTask id="MD_03_send_back" isForCompensation="true">CLERKS</bpmn:userTask>
  <bpmn:association id="back" sourceRef="ordered" targetRef="MD_03_send_back"/>
  <bpmn:userTask id="MD_04_wait">CLERKS</bpmn:userTask>
  <bpmn:boundaryEvent id="broken" attachedToRef="MD_04_wait"><bpmn:conditionalEventDefinition>
    <bpmn:condition>=broken</bpmn:condition></bpmn:conditionalEventDefinition></bpmn:boundaryEvent>
  <bpmn:endEvent id="undo"><bpmn:compensateEventDefinition/></bpmn:endEvent>
  <bpmn:endEvent id="end"/>
  <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="MD_01_take_apart"/>
  <bpmn:sequenceFlow id="f2" sourceRef="MD_01_take_apart" targetRef="MD_02_order"/>
  <bpmn:sequenceFlow id="f3" sourceRef="MD_02_order" targetRef="MD_04_wait"/>
  <bpmn:sequenceFlow id="f4" sourceRef="MD_04_wait" targetRef="end"/>
  <bpmn:sequenceFlow id="f5" sourceRef="broken" targetRef="undo"/>
</bpmn:process></bpmn:definitions>""".replace(
    "CLERKS",
    '<bpmn:extensionElements><zeebe:assignmentDefinition candidateGroups="clerks"/></bpmn:extensionElements>',
)


def test_loops_conditions_and_compensation_fold_too(office: Any) -> None:
    with office.database.transaction() as session:
        deployments.deploy(session, {"mend.bpmn": MEND.encode()}, by=None, at=office.now)
    office.start("mend").complete("MD_01_take_apart", by="anna")
    office.complete("MD_01_take_apart", by="anna")
    office.complete("MD_02_order", by="anna")
    assert office.open_tasks() == ["MD_04_wait"]

    with office.database.transaction() as session:
        values = {"broken": feel.from_python(True)}
        instances.change_variables(session, office.instance, values, actor="carla", at=office.now)

    assert office.open_tasks() == ["MD_03_send_back"]
    office.complete("MD_03_send_back", by="anna")
    assert office.running() == {}
    assert [fold.divergence for fold in folds(office)] == [None]
