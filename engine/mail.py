"""Mail: tells people outside the pages that there is work or a notice for them, at once or once a day.

A mail says the case number and where to read on, nothing else. What it tells of is found when it is time, not
written beforehand; `mailed` keeps what somebody was told of, so that they are told once. Sending is done outside
any transaction; who is at it holds the person's next time for a while, and a failure puts it off.
"""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Literal, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from engine import identity, tables
from engine.columns import JST
from engine.database import Database
from engine.errors import AddressInvalid, FileUnreadable, PersonNotFound
from engine.states import OPEN_TASK

log = logging.getLogger(__name__)

Mode = Literal["at_once", "daily", "none"]

ROUND = timedelta(minutes=1)
"""How long `at_once` waits at most; what comes in between goes into one mail."""
DAILY = time(8, 0)
"""When the mail of the day goes out, in Japan."""
LEASE = timedelta(minutes=5)
"""How long one worker may be at a mail before another may try."""
BACKOFF = timedelta(minutes=1)
LONGEST_BACKOFF = timedelta(hours=6)
SECONDS = 10
"""How long the mail server may take for an answer."""
MOST = 50
"""Lines of a mail; the next one has the rest."""

_ADDRESS = re.compile(r"[^@\s<>(),;:\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", re.ASCII)
_WORDS = {
    "task": "新しい作業があります / New work",
    "overdue": "期限を過ぎた作業があります / Overdue work",
    "notice": "お知らせがあります / A notice",
    "mention": "コメントで声がかかっています / You are mentioned",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how a person wants mail; no address, no mail."""

    address: str = ""
    mode: Mode = "none"


def setting(session: Session, person: str) -> Setting:
    """The person's setting; before they chose one: no mail."""
    table = tables.PersonSetting
    row = session.execute(select(table.address, table.mode).where(table.person == person)).one_or_none()
    return Setting() if row is None else Setting(row.address, cast(Mode, row.mode))


def set_setting(session: Session, person: str, address: str, mode: Mode, *, at: datetime) -> Setting:
    """The person gets mail this way from now on; raises AddressInvalid, PersonNotFound."""
    chosen = Setting(address.strip(), mode)
    if chosen.address and not is_address(chosen.address):
        raise AddressInvalid(chosen.address)
    identity.person(session, person)
    table = tables.PersonSetting
    values = {"address": chosen.address, "mode": mode, "mail_next": _next(mode, at), "mail_failures": 0}
    same = table.person == person
    if session.execute(update(table).where(same).values(values).returning(table.person)).first() is None:
        session.execute(insert(table).values(person=person, **values))
    return chosen


def is_address(text: str) -> bool:
    """Whether mail can be sent to this."""
    return text.isascii() and _ADDRESS.fullmatch(text) is not None


def _next(mode: str, at: datetime) -> datetime:
    """When the next mail may go out: the coming morning, or at once."""
    if mode != "daily":
        return at
    local = at.astimezone(JST)
    morning = datetime.combine(local.date(), DAILY, JST)
    return morning if local < morning else morning + timedelta(days=1)


# What there is to tell ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to tell: `kind` and `number` are what `mailed` keeps; `path` is where to read on."""

    kind: str
    number: int
    word: str
    business_key: str
    path: str


@dataclass(frozen=True, slots=True)
class Letter:
    person: str
    address: str
    mode: Mode
    failures: int
    lines: tuple[Line, ...]


def take(session: Session, *, at: datetime) -> Letter | None:
    """The next person's letter, which may be empty; nobody else takes it for a while. None if it is nobody's time."""
    table = tables.PersonSetting
    wants = (table.mode != "none", table.address != "", table.mail_next <= at)
    first = select(table.person).where(*wants).order_by(table.mail_next, table.person).limit(1).scalar_subquery()
    taken = session.execute(
        update(table)
        .where(table.person == first, *wants)
        .values(mail_next=at + LEASE)
        .returning(table.person, table.address, table.mode, table.mail_failures)
    ).one_or_none()
    if taken is None:
        return None
    lines = _lines(session, taken.person, at)
    return Letter(taken.person, taken.address, cast(Mode, taken.mode), taken.mail_failures, lines)


def _lines(session: Session, name: str, at: datetime) -> tuple[Line, ...]:
    """What the person was not told of yet: overdue work first, then new work, then notices."""
    try:
        person = identity.person(session, name)
    except PersonNotFound:
        return ()
    tasks = tables.UserTask
    theirs = and_(tasks.assignee.is_(None), identity.may_do(person))
    open_work = and_(tasks.state.in_(OPEN_TASK), or_(tasks.assignee == name, theirs))
    late = _tasks(session, name, "overdue", and_(open_work, tasks.due < at))
    known = {line.number for line in late}
    new = [line for line in _tasks(session, name, "task", open_work) if line.number not in known]
    return (*late, *new, *_notices(session, name))[:MOST]


def _tasks(session: Session, name: str, kind: str, where: ColumnElement[bool]) -> list[Line]:
    table = tables.UserTask
    rows = session.execute(
        select(table.id, table.business_key)
        .where(where, table.id.not_in(_told(name, kind)))
        .order_by(table.due.is_(None), table.due, table.id)
    )
    return [Line(kind, number, _WORDS[kind], key, f"/tasks/{number}") for number, key in rows]


def _notices(session: Session, name: str) -> list[Line]:
    """Unread notices but those of an overdue task, which is told of by itself."""
    table = tables.Notice
    unread = (table.person == name, table.read_at.is_(None), table.id.not_in(_told(name, "notice")))
    rows = session.execute(
        select(table.id, table.kind, table.business_key).where(*unread, table.kind != "overdue").order_by(table.id)
    )
    return [
        Line("notice", number, _WORDS[kind], key or "", f"/cases/{key}" if key else "/") for number, kind, key in rows
    ]


def _told(name: str, kind: str) -> Select[int]:
    table = tables.Mailed
    return select(table.number).where(table.person == name, table.kind == kind)


def sent(session: Session, letter: Letter, *, at: datetime) -> None:
    """The person was told of these things, and their next time is set."""
    told = {(line.kind, line.number) for line in letter.lines}
    told |= {("task", number) for kind, number in told if kind == "overdue"}
    table = tables.Mailed
    known = session.execute(select(table.kind, table.number).where(table.person == letter.person)).all()
    rows = [
        {"person": letter.person, "kind": kind, "number": number}
        for kind, number in sorted(told.difference((row.kind, row.number) for row in known))
    ]
    if rows:
        session.execute(insert(table), rows)
    again = at + ROUND if letter.mode == "at_once" else _next(letter.mode, at)
    _put_off(session, letter.person, again, 0)


def failed(session: Session, letter: Letter, *, at: datetime) -> None:
    """The letter is tried again later; the longer it fails, the later."""
    wait = min(BACKOFF * 2 ** min(letter.failures, 16), LONGEST_BACKOFF)
    _put_off(session, letter.person, at + wait, letter.failures + 1)


def _put_off(session: Session, person: str, until: datetime, failures: int) -> None:
    table = tables.PersonSetting
    session.execute(update(table).where(table.person == person).values(mail_next=until, mail_failures=failures))


# Sending ------------------------------------------------------------------------------------------------

Send = Callable[[EmailMessage], None]


@dataclass(frozen=True, slots=True)
class Mailing:
    """How letters go out: by `send`, from `sender`, with links that begin with `base_url`."""

    send: Send
    sender: str
    base_url: str

    def message(self, letter: Letter) -> EmailMessage:
        """The letter as a mail: for each thing the case number and a link, nothing of its content."""
        found = EmailMessage()
        found["From"], found["To"] = self.sender, letter.address
        found["Subject"] = f"[Mamori] お知らせ {len(letter.lines)} 件"
        parts = [f"{line.word}\n{line.business_key}\n{self.base_url}{line.path}\n" for line in letter.lines]
        found.set_content("\n".join(parts))
        return found


def run_due(database: Database, mailing: Mailing, *, at: datetime) -> int:
    """Everybody whose time has come was told what there is to tell; gives the number of mails that went out.

    A server that does not take one mail is not asked for the others in this round.
    """
    count = 0
    while (letter := database.retrying(lambda session: take(session, at=at))) is not None:
        if not _deliver(database, mailing, letter, at):
            break
        count += bool(letter.lines)
    return count


def _deliver(database: Database, mailing: Mailing, letter: Letter, at: datetime) -> bool:
    try:
        if letter.lines:
            mailing.send(mailing.message(letter))
    except (OSError, smtplib.SMTPException, ValueError) as fault:
        log.warning("mail to %s did not go out: %s", letter.person, type(fault).__name__)
        database.retrying(lambda session: failed(session, letter, at=at))
        return False
    database.retrying(lambda session: sent(session, letter, at=at))
    return True


def from_environment(environ: Mapping[str, str]) -> Mailing:
    """By the server of MAMORI_SMTP_URL, to the log without one; raises FileUnreadable for a URL that names none."""
    base_url = environ.get("MAMORI_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
    sender = environ.get("MAMORI_MAIL_FROM", "mamori@localhost")
    url = environ.get("MAMORI_SMTP_URL")
    return Mailing(_to_log if not url else _by_smtp(url), sender, base_url)


def _to_log(message: EmailMessage) -> None:
    """Without a server what would have gone out can be read here."""
    text = message.get_content().rstrip()
    log.warning("mail to %s, not sent without MAMORI_SMTP_URL: %s\n%s", message["To"], message["Subject"], text)


def _by_smtp(url: str) -> Send:
    """Mail by `smtp://` or `smtps://user:password@host:port`; `?starttls=1` encrypts a connection begun plain."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise FileUnreadable("MAMORI_SMTP_URL は smtp://利用者:パスワード@サーバー:ポート の形で書いてください。")
    try:
        port = parts.port or (465 if parts.scheme == "smtps" else 25)
    except ValueError as fault:
        raise FileUnreadable(f"MAMORI_SMTP_URL のポートを読めません({fault})。") from fault
    return partial(_post, parts, parts.hostname, port)


def _post(parts: SplitResult, host: str, port: int, message: EmailMessage) -> None:
    safe = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=safe)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=SECONDS)
    ) as server:
        if parse_qs(parts.query).get("starttls") == ["1"]:
            server.starttls(context=safe)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        if refused := server.send_message(message):  # some of several; all of them is an error already
            raise smtplib.SMTPRecipientsRefused(refused)
