"""The handlers' pages over many cases, beside a Flask page that does nothing, in one run.

Server time of a whole request through the application, and what a browser transfers for the first visit: the page and
every file of ours that it names, those that come late with the diagrams and the diagrams too. Usage: bench_pages.py [CASES, 1000 if absent]
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from rich.progress import track

from engine import deployments, identity, instances, scenario_files, scenarios, tasklist, user_tasks
from engine.columns import JST
from engine.database import Database
from webapp import create_app
from webapp.__main__ import DEMO_PASSWORD, prepare

SCENARIO = deployments.BUNDLED[0] / "harassment-response" / "scenarios" / "C-11.yaml"
ROUNDS = 30
ASSET = re.compile(r'(?:src|href|data-script|data-style)="(/static/[^"]+)"|data-diagram="([^"]+)"')
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def fill(database: Database, cases: int) -> None:
    """One whole case, and the others waiting for their first or second step, begun one after another."""
    at = datetime.now(JST) - timedelta(days=2)
    whole = scenario_files.read(SCENARIO)
    scenarios.run_on(database, whole, deployments.read_folder(*deployments.BUNDLED))
    contact = whole.answers["contact_record"]
    given = dict(contact[0] if isinstance(contact, list) else contact)
    given = {key: value for key, value in given.items() if not str(value).startswith("=")}
    with database.reading() as session:
        people = [identity.person(session, name) for name in ("handler1", "handler2")]
    for number in track(range(cases - 1), description=f"{cases} cases"):
        actor, now = people[number % 2], at + timedelta(seconds=number)
        given |= {"contact_at": now.isoformat(), "next_contact_at": (now + timedelta(days=1)).isoformat()}
        with database.transaction() as session:
            _, key = instances.start(session, "complaint_intake", {"entry": "contact"}, actor=actor.name, at=now)
            first = tasklist.of_case(session, key)[0]
            if number % 3 == 0:
                user_tasks.complete(session, first.id, given, actor=actor, at=now)


def signed_in(app: Flask, name: str) -> FlaskClient:
    client = app.test_client()
    token = TOKEN.search(client.get("/sign-in").text)
    assert token is not None
    answer = client.post("/sign-in", data={"csrf_token": token[1], "name": name, "password": DEMO_PASSWORD})
    assert answer.status_code == 303, answer.status
    return client


def times(request: Callable[[], object]) -> list[float]:
    """Milliseconds of each round, after one that warms up."""
    request()
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        request()
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)


def transferred(client: FlaskClient, path: str) -> int:
    """Bytes of the page and of every file of ours that it names, as they travel."""
    named = set(ASSET.findall(client.get(path).text))
    answers = [client.get(each, headers=BROWSER) for each in (path, *(file or diagram for file, diagram in named))]
    assert all(answer.status_code == 200 for answer in answers), path
    return sum(len(answer.data) for answer in answers)


def bare() -> FlaskClient:
    app = Flask("bare")
    app.add_url_rule("/", view_func=lambda: "nothing")
    return app.test_client()


def main() -> None:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(f"sqlite:///{Path(folder) / 'pages.db'}", SECRET_KEY="only for this run, and long enough")
        database = app.extensions["mamori"]
        prepare(database, datetime.now(JST))
        fill(database, cases)
        clients = {name: signed_in(app, name) for name in ("handler1", "desk1", "auditor1", "owner1")}
        with database.reading() as session:
            task = tasklist.offered(session, identity.person(session, "handler1"))[0].id
        nothing = bare()
        base = statistics.median(times(lambda: nothing.get("/")))
        print(f"{'':34}{'p50 ms':>8}{'p95 ms':>8}{'ratio':>8}{'KiB':>8}   (a bare Flask page: {base:.2f} ms)")
        for label, name, path in (
            ("inbox of a handler", "handler1", "/"),
            ("inbox, words", "handler1", "/?q=申出"),
            ("case list of the desk", "desk1", "/cases"),
            ("case list, two characters", "desk1", "/cases?q=返品"),
            ("case that has ended", "desk1", "/cases/2026-0001"),
            ("case that waits", "desk1", f"/cases/{datetime.now(JST).year}-{cases // 2:04}"),
            ("task", "handler1", f"/tasks/{task}"),
            ("emergency card", "handler1", "/emergency"),
            ("settings", "handler1", "/settings"),
            ("what has stopped", "desk1", "/incidents"),
            ("overview", "auditor1", "/overview"),
            ("sign-ins and refused attempts", "auditor1", "/record"),
            ("who read a case", "auditor1", "/cases/2026-0001/readings"),
            ("processes", "owner1", "/studio"),
            ("a version of the processes", "owner1", "/studio/versions/1"),
        ):
            client = clients[name]
            spent = times(lambda client=client, path=path: client.get(path, headers=BROWSER))
            p50, p95 = statistics.median(spent), spent[int(len(spent) * 0.95)]
            print(f"{label:34}{p50:8.1f}{p95:8.1f}{p50 / base:8.0f}{transferred(client, path) / 1024:8.1f}")
        database.close()


if __name__ == "__main__":
    main()
