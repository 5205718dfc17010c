"""A case told again, step by step: who did what, what it changed, what was decided, and where the case then stood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from flask import url_for

from engine import bundles, cases, decision_tables, deployments, diagrams, feel
from engine.audit import moments
from engine.audit.moments import Known, Moment, Place, Step
from engine.forms import Form
from webapp import answers, edge, names, sentences, traces
from webapp.content import content, title
from webapp.language import gettext as _
from webapp.language import moment as when
from webapp.values import Words, lasting


@dataclass(frozen=True, slots=True)
class Value:
    """A variable in words; `key` is its scope and name. `before` is empty where nothing stood there."""

    key: str
    label: str
    text: str
    before: str = ""
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision in words; `table` names one of `Retelling.tables`, of which the rows `fired` held."""

    name: str
    table: str | None
    inputs: Mapping[str, str]
    fired: tuple[int, ...]
    result: str
    withheld: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words: `words` are all that a search looks through, in lower case."""

    step: Step
    when: str
    said: str
    role: str
    waited: str
    process: str
    left: list[str]
    entered: list[str]
    values: list[Value]
    answers: list[answers.Line]
    decisions: list[Decision]
    words: str
    has_form: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a process stands, in words and as element ids for its picture."""

    place: str
    address: tuple[int, str]
    name: str
    version: int
    marks: Mapping[str, list[str]]
    here: list[str]
    failed: list[str]
    way: list[str]


