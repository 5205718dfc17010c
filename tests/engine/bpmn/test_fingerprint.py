"""A parsed definition is never changed by what runs on it; its fingerprint would show."""

from __future__ import annotations

import pytest

from engine import bpmn

from .block_processes import MAIN, bpmn_files
from .blocks import FORM, Boundary, Condition, Event, Exclusive, Parallel, Pass, Path, Processes, Subprocess, Task
from .conftest import NOW
from .fingerprint import fingerprint, lines

PROCESSES: Processes = {
    "called": Task("inner", "v0"),
    MAIN: Parallel(
        "both",
        (
            Task("first", "v1", (Boundary(Event("late", "timer"), True, Path("aside", Pass("note"), "merge")),)),
            Subprocess(
                "sub",
                Exclusive(
                    "choice",
                    ((Condition("v0", 1), Path("yes", Task("second"), "end")),),
                    Path("no", Pass("p"), "merge"),
                ),
                local="v0",
            ),
        ),
    ),
}


@pytest.fixture
def bundle() -> bpmn.Bundle:
    return bpmn.compile_bundle(bpmn_files(PROCESSES), {}, {FORM}, ())


def test_the_same_files_have_the_same_fingerprint(bundle):
    assert fingerprint(bundle) == fingerprint(bpmn.compile_bundle(bpmn_files(PROCESSES), {}, {FORM}, ()))


def test_running_an_instance_does_not_change_the_fingerprint(bundle):
    before = lines(bundle)

    advance = bpmn.advance(bundle, None, bpmn.Start(MAIN, "2026-0001", {}), NOW)
    for job in advance.wanted_jobs:
        advance = bpmn.advance(bundle, advance.snapshot, bpmn.FireTimer(job.place.token), NOW)

    assert lines(bundle) == before


def test_the_fingerprint_reaches_conditions_mappings_timers_and_called_processes(bundle):
    told = "\n".join(lines(bundle))

    for text in ("v0 = 1", "form.answer", "P1D", "inner"):
        assert f"={text}" in told or f"='{text}" in told, text


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec.task_specs["first"].boundaries[0].__dict__.update(interrupting=False),
        lambda spec: spec.task_specs["sub"].body.task_specs["choice"].__dict__.update(outgoing=()),
        lambda spec: spec.task_specs["first"].__dict__.update(remembered=1),
        lambda spec: spec.event_subprocesses.append("one more"),
        lambda spec: spec.task_specs.pop("first"),
        lambda spec: spec.data_objects.update(shared=1),
    ],
)
def test_any_change_of_a_definition_shows_in_the_fingerprint(bundle, change):
    before = fingerprint(bundle)
    spec = bundle.spec(MAIN)

    change(spec)

    try:
        assert fingerprint(bundle) != before
    finally:
        spec.data_objects.pop("shared", None)
