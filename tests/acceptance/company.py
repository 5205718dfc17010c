"""Cases of the bundled content brought to a moment, and the three edges at which people act on them.

A moment is a scenario whose answers to some forms are left out: everybody else has done their part, these forms wait.
Each edge tries the same thing its own way, and checks that a refusal has the shape which that edge owes to people.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import (
    business_days,
    cases,
    cli,
    database,
    deployments,
    feel,
    history,
    identity,
    scenario_files,
    scenarios,
    tables,
    tasklist,
    user_tasks,
)
from engine.catalogue import load_yaml
from engine.columns import JST
from engine.errors import EngineError, SubmissionInvalid
from engine.states import EventType
from webapp import create_app, errors

SCENARIOS = deployments.BUNDLED[0] / "harassment-response" / "scenarios"
NUMBER = "2026-0001"
NOW = datetime(2026, 12, 2, 12, 0, tzinfo=JST)
"""After everything that any moment lets happen: they begin on 2026-11-24 and last eight days at most."""

Fields: TypeAlias = dict[str, list[str]]
"""What a browser posts: texts by name."""

TWO_ROLES = "two_roles1"
LOOKS_ONLY = "looks_only1"
MORE_PEOPLE = [
    {"name": TWO_ROLES, "label": "三宅 遥", "groups": ["supervisor", "desk", "head"]},
    {"name": LOOKS_ONLY, "label": "森下 歩", "groups": ["supervisor", "auditor"]},
]
"""In the seed everybody has one role; who has more meets the exclusions that are by person."""


def bundle() -> dict[str, bytes]:
    """The bundled files, with more people after those of bundle.yaml (JSON is YAML)."""
    files = deployments.read_folder(*deployments.BUNDLED)
    name = next(name for name in files if name.endswith("bundle.yaml"))
    top = load_yaml(files[name], name)
    top["people"] += MORE_PEOPLE
    return files | {name: json.dumps(top).encode()}


@dataclass(frozen=True, eq=False)
class Moment:
    """`scenario` up to where `waiting` is asked; `other` answers, by form, stand for those of the file."""

    scenario: str
    waiting: str
    other: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    until: str = "PT0S"

    @cached_property
    def read(self) -> scenario_files.Scenario:
        found = scenario_files.read(SCENARIOS / f"{self.scenario}.yaml")
        answers: dict[str, Any] = dict(found.answers)
        for form, given in self.other.items():
            answers[form] = {**_first(answers.get(form, {})), **given}
        return replace(found, answers=answers, events=(), expect={}, until=_duration(self.until))

    def answer(self, form: str) -> dict[str, Any]:
        """What the scenario answers to the form, as JSON."""
        given = _first(self.read.answers.get(form, {}))
        return {name: _plain(value) for name, value in given.items() if name != "by"}

    def build(self, path: Path, files: Mapping[str, bytes]) -> None:
        """A database at `path` in which the case stands at this moment."""
        others = {form: given for form, given in self.read.answers.items() if form != self.waiting}
        opened = database.connect(f"sqlite:///{path}")
        opened.create()
        scenarios.run_on(opened, replace(self.read, answers=others, leave_open=frozenset({self.waiting})), files)
        opened.close()


def _first(given: scenario_files.Answer | Sequence[scenario_files.Answer]) -> scenario_files.Answer:
    return given if isinstance(given, Mapping) else given[0]


def _duration(text: str) -> feel.Value:
    return feel.parse_expression(f'duration("{text}")').evaluate({}, feel.Environment(now=NOW))


def _plain(value: Any) -> Any:
    """The value as JSON; FEEL computed, to the minute."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and value.startswith("="):
        environment = feel.Environment(now=NOW, functions=business_days.FUNCTIONS)
        found = feel.parse_expression(value[1:], tuple(business_days.FUNCTIONS)).evaluate({}, environment)
        return feel.to_text(found)[:16]
    return value


