"""What differs between two sets of files, as a page shows it: in words, on the diagram and in the decision table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext

from engine.studio import marked_tables
from engine.studio.differences import FileDifference
from engine.studio.marked_tables import MarkedTable
from webapp import traces

CHANGES = {
    "added": lazy_gettext("added"),
    "removed": lazy_gettext("removed"),
    "changed": lazy_gettext("altered"),
    "moved": lazy_gettext("moved only"),
}


def shown(
    found: Sequence[FileDifference],
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    address: Callable[[str], str],
) -> dict[str, Any]:
    """What the macro `changes` of the studio needs; `address` is where a file is as it will be."""
    return {
        "changes": found,
        "change_words": CHANGES,
        "drawings": {change.file: address(change.file) for change in found if change.file.endswith(".bpmn")},
        "texts": {**traces.texts(), **{kind: str(words) for kind, words in CHANGES.items()}},
        "marked": {change.file: _tables(change, before, after) for change in found if change.file.endswith(".dmn")},
    }


def _tables(change: FileDifference, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[MarkedTable, ...]:
    """None for a file that is new or gone: the words tell of it."""
    if change.file not in before or change.file not in after:
        return ()
    return marked_tables.between(before[change.file], after[change.file])
