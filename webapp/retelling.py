"""A case told again, step by step: who did what, what it changed, what was decided, and where the case then stood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from flask import url_for

from engine import bundles, cases, decision_tables, deployments, diagrams, feel
from engine.audit import moments
from engine.audit.moments import Known, Moment, Place, Step
from engine.catalogue import Label
from engine.forms import Form
from webapp import answers, edge, names, sentences, traces
from webapp.content import content, title
from webapp.language import gettext as _
from webapp.language import moment as when
from webapp.values import Words, lasting

BATCH = 100
"""Steps that are read at once."""


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
    inputs: list[answers.Line]
    fired: tuple[int, ...]
    result: str
    withheld: bool

    @property
    def line(self) -> str:
        """All of it in one line."""
        comma = _(", ")
        told = [_("“%(decision)s” gave: %(result)s", decision=self.name, result=self.result)]
        if self.withheld:
            told.append(_("It read something that your role does not see."))
        if self.fired:
            told.append(_("Row %(rows)s of the table held.", rows=comma.join(map(str, self.fired))))
        if self.inputs:
            told += [_("It saw:"), comma.join([f"{line.label} = {line.text}" for line in self.inputs])]
        return " ".join(told).replace("\n", comma)


@dataclass(frozen=True, slots=True)
class Told:
    """A step in words."""

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
    has_form: bool

    @property
    def words(self) -> str:
        """All that a search looks through, in lower case."""
        found = (
            self.said,
            *(self.left + self.entered),
            *(move.element for move in (*self.step.event.left, *self.step.event.entered)),
            self.role,
            *(f"{value.label} {value.key} {value.text}" for value in self.values),
            *(f"{line.label} {line.text}" for line in self.answers),
            *(decision.name for decision in self.decisions),
        )
        return " ".join(found).lower()


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

    def all(self) -> Iterator[Told]:
        """Every step, a few in memory at once."""
        for first in range(1, len(self.ids) + 1, BATCH):
            yield from map(self.told, self.steps(first, BATCH))

    def find(self, query: str, limit: int) -> list[Told]:
        """The first steps in which every word of the query stands."""
        wanted = query.lower().split()
        found = (told for told in self.all() if _has(told.words, wanted))
        return list(islice(found, limit))

    def told(self, step: Step) -> Told:
        event, words = step.event, self._words(step.event.instance)
        process = step.place[1] if step.place else ""
        called = self._called(step.place)
        left = traces.words((move.element for move in event.left if move.process == process), called)
        entered = traces.words((move.element for move in event.entered if move.process == process), called)
        values = [self._value(event.instance, each.scope, each.name, each.value) for each in step.written]
        form = self.form(step)
        lines = [] if form is None else answers.lines(form, event.submitted, names.current())
        decided = [self._decision(words, event.instance, each) for each in step.decisions]
        role = _(", ").join(names.current().group(group) for group in step.roles)
        return Told(
            step,
            when(event.at),
            self._teller.whole(event),
            role,
            lasting(event.at - step.waited_since) if step.waited_since else "",
            self._place_name(step.place),
            left,
            entered,
            values,
            lines,
            decided,
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
        instance = moment.place[0] if moment.place else None
        found = [self._known(instance, each) for each in moment.known]
        return sorted(found, key=lambda value: not value.changed)

    def _known(self, instance: int | None, known: Known) -> Value:
        value = self._value(instance, known.scope, known.name, known.value)
        before = "" if known.before is None else self._words(instance).value(known.name, known.before)
        return replace(value, before=before, changed=known.changed and value.text != before)

    def _value(self, instance: int | None, scope: str, name: str, value: feel.Value) -> Value:
        words = self._words(instance)
        where = f" ({self._within(instance, scope)})" if scope else ""
        return Value(f"{scope} {name}".strip(), words.label(name) + where, words.value(name, value))

    def _decision(self, words: Words, instance: int | None, found: moments.Decision) -> Decision:
        decided = found.decided
        deployment = self._deployments.get(instance or 0)
        known = decided.decision in words.tables
        return Decision(
            content(decided.name),
            f"{deployment} {decided.decision}" if known else None,
            [self._saw(words, decided.decision, *each) for each in decided.inputs.items()],
            tuple(rule.index for rule in decided.rules),
            words.result(decided.decision, decided.value),
            found.withheld,
        )

    def _saw(self, words: Words, decision: str, name: str, value: feel.Value) -> answers.Line:
        return answers.Line(words.input(name, decision), words.seen(name, value))

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
                "elements": self._called((instance, process)),
            }
            for instance, process in sorted(wanted)
        }

    # What the files say ---------------------------------------------------------------------------------

    @cached_property
    def tables(self) -> dict[str, decision_tables.Table]:
        """Every decision table of the deployments of the case, in words, as `Decision.table` names them."""
        return {
            f"{deployment} {decision}": self._words_of(deployment).table(table)
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
        return sentences.Teller.to_reader({each.id: each.name for each in self._instances.values()})

    @cached_property
    def _labels(self) -> Mapping[str, Label]:
        return {each.name: each for each in deployments.catalogue(edge.reading()).labels}

    @cached_property
    def _said(self) -> dict[int, Words]:
        return {}

    def _words(self, instance: int | None) -> Words:
        return self._words_of(self._deployments.get(instance or 0, 0))

    def _words_of(self, deployment: int) -> Words:
        if deployment not in self._said:
            session = edge.reading()
            facts = {fact.name: fact for fact in cases.readable_facts(session, edge.person())}
            tables = decision_tables.of_deployment(session, deployment) if deployment else {}
            variables = decision_tables.variables(session, deployment) if deployment else ()
            found = bundles.of_deployment(session, deployment).forms if deployment else {}
            self._said[deployment] = Words.of(names.current(), found, facts, self._labels, tables, variables)
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

    def _within(self, instance: int | None, scope: str) -> str:
        """What the activities of the scope's path are called, the outermost first."""
        activities = [step.partition("#")[0] for step in scope.split("/")]
        called = self._activities(self._deployments.get(instance or 0, 0))
        return " › ".join(called.get(activity, activity) for activity in activities)

    def _activities(self, deployment: int) -> Mapping[str, str]:
        """Element id → its name, as people say it, in any process of the deployment."""
        if deployment not in self._named:
            drawn = diagrams.files(edge.reading(), deployment).values()
            self._named[deployment] = {
                element: title(name) for _name, xml in drawn for (element, _kind), name in traces.names(xml).items()
            }
        return self._named[deployment]

    @cached_property
    def _named(self) -> dict[int, Mapping[str, str]]:
        return {}

    def _called(self, place: Place | None) -> Mapping[str, str]:
        return {} if place is None else self._drawing(place)[1]

    def _place_name(self, place: Place | None) -> str:
        return "" if place is None else self._drawing(place)[0]


def _has(text: str, wanted: Iterable[str]) -> bool:
    return all(word in text for word in wanted)


def _key(place: Place | None) -> str:
    return "" if place is None else f"{place[0]} {place[1]}"
