"""Many writers of one file at once: one is first, the others are told, and nothing of theirs is half there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from engine import database, deployments, identity, scenario_outcomes
from engine.errors import RevisionChanged
from engine.studio import revisions

BUNDLE = Path(__file__).parents[2] / "webapp" / "bundle"
NOW = datetime.fromisoformat("2026-11-24T10:00:00+09:00")
WRITERS = 12


def test_of_many_who_saw_the_same_file_one_writes_it(empty: database.Database) -> None:
    with empty.transaction() as session:
        deployments.deploy(session, deployments.read_folder(BUNDLE), by=None, at=NOW)
        identity.seed(session, deployments.catalogue(session).people, password=None)
    with empty.transaction() as session:
        owner = identity.person(session, "owner1")
        revision = revisions.begin(session, 1, "x", actor=owner, at=NOW)
        before = revisions.files(session, revision)["call.form"]
    contents = [before + b" " * (number + 1) for number in range(WRITERS)]

    def write(content: bytes) -> bytes | None:
        seen = revisions.digest(before)
        try:
            empty.retrying(
                lambda session: revisions.save(session, revision, "call.form", content, seen=seen, actor=owner, at=NOW)
            )
        except RevisionChanged:
            return None
        return content

    with ThreadPoolExecutor(WRITERS) as pool:
        written = [content for content in pool.map(write, contents) if content is not None]

    with empty.reading() as session:
        assert [revisions.files(session, revision)["call.form"]] == written
        assert revisions.get(session, revision).version == 2


def test_revisions_are_stored_in_the_schema_that_migrations_make(url: str) -> None:
    found = database.connect(url)
    found.upgrade()
    with found.transaction() as session:
        deployments.deploy(session, deployments.read_folder(BUNDLE), by=None, at=NOW)
        identity.seed(session, deployments.catalogue(session).people, password=None)
    with found.transaction() as session:
        revision = revisions.begin(session, 1, "x", actor=identity.person(session, "owner1"), at=NOW)
        scenario_outcomes.record(session, revision, "0" * 64, "a.yaml", "a", None, None, at=NOW)
        assert revisions.get(session, revision).title == "x"
    found.close()
