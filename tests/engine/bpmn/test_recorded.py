"""What an earlier release recorded loads and replays in this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import bpmn

from . import recording

RECORDED = sorted(recording.FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDED, ids=[path.stem for path in RECORDED])
def test_every_step_gives_what_the_release_that_took_it_recorded(path: Path):
    bundle, steps = recording.load(path)
    before = None
    count = 0
    for step in steps:
        advance = bpmn.advance(bundle, before, step.cause, step.at, step.semantics)
        assert recording.told(step.cause, advance) == (step.facts, step.values)
        assert advance.snapshot == step.snapshot
        before, count = step.snapshot, count + 1
    assert count >= 5


def test_there_are_recordings():
    assert len(RECORDED) >= 8
