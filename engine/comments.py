"""Comments: what people write to each other beside a case, and whom they name in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine import case_index, concealments, history, identity, notices, submissions, tables, tasklist
from engine.errors import CaseNotFound, CommentInvalid, MayOnlyRead
from engine.identity import Person
from engine.states import EventType
from engine.texts import usable

MAX_LENGTH = 10_000
"""Characters."""

_MENTION = re.compile(r"(?<![\w@.])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CommentRow:
    """`mentions`: the user names in the text of people who could read the case then."""

    id: int
    business_key: str
    author: str
    at: datetime
    text: str
    mentions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """The comment, and the names in it that belong to nobody who may read the case: they were not told."""

    comment: CommentRow
    unknown: tuple[str, ...]


def write(
    session: Session, business_key: str, text: str, *, actor: Person, at: datetime, submission: str | None = None
) -> Written:
    """The comment stands, who is named as `@name` in it has a notice; the same `submission` again: no effect.

    The author takes part in the case by it. Raises CaseNotFound, MayOnlyRead, CommentInvalid.
    """
    done = submissions.outcome(session, submission, actor.name)
    if done is not None:
        return Written(_row(session, done["comment"]), tuple(done["unknown"]))
    _check(session, business_key, actor)
    if actor.read_only:
        raise MayOnlyRead
    said = usable(text.replace("\r\n", "\n")).strip()
    if not said:
        raise CommentInvalid("コメントに何も書かれていません。ひとことでもかまいません。")
    if len(said) > MAX_LENGTH:
        raise CommentInvalid(f"コメントは {MAX_LENGTH} 文字までです。いくつかに分けて書いてください。")
    named = dict.fromkeys(_MENTION.findall(said))
    readers = readers_known_to(session, business_key, actor)
    mentions = [name for name in named if name in readers]
    unknown = [name for name in named if name not in readers]
    comment = _store(session, business_key, said, mentions, actor, at)
    submissions.record(session, submission, actor.name, {"comment": comment, "unknown": unknown}, at=at)
    return Written(_row(session, comment), tuple(unknown))


def readers_known_to(session: Session, business_key: str, person: Person) -> list[str]:
    """The user names of all of whom the person may know that they can read the case, as `identity.reads` has it.

    That somebody took part in it is not told of who is concealed: they are named if they could read it without that.
    """
    table = tables.Participant
    part = set(session.execute(select(table.person).where(table.business_key == business_key)).scalars())
    part -= {name for _, name in concealments.from_reader(session, person, [business_key]).until if name is not None}
    tasks = tasklist.of_case(session, business_key)
    return [
        one.name
        for one in identity.people(session)
        if one.cases == "all"
        or (one.cases == "own" and (one.name in part or any(identity.may(one, task) for task in tasks)))
    ]


def _check(session: Session, business_key: str, reader: Person) -> None:
    case = tables.Case
    known = session.execute(select(case.running).where(case.business_key == business_key)).first()
    if known is None or not _reads(session, reader, business_key):
        raise CaseNotFound(business_key)


def _reads(session: Session, person: Person, business_key: str) -> bool:
    return identity.may_read_case(session, person, business_key)


def _store(session: Session, business_key: str, text: str, mentions: list[str], actor: Person, at: datetime) -> int:
    case = tables.Case
    session.execute(update(case).where(case.business_key == business_key).values(changed_at=at))
    row = {"business_key": business_key, "author": actor.name, "at": at, "text": text, "mentions": mentions}
    comment: int = session.execute(insert(tables.Comment).returning(tables.Comment.id), row).scalar_one()
    case_index.write_comment(session, business_key, text)
    identity.take_part(session, business_key, actor.name, at)
    subject = f"事案 {business_key} のコメントで、声がかかっています"
    told = [name for name in mentions if name != actor.name]
    notices.write(session, subject, groups=(), users=told, at=at, business_key=business_key, kind="mention")
    values = history.Values()
    facts = {"comment_id": comment, "text": values.put("comment", "text", text), "mentions": mentions}
    new = history.NewEvent(EventType.COMMENTED, at, actor.name, facts, values, business_key=business_key)
    history.append(session, new)
    return comment


def of_case(session: Session, business_key: str, person: Person) -> tuple[CommentRow, ...]:
    """The comments of the case, oldest first; raises CaseNotFound also if the person may not know of it."""
    _check(session, business_key, person)
    table = tables.Comment
    rows = session.execute(select(table).where(table.business_key == business_key).order_by(table.id)).scalars()
    concealed = concealments.from_reader(session, person, [business_key])
    return tuple(
        replace(comment, author=concealed.name(business_key, comment.author, comment.at) or comment.author)
        for comment in map(_comment, rows)
    )


def _row(session: Session, comment: int) -> CommentRow:
    return _comment(session.execute(select(tables.Comment).where(tables.Comment.id == comment)).scalar_one())


def _comment(row: tables.Comment) -> CommentRow:
    return CommentRow(row.id, row.business_key, row.author, row.at, row.text, tuple(row.mentions))
