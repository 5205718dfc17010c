"""Inspections: everything that speaks against a set of files, for editor, command line and deployment alike."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from engine import bundles, business_days, dmn, feel, forms
from engine.errors import DeploymentRejected
from engine.errors import Finding as Found

Kind = Literal["structure", "table", "policy"]
CACHED = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """What to mend, and where. `structure` cannot be executed; a `table` has a doubtful rule; a `policy` is broken.

    `rules` (from 1) and `column` (from 1, outputs after inputs) lead to the cells of a decision table.
    """

    kind: Kind
    file: str
    element_id: str
    element_name: str
    message: str
    rules: tuple[int, ...] = ()
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.file} {self.element_name or self.element_id}: {self.message}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """`findings` are to be mended; `waived` is where a policy is let be, with the reason.

    `warnings` tell what executes, but perhaps not as it was meant.
    """

    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def executable(self) -> bool:
        return all(finding.kind != "structure" for finding in self.findings)


_inspecting = threading.Lock()  # two who ask for the same at once wait for one inspection
_kept: OrderedDict[tuple[str, tuple[str, ...]], Inspection] = OrderedDict()


def inspect(files: Mapping[str, bytes], job_types: Collection[str]) -> Inspection:
    """What speaks against deploying these files; the same files are never inspected twice."""
    key = bundles.digest(files), tuple(sorted(job_types))
    with _inspecting:
        if key not in _kept:
            _kept[key] = _inspect(files, job_types)
            while len(_kept) > CACHED:
                _kept.popitem(last=False)
        return _kept[key]


def form_view(source: bytes, typed: Iterable[tuple[str, str]], at: datetime) -> forms.FormView:
    """A form as it stands before a person who `typed` this (name and text), without a case.

    Raises forms.FormInvalid and forms.FormFault.
    """
    form = forms.read(source, tuple(business_days.FUNCTIONS))
    return forms.fill(
        form, forms.from_pairs(form, typed), {}, feel.Environment(now=at, functions=business_days.FUNCTIONS)
    )


def _inspect(files: Mapping[str, bytes], job_types: Collection[str]) -> Inspection:
    try:
        compiled = bundles.compile_files(files, job_types)
    except DeploymentRejected as rejected:
        found = [_as("structure", one, files) for one in rejected.findings]
        return Inspection((*found, *_tables(files)))
    against = [_as("policy", one, files) for one in compiled.against]
    waived = tuple(_as("policy", one, files) for one in compiled.waived)
    warnings = tuple(_as("structure", one, files) for one in compiled.processes.warnings)
    return Inspection((*_tables(files), *against), waived, warnings)


def _as(kind: Kind, found: Found, files: Iterable[str]) -> Finding:
    """The finding under the whole name of its file: some files of a bundle are known by their last name."""
    named = [name for name in files if name == found.file or name.endswith(f"/{found.file}")]
    file = named[0] if len(named) == 1 else found.file
    return Finding(kind, file, found.element_id, found.element_name, found.message)


def _tables(files: Mapping[str, bytes]) -> list[Finding]:
    found = []
    for name, source in sorted(files.items()):
        if not name.endswith(".dmn"):
            continue
        try:
            analysed = _analysed(source)
        except (dmn.DmnError, feel.FeelError):
            continue  # told as structure
        found += [
            Finding("table", name, one.decision_id, one.decision_name, one.message, one.rules, one.column)
            for one in analysed
        ]
    return found


@lru_cache(CACHED)
def _analysed(source: bytes) -> tuple[dmn.TableFinding, ...]:
    return dmn.analyse(dmn.read(source))
