"""Criteria by which people narrow down their tasks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_

from engine import case_index, identity, tables
from engine.identity import Person
from engine.texts import usable


@dataclass(frozen=True, slots=True)
class TaskCriteria:
    """What is empty does not count.

    `due_before`: only tasks due before it. `step`: an element's id or how it begins (`ST_01`, also written ST-01).
    `text`: words that all stand in the name of the task, its case number, or a readable text of its case.
    """

    due_before: datetime | None = None
    step: str = ""
    business_key: str = ""
    text: str = ""


def conditions(criteria: TaskCriteria, reader: Person) -> list[ColumnElement[bool]]:
    """Conditions on the rows of user tasks."""
    table = tables.UserTask
    where = [_with_word(word, reader) for word in case_index.words_of(criteria.text)]
    if criteria.due_before is not None:
        where.append(table.due < criteria.due_before)
    if criteria.step:
        begins = usable(criteria.step).strip().replace("-", "_").lower()
        where.append(func.lower(table.element).startswith(begins, autoescape=True))
    if criteria.business_key:
        where.append(table.business_key == usable(criteria.business_key).strip())
    return where


def _with_word(word: str, reader: Person) -> ColumnElement[bool]:
    table = tables.UserTask
    said = case_index.stands(table.business_key, word, reader)
    own = (func.lower(table.name).contains(word, autoescape=True), table.business_key.contains(word, autoescape=True))
    return or_(*own, and_(said, identity.reads(reader, table.business_key)))
