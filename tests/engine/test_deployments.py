"""Deployments: everything or nothing, versions, and running instances that keep theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine import bundles, deployments, history, tables
from engine.errors import DeploymentNotFound, DeploymentRejected, FileUnreadable
from engine.states import EventType

JOB_TYPES = ("notify", "charge")


def deploy(office: Any, files: Mapping[str, bytes]) -> deployments.Deployed:
    with office.database.transaction() as session:
        return deployments.deploy(session, files, by="carla", at=office.now, job_types=JOB_TYPES)


def changed(files: Mapping[str, bytes], old: bytes, new: bytes, name: str = "review.bpmn") -> dict[str, bytes]:
    assert old in files[name]
    return {**files, name: files[name].replace(old, new)}


def rejected(office: Any, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    with pytest.raises(DeploymentRejected) as refused:
        deploy(office, files)
    return [(finding.file, finding.element_id) for finding in refused.value.findings]


def test_the_same_files_again_write_nothing(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    again = deploy(office, dict(reversed(list(bundle_files.items()))))

    assert not again.new
    assert set(again.versions.values()) == {1}
    with office.database.reading() as session:
        assert session.execute(select(func.count(tables.Deployment.id))).scalar_one() == 1
        assert len(history.of_system(session)) == 1


def test_a_changed_file_is_the_next_version_and_running_instances_keep_theirs(
    office: Any, bundle_files: Mapping[str, bytes]
) -> None:
    office.start("review", amount=1)
    old_case = office.case
    deployed = deploy(office, changed(bundle_files, b"RV_02_second_look", b"RV_05_closer_look"))

    assert deployed.new
    assert deployed.versions["review"] == 2
    office.complete("RV_01_review", by="anna", verdict="good")
    assert office.open_tasks() == ["RV_02_second_look"]
    office.start("review", amount=1).complete("RV_01_review", by="anna", verdict="good")
    assert office.open_tasks() == ["RV_05_closer_look"]
    assert old_case != office.case


def test_going_back_to_older_files_is_a_new_version_of_them(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    deploy(office, changed(bundle_files, b"RV_02_second_look", b"RV_05_closer_look"))

    back = deploy(office, bundle_files)

    assert (back.new, back.versions["review"]) == (True, 3)


def test_what_an_earlier_release_let_through_goes_on_running_but_is_not_deployed_again(
    office: Any, bundle_files: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = b'<zeebe:taskSchedule followUpDate="=now()"/></bpmn:extensionElements>'
    files = changed(bundle_files, b"</bpmn:extensionElements>", followed)
    with monkeypatch.context() as earlier:
        earlier.setattr("engine.bpmn.reader.check_extensions", lambda file: None)
        deploy(office, files)
    bundles._kept.clear()

    office.start("review", amount=1).complete("RV_01_review", by="anna", verdict="good")

    assert office.open_tasks() == ["RV_02_second_look"]
    assert rejected(office, files)


def test_history_says_who_deployed_what(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    deployed = deploy(office, changed(bundle_files, b"RV_02", b"RV_05"))

    with office.database.reading() as session:
        last = history.of_system(session)[-1]
    assert (last.type, last.actor, last.definition) == (EventType.DEPLOYED, "carla", deployed.digest)
    assert last.facts["versions"]["review"] == 2


def test_the_files_are_stored_as_they_came(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    with office.database.reading() as session:
        stored = dict(session.execute(select(tables.Resource.name, tables.Resource.content)).all())

    assert stored == bundle_files


def test_every_fault_of_every_file_is_told_at_once_and_nothing_is_deployed(
    office: Any, bundle_files: Mapping[str, bytes]
) -> None:
    broken = changed(bundle_files, b"second_look", b"no_such_form")
    broken["deadlines.dmn"] = b"<definitions/>"
    broken["second_look.form"] = b"{"
    broken["bundle.yaml"] = b"starts: 1"

    found = rejected(office, broken)

    assert {file for file, _ in found} >= {"review.bpmn", "deadlines.dmn", "second_look.form", "bundle.yaml"}
    with office.database.reading() as session:
        assert session.execute(select(func.count(tables.Deployment.id))).scalar_one() == 1


def test_a_catalogue_that_names_what_is_not_there_is_refused(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    broken = changed(bundle_files, b"process: review", b"process: nowhere", "bundle.yaml")
    broken = changed(broken, b"health: [nurses]", b"health: [doctors]", "bundle.yaml")

    assert rejected(office, broken) == [("bundle.yaml", "review"), ("bundle.yaml", "doctors")]


def test_a_form_id_twice_is_refused(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    found = rejected(office, {**bundle_files, "other.form": bundle_files["second_look.form"]})

    assert ("second_look.form", "second_look") in found


def test_a_job_type_that_nobody_handles_is_refused(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    with office.database.transaction() as session, pytest.raises(DeploymentRejected, match="charge"):
        deployments.deploy(session, bundle_files, by=None, at=office.now)


def test_hostile_files_are_findings_and_no_faults(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><definitions>&b;</definitions>'

    assert ("bomb.bpmn", "") in rejected(office, {**bundle_files, "bomb.bpmn": bomb})
    assert ("bomb.dmn", "") in rejected(office, {**bundle_files, "bomb.dmn": bomb})
    assert rejected(office, {"notes.txt": b"nothing"}) == [("", "")]


def test_a_bundle_is_compiled_once_per_process(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    with office.database.reading() as session:
        first, second = bundles.of_deployment(session, 1), bundles.of_deployment(session, 1)

    assert first is second
    assert first is bundles.compile_files(bundle_files, JOB_TYPES)


def test_a_bundle_that_fell_out_of_memory_is_compiled_from_the_database(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "_kept", type(bundles._kept)())
    office.start("review", amount=1)

    assert office.open_tasks() == ["RV_01_review"]


def test_an_unknown_deployment_is_told(office: Any) -> None:
    with office.database.reading() as session, pytest.raises(DeploymentNotFound):
        bundles.of_deployment(session, 99)


def test_a_folder_is_read_with_all_its_folders_and_other_files_are_left(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/one.bpmn", "a/b/two.dmn", "three.form", "a/bundle.yaml", "a/other.yaml", "notes.md"):
        (tmp_path / name).write_bytes(name.encode())

    assert sorted(deployments.read_folder(tmp_path)) == ["a/b/two.dmn", "a/bundle.yaml", "a/one.bpmn", "three.form"]


def test_a_missing_folder_and_an_empty_one_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="ありません"):
        deployments.read_folder(tmp_path / "nowhere")
    with pytest.raises(FileUnreadable, match="ありません"):
        deployments.read_folder(tmp_path)


def test_two_bundles_stand_side_by_side(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    other = {
        "wait2.bpmn": bundle_files["wait.bpmn"].replace(b'id="wait"', b'id="wait2"'),
        "bundle.yaml": "starts: [{id: second, label: 二つめ, process: wait2, groups: everyone}]".encode(),
    }
    deploy(office, other)

    with office.database.reading() as session:
        found = deployments.catalogue(session)
        names = deployments.process_names(session)
    assert [start.id for start in found.starts] == ["review", "wait", "second"]
    assert names["wait2"] == "呼ばれるのを待つ"
    assert not deploy(office, bundle_files).new


def test_who_deployed_last_is_known(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    with office.database.reading() as session:
        assert deployments.last_by(session) is None
    deploy(office, changed(bundle_files, b"RV_02_second_look", b"RV_05_closer_look"))

    with office.database.reading() as session:
        assert deployments.last_by(session) == "carla"
        assert [(row.id, row.by, row.current) for row in deployments.listing(session)] == [
            (2, "carla", True),
            (1, None, False),
        ]
        assert deployments.successor(session, 1) == 2


def test_what_breaks_a_policy_is_deployed_only_by_an_override(office: Any, bundle_files: Mapping[str, bytes]) -> None:
    rule = b"policies: [{id: P1, title: T, every_task: [deadline]}]"
    files = {**bundle_files, "policies.yaml": rule}
    assert rejected(office, files)

    grounds = deployments.Grounds("why", override="for now")
    with office.database.transaction() as session:
        found = deployments.deploy(session, files, by="carla", at=office.now, job_types=JOB_TYPES, grounds=grounds)
    with office.database.reading() as session:
        facts = [event.facts for event in history.of_system(session)][-1]

    assert (found.new, facts["reason"], facts["override"]) == (True, "why", "for now")
