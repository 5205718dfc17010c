"""What people call the files of a bundle: by what is in them, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine import bundles, scenario_outcomes
from webapp.content import content, translation
from webapp.language import spoken


@dataclass(frozen=True, slots=True)
class FileName:
    """`title` is empty for a file in which nothing has a name; `decisions`: id and name of each."""

    title: str
    decisions: tuple[str, ...] = ()


UNNAMED = FileName("")


def of(compiled: bundles.Compiled, files: Mapping[str, bytes]) -> Mapping[str, FileName]:
    """File → its name; of every file that is asked for, also one that nothing is known of."""
    found: defaultdict[str, FileName] = defaultdict(lambda: UNNAMED)
    processes: defaultdict[str, list[str]] = defaultdict(list)
    for process in compiled.processes.processes.values():
        processes[process.file].append(process.name)
    for file, names in processes.items():
        found[file] = FileName(_joined(names))
    for form in compiled.forms.values():
        found[compiled.files[form.id]] = FileName(content(form.title))
    for key, definitions in compiled.processes.decisions.items():
        decisions = tuple(f"{one} {content(each.name)}" for one, each in definitions.decisions.items())
        found[compiled.files[key]] = FileName(content(definitions.name), decisions)
    for file, source in files.items():
        if scenario_outcomes.is_scenario(file):
            title = scenario_outcomes.title(source)
            found[file] = FileName(title if spoken() == "ja" else translation(title) or "")
    return found


def _joined(names: Iterable[str]) -> str:
    return " / ".join(content(name) for name in names if name)
