"""The replay of a case of 5,000 events: server time of its parts, and first paint and steps in a real Chromium.

The case is C-11 of the domain, whose events happen again and again. Usage: bench_replay.py [EVENTS, 5000 if absent]
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select
from waitress import wasyncore
from waitress.server import create_server

from engine import deployments, history, scenario_files, scenarios, tables
from engine.columns import JST
from engine.database import Database
from engine.states import EventType
from webapp import create_app
from webapp.__main__ import DEMO_PASSWORD, prepare

SCENARIO = deployments.BUNDLED[0] / "harassment-response" / "scenarios" / "C-11.yaml"
ROUNDS = 60
FLAGS = "--headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run".split()
STEP = """async (key) => {
    const begun = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const done = performance.now();
    await new Promise((painted) => requestAnimationFrame(() => {
        const after = new MessageChannel();
        after.port1.onmessage = painted;
        after.port2.postMessage(0);
    }));
    return [done - begun, performance.now() - begun];
}"""
"""Milliseconds until the page has changed, and until it is drawn."""


def grow(database: Database, events: int) -> str:
    """The case with its events again until there are so many; gives its number."""
    scenarios.run_on(database, scenario_files.read(SCENARIO), deployments.read_folder(*deployments.BUNDLED))
    event, value = tables.HistoryEvent, tables.HistoryValue
    with database.transaction() as session:
        number = session.execute(select(tables.Case.business_key)).scalar_one()
        rows = session.execute(select(event).where(event.business_key == number).order_by(event.id)).scalars().all()
        values: dict[int, history.Values] = {row.id: history.Values() for row in rows}
        for each in session.execute(select(value).order_by(value.event_id, value.number)).scalars():
            if each.event_id in values:
                values[each.event_id].rows.append((each.kind, each.name, str(each.value)))
        again = itertools.cycle(row for row in rows if row.type is not EventType.INSTANCE_STARTED)
        for row in itertools.islice(again, max(events - len(rows), 0)):
            new = history.NewEvent(
                row.type, row.at, row.actor, row.facts, values[row.id], row.instance_id, number, row.definition
            )
            history.append(session, new)
    return number


def told(label: str, spent: list[float]) -> None:
    ordered = sorted(spent)
    p95 = ordered[int(len(ordered) * 0.95)]
    print(f"{label:34}{statistics.median(ordered):8.1f}{p95:8.1f}{ordered[-1]:8.1f}")


def measure(page: Page, address: str, number: str, events: int) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("[name=name]", "auditor1")
    page.fill("[name=password]", DEMO_PASSWORD)
    page.locator("main button").first.click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    replay = f"{address}/cases/{number}/replay"
    print(f"{'milliseconds':34}{'p50':>8}{'p95':>8}{'max':>8}")
    for label, query in (("first paint, first moment", ""), ("first paint, last moment", f"?step={events}")):
        spent = []
        for _ in range(5):
            page.goto(replay + query)
            page.wait_for_timeout(500)
            spent.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            page.goto("about:blank")
            page.wait_for_timeout(2000)  # what the page had asked for is answered
        told(label, spent)
    begun = time.perf_counter()
    page.goto(replay)
    page.wait_for_selector("#replay[aria-busy]")
    page.wait_for_selector("#replay:not([aria-busy])", timeout=300_000)
    print(f"{'all steps are there':34}{(time.perf_counter() - begun) * 1000:8.0f}")
    for label, keys in (
        ("a step at the begin", ["ArrowRight"] * ROUNDS),
        ("a step at the end", ["End", *["ArrowLeft"] * ROUNDS]),
        ("from one end to the other", ["Home", "End"] * (ROUNDS // 2)),
    ):
        spent = [page.evaluate(STEP, key) for key in keys]
        told(f"{label}: changed", [changed for changed, _ in spent])
        told(f"{label}: drawn", [drawn for _, drawn in spent])


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(f"sqlite:///{Path(folder) / 'replay.db'}", SECRET_KEY="only for this run, and long enough")
        database = app.extensions["mamori"]
        prepare(database, datetime.now(JST))
        number = grow(database, events)
        sockets: dict[int, object] = {}
        server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=4)
        serving = threading.Thread(target=server.run, daemon=True)
        serving.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="ja-JP")
            measure(page, f"http://127.0.0.1:{server.effective_port}", number, events)
            browser.close()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        serving.join()
        database.close()


if __name__ == "__main__":
    main()
