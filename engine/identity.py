"""People and groups, and who may do and read what."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Select, and_, delete, exists, false, insert, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert  # its ON CONFLICT is SQLite's too
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from engine import columns, tables
from engine.catalogue import EVERYONE, Account, CaseReading, Catalogue, Group, MessageOffer, ProcessRight, Start
from engine.errors import PersonNotFound
from engine.statements import Statement
from engine.states import OPEN_TASK

HASHER = PasswordHasher()
_PEOPLE = "people"
"""Under this a session keeps everybody, until it changes who they are or what their groups may do."""

_GROUPS = select(tables.Group).order_by(tables.Group.position, tables.Group.name)
_MARKS = select(tables.ReadableMark.mark, tables.ReadableMark.group)
_MEMBERSHIPS = select(tables.Membership.person, tables.Membership.group)
_PERSONS = select(tables.Person).where(tables.Person.active).order_by(tables.Person.id)
_PARTICIPANTS = columns.core(tables.Participant)
_TAKE_PART = Statement(upsert(_PARTICIPANTS).inline().values(ordinal=tables.ORDINAL_OF_CASE).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what the groups they are in let them read.

    `cases`: all cases, their `own` (took part, were let in, or may take an open task), or none. `marks`:
    fields with one of these visibility marks may be read back. A member of a read-only group does no work. `edits`:
    may write revisions of the definitions; `approves`: may approve what others wrote.
    """

    name: str
    label: str
    groups: tuple[str, ...] = ()
    cases: CaseReading = "none"
    read_only: bool = False
    masked: bool = False
    edits: bool = False
    approves: bool = False
    marks: frozenset[str] = frozenset()
    active: bool = True
    session_key: str = ""

    @property
    def audits(self) -> bool:
        """Whether they read every case and do nothing else."""
        return self.cases == "all" and self.read_only

    @property
    def operates(self) -> bool:
        """Whether they look after what has stopped: they read every case, names as well, and do not only read."""
        return self.cases == "all" and not self.read_only and not self.masked

    def is_in(self, groups: Iterable[str]) -> bool:
        """Whether one of these groups is theirs; a read-only person is in `everyone` no more."""
        named = set(groups)
        return not named.isdisjoint(self.groups) or (EVERYONE in named and self.active and not self.read_only)


class TaskSubject(Protocol):
    """What decides who may do a task."""

    @property
    def assignee(self) -> str | None: ...
    @property
    def candidate_groups(self) -> tuple[str, ...]: ...
    @property
    def candidate_users(self) -> tuple[str, ...]: ...
    @property
    def excluded_users(self) -> tuple[str, ...]: ...


def may(person: Person, subject: Start | MessageOffer | TaskSubject) -> bool:
    """Whether `person` may start, send or do this; the same rule for page, command line and API.

    A task is for its candidate groups and users and its assignee, whoever has claimed it; never for who is
    excluded or may only read.
    """
    if not person.active or person.read_only:
        return False
    if isinstance(subject, Start | MessageOffer):
        return person.is_in(subject.groups)
    if person.name in subject.excluded_users:
        return False
    return person.name in (subject.assignee, *subject.candidate_users) or person.is_in(subject.candidate_groups)


# Groups and people --------------------------------------------------------------------------------------


def put_groups(session: Session, catalogue: Catalogue) -> None:
    """The groups and marks of the catalogue stand as it says; other groups stay."""
    session.info.pop(_PEOPLE, None)
    names = [group.name for group in catalogue.groups]
    session.execute(delete(tables.Group).where(tables.Group.name.in_(names)))
    for position, group in enumerate(catalogue.groups):
        session.execute(
            insert(tables.Group).values(
                name=group.name,
                label=group.label,
                cases=group.cases,
                read_only=group.read_only,
                masked=group.masked,
                processes=group.processes,
                position=position,
            )
        )
    session.execute(delete(tables.ReadableMark).where(tables.ReadableMark.mark.in_(catalogue.visibility)))
    for mark, readers in catalogue.visibility.items():
        for group_name in readers:
            session.execute(insert(tables.ReadableMark).values(mark=mark, group=group_name))


def groups(session: Session) -> dict[str, Group]:
    """Every group by name, in the order of its bundle."""
    rows = session.execute(_GROUPS).scalars()
    return {
        row.name: Group(
            row.name, row.label, _reading(row.cases), row.read_only, row.masked, cast(ProcessRight, row.processes)
        )
        for row in rows
    }


def _reading(text: str) -> CaseReading:
    return "all" if text == "all" else "own" if text == "own" else "none"


def seed(session: Session, accounts: Iterable[Account], *, password: str | None) -> tuple[str, ...]:
    """Everybody named has an account; gives the names of those who had none. Others stay as they are."""
    session.info.pop(_PEOPLE, None)
    known = set(session.execute(select(tables.Person.name)).scalars())
    added = [account for account in accounts if account.name not in known]
    for account in added:
        session.execute(
            insert(tables.Person).values(
                name=account.name,
                label=account.label,
                password_hash=None if password is None else HASHER.hash(password),
                session_key=secrets.token_hex(32),
                active=True,
            )
        )
        for group in dict.fromkeys(account.groups):
            session.execute(insert(tables.Membership).values(person=account.name, group=group))
    return tuple(account.name for account in added)


def people(session: Session) -> tuple[Person, ...]:
    """Every active person, in the order they were added; read once in a transaction."""
    if _PEOPLE not in session.info:
        session.info[_PEOPLE] = _persons(session, _PERSONS)
    found: tuple[Person, ...] = session.info[_PEOPLE]
    return found


