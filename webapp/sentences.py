"""History in plain sentences: who did what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext

from engine import deployments, errors
from engine.audit import losses
from engine.errors import EngineError
from engine.history import Event
from engine.states import EventType
from webapp import edge
from webapp.content import content, title
from webapp.language import gettext as _
from webapp.names import Names
from webapp.names import current as names


@dataclass(frozen=True, slots=True)
class Sentence:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Teller:
    """Says what an event was about, in the reader's language and with the names that the reader may see.

    `processes` are the names by instance; `messages` the labels of what people can tell a case: a message without
    one is between processes only, and `labels` says what it is called.
    """

    names: Names
    processes: Mapping[int, str]
    messages: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def to_reader(cls, processes: Mapping[int, str]) -> Teller:
        """One who speaks to whoever is asking."""
        catalogue = deployments.catalogue(edge.reading())
        messages = {message.name: message.label for message in catalogue.messages}
        return cls(names(), processes, messages, {each.name: each.label for each in catalogue.labels})

    def lines(self, events: Iterable[Event]) -> list[Sentence]:
        """One sentence for each event that matters to people, oldest first."""
        told = ((event, self.sentence(event)) for event in events)
        return [Sentence(event.at, text) for event, text in told if text]

    def sentence(self, event: Event) -> str:
        """The sentence; empty for what only the engine cares about."""
        tell = _TOLD.get(event.type)
        told = "" if tell is None else tell(self, event)
        stopped = _stopped(self, event) if event.faults else ""
        return f"{told} {stopped}".strip()

    def whole(self, event: Event) -> str:
        """As `sentence`, and of what only the engine cares about as well."""
        return self.sentence(event) or _BETWEEN.get(event.type, _went_on)(self, event)

    def who(self, event: Event) -> str:
        return self.names.addressed(event.actor)

    def task(self, event: Event) -> str:
        return content(event.task.name) if event.task else ""

    def process(self, event: Event) -> str:
        return title(self.processes.get(event.instance or 0, ""))


def _started(teller: Teller, event: Event) -> str:
    if event.actor is None:
        return _("“%(process)s” began.", process=teller.process(event))
    return _("%(who)s began “%(process)s”.", who=teller.who(event), process=teller.process(event))


def _cancelled(teller: Teller, event: Event) -> str:
    return _("%(who)s cancelled “%(process)s”.", who=teller.who(event), process=teller.process(event))


def _claimed(teller: Teller, event: Event) -> str:
    return _("%(who)s took on “%(task)s”.", who=teller.who(event), task=teller.task(event))


def _released(teller: Teller, event: Event) -> str:
    return _("%(who)s gave back “%(task)s”.", who=teller.who(event), task=teller.task(event))


def _assigned(teller: Teller, event: Event) -> str:
    return _(
        "%(who)s asked %(assignee)s to do “%(task)s”.",
        who=teller.who(event),
        assignee=teller.names.addressed(event.assignee),
        task=teller.task(event),
    )


def _completed(teller: Teller, event: Event) -> str:
    return _("%(who)s completed “%(task)s”.", who=teller.who(event), task=teller.task(event))


def _escalated(teller: Teller, event: Event) -> str:
    groups = _(", ").join(teller.names.group(group) for group in event.escalated_to)
    return _(
        "The deadline of “%(task)s” passed; %(groups)s can take it on as well.", task=teller.task(event), groups=groups
    )


def _waited(teller: Teller, event: Event) -> str:
    if event.missed:
        return _("The time to wait was over; %(count)s later times went by with it.", count=event.missed)
    return _("The time to wait was over.")


def _told(teller: Teller, event: Event) -> str:
    label = teller.messages.get(event.message or "")
    if label is None or event.actor is None:
        return ""
    return _("%(who)s told the case: %(told)s.", who=teller.who(event), told=content(label))


def _commented(teller: Teller, event: Event) -> str:
    return _("%(who)s wrote a comment.", who=teller.who(event))


def _failed(teller: Teller, event: Event) -> str:
    return _("An automatic step did not succeed and is tried again.")


def _stopped(teller: Teller, event: Event) -> str:
    return _("A step stopped. An operator looks after it.")


def _retried(teller: Teller, event: Event) -> str:
    return _("%(who)s set the stopped step going again.", who=teller.who(event))


def _corrected(teller: Teller, event: Event) -> str:
    return _("%(who)s corrected recorded values.", who=teller.who(event))


def _erased(teller: Teller, event: Event) -> str:
    return _("%(who)s had recorded values erased; that they were there stays provable.", who=teller.who(event))


_TOLD: Mapping[EventType, Callable[[Teller, Event], str]] = {
    EventType.INSTANCE_STARTED: _started,
    EventType.INSTANCE_CANCELLED: _cancelled,
    EventType.TASK_CLAIMED: _claimed,
    EventType.TASK_RELEASED: _released,
    EventType.TASK_ASSIGNED: _assigned,
    EventType.TASK_COMPLETED: _completed,
    EventType.TASK_ESCALATED: _escalated,
    EventType.TIMER_FIRED: _waited,
    EventType.MESSAGE_PUBLISHED: _told,
    EventType.COMMENTED: _commented,
    EventType.JOB_FAILED: _failed,
    EventType.INCIDENT_OPENED: _stopped,
    EventType.INCIDENT_RETRIED: _retried,
    EventType.VARIABLES_CHANGED: _corrected,
    EventType.VALUES_ERASED: _erased,
}


def _received(teller: Teller, event: Event) -> str:
    told = _message(teller, event)
    return _("“%(process)s” was told: %(told)s.", process=teller.process(event), told=told)


def _published(teller: Teller, event: Event) -> str:
    return _("The processes were told: %(told)s.", told=_message(teller, event))


def _message(teller: Teller, event: Event) -> str:
    name = event.message or ""
    return content(teller.messages.get(name) or teller.labels.get(name, name))


def _done_by_itself(teller: Teller, event: Event) -> str:
    return _("An automatic step was done.")


def _went_on(teller: Teller, event: Event) -> str:
    return _("The case went on by itself.")


def _rejected(teller: Teller, event: Event) -> str:
    return _("What %(who)s tried was refused: %(why)s", who=teller.who(event), why=refusal(event.facts.get("error")))


def _signed_in(teller: Teller, event: Event) -> str:
    return _("%(who)s signed in.", who=teller.who(event))


def _signed_out(teller: Teller, event: Event) -> str:
    return _("%(who)s signed out.", who=teller.who(event))


def _sign_in_refused(teller: Teller, event: Event) -> str:
    name = event.facts.get("person")
    if name is None:
        return _("A sign-in with an unknown user name was refused.")
    return _("A sign-in as %(who)s was refused.", who=teller.names.addressed(name))


def _deployed(teller: Teller, event: Event) -> str:
    return _("%(who)s brought in a new version of the processes.", who=teller.who(event))


def _people_added(teller: Teller, event: Event) -> str:
    count = len(event.facts.get("people", ()))
    return _("Accounts were made for %(count)d people, in the groups of their bundle.", count=count)


def _exported(teller: Teller, event: Event) -> str:
    purpose = teller.names.prose(str(event.facts.get("purpose") or ""))
    if event.business_key is None:
        return _("%(who)s took cases out as a file, for: %(purpose)s", who=teller.who(event), purpose=purpose)
    return _("%(who)s took the case out as a file, for: %(purpose)s", who=teller.who(event), purpose=purpose)


def _restored(teller: Teller, event: Event) -> str:
    restore = losses.recorded(event)
    return _(
        "%(who)s recorded that the database was restored from a backup. Of what was sealed before, %(events)d events"
        " of %(cases)d cases are gone, and %(readings)d entries of who read a case. Reason: %(reason)s",
        who=teller.who(event),
        events=restore.gone,
        cases=len(restore.cases),
        readings=restore.gone_readings,
        reason=teller.names.prose(restore.reason),
    )


def _revised(teller: Teller, event: Event) -> str:
    said = {
        EventType.REVISION_BEGUN: _("began a revision of the processes"),
        EventType.REVISION_SUBMITTED: _("asked for a revision to be approved"),
        EventType.REVISION_WITHDRAWN: _("took a revision back to work on it"),
        EventType.REVISION_SENT_BACK: _("sent a revision back"),
        EventType.REVISION_APPROVED: _("approved a revision"),
        EventType.REVISION_DROPPED: _("dropped a revision"),
    }
    return _("%(who)s %(did)s.", who=teller.who(event), did=said[event.type])


def refusal(name: object) -> str:
    """Why the attempt was refused, by the name of the engine's error."""
    kind = getattr(errors, str(name), EngineError)
    for refused, why in _REFUSALS:
        if isinstance(kind, type) and issubclass(kind, refused):
            return str(why)
    return _("the input could not be taken.")


_REFUSALS = (
    (errors.NotAllowed, lazy_gettext("they have no right to do this.")),
    (errors.NotFound, lazy_gettext("there was nothing of the kind for them.")),
    (errors.Conflict, lazy_gettext("somebody else was first.")),
)
_BETWEEN: Mapping[EventType, Callable[[Teller, Event], str]] = {
    EventType.MESSAGE_PUBLISHED: _published,
    EventType.MESSAGE_RECEIVED: _received,
    EventType.SIGNAL_RECEIVED: _received,
    EventType.JOB_COMPLETED: _done_by_itself,
    EventType.ATTEMPT_REJECTED: _rejected,
    EventType.SIGNED_IN: _signed_in,
    EventType.SIGNED_OUT: _signed_out,
    EventType.SIGN_IN_REFUSED: _sign_in_refused,
    EventType.DEPLOYED: _deployed,
    EventType.EXPORTED: _exported,
    EventType.PEOPLE_ADDED: _people_added,
    EventType.RESTORED: _restored,
    **dict.fromkeys((each for each in EventType if each.startswith("revision_")), _revised),
}
