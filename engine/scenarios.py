"""Scenarios: a whole case as a file, run on a scratch database with a virtual clock.

A scenario passes, or the first difference is told in words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import (
    bundles,
    business_days,
    database,
    deployments,
    feel,
    history,
    identity,
    incidents,
    instances,
    jobs,
    scenario_files,
    tables,
    tasklist,
    user_tasks,
    worker,
)
from engine.columns import JST
from engine.errors import EngineError, FileUnreadable, SubmissionInvalid
from engine.identity import Person
from engine.scenario_files import Answer, Happening, Scenario
from engine.states import TaskState
from engine.studio import coverage
from engine.studio.coverage import Reached
from engine.tasklist import TaskRow

MAX_MOVES = 10_000
"""Answers, jobs and events of one scenario; beyond it the case goes round in a circle."""
CLOSING_FORM = "closure"
CLOSING_VALUES = ("end_state", "secondary_end_states")
"""By the format, these are the fields of the closing form once it was answered; before, the variables."""
STEPS = "completed_steps"
TRIAL = deployments.Grounds("scenario", override="scenario")
"""A scenario shows what the files do, also those that break a policy."""

_AFTER = feel.parse_expression("start + step")


class Difference(Exception):
    """The case did not go as the scenario says; the message is the first difference, in words."""


@dataclass(frozen=True, slots=True)
class Result:
    """`difference` is None if everything came as expected; `reached` is also what came before a difference."""

    path: Path
    id: str
    title: str
    difference: str | None
    reached: Reached
    seconds: float


def run(path: Path, files: Mapping[str, bytes]) -> Result:
    """The scenario was run against the bundle on a scratch database; raises DeploymentRejected."""
    return _run(path, lambda: scenario_files.read(path), files)


def run_source(name: str, source: bytes, files: Mapping[str, bytes]) -> Result:
    """As `run`, for a scenario that is not on the disk."""
    return _run(Path(name), lambda: scenario_files.parse(name.rpartition("/")[2], source), files)


def _run(path: Path, read: Callable[[], Scenario], files: Mapping[str, bytes]) -> Result:
    began = time.perf_counter()
    name = title = path.stem
    difference = None
    scratch = database.connect("sqlite://")
    try:
        scratch.create()
        try:
            scenario = read()
            name, title = scenario.id, scenario.title
            run_on(scratch, scenario, files)
        except (Difference, FileUnreadable) as told:
            difference = str(told)
        with scratch.reading() as session:
            reached = coverage.of_history(session)
    finally:
        scratch.close()
    return Result(path, name, title, difference, reached, time.perf_counter() - began)


def run_on(scratch: database.Database, scenario: Scenario, files: Mapping[str, bytes]) -> None:
    """Everything came as the scenario says, on an empty database; raises Difference, and DeploymentRejected."""
    with scratch.transaction() as session:
        deployments.deploy(session, files, by=None, at=scenario.at, grounds=TRIAL)
        catalogue = deployments.catalogue(session)
        identity.seed(session, catalogue.people, password=None)
        people = {person.name: person for person in identity.people(session)}
    _check_names(scenario, bundles.compile_files(files, deployments.JOB_TYPES))
    try:
        _Run(scratch, scenario, people, scenario.at).run()
    except EngineError as refused:
        raise Difference(str(refused)) from refused


def _check_names(scenario: Scenario, compiled: bundles.Compiled) -> None:
    """Every form and message that the scenario names exists; raises Difference."""
    afters = [event.after for event in scenario.events]
    for form in (*scenario.answers, *scenario.delays, *scenario.leave_open, *afters):
        if form not in compiled.forms:
            raise Difference(f"フォーム {form} は、配備したファイルの中にありません。")
    for event in scenario.events:
        if event.message not in compiled.processes.messages:
            raise Difference(f"events: メッセージ「{event.message}」を待つプロセスがありません。")


@dataclass(slots=True)
class _Run:
    """One scenario under way: its clock, what was asked how often, and what will still happen."""

    database: database.Database
    scenario: Scenario
    people: Mapping[str, Person]
    now: datetime
    business_key: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    happened: set[int] = field(default_factory=set)
    planned: list[tuple[datetime, Happening]] = field(default_factory=list)
    carried: dict[int, Mapping[str, feel.Value]] = field(default_factory=dict)
    """What a message gives to the first form that it opened, by task."""

    def run(self) -> None:
        end = None if self.scenario.until is None else _after(self.now, self.scenario.until)
        self._start()
        for _ in range(MAX_MOVES):
            self._check_incidents()
            if self._answer_one():
                continue
            moment = self._next_moment()
            if moment is None or (end is not None and moment > end):
                break
            self.now = max(self.now, moment)
            self._happen()
        else:
            raise Difference(f"{MAX_MOVES} 回進めても終わりません。プロセスが回り続けていないか確かめてください。")
        self._compare()

    def _start(self) -> None:
        scenario = self.scenario
        if scenario.by is not None and scenario.by not in self.people:
            raise Difference(f"start.by: 「{scenario.by}」さんは bundle.yaml の people にいません。")
        variables = self._values(scenario.variables, {})
        with self.database.transaction() as session:
            _, self.business_key = instances.start(session, scenario.process, variables, actor=scenario.by, at=self.now)

    def _check_incidents(self) -> None:
        with self.database.reading() as session:
            for incident in incidents.open_ones(session):
                reason = incident.message.splitlines()[0]
                raise Difference(f"{incident.element} で止まりました: {reason}")

    # What happens next

    def _next_moment(self) -> datetime | None:
        """The earliest of: a job that is due, an answer that was delayed, an event that was planned."""
        with self.database.reading() as session:
            due = jobs.next_due(session)
            delayed = [self._answered_at(task) for task in self._open(session) if self._has_answer(task)]
        moments = [moment for moment in (due, *delayed, *(at for at, _ in self.planned)) if moment is not None]
        return min(moments, default=None)

    def _happen(self) -> None:
        """Whatever comes first at the new time: jobs, then events; delayed answers follow by themselves."""
        with self.database.reading() as session:
            found = jobs.due(session, at=self.now, limit=1)
        if found:
            worker.run(self.database, found[0], at=self.now, job_types=self._job_types())
            return
        for plan in sorted(self.planned, key=lambda plan: plan[0]):
            if plan[0] <= self.now:
                self.planned.remove(plan)
                self._publish(plan[1])
                return

    def _job_types(self) -> jobs.JobTypes:
        """A call outside is not made: it gives what the scenario says, or nothing."""
        return {**jobs.BUILT_IN, **{kind: jobs.Outside(self._answer_call) for kind in deployments.OUTSIDE}}

    def _answer_call(self, call: jobs.Call) -> Mapping[str, feel.Value]:
        return self._values(self.scenario.calls.get(call.type, {}), self._variables())

    def _publish(self, event: Happening) -> None:
        actor = event.by or self.scenario.by
        values = self._values(event.values, self._variables())
        with self.database.transaction() as session:
            before = {task.id for task in self._open(session)}
            instances.publish(session, event.message, self.business_key, values, actor=actor, at=self.now)
            opened = [task for task in self._open(session) if task.id not in before and task.form_id]
        if opened and values:
            self.carried[min(task.id for task in opened)] = values

    # Answering

    def _open(self, session: Session) -> list[TaskRow]:
        """The open tasks, oldest first."""
        return sorted(tasklist.of_case(session, self.business_key), key=lambda task: task.id)

    def _answer_one(self) -> bool:
        """Answer the oldest task that can be answered now; raises Difference for one that never can."""
        with self.database.reading() as session:
            found = self._open(session)
        for task in found:
            if not self._has_answer(task):
                self._refuse_unanswered(task)
            elif self._answered_at(task) <= self.now:
                self._complete(task)
                return True
        return False

    def _has_answer(self, task: TaskRow) -> bool:
        if task.form_id is None:
            return True
        given = self.scenario.answers.get(task.form_id)
        return given is not None and (isinstance(given, Mapping) or self.asked.get(task.form_id, 0) < len(given))

    def _answered_at(self, task: TaskRow) -> datetime:
        delay = self.scenario.delays.get(task.form_id or "")
        return task.opened_at if delay is None else _after(task.opened_at, delay)

    def _refuse_unanswered(self, task: TaskRow) -> None:
        form = task.form_id or ""
        if form in self.scenario.leave_open:
            return
        times = self.asked.get(form, 0)
        first = self._first_missing(task)
        wanted = f"(まず項目「{first}」が要ります)" if first else ""
        where = f"{_step(task.element)}「{task.name}」: フォーム {form}"
        if times:
            raise Difference(f"{where} の {times + 1} 回目の答えがありません{wanted}。")
        raise Difference(f"{where} の答えがありません{wanted}。")

    def _first_missing(self, task: TaskRow) -> str | None:
        """The first field that an empty answer would leave out."""
        with self.database.reading() as session:
            actor = self._default_actor(task)
            view = user_tasks.form_view(session, task.id, actor=actor, at=self.now).view
        fields = [] if view is None else list(_flat(view.fields))
        return next((one.path for one in fields if one.visible and one.required and one.value in (None, [])), None)

    def _complete(self, task: TaskRow) -> None:
        answer, where = self._next_answer(task)
        actor = self._actor(task, answer, where)
        given = {name: value for name, value in answer.items() if name != "by"}
        try:
            submitted = {**self._carried(task, given), **self._values(given, self._visible(task, actor, given))}
            with self.database.transaction() as session:
                user_tasks.complete(session, task.id, submitted, actor=actor, at=self.now)
        except SubmissionInvalid as invalid:
            path, message = next(iter(invalid.errors.items()))
            raise Difference(f"{where} 項目 {path}: {message}") from invalid
        except Difference as told:
            raise Difference(f"{where} 項目 {told}") from told
        except EngineError as refused:
            raise Difference(f"{where}: {refused}") from refused
        self._plan_events(task.form_id)

    def _visible(self, task: TaskRow, actor: Person, given: Answer) -> Mapping[str, feel.Value]:
        """The variables that the form sees, where a value of the answer is to be computed from them."""
        if not _computes(given):
            return {}
        with self.database.reading() as session:
            return user_tasks.form_view(session, task.id, actor=actor, at=self.now).variables

    def _carried(self, task: TaskRow, given: Mapping[str, Any]) -> Mapping[str, feel.Value]:
        """What a message prefills of this form and the answer does not give itself."""
        values = self.carried.pop(task.id, {})
        if not values:
            return {}
        with self.database.reading() as session:
            compiled = instances.load(session, task.instance).compiled
        form = compiled.forms.get(task.form_id or "")
        return {k: v for k, v in values.items() if form is not None and k in form.body.by_key and k not in given}

    def _next_answer(self, task: TaskRow) -> tuple[Answer, str]:
        form = task.form_id or ""
        times = self.asked.get(form, 0)
        self.asked[form] = times + 1
        given = self.scenario.answers.get(form, {}) if form else {}
        where = f"{_step(task.element)}「{task.name}」 フォーム {form}"
        if isinstance(given, Mapping):
            return given, where
        return given[times], f"{where}({times + 1} 回目)"

    def _actor(self, task: TaskRow, answer: Answer, where: str) -> Person:
        name = answer.get("by")
        if name is None:
            return self._default_actor(task)
        if name not in self.people:
            raise Difference(f"{where} by: 「{name}」さんは bundle.yaml の people にいません。")
        return self.people[name]

    def _default_actor(self, task: TaskRow) -> Person:
        """The assignee, else the first who may: by candidate group in order, then by candidate user."""
        if task.assignee is not None and task.assignee in self.people:
            return self.people[task.assignee]
        for group in task.candidate_groups:
            for person in self.people.values():
                if person.is_in([group]) and identity.may(person, task):
                    return person
        for name in task.candidate_users:
            if name in self.people and identity.may(self.people[name], task):
                return self.people[name]
        candidates = "、".join((*task.candidate_groups, *task.candidate_users)) or "候補なし"
        raise Difference(f"{_step(task.element)}「{task.name}」: 行える人がいません({candidates})。")

    def _plan_events(self, form: str | None) -> None:
        for index, event in enumerate(self.scenario.events):
            if event.after == form and index not in self.happened:
                self.happened.add(index)
                self.planned.append((_after(self.now, event.wait), event))

    # Values

    def _variables(self) -> dict[str, feel.Value]:
        with self.database.reading() as session:
            return {**history.last_written(session, self.business_key), "business_key": self.business_key}

    def _values(self, given: Mapping[str, Any], variables: Mapping[str, feel.Value]) -> dict[str, feel.Value]:
        environment = feel.Environment(now=self.now.astimezone(JST), functions=business_days.FUNCTIONS)
        return {name: _value(value, variables, environment, name) for name, value in given.items()}

    # Comparing

    def _compare(self) -> None:
        with self.database.reading() as session:
            variables = history.last_written(session, self.business_key)
            done = _completed_steps(session, self.business_key)
        closing = variables.get(CLOSING_FORM)
        if isinstance(closing, dict):
            variables |= {name: closing[name] for name in CLOSING_VALUES if name in closing}
        environment = feel.Environment(now=self.now.astimezone(JST), functions=business_days.FUNCTIONS)
        for name, given in self.scenario.expect.items():
            expected = _value(given, variables, environment, f"expect.{name}")
            if name == STEPS:
                _compare_steps(expected, done)
            elif not _agrees(expected, variables.get(name)):
                got = feel.to_text(variables.get(name))
                raise Difference(f"{name}: {feel.to_text(expected)} のはずが {got} でした。")


def _completed_steps(session: Session, business_key: str) -> set[str]:
    table = tables.UserTask
    done = (table.business_key == business_key, table.state == TaskState.COMPLETED)
    return {_step(element) for element in session.execute(select(table.element).where(*done)).scalars()}


def _step(element: str) -> str:
    """The step of a task: the first five characters of its id."""
    return element[:5].replace("_", "-")


def _compare_steps(expected: feel.Value, done: set[str]) -> None:
    if not isinstance(expected, list):
        raise Difference(f"{STEPS}: [ST-01, …] のようにリストで書いてください。")
    wanted = {str(step) for step in expected}
    missing, surplus = sorted(wanted - done), sorted(done - wanted)
    if missing:
        raise Difference(f"{STEPS}: {'、'.join(missing)} が行われていません(行われたのは {'、'.join(sorted(done))})。")
    if surplus:
        raise Difference(f"{STEPS}: {'、'.join(surplus)} まで行われました。")


def _agrees(expected: feel.Value, got: feel.Value) -> bool:
    """Equal; an expected null or [] also where nothing was written, a list of codes in any order."""
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and (
            all(map(_agrees, expected, got)) or sorted(map(feel.to_text, expected)) == sorted(map(feel.to_text, got))
        )
    if expected in (None, []) and got is None:
        return True
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(_agrees(expected[key], got[key]) for key in expected)
    if isinstance(expected, str) and not isinstance(got, str | list | dict | None):
        return not isinstance(got, bool) and expected == feel.to_text(got)
    return type(expected) is type(got) and expected == got


def _value(given: Any, variables: Mapping[str, feel.Value], environment: feel.Environment, where: str) -> feel.Value:
    """The FEEL value of what stands in the file; text that begins with `=` is computed, at any depth."""
    if isinstance(given, str) and given.startswith("="):
        try:
            expression = feel.parse_expression(given[1:], tuple(business_days.FUNCTIONS))
            return expression.evaluate(variables, environment)
        except feel.FeelError as fault:
            raise Difference(f"{where}: 式 {given} を計算できません({fault})。") from fault
    if isinstance(given, Mapping):
        return {str(name): _value(value, variables, environment, f"{where}.{name}") for name, value in given.items()}
    if isinstance(given, list):
        return [_value(value, variables, environment, f"{where}[{n}]") for n, value in enumerate(given)]
    return feel.from_python(given)


def _computes(given: Any) -> bool:
    if isinstance(given, Mapping):
        return any(_computes(value) for value in given.values())
    if isinstance(given, list):
        return any(map(_computes, given))
    return isinstance(given, str) and given.startswith("=")


def _after(moment: datetime, step: feel.Value) -> datetime:
    environment = feel.Environment(now=moment)
    later = _AFTER.evaluate({"start": feel.from_python(moment), "step": step}, environment)
    return cast(feel.DateTime, later).to_python().astimezone(JST)


def _flat(views: Iterable[Any]) -> Iterable[Any]:
    for view in views:
        yield view
        yield from _flat(view.fields)