# The case -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Case:
    """The case at a moment, in a database of its own."""

    moment: Moment
    url: str
    shown: dict[tuple[str, str], Fields] = field(default_factory=dict)
    """What the page of a form held when this person opened it."""

    @cached_property
    def database(self) -> database.Database:
        return database.connect(self.url)

    @cached_property
    def app(self) -> Flask:
        # CSRF tokens keep strangers out, not people who are signed in: whoever is has one.
        return create_app(self.url, TESTING=True, SECRET_KEY="a fixed key for tests only", WTF_CSRF_ENABLED=False)

    def close(self) -> None:
        self.database.close()
        if "app" in self.__dict__:
            self.app.extensions["mamori"].close()

    def tasks(self) -> list[tasklist.TaskRow]:
        with self.database.reading() as session:
            return tasklist.of_case(session, NUMBER)

    def forms(self) -> set[str | None]:
        """The forms that are asked now."""
        return {task.form_id for task in self.tasks()}

    def task(self, form: str) -> tasklist.TaskRow:
        return next(task for task in self.tasks() if task.form_id == form)

    def person(self, name: str) -> identity.Person:
        with self.database.reading() as session:
            return identity.person(session, name)

    def variables(self) -> Mapping[str, feel.Value]:
        with self.database.reading() as session:
            return history.last_written(session, NUMBER)

    def state(self) -> tuple[object, ...]:
        """What must not change when something is refused: the open tasks, and the version of every snapshot."""
        table = tables.ProcessInstance
        with self.database.reading() as session:
            versions = session.execute(select(table.id, table.version).order_by(table.id)).all()
        return (tuple(self.tasks()), tuple(tuple(row) for row in versions))

    def refusals(self) -> list[tuple[str | None, str, int | None]]:
        """(who, error, task) of every rejected attempt that history knows of."""
        event = tables.HistoryEvent
        query = select(event.actor, event.facts).where(event.type == EventType.ATTEMPT_REJECTED).order_by(event.id)
        with self.database.reading() as session:
            return [(actor, facts["error"], facts["task_id"]) for actor, facts in session.execute(query)]


@dataclass(frozen=True)
class Company:
    """The moments that were built, each once; a case is a copy of one."""

    folder: Path
    files: Mapping[str, bytes]
    built: dict[Moment, Path] = field(default_factory=dict)

    def case(self, moment: Moment, path: Path) -> Case:
        if moment not in self.built:
            source = self.folder / f"{len(self.built)}.db"
            moment.build(source, self.files)
            self.built[moment] = source
        return Case(moment, f"sqlite:///{shutil.copy(self.built[moment], path)}")


# What people try ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Complete:
    """`who` completes the task of `form` with the answers of the scenario, but for these."""

    who: str
    form: str
    other: Mapping[str, Any] = field(default_factory=dict)

    def values(self, case: Case) -> dict[str, Any]:
        return {**case.moment.answer(self.form), **{name: _plain(value) for name, value in self.other.items()}}


@dataclass(frozen=True)
class Claim:
    who: str
    form: str


@dataclass(frozen=True)
class Send:
    """`who` tells the case something."""

    who: str
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


Attempt: TypeAlias = Complete | Claim | Send


class Edge(Protocol):
    def refuses(self, case: Case, attempt: Attempt, error: type[EngineError], field: str | None = None) -> None:
        """The attempt was refused with this error, at this field of the form; raises AssertionError."""

    def does(self, case: Case, attempt: Attempt) -> None:
        """The attempt was made; raises AssertionError."""


class Api:
    """The functions of the engine, in a transaction."""

    def refuses(self, case: Case, attempt: Attempt, error: type[EngineError], field: str | None = None) -> None:
        with pytest.raises(EngineError) as caught:
            self.does(case, attempt)
        refused = caught.value
        assert type(refused) is error, refused
        assert str(refused)
        assert not isinstance(refused, SubmissionInvalid) or set(refused.errors) == {field}

    def does(self, case: Case, attempt: Attempt) -> None:
        actor = case.person(attempt.who)
        with case.database.transaction() as session:
            self._act(session, case, attempt, actor)

    def _act(self, session: Session, case: Case, attempt: Attempt, actor: identity.Person) -> None:
        match attempt:
            case Complete(form=form):
                task, values = case.task(form).id, attempt.values(case)
                user_tasks.complete(session, task, values, actor=actor, at=NOW)
            case Claim(form=form):
                user_tasks.claim(session, case.task(form).id, actor=actor, at=NOW)
            case Send(message=message, values=values):
                payload = {name: feel.from_python(value) for name, value in values.items()}
                cases.send(session, NUMBER, message, payload, actor=actor, at=NOW)


