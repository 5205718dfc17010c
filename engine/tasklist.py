"""The tasklist: user tasks as people find them, with who may do each; nothing is changed here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from engine import (
    columns,
    concealments,
    identity,
    tables,
    task_criteria,
)
from engine.errors import (
    TaskNotFound,
)
from engine.identity import Person
from engine.statements import Statement
from engine.states import OPEN_TASK, TaskState
from engine.task_criteria import TaskCriteria


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A user task with who may do it; `process` is the one whose diagram shows the element."""

    id: int
    instance: int
    business_key: str
    process: str
    token: int
    element: str
    name: str
    form_id: str | None
    state: TaskState
    assignee: str | None
    due: datetime | None
    due_reason: str | None
    escalated_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    excluded_users: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_TASK

    def overdue(self, at: datetime) -> bool:
        return self.is_open and self.due is not None and self.due < at


@dataclass(frozen=True, slots=True)
class Counts:
    """Open tasks in the person's hands, those they may take, and how many of both are overdue."""

    mine: int
    offered: int
    overdue: int


_TASKS, _CANDIDATES = columns.core(tables.UserTask), columns.core(tables.Candidate)
_COLUMNS = (
    _TASKS.c.id,
    _TASKS.c.instance_id,
    _TASKS.c.business_key,
    _TASKS.c.process,
    _TASKS.c.token,
    _TASKS.c.element,
    _TASKS.c.name,
    _TASKS.c.form_id,
    _TASKS.c.state,
    _TASKS.c.assignee,
    _TASKS.c.due,
    _TASKS.c.due_reason,
    _TASKS.c.escalated_at,
    _TASKS.c.opened_at,
    _TASKS.c.closed_at,
    _TASKS.c.closed_by,
)
"""In the order of the fields of `TaskRow`."""
_ORDER = (_TASKS.c.due.is_(None), _TASKS.c.due, _TASKS.c.opened_at, _TASKS.c.id)
_NAMED = (_CANDIDATES.c.kind, _CANDIDATES.c.name)
_EACH_CANDIDATE = (
    select(*_COLUMNS, *_NAMED)
    .outerjoin(_CANDIDATES, _CANDIDATES.c.task_id == _TASKS.c.id)
    .order_by(*_ORDER, _CANDIDATES.c.position)
)
_IN_CASE = _EACH_CANDIDATE.where(_TASKS.c.business_key == bindparam("business_key"))
_ONE = Statement(_EACH_CANDIDATE.where(_TASKS.c.id == bindparam("task")))
_OF_CASE = Statement(_IN_CASE)
_OPEN_OF_CASE = Statement(_IN_CASE.where(or_(*(_TASKS.c.state == state for state in OPEN_TASK))))
_ACCESS = (
    select(_CANDIDATES.c.task_id, *_NAMED)
    .where(_CANDIDATES.c.task_id.in_(bindparam("tasks", expanding=True)))
    .order_by(_CANDIDATES.c.task_id, _CANDIDATES.c.position)
)


def mine(session: Session, person: Person, *, criteria: TaskCriteria | None = None, limit: int = 100) -> list[TaskRow]:
    """Open tasks assigned to the person: the earliest due first, so the overdue lead; then the oldest."""
    return _rows(session, and_(_assigned(person), *_chosen(criteria, person)), limit)


def offered(
    session: Session, person: Person, *, criteria: TaskCriteria | None = None, limit: int = 100
) -> list[TaskRow]:
    """Open tasks that nobody has claimed and this person may do; in the same order."""
    return _rows(session, and_(_free(person), *_chosen(criteria, person)), limit)


def counts(session: Session, person: Person, at: datetime) -> Counts:
    """How much open work there is for the person."""
    table = tables.UserTask
    in_hand, free = _assigned(person), _free(person)
    late = func.count().filter(table.due < at)
    query = select(func.count().filter(in_hand), func.count().filter(free), late)
    found = session.execute(query.select_from(table).where(table.state.in_(OPEN_TASK), or_(in_hand, free))).one()
    return Counts(*found)


def _assigned(person: Person) -> ColumnElement[bool]:
    return tables.UserTask.assignee == person.name


def _free(person: Person) -> ColumnElement[bool]:
    table = tables.UserTask
    return and_(table.assignee.is_(None), identity.may_do(person))


def _chosen(criteria: TaskCriteria | None, person: Person) -> list[ColumnElement[bool]]:
    return [] if criteria is None else task_criteria.conditions(criteria, person)


def of_case(session: Session, business_key: str, *, open_only: bool = True) -> list[TaskRow]:
    """The tasks of a case, in the same order."""
    found = _OPEN_OF_CASE if open_only else _OF_CASE
    return _gathered(found.rows(session, business_key=business_key))


def doable(session: Session, person: Person, business_key: str) -> tuple[TaskRow, ...]:
    """The open tasks of a case that the person may do now: theirs, or nobody's yet."""
    found = of_case(session, business_key)
    return tuple(task for task in found if task.assignee in (None, person.name) and identity.may(person, task))


def get(session: Session, task: int, person: Person) -> TaskRow:
    """The task, if the person may do it or read its case, with the names that they may know; raises TaskNotFound."""
    row = find(session, task)
    if not (identity.may(person, row) or identity.may_read_case(session, person, row.business_key)):
        raise TaskNotFound(task)
    if row.closed_at is None:
        return row
    concealed = concealments.from_reader(session, person, [row.business_key])
    closed_by, assignee = (concealed.name(row.business_key, n, row.closed_at) for n in (row.closed_by, row.assignee))
    return replace(row, closed_by=closed_by, assignee=assignee)


def find(session: Session, task: int) -> TaskRow:
    """The task, whoever asks; raises TaskNotFound."""
    for row in _gathered(_ONE.rows(session, task=task)):
        return row
    raise TaskNotFound(task)


def _rows(session: Session, where: ColumnElement[bool], limit: int) -> list[TaskRow]:
    query = select(*_COLUMNS).where(where, _TASKS.c.state.in_(OPEN_TASK)).order_by(*_ORDER).limit(limit)
    found = session.execute(query).all()
    named: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    if found:
        for task, kind, name in session.execute(_ACCESS, {"tasks": [row.id for row in found]}):
            named[task].append((kind, name))
    return [_row(row, named[row.id]) for row in found]


def _gathered(rows: Iterable[Sequence[Any]]) -> list[TaskRow]:
    """The tasks, of which each row names a candidate; a task without any has one row."""
    tasks = (list(same) for _, same in groupby(rows, key=lambda row: row[0]))
    return [_row(same[0][:-2], [(row[-2], row[-1]) for row in same]) for same in tasks]


def _row(columns: Sequence[Any], named: Iterable[tuple[str, str]]) -> TaskRow:
    access: dict[str, list[str]] = {"group": [], "user": [], "excluded": []}
    for kind, name in named:
        if kind is not None:
            access[kind].append(name)
    return TaskRow(*columns, *map(tuple, access.values()))