def person(session: Session, name: str) -> Person:
    """The active person of this user name; raises PersonNotFound."""
    found = _persons(session, _PERSONS.where(tables.Person.name == name))
    if not found:
        raise PersonNotFound(name)
    return found[0]


def by_session_key(session: Session, key: str) -> Person | None:
    """Who the session of a browser belongs to; None once the password was changed or the account closed."""
    found = _persons(session, _PERSONS.where(tables.Person.session_key == key))
    return found[0] if found else None


def _persons(session: Session, query: Select[tables.Person]) -> tuple[Person, ...]:
    rows = session.execute(query).scalars().all()
    if not rows:
        return ()
    known = groups(session)
    marks = session.execute(_MARKS).all()
    names = [row.name for row in rows]
    memberships: dict[str, set[str]] = {}
    for member, group in session.execute(_MEMBERSHIPS.where(tables.Membership.person.in_(names))):
        memberships.setdefault(member, set()).add(group)
    return tuple(_person(row, memberships.get(row.name, set()), known, marks) for row in rows)


def _person(
    row: tables.Person, member_of: set[str], known: Mapping[str, Group], marks: Sequence[tuple[str, str]]
) -> Person:
    own = [known[name] for name in known if name in member_of]
    readings = {group.cases for group in own}
    return Person(
        name=row.name,
        label=row.label,
        groups=tuple(group.name for group in own) + tuple(sorted(member_of - known.keys())),
        cases="all" if "all" in readings else "own" if "own" in readings else "none",
        read_only=any(group.read_only for group in own),
        masked=any(group.masked for group in own),
        edits=any(group.processes == "edit" for group in own),
        approves=any(group.processes == "approve" for group in own),
        marks=frozenset(mark for mark, group in marks if group in member_of),
        active=row.active,
        session_key=row.session_key,
    )


# Signing in ---------------------------------------------------------------------------------------------


def authenticate(session: Session, name: str, password: str) -> Person | None:
    """The person, if the password is theirs; takes as long for a name that nobody has."""
    query = select(tables.Person.password_hash).where(tables.Person.name == name, tables.Person.active)
    stored = session.execute(query).scalar_one_or_none()
    try:
        HASHER.verify(stored or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return None
    return None if stored is None else person(session, name)


@lru_cache(maxsize=1)
def _nobody() -> str:
    return HASHER.hash(secrets.token_hex(16))


def set_password(session: Session, name: str, password: str) -> None:
    """The password is this one, and every session of the person has ended. Raises PersonNotFound."""
    session.info.pop(_PEOPLE, None)
    changed = session.execute(
        update(tables.Person)
        .where(tables.Person.name == name)
        .values(password_hash=HASHER.hash(password), session_key=secrets.token_hex(32))
        .returning(tables.Person.id)
    )
    if changed.first() is None:
        raise PersonNotFound(name)


# Reading cases ------------------------------------------------------------------------------------------


def take_part(session: Session, business_key: str, name: str, at: datetime, *, granted: bool = False) -> None:
    """`name` is a participant of the case, which exists, from now on, if they were not."""
    row = {"business_key": business_key, "person": name, "granted": granted, "since": at}
    _TAKE_PART.run(session, row | {"of_case": business_key})


def reads(reader: Person, key: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """A condition on a column of case numbers: `reader` may know of the case.

    They read all, took part, were let in, or may take an open task of it. It is asked of each case that is looked at.
    """
    if reader.cases == "all":
        return true()
    if reader.cases == "none" or not reader.active:
        return false()
    part, task = tables.Participant, aliased(tables.UserTask)
    took_part = exists().where(part.business_key == key, part.person == reader.name)
    return or_(took_part, exists().where(task.business_key == key, task.state.in_(OPEN_TASK), may_do(reader, task)))


def may_do(reader: Person, task: type[tables.UserTask] = tables.UserTask) -> ColumnElement[bool]:
    """A condition on user tasks, open or not: `reader` may do the task by group or by name.

    It is asked of each task that is looked at, not answered for all: most candidates are those of tasks long done.
    """
    if reader.read_only or not reader.active:
        return false()
    table = tables.Candidate
    own_groups = [*reader.groups, EVERYONE]
    mine = or_(
        (table.kind == "group") & table.name.in_(own_groups), (table.kind == "user") & (table.name == reader.name)
    )
    of_task = table.task_id == task.id
    banned = exists().where(of_task, table.kind == "excluded", table.name == reader.name)
    return and_(exists().where(of_task, mine).correlate(task), ~banned.correlate(task))


def may_read_case(session: Session, reader: Person, business_key: str) -> bool:
    """Whether the person may know of this case at all."""
    case = tables.Case.business_key
    found = select(case).where(case == business_key, reads(reader, case))
    return session.execute(found).first() is not None


def display_names(session: Session, reader: Person) -> dict[str, str]:
    """User name → the name this reader sees: for a masked reader the role and a number instead."""
    everybody = people(session)
    if not reader.masked:
        return {one.name: one.label for one in everybody}
    known = groups(session)
    counts: dict[str, int] = {}
    shown: dict[str, str] = {}
    for one in everybody:
        role = known[one.groups[0]].label if one.groups and one.groups[0] in known else "担当者"
        counts[role] = counts.get(role, 0) + 1
        shown[one.name] = f"{role} {counts[role]}"
    return shown
