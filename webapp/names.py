"""People's names as the reader may see them, in lists, sentences and free text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, g
from sqlalchemy.orm import Session

from engine import case_index, comments, concealments, identity, tasklist
from engine.catalogue import EVERYONE
from webapp import edge
from webapp.content import content
from webapp.language import gettext as _

WITHHELD = "●●●"


@dataclass(frozen=True, slots=True)
class Names:
    """`people` from user name to what this reader may see; `hidden` are texts that must not appear, and their place.

    Readers whose group is masked see roles instead of names, and no short free text at all: that is where people
    write names by hand (a customer, a witness, an addressee).
    """

    people: Mapping[str, str]
    groups: Mapping[str, str]
    hidden: Mapping[str, str]
    masked: bool

    @classmethod
    def for_reader(cls, session: Session, reader: identity.Person) -> Names:
        shown = identity.display_names(session, reader)
        groups = {name: content(group.label) for name, group in identity.groups(session).items()}
        if not reader.masked:
            return cls(shown, groups, {}, False)
        shown = {name: content(role) for name, role in shown.items()}
        hidden = {
            part: shown[each.name]
            for each in identity.people(session)
            for part in (*each.label.split(), each.label, each.name)
        }
        return cls(shown, groups, hidden, True)

    def person(self, name: str | None) -> str:
        """The person with this user name; the system where nobody did it."""
        if name == concealments.WITHHELD:
            return _("Somebody whose name is withheld")
        return _("The system") if name is None else self.people.get(name, WITHHELD if self.masked else name)

    def addressed(self, name: str | None) -> str:
        """The person as one speaks of somebody politely; the system is not spoken of so."""
        nobody = name in (None, concealments.WITHHELD)
        return self.person(name) if nobody else _("%(name)s", name=self.person(name))

    def group(self, name: str) -> str:
        return _("Everyone") if name == EVERYONE else self.groups.get(name, name)

    def prose(self, text: str) -> str:
        """`text` without the names that the reader must not see, longest first."""
        for name in sorted(self.hidden, key=len, reverse=True):
            text = text.replace(name, self.hidden[name])
        return text

    def short(self, text: str) -> str:
        """A short free text, which is likely to be a name."""
        return WITHHELD if self.masked else text


def init_app(app: Flask) -> None:
    """Templates have the filters `person`, `addressed`, `who_may`, `fact` and `said`, all as the reader may see it."""
    app.jinja_env.filters.update(
        person=lambda name: current().person(name),
        addressed=lambda name: current().addressed(name),
        who_may=who_may,
        fact=fact,
        said=said,
    )


def current() -> Names:
    """The names for who is asking, read once per request."""
    try:
        names: Names = g.names
    except AttributeError:
        names = g.names = Names.for_reader(edge.reading(), edge.person())
    return names


def who_may(task: tasklist.TaskRow) -> str:
    """Who has the task, or else who may take it on."""
    names = current()
    if task.assignee:
        return names.person(task.assignee)
    groups = (names.group(group) for group in task.candidate_groups)
    return _(" or ").join(dict.fromkeys((*groups, *map(names.person, task.candidate_users))))


def fact(row: case_index.FactRow) -> str:
    """What is known, in words; a text that somebody typed only as far as the reader may see it."""
    said = (
        content(label) if label != value else current().short(value)
        for value, label in zip(row.values, row.labels, strict=True)
    )
    return _(", ").join(said)


def said(comment: comments.CommentRow) -> str:
    """The comment with the names of those it speaks to, not their user names."""
    names, text = current(), comment.text
    for name in comment.mentions:
        text = re.sub(rf"@{re.escape(name)}\b", lambda found, name=name: f"@{names.addressed(name)}", text)  # type: ignore[misc]
    return names.prose(text)
