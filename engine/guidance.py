"""`guidance.yaml`: the cards that stand beside the forms, as a frozen value.

They say what to do, what to avoid and what one can say, in both languages. A step is named by the first five
characters of a task's id, `_` read as `-` (`ST_01_first` is step ST-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from engine.catalogue import CACHED, Entry, load_yaml

FILE = "guidance.yaml"
UNCONFIRMED = "要確認"
"""What the file says where a number still has to be confirmed: it is never shown."""
LANGUAGES = ("ja", "en")

Text = Mapping[str, str]
"""Language → words."""
Texts = tuple[Text, ...]

ADVICE = ("do", "avoid", "say")
RULES = ("place", "record", "limits", "ending")


@dataclass(frozen=True, slots=True)
class Channel:
    """The rules of one way of talking with each other."""

    id: str
    title: Text
    place: Texts
    record: Texts
    limits: Texts
    ending: Texts


@dataclass(frozen=True, slots=True)
class Contact:
    """Where help is; `number` is None as long as it has not been confirmed."""

    id: str
    name: Text
    number: str | None
    note: Text
    hours: Text | None
    certainty: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """What stands beside a form; `channel` only beside the steps in which one talks with the other side.

    `calls` are those to call from the step, `after` is said to whoever has done it.
    """

    step: str
    title: Text
    purpose: Text
    do: Texts
    avoid: Texts
    say: Texts
    calls: tuple[Contact, ...] = ()
    after: Texts = ()
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """What to do in danger, in this order."""

    title: Text
    purpose: Text
    lines: Texts
    avoid: Texts
    say: Texts
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Guidance:
    """`steps` by id; `forms` by step and form id, where a form of a step has a card of its own."""

    steps: Mapping[str, Card] = field(default_factory=dict)
    forms: Mapping[tuple[str, str], Card] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    channel_steps: tuple[str, ...] = ()
    emergency: Emergency | None = None

    def card(self, element: str, form_id: str | None = None, channel: str | None = None) -> Card | None:
        """The card of the task at `element`; None where there is none."""
        step = element[:5].replace("_", "-")
        found = self.forms.get((step, form_id or "")) or self.steps.get(step)
        if found is None or step not in self.channel_steps:
            return found
        return replace(found, channel=self.channels.get(channel or ""))

    def joined(self, later: Guidance) -> Guidance:
        """Both together; what the later one also has takes the place of the earlier."""
        kept = {key: card for key, card in self.forms.items() if key[0] not in later.steps}
        return Guidance(
            {**self.steps, **later.steps},
            kept | dict(later.forms),
            {**self.channels, **later.channels},
            tuple(dict.fromkeys((*self.channel_steps, *later.channel_steps))),
            later.emergency or self.emergency,
        )


@lru_cache(CACHED)
def read(source: bytes) -> Guidance:
    """The guidance; raises FileUnreadable naming the first place that is not as it should be."""
    top = Entry(load_yaml(source, FILE) or {}, "", FILE)
    top.only("channel_steps", "steps", "channels", "emergency")
    emergency = _emergency(top.within("emergency")) if "emergency" in top.keys else None
    contacts = {contact.id: contact for contact in emergency.contacts} if emergency else {}
    steps = {step: _card(step, entry, contacts) for step, entry in top.named("steps")}
    channels = {name: _channel(name, entry) for name, entry in top.named("channels")}
    forms = {
        (step, form): _own(steps[step], own) for step, entry in top.named("steps") for form, own in entry.named("forms")
    }
    for step in top.names("channel_steps"):
        if step not in steps:
            top.refuse("channel_steps", f"steps にある名前({step} はありません)")
    return Guidance(steps, forms, channels, top.names("channel_steps"), emergency)


def _card(step: str, entry: Entry, contacts: Mapping[str, Contact]) -> Card:
    entry.only("title", "purpose", *ADVICE, "calls", "after", "forms")
    do, avoid, say = (_texts(entry, key) for key in ADVICE)
    after = _texts(entry, "after") if "after" in entry.keys else ()
    for name in entry.names("calls"):
        if name not in contacts:
            entry.refuse("calls", f"emergency の contacts にある名前({name} はありません)")
    calls = tuple(contacts[name] for name in entry.names("calls"))
    return Card(step, _text(entry, "title"), _text(entry, "purpose"), do, avoid, say, calls, after)


def _own(card: Card, entry: Entry) -> Card:
    """The card of the step with the advice of one of its forms."""
    entry.only(*ADVICE)
    do, avoid, say = (_texts(entry, key) for key in ADVICE)
    return replace(card, do=do, avoid=avoid, say=say)


def _channel(name: str, entry: Entry) -> Channel:
    entry.only("title", *RULES)
    return Channel(name, _text(entry, "title"), *(_texts(entry, key) for key in RULES))


def _emergency(entry: Entry) -> Emergency:
    entry.only("title", "purpose", "lines", "avoid", "say", "contacts")
    return Emergency(
        _text(entry, "title"),
        _text(entry, "purpose"),
        _texts(entry, "lines"),
        _texts(entry, "avoid"),
        _texts(entry, "say"),
        tuple(_contact(contact) for contact in entry.entries("contacts")),
    )


def _contact(entry: Entry) -> Contact:
    entry.only("id", "name", "number", "note", "hours", "certainty", "source")
    number = entry.text("number")
    return Contact(
        entry.text("id"),
        _text(entry, "name"),
        None if number == UNCONFIRMED else number,
        _text(entry, "note"),
        _text(entry, "hours") if "hours" in entry.keys else None,
        entry.text("certainty"),
        entry.text("source") if "source" in entry.keys else None,
    )


def _text(entry: Entry, key: str) -> Text:
    return _words(entry.within(key))


def _texts(entry: Entry, key: str) -> Texts:
    found = tuple(_words(words) for words in entry.entries(key))
    if not found:
        entry.refuse(key, "一行以上のリスト")
    return found


def _words(entry: Entry) -> Text:
    entry.only(*LANGUAGES)
    return {language: entry.text(language) for language in LANGUAGES}
