"""Deadlines: the decision that gives processes theirs, and the events that it knows, for a writer to choose from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from engine import decision_tables
from engine.bundles import Compiled
from engine.decision_tables import Table

EVENT = "event"
"""What a deadline decision is asked about (see UserTask.deadline)."""
_TEXT = re.compile(r'"([^"\\]*)"')


def decision(compiled: Compiled, file: str = "") -> str | None:
    """The deadline decision of the processes in the file, else the one that most processes name; None without any."""
    found: Counter[str] = Counter()
    for key, process in compiled.processes.processes.items():
        named = compiled.processes.spec(key).deadline_decision
        if named and process.file == file:
            return named
        found.update([named] if named else ())
    return found.most_common(1)[0][0] if found else None


def events(compiled: Compiled, files: Mapping[str, bytes], decision: str) -> Mapping[str, tuple[str, ...]]:
    """Event → what the table says to its rows: all that the file of the decision knows, and all that tasks name.

    The file may be missing: what cannot be compiled is offered as it was before.
    """
    found: dict[str, tuple[str, ...]] = {}
    source = files.get(compiled.files[decision])
    for table in decision_tables.read(source) if source else ():
        for event, said in _rows(table):
            found[event] = tuple(dict.fromkeys((*found.get(event, ()), *said)))
    for process in compiled.processes.processes.values():
        for task in process.user_tasks.values():
            if task.due_event:
                found.setdefault(task.due_event, ())
    return found


def _rows(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Per rule on events: each event, and the texts among its results."""
    column = next((place for place, one in enumerate(table.inputs) if one.text == EVENT), None)
    if column is not None:
        for row in table.rows:
            said = [text[1] for cell in row.results if (text := _TEXT.fullmatch(cell))]
            yield from ((event, said) for event in _TEXT.findall(row.conditions[column]))
