"""Concealments: who asked, by what they answered in a form, that only some be told that it was they.

History keeps the name, and its proof holds. Whoever may not read the mark is told of what the person did in the case
until then, and of every value that is their user name, without the name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine import feel, tables
from engine.history import Event
from engine.identity import Person

WITHHELD = "*"
"""Stands for the name that is not told; nobody's user name."""


@dataclass(frozen=True, slots=True)
class Concealed:
    """What one reader is not told: (case, user name) → the last moment that is told without the name."""

    until: Mapping[tuple[str | None, str | None], datetime]

    def name(self, business_key: str | None, name: str | None, at: datetime) -> str | None:
        """The user name as the reader may know it, of who did something in the case then."""
        until = self.until.get((business_key, name))
        return WITHHELD if until is not None and at <= until else name

    def event(self, event: Event) -> Event:
        """The event without names that are not told."""
        if not self.until:
            return event
        facts = event.facts
        if "assignee" in facts:
            facts = {**facts, "assignee": self.name(event.business_key, facts["assignee"], event.at)}
        return replace(event, actor=self.name(event.business_key, event.actor, event.at), facts=facts)

    def value(self, business_key: str, value: feel.Value) -> feel.Value:
        """The value of the case without user names that are not told, at any depth."""
        return self._without(business_key, value) if self.until else value

    def _without(self, business_key: str, value: feel.Value) -> feel.Value:
        if isinstance(value, str):
            return WITHHELD if (business_key, value) in self.until else value
        if isinstance(value, list):
            return [self._without(business_key, each) for each in value]
        if isinstance(value, dict):
            return {key: self._without(business_key, each) for key, each in value.items()}
        return value


def conceal(session: Session, business_key: str, person: str, mark: str, until: datetime) -> None:
    """What the person did in the case until then is told with their name only to those who may read the mark."""
    table = tables.Concealment
    same = (table.business_key == business_key, table.person == person, table.mark == mark)
    session.execute(delete(table).where(*same))
    row = {"business_key": business_key, "person": person, "mark": mark, "until": until}
    session.execute(insert(table).values(row))


def from_reader(session: Session, reader: Person | None, business_keys: Collection[str] | None = None) -> Concealed:
    """What the reader is not told in these cases, or in any; nobody is not told anything. They know of themselves."""
    table = tables.Concealment
    query = select(table.business_key, table.person, table.mark, table.until)
    if business_keys is not None:
        query = query.where(table.business_key.in_(business_keys))
    if reader is not None:
        query = query.where(table.mark.not_in(reader.marks), table.person != reader.name)
    until: dict[tuple[str | None, str | None], datetime] = {}
    for key, person, _mark, at in session.execute(query):
        until[key, person] = max(at, until.get((key, person), at))
    return Concealed(until)
