"""Instances written down step by step, as a release ran them: for the test that later releases still read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import bpmn, history, records

FOLDER = Path(__file__).parent / "recorded"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One step: what went in, and the facts, values and snapshot that came out of it."""

    semantics: int
    at: datetime
    cause: bpmn.Cause
    facts: Mapping[str, Any]
    values: list[str]
    snapshot: Mapping[str, Any]


def told(cause: bpmn.Cause, advance: bpmn.Advance) -> tuple[Mapping[str, Any], list[str]]:
    """The step as history would tell it: facts, and the texts of the values that they refer to."""
    values = history.Values()
    facts = json.loads(json.dumps(records.facts_of(cause, advance, values)))
    return facts, [text for _, _, text in values.rows]


def save(
    name: str, files: Mapping[str, bytes], forms: list[str], steps: list[tuple[bpmn.Cause, datetime, bpmn.Advance]]
) -> None:
    """Write down an instance as this release runs it. A file that is there already belongs to an earlier release."""
    lines = []
    for cause, at, advance in steps:
        facts, values = told(cause, advance)
        step = {"semantics": bpmn.SEMANTICS, "at": at.isoformat(), "facts": facts, "values": values}
        lines.append(json.dumps({**step, "snapshot": advance.snapshot}, ensure_ascii=False))
    head = json.dumps({"files": {name: source.decode() for name, source in files.items()}, "forms": forms})
    with (FOLDER / f"{name}.jsonl").open("x", encoding="utf-8") as file:
        file.write("\n".join([head, *lines]) + "\n")


def load(path: Path) -> tuple[bpmn.Bundle, Iterator[Recorded]]:
    head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    files = {name: text.encode() for name, text in head["files"].items()}
    return bpmn.compile_bundle(files, {}, head["forms"], {"post"}), map(_step, lines)


def _step(line: Mapping[str, Any]) -> Recorded:
    values = {number: history.decoded(text) for number, text in enumerate(line["values"])}
    return Recorded(
        line["semantics"],
        datetime.fromisoformat(line["at"]),
        records.cause_of(history.resolve(line["facts"]["cause"], values)),
        line["facts"],
        line["values"],
        line["snapshot"],
    )