@dataclass
class Retelling:
    """Tells a case to who is asking. Raises CaseNotFound for one that they may not know of."""

    number: str
    ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = moments.events(edge.reading(), self.number, edge.person())

    def steps(self, first: int, count: int) -> list[Step]:
        return moments.steps(edge.reading(), self.number, edge.person(), self.ids, first, count)

    def all(self) -> list[Told]:
        """Every step."""
        return [self.told(step) for step in self.steps(1, len(self.ids))]

    def find(self, query: str, limit: int) -> list[Told]:
        """The first steps in which every word of the query stands."""
        wanted = query.lower().split()
        found = (told for told in self.all() if all(word in told.words for word in wanted))
        return [told for told, _number in zip(found, range(limit), strict=False)]

    def told(self, step: Step) -> Told:
        event, words = step.event, self._words(step.event.instance)
        process = step.place[1] if step.place else ""
        called = self._called(step.place)
        left = traces.words((move.element for move in event.left if move.process == process), called)
        entered = traces.words((move.element for move in event.entered if move.process == process), called)
        values = [self._value(words, each.scope, each.name, each.value) for each in step.written]
        form = self.form(step)
        lines = [] if form is None else answers.lines(form, event.submitted, names.current())
        decided = [self._decision(words, event.instance, each) for each in step.decisions]
        said = self._teller.whole(event)
        role = _(", ").join(names.current().group(group) for group in step.roles)
        searched = (
            said,
            *(left + entered),
            *(move.element for move in (*event.left, *event.entered)),
            role,
            *(f"{value.label} {value.key} {value.text}" for value in values),
            *(f"{line.label} {line.text}" for line in lines),
            *(decision.name for decision in decided),
        )
        return Told(
            step,
            when(event.at),
            said,
            role,
            lasting(event.at - step.waited_since) if step.waited_since else "",
            self._place_name(step.place),
            left,
            entered,
            values,
            lines,
            decided,
            " ".join(searched).lower(),
            form is not None,
        )

    def form(self, step: Step) -> Form | None:
        """The form of the task that the step completed."""
        task = step.event.task
        if task is None or not step.waited_since:
            return None
        return self._bundle(step.event.instance).forms.get(task.form_id or "")

    def values(self, moment: Moment) -> list[Value]:
        """The values of the instance that the moment is about: what its step changed first."""
        words = self._words(moment.place[0] if moment.place else None)
        found = [self._known(words, each) for each in moment.known]
        return sorted(found, key=lambda value: not value.changed)

    def _known(self, words: Words, known: Known) -> Value:
        value = self._value(words, known.scope, known.name, known.value)
        before = "" if known.before is None else words.value(known.name, known.before)
        return replace(value, before=before, changed=known.changed and value.text != before)

    def _value(self, words: Words, scope: str, name: str, value: feel.Value) -> Value:
        where = f" ({scope})" if scope else ""
        return Value(f"{scope} {name}".strip(), words.label(name) + where, words.value(name, value))

    def _decision(self, words: Words, instance: int | None, found: moments.Decision) -> Decision:
        decided = found.decided
        deployment = self._deployments.get(instance or 0)
        known = decided.decision in words.tables
        return Decision(
            content(decided.name),
            f"{deployment} {decided.decision}" if known else None,
            {_with_label(words, name): words.value(name, value) for name, value in decided.inputs.items()},
            tuple(rule.index for rule in decided.rules),
            words.value(decided.decision, decided.value),
            found.withheld,
        )

    # Where it stands ------------------------------------------------------------------------------------

    def stands(self, moment: Moment) -> list[Stand]:
        """Where every process stood that had begun, the one that the moment is about first."""
        found = [
            self._stand((instance, process), standing)
            for instance, standing in moment.standings.items()
            for process in standing.ways
        ]
        about = _key(moment.place)
        return sorted(found, key=lambda stand: stand.place != about)

    def _stand(self, place: Place, standing: moments.Standing) -> Stand:
        instance, process = place
        way, called = standing.ways[process], self._called(place)
        here, failed = standing.open(process), standing.failed(process)
        marks = {"open": here, "completed": way.completed, "flows": way.flows, "failed": failed}
        return Stand(
            _key(place),
            place,
            self._place_name(place),
            self._instances[instance].version,
            {name: sorted(elements) for name, elements in marks.items()},
            traces.words(here, called),
            traces.words(failed, called),
            traces.words(way.completed, called),
        )

    def places(self, wanted: Iterable[Place]) -> dict[str, dict[str, object]]:
        """Of each place: what its process is called, its version, the address of its file, its elements' names."""
        return {
            _key((instance, process)): {
                "name": self._place_name((instance, process)),
                "version": _("version %(version)s", version=self._instances[instance].version),
                "address": url_for("cases.diagram", number=self.number, instance=instance, process=process),
                "elements": {element: title(name) for element, name in self._called((instance, process)).items()},
            }
            for instance, process in sorted(wanted)
        }

    # What the files say ---------------------------------------------------------------------------------

    @cached_property
    def tables(self) -> dict[str, decision_tables.Table]:
        """Every decision table of the deployments of the case, as `Decision.table` names them."""
        return {
            f"{deployment} {decision}": table
            for deployment in sorted(set(self._deployments.values()))
            for decision, table in decision_tables.of_deployment(edge.reading(), deployment).items()
        }

    @cached_property
    def _deployments(self) -> dict[int, int]:
        return moments.deployments(edge.reading(), self.number)

    @cached_property
    def _instances(self) -> dict[int, cases.InstanceRow]:
        return {each.id: each for each in cases.instances(edge.reading(), self.number)}

    @cached_property
    def _teller(self) -> sentences.Teller:
        told = {message.name: message.label for message in deployments.catalogue(edge.reading()).messages}
        return sentences.Teller(names.current(), {each.id: each.name for each in self._instances.values()}, told)

    @cached_property
    def _said(self) -> dict[int, Words]:
        return {}

    def _words(self, instance: int | None) -> Words:
        deployment = self._deployments.get(instance or 0, 0)
        if deployment not in self._said:
            session = edge.reading()
            facts = {fact.name: fact for fact in cases.readable_facts(session, edge.person())}
            tables = decision_tables.of_deployment(session, deployment) if deployment else {}
            found = self._bundle(instance).forms if deployment else {}
            self._said[deployment] = Words.of(names.current(), found, facts, tables)
        return self._said[deployment]

    def _bundle(self, instance: int | None) -> bundles.Compiled:
        return bundles.of_deployment(edge.reading(), self._deployments[instance or 0])

    @cached_property
    def _drawings(self) -> dict[tuple[int, str], tuple[str, dict[str, str]]]:
        return {}

    def _drawing(self, place: Place) -> tuple[str, Mapping[str, str]]:
        """What the process at this place is called, and its elements that people notice, by id."""
        key = self._deployments[place[0]], place[1]
        if key not in self._drawings:
            name, xml = diagrams.files(edge.reading(), key[0], [key[1]])[key[1]]
            self._drawings[key] = title(name), traces.felt(xml)
        return self._drawings[key]

    def _called(self, place: Place | None) -> Mapping[str, str]:
        return {} if place is None else self._drawing(place)[1]

    def _place_name(self, place: Place | None) -> str:
        return "" if place is None else self._drawing(place)[0]


def _with_label(words: Words, name: str) -> str:
    """What people call the input, and its name in the files, which an expression says."""
    label = words.label(name)
    return name if label == name else f"{label} ({name})"


def _key(place: Place | None) -> str:
    return "" if place is None else f"{place[0]} {place[1]}"
