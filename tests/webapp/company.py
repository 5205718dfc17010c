"""People at their browsers, who answer the forms of a case from a scenario file of the bundled content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from freezegun.api import FrozenDateTimeFactory

from engine import business_days, cases, deployments, feel, identity, tasklist, worker
from engine.catalogue import load_yaml
from tests.webapp.conftest import NOW, Browser, Page

SCENARIOS = Path(deployments.__file__).parent.parent / "processes" / "harassment-response" / "scenarios"
NUMBER = "2026-0001"


@dataclass
class Company:
    """People at their browsers, who answer the forms of one case from a scenario file."""

    app: Flask
    clock: FrozenDateTimeFactory
    browsers: dict[str, Browser]
    answers: dict[str, list[dict[str, Any]]]

    def at(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = Browser(self.app)
            assert self.browsers[name].sign_in(name).status == 200
        return self.browsers[name]

    def open_tasks(self) -> list[tasklist.TaskRow]:
        with self.app.extensions["mamori"].reading() as session:
            return sorted(tasklist.of_case(session, NUMBER), key=lambda task: task.id)

    def task(self, form: str) -> tasklist.TaskRow:
        return next(task for task in self.open_tasks() if task.form_id == form)

    def variables(self) -> dict[str, feel.Value]:
        with self.app.extensions["mamori"].reading() as session:
            return cases.variables(session, NUMBER, identity.person(session, "hr1"))

    def first_person(self, task: tasklist.TaskRow) -> str:
        with self.app.extensions["mamori"].reading() as session:
            return next(one.name for one in identity.people(session) if identity.may(one, task))

    def fields(self, form: str, **other: Any) -> dict[str, str | list[str]]:
        """The answers to the form, as a browser sends them."""
        given = {key: value for key, value in self.answers[form][0].items() if key != "by"}
        return as_texts({**given, **other})

    def send(self, name: str, task: tasklist.TaskRow, fields: Mapping[str, str | list[str]]) -> Page:
        """Fill in, bring the form up to date, and press the button that completes it."""
        browser = self.at(name)
        page = browser.open(f"/tasks/{task.id}")
        assert page.status == 200, page.text
        return browser.press(browser.press(page, "表示を更新", fields), "この内容で終える", fields)

    def play_until(self, form: str) -> tasklist.TaskRow:
        """Everybody answers what is open and answerable, time goes on, until the form is asked; its task."""
        for _ in range(60):
            tasks = self.open_tasks()
            for task in tasks:
                if task.form_id == form:
                    return task
            task = next((task for task in tasks if self.answers.get(task.form_id or "")), None)
            if task is None:
                self.wait()
                continue
            answer = self.answers[task.form_id or ""]
            name = answer[0].get("by") or self.first_person(task)
            page = self.send(name, task, self.fields(task.form_id or ""))
            assert page.status == 200, f"{task.form_id}: {page.text}"
            if len(answer) > 1:
                answer.pop(0)
        raise AssertionError(f"{form} was never asked; open: {[task.form_id for task in self.open_tasks()]}")

    def wait(self) -> None:
        self.clock.tick(timedelta(hours=12))
        worker.run_due(self.app.extensions["mamori"], at=self.clock().astimezone(NOW.tzinfo))


def as_texts(answers: Mapping[str, Any]) -> dict[str, str | list[str]]:
    texts: dict[str, str | list[str]] = {}
    for key, value in answers.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for index, row in enumerate(value):
                texts |= {f"{key}[{index}].{name}": text for name, text in as_texts(row).items()}
        elif isinstance(value, list):
            texts[key] = [str(each) for each in value]
        else:
            texts[key] = as_text(value)
    return texts


def as_text(value: Any) -> str:
    if isinstance(value, str) and value.startswith("="):
        environment = feel.Environment(now=NOW, functions=business_days.FUNCTIONS)
        found = feel.parse_expression(value[1:], tuple(business_days.FUNCTIONS)).evaluate({}, environment)
        return feel.to_text(found)[:16] if isinstance(found, feel.DateTime) else feel.to_text(found)
    return {True: "true", False: ""}.get(value, str(value)) if isinstance(value, bool) else str(value)


def answers(scenario: str) -> dict[str, list[dict[str, Any]]]:
    source = load_yaml((SCENARIOS / f"{scenario}.yaml").read_bytes(), scenario)["answers"]
    return {form: list(given) if isinstance(given, list) else [given] for form, given in source.items()}


def begin(company: Company, name: str = "handler1", button: str = "苦情・要望を受け付ける") -> Page:
    browser = company.at(name)
    return browser.press(browser.open("/"), button)
