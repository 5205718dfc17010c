"""Revisions: nothing overwritten, four eyes, all or nothing, back to an earlier version, everything in history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from engine import bundles, database, deployments, history, identity, instances, scenario_runs
from engine.audit import verification
from engine.errors import (
    DeploymentRejected,
    FileRefused,
    RevisionChanged,
    RevisionNotFound,
    RevisionNotYours,
    RevisionOutdated,
    RevisionUnfinished,
)
from engine.states import EventType, RevisionState
from engine.studio import revisions

BUNDLE = Path(__file__).parents[2] / "webapp" / "bundle"
NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
LIMIT = b"P3D"
SCENARIO = "scenarios/apply.yaml"

T = TypeVar("T")


@dataclass
class Studio:
    database: database.Database
    id: int = 0
    now: datetime = NOW

    def person(self, name: str) -> identity.Person:
        with self.database.reading() as session:
            return identity.person(session, name)

    def act(self, act: Callable[..., T], *arguments: Any, by: str, **named: Any) -> T:
        self.now += timedelta(minutes=1)
        with self.database.transaction() as session:
            return act(session, *arguments, actor=self.person(by), at=self.now, **named)

    def begin(self, title: str = "期限を見直す") -> int:
        with self.database.reading() as session:
            base = max(row.id for row in deployments.listing(session))
        self.id = self.act(revisions.begin, base, title, by="owner1")
        return self.id

    @property
    def revision(self) -> revisions.Revision:
        with self.database.reading() as session:
            return revisions.get(session, self.id)

    def files(self) -> dict[str, bytes]:
        with self.database.reading() as session:
            return revisions.files(session, self.id)

    def save(self, name: str, content: bytes | None, by: str = "owner1") -> str:
        seen = revisions.digest(self.files().get(name))
        return self.act(revisions.save, self.id, name, content, seen=seen, by=by)

    def replace(self, name: str, old: str, new: str, by: str = "owner1") -> str:
        content = self.files()[name]
        assert old.encode() in content
        return self.save(name, content.replace(old.encode(), new.encode()), by)

    def step(self, act: Callable[..., T], *arguments: Any, by: str, **named: Any) -> T:
        return self.act(act, self.id, *arguments, by=by, version=self.revision.version, **named)

    def run_scenarios(self) -> None:
        scenario_runs.run(self.database, self.id, lambda: self.now)

    def ready(self) -> None:
        """Changed, tried, and submitted."""
        self.begin()
        self.replace("review.form", '"結果"', '"確かめた結果"')
        self.run_scenarios()
        self.step(revisions.submit, "言い方をそろえるため", by="owner1")

    def approved(self) -> None:
        self.ready()
        self.step(revisions.approve, "", by="chief1")

    def newest(self) -> deployments.DeploymentRow:
        with self.database.reading() as session:
            return deployments.listing(session)[0]

    def told(self) -> list[EventType]:
        with self.database.reading() as session:
            return [event.type for event in history.of_system(session)]


@pytest.fixture
def studio(empty: database.Database) -> Studio:
    with empty.transaction() as session:
        deployments.deploy(session, deployments.read_folder(BUNDLE), by=None, at=NOW)
        identity.seed(session, deployments.catalogue(session).people, password=None)
    return Studio(empty)


def test_a_saved_file_is_kept_byte_by_byte_and_the_base_stays_as_it_is(studio: Studio) -> None:
    studio.begin()
    before = studio.files()
    content = before["request.bpmn"].replace(b"</bpmn:definitions>", b"<!-- \xe3\x81\xbe -->\r\n</bpmn:definitions>")
    assert content != before["request.bpmn"]

    studio.save("request.bpmn", content)

    assert studio.files() == {**before, "request.bpmn": content}
    with studio.database.reading() as session:
        assert deployments.files(session, studio.revision.base) == before


def test_the_second_of_two_writers_is_told_and_overwrites_nothing(studio: Studio) -> None:
    studio.begin()
    seen = revisions.digest(studio.files()["review.form"])
    first = studio.files()["review.form"] + b"\n"
    studio.act(revisions.save, studio.id, "review.form", first, seen=seen, by="owner1")

    with pytest.raises(RevisionChanged, match="owner1"):
        studio.act(revisions.save, studio.id, "review.form", first + b" ", seen=seen, by="owner2")

    assert studio.files()["review.form"] == first
    studio.act(
        revisions.save,
        studio.id,
        "call.form",
        studio.files()["call.form"] + b"\n",
        seen=revisions.digest(studio.files()["call.form"]),
        by="owner2",
    )
    assert studio.revision.writers == ("owner1", "owner2")


def test_the_same_content_again_changes_nothing(studio: Studio) -> None:
    studio.begin()
    version = studio.revision.version

    studio.save("review.form", studio.files()["review.form"])

    assert studio.revision.version == version


def test_what_is_changed_back_is_no_change(studio: Studio) -> None:
    studio.begin()
    old = studio.files()["review.form"]
    studio.save("review.form", old + b"\n")
    studio.save("review.form", old)

    with pytest.raises(RevisionUnfinished, match="まだ何も変えていません"):
        studio.step(revisions.submit, "なし", by="owner1")


def test_an_unreadable_file_is_refused_and_nothing_is_left_of_it(studio: Studio) -> None:
    studio.begin()
    before, version = studio.files(), studio.revision.version

    with pytest.raises(FileRefused, match="XML として読めません"):
        studio.save("request.bpmn", b"<bpmn:definitions")

    assert (studio.files(), studio.revision.version) == (before, version)


@pytest.mark.parametrize("name", ["chief1", "clerk1", "auditor1"])
def test_only_owners_write(studio: Studio, name: str) -> None:
    studio.begin()
    with pytest.raises(RevisionNotYours):
        studio.save("review.form", b"{}", by=name)
    with pytest.raises(RevisionNotYours):
        studio.act(revisions.begin, 1, "x", by=name)


def test_nobody_approves_what_they_wrote(studio: Studio) -> None:
    studio.ready()

    for name in ("owner1", "owner2", "clerk1", "auditor1"):
        with pytest.raises(RevisionNotYours):
            studio.step(revisions.approve, "", by=name)

    assert studio.revision.state is RevisionState.SUBMITTED


def test_whoever_both_edits_and_approves_still_needs_another_person(studio: Studio) -> None:
    both = "both1"  # in the groups of owners and of approvers
    studio.begin()
    studio.act(
        revisions.save,
        studio.id,
        "review.form",
        studio.files()["review.form"] + b"\n",
        seen=revisions.digest(studio.files()["review.form"]),
        by=both,
    )
    studio.run_scenarios()
    studio.step(revisions.submit, "x", by="owner1")

    with pytest.raises(RevisionNotYours):
        studio.step(revisions.approve, "", by=both)
    studio.step(revisions.approve, "", by="chief1")


def test_a_reason_is_required(studio: Studio) -> None:
    studio.begin()
    studio.save("review.form", studio.files()["review.form"] + b"\n")
    with pytest.raises(RevisionUnfinished, match="変更の理由"):
        studio.step(revisions.submit, " \n", by="owner1")


def test_an_approved_revision_is_deployed_whole_and_new_cases_run_on_it(studio: Studio) -> None:
    with studio.database.transaction() as session:
        running, _ = instances.start(session, "request", {}, actor="clerk1", at=NOW)
    studio.approved()

    deployed = studio.step(revisions.deploy, by="owner1")

    assert deployed.versions == {"request": 2}
    row = studio.newest()
    assert (row.by, row.reason, row.approved_by, row.override) == ("owner1", "言い方をそろえるため", "chief1", None)
    assert studio.revision.state is RevisionState.DEPLOYED
    with studio.database.reading() as session:
        assert bundles.newest(session, "request").version == 2
        assert {
            one.version: one.running
            for one in [*deployments.definitions(session, 1), *deployments.definitions(session, 2)]
            if one.kind == "process"
        } == {1: 1, 2: 0}
    assert running


def test_history_tells_every_act_with_its_reason(studio: Studio) -> None:
    studio.approved()
    studio.step(revisions.deploy, by="owner1")

    assert studio.told() == [
        EventType.DEPLOYED,
        EventType.REVISION_BEGUN,
        EventType.REVISION_SUBMITTED,
        EventType.REVISION_APPROVED,
        EventType.DEPLOYED,
    ]
    with studio.database.reading() as session:
        assert [event.facts.get("reason") for event in history.of_system(session)][-1] == "言い方をそろえるため"
        assert verification.verify(session).findings == ()


def test_without_approval_nothing_is_deployed(studio: Studio) -> None:
    studio.ready()
    with pytest.raises(RevisionUnfinished, match="承認が要ります"):
        studio.step(revisions.deploy, by="owner1")
    assert studio.newest().id == 1


def test_what_was_changed_after_the_approver_looked_is_not_approved(studio: Studio) -> None:
    studio.ready()
    looked_at = studio.revision.version
    studio.step(revisions.withdraw, by="owner1")
    studio.save("call.form", studio.files()["call.form"] + b"\n")
    studio.step(revisions.submit, "もう一つ", by="owner1")

    with pytest.raises(RevisionChanged):
        studio.act(revisions.approve, studio.id, "", version=looked_at, by="chief1")


def test_a_submitted_revision_is_not_written_and_sent_back_it_is(studio: Studio) -> None:
    studio.ready()
    with pytest.raises(RevisionUnfinished):
        studio.save("review.form", b'{"components": []}')

    studio.step(revisions.send_back, "理由をもう少し詳しく", by="chief1")

    assert (studio.revision.state, studio.revision.remark) == (RevisionState.WRITING, "理由をもう少し詳しく")
    studio.save("call.form", studio.files()["call.form"] + b"\n")
    assert EventType.REVISION_SENT_BACK in studio.told()


def test_what_cannot_be_executed_is_not_even_submitted(studio: Studio) -> None:
    studio.begin()
    studio.replace("request.bpmn", 'formId="review"', 'formId="nowhere"')

    with pytest.raises(DeploymentRejected, match="nowhere"):
        studio.step(revisions.submit, "x", by="owner1")


def test_a_scenario_that_was_not_run_with_these_files_keeps_from_approval(studio: Studio) -> None:
    studio.begin()
    studio.replace("review.form", '"結果"', '"確かめた結果"')
    studio.step(revisions.submit, "x", by="owner1")

    with pytest.raises(DeploymentRejected, match="まだ実行していません"):
        studio.step(revisions.approve, "", by="chief1")

    studio.run_scenarios()
    studio.step(revisions.approve, "", by="chief1")


def test_a_failed_scenario_tells_its_difference_and_an_approver_overrides_it_with_a_reason(studio: Studio) -> None:
    studio.begin()
    studio.replace(SCENARIO, "result: ok", "result: wrong")
    studio.run_scenarios()
    with studio.database.reading() as session:
        (one,) = revisions.scenarios(session, studio.id)
    assert (one.passed, "選択肢" in (one.difference or "")) == (False, True), one
    studio.step(revisions.submit, "x", by="owner1")

    with pytest.raises(DeploymentRejected):
        studio.step(revisions.approve, "", by="chief1")
    studio.step(revisions.approve, "次の改訂で直すため", by="chief1")
    studio.step(revisions.deploy, by="owner1")

    assert studio.newest().override == "次の改訂で直すため"


def test_a_change_of_a_file_makes_the_scenarios_unrun(studio: Studio) -> None:
    studio.ready()
    with studio.database.reading() as session:
        assert [one.passed for one in revisions.scenarios(session, studio.id)] == [True]
    studio.step(revisions.withdraw, by="owner1")
    studio.replace("call.form", "連絡", "ご連絡")

    with studio.database.reading() as session:
        assert [one.passed for one in revisions.scenarios(session, studio.id)] == [None]


def test_a_revision_of_an_old_version_has_to_catch_up_first(studio: Studio) -> None:
    studio.approved()
    first = studio.id
    studio.begin("別の改訂")
    studio.replace("call.form", "連絡", "ご連絡")
    other = studio.id
    studio.id = first
    studio.step(revisions.deploy, by="owner1")
    studio.id = other
    studio.run_scenarios()
    studio.step(revisions.submit, "ていねいに", by="owner1")
    studio.step(revisions.approve, "", by="chief1")

    with pytest.raises(RevisionOutdated):
        studio.step(revisions.deploy, by="owner1")

    studio.step(revisions.withdraw, by="owner1")
    assert studio.step(revisions.catch_up, by="owner1") == ()
    assert "確かめた結果".encode() in studio.files()["review.form"]
    assert "ご連絡".encode() in studio.files()["call.form"]


def test_catching_up_tells_what_both_changed(studio: Studio) -> None:
    studio.approved()
    first = studio.id
    studio.begin("別の改訂")
    studio.replace("review.form", '"結果"', '"見た結果"')
    other = studio.id
    studio.id = first
    studio.step(revisions.deploy, by="owner1")
    studio.id = other

    assert studio.step(revisions.catch_up, by="owner1") == ("review.form",)


def test_an_earlier_version_is_taken_back_as_a_new_one(studio: Studio) -> None:
    studio.approved()
    studio.step(revisions.deploy, by="owner1")
    with studio.database.reading() as session:
        first = deployments.files(session, 1)

    deployed = studio.act(revisions.take_back, 1, "思ったとおりにならなかったため", by="chief1")

    assert (deployed.id, deployed.versions) == (3, {"request": 3})
    assert (studio.newest().restores, studio.newest().reason) == (1, "思ったとおりにならなかったため")
    with studio.database.reading() as session:
        assert deployments.files(session, 3) == first
    with pytest.raises(RevisionUnfinished, match="いま使われています"):
        studio.act(revisions.take_back, 3, "もう一度", by="chief1")


def test_a_dropped_revision_is_read_but_never_deployed(studio: Studio) -> None:
    studio.begin()
    studio.step(revisions.drop, by="owner1")

    with pytest.raises(RevisionUnfinished):
        studio.save("review.form", b'{"components": []}')
    assert studio.revision.state is RevisionState.DROPPED


def test_an_unknown_revision_is_not_found(studio: Studio) -> None:
    with studio.database.reading() as session, pytest.raises(RevisionNotFound):
        revisions.get(session, 99)