class CommandLine:
    """`mamori`, as it is typed."""

    def refuses(self, case: Case, attempt: Attempt, error: type[EngineError], field: str | None = None) -> None:
        before = case.refusals()
        code, lines = self._run(case, attempt)
        assert (code, len(lines)) == (1, 1), lines
        assert lines[0].startswith("Error: " if field is None else f"Error: {field}: ")
        assert case.refusals() == [*before, (attempt.who, error.__name__, _task(case, attempt))]

    def does(self, case: Case, attempt: Attempt) -> None:
        code, lines = self._run(case, attempt)
        assert code == 0, lines

    def _run(self, case: Case, attempt: Attempt) -> tuple[int, list[str]]:
        ran = CliRunner().invoke(cli.main, ["--database", case.url, *self._words(case, attempt)])
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
        return ran.exit_code, ran.output.splitlines()

    def _words(self, case: Case, attempt: Attempt) -> list[str]:
        match attempt:
            case Complete(who, form):
                values = self._file(case, attempt.values(case))
                return ["tasks", "complete", str(case.task(form).id), "--as", who, "--values", values]
            case Claim(who, form):
                return ["tasks", "claim", str(case.task(form).id), "--as", who]
            case Send(who, message, values):
                return ["publish-message", message, NUMBER, "--as", who, "--values", self._file(case, values)]

    def _file(self, case: Case, values: Mapping[str, Any]) -> str:
        path = Path(case.url.removeprefix("sqlite:///")).with_suffix(".json")
        path.write_text(json.dumps(values), "utf-8")
        return str(path)


class Pages:
    """A browser of somebody who has signed in; what they may not open they post to all the same."""

    def refuses(self, case: Case, attempt: Attempt, error: type[EngineError], field: str | None = None) -> None:
        status, page, before = self._post(case, attempt)
        assert status == next(errors.STATUS[kind] for kind in error.__mro__ if kind in errors.STATUS), page
        assert field is None or f'id="f-{field}-error"' in page or f"「{field}」" in page
        assert field is not None or html.document_fromstring(page).findtext(".//h1")
        assert case.refusals() == [*before, (attempt.who, error.__name__, _task(case, attempt))]

    def does(self, case: Case, attempt: Attempt) -> None:
        status, page, _ = self._post(case, attempt)
        assert status == 303, page

    def _post(self, case: Case, attempt: Attempt) -> tuple[int, str, list[tuple[str | None, str, int | None]]]:
        """Status and page, and the refusals before the post: opening the page may be one of them."""
        with case.app.test_client() as client:
            with client.session_transaction() as browser:
                browser["_user_id"] = case.person(attempt.who).session_key
            address, fields = self._request(case, attempt, client)
            before = case.refusals()
            answer = client.post(address, data=fields)
        return answer.status_code, answer.text, before

    def _request(self, case: Case, attempt: Attempt, browser: FlaskClient) -> tuple[str, Fields]:
        match attempt:
            case Complete(who, form):
                address = f"/tasks/{case.task(form).id}"
                if (who, form) not in case.shown:
                    case.shown[who, form] = self._shown(browser, address)
                return address, case.shown[who, form] | as_texts(attempt.values(case)) | {"_do": ["complete"]}
            case Claim(form=form):
                return f"/tasks/{case.task(form).id}/claim", {}
            case Send(message=message):
                return f"/cases/{NUMBER}/messages", {"message": [message]}

    def _shown(self, browser: FlaskClient, address: str) -> Fields:
        """What the form on the page holds already; nothing for who may not see it."""
        page = browser.get(address)
        found: Fields = {}
        if page.status_code == 200:
            form = html.document_fromstring(page.text).xpath(f"//form[@action='{address}']")[0]
            for name, text in form.form_values():
                found.setdefault(name, []).append("" if text == "on" else text)  # lxml's word for value=""
        return found


EDGES: Mapping[str, Edge] = {"api": Api(), "command line": CommandLine(), "page": Pages()}


def as_texts(values: Mapping[str, Any], path: str = "") -> Fields:
    """The values as a browser sends them: texts under the path of each control."""
    texts: Fields = {}
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for index, row in enumerate(value):
                texts |= as_texts(row, f"{path}{name}[{index}].")
        else:
            texts[path + name] = [_text(each) for each in (value if isinstance(value, list) else [value])]
    return texts


def _text(value: Any) -> str:
    if value is None or value is False:
        return ""
    return "true" if value is True else str(value)


def _task(case: Case, attempt: Attempt) -> int | None:
    return None if isinstance(attempt, Send) else case.task(attempt.form).id
