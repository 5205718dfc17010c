"""What a replay tells of a whole case is in words: no name that only the files know stands in what people read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from pathlib import Path

import lxml.html
import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from ruamel.yaml import YAML

from engine import database, deployments, identity, scenario_files, scenarios
from engine.audit import evidence, evidence_report
from engine.columns import JST
from webapp import create_app
from webapp.__main__ import DEMO_PASSWORD, prepare

BUNDLE = deployments.BUNDLED[0] / "harassment-response"
DECLARED = "harassment-response/bundle.yaml"
PATHS = scenario_files.find([deployments.BUNDLED[0]])
WORD = re.compile(r"[A-Za-z]\w*", re.ASCII)
CODE = re.compile(r"[A-Z]+\d*[A-Z]?|ev\d+")
"""What people call things by: ST-05, V01, CT-03, SNS, 5W1H; and the numbers of evidence."""
FEEL = {"null", "max", "item", "if", "then", "else"}
"""What may stand in the cell of a table whose author calculates."""
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def unsaid(text: str) -> set[str]:
    """The words that only the files know."""
    return {word for word in WORD.findall(text) if not CODE.fullmatch(word)}


@pytest.mark.parametrize(
    "text", ["因: first_response", "結果: improper。", "opened_at = 10:00", "『yes』", "E2: unknown"]
)
def test_a_name_of_the_files_is_found(text: str) -> None:
    assert unsaid(text)


@pytest.mark.parametrize(
    "text", ["V01 殴る・蹴る", "ST-05 苦情レーン", "著しい迷惑行為(E2): はい", "SNS", "5W1H", "ev12"]
)
def test_what_people_call_a_thing_by_is_none(text: str) -> None:
    assert not unsaid(text)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as `make run` prepares it, but for cheap hashes of the password."""
    path = tmp_path_factory.mktemp("company") / "mamori.db"
    prepared = database.connect(f"sqlite:///{path}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        prepare(prepared, datetime.now(JST))
    prepared.close()
    return path


def reader(company: Path, scenario: scenario_files.Scenario, files: Mapping[str, bytes], folder: Path) -> FlaskClient:
    """Who reads every case, signed in where the scenario was played to its end."""
    path = shutil.copy(company, folder / "told.db")
    app = create_app(f"sqlite:///{path}", SECRET_KEY="a fixed key for tests only, long enough")
    scenarios.run_on(app.extensions["mamori"], scenario, files)
    client = app.test_client()
    token = TOKEN.search(client.get("/sign-in").text)
    assert token is not None
    answer = client.post("/sign-in", data={"csrf_token": token[1], "name": "head1", "password": DEMO_PASSWORD})
    assert answer.status_code == 303
    return client


def number(client: FlaskClient) -> str:
    (found,) = set(re.findall(r"/cases/(\d{4}-\d{4})", client.get("/cases").text))
    return str(found)


def told(client: FlaskClient) -> Iterator[str]:
    """Every line of the text twin, and what the script shows of each step."""
    case = number(client)
    for section in lxml.html.fromstring(client.get(f"/cases/{case}/replay/text").text).find_class("retold"):
        yield from (line.text_content() for line in section.iter("h2", "p", "dt", "dd", "li"))
    for step in json.loads(client.get(f"/cases/{case}/replay/steps").text)["steps"]:
        yield from (text for _key, label, text in step["values"] for text in (label, text))
        yield from (lxml.html.fromstring(part).text_content() for part in (step["head"], step["html"]) if part.strip())


def cells(client: FlaskClient) -> Iterator[str]:
    """Every cell of the decision tables that the steps show."""
    found = json.loads(client.get(f"/cases/{number(client)}/replay/steps").text)["tables"]
    for table in found.values():
        yield from (cell.text_content() for cell in lxml.html.fromstring(table).iter("th", "td"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_whole_case_is_told_in_words(path: Path, company: Path, files: Mapping[str, bytes], tmp_path: Path) -> None:
    client = reader(company, scenario_files.read(path), files, tmp_path)

    lines, table_cells = list(told(client)), list(cells(client))

    assert len(lines) > 20
    assert len(table_cells) > 100
    assert {line: words for line in lines if (words := unsaid(line))} == {}
    assert {cell: words for cell in table_cells if (words := unsaid(cell) - FEEL)} == {}


def test_a_report_for_outsiders_says_what_the_names_of_the_files_mean(files: Mapping[str, bytes]) -> None:
    scratch = database.connect("sqlite://")
    scratch.create()
    scenarios.run_on(scratch, scenario_files.read(BUNDLE / "scenarios" / "C-01.yaml"), files)
    with scratch.reading() as session:
        chains = evidence.chains_of(session, "2026-0001")
        report = lxml.html.fromstring(evidence_report.html(session, "2026-0001", chains, [], []))
    scratch.close()
    told = {row[0].text: row[1].text for row in report.iter("tr") if len(row) == 2}

    assert told["申出を受けた人(received_by)"] == "青山 ひかり(handler1)"
    assert "\n会社側の落ち度の見込み: あり\n" in f"{told['接触記録(contact_record)']}\n"
    assert told["入力 期限の種類(event)"] == "終結の記録"
    assert told["入力 態様(means)"] == "相当"
    assert told["入力 始まりの日時(opened_at)"].startswith("2026-")
    assert not [text for text in told.values() if text and text.startswith("{")]


def test_without_its_labels_the_case_is_told_in_names_of_the_files(
    company: Path, files: dict[str, bytes], tmp_path: Path
) -> None:
    said = files[DECLARED].decode()
    bare = said[: said.index("\nlabels:")] + said[said.index("\npeople:") :]
    scenario = scenario_files.read(BUNDLE / "scenarios" / "C-01.yaml")

    client = reader(company, scenario, {**files, DECLARED: bare.encode()}, tmp_path)

    found: set[str] = set().union(*map(unsaid, told(client)))
    assert {"first_response", "proper", "due_reason", "received_by"} <= found


def test_each_label_is_for_something_that_the_files_name(files: Mapping[str, bytes]) -> None:
    sources = [source.decode() for name, source in files.items() if name.endswith((".bpmn", ".dmn", ".form"))]
    named = {word for each in sources for word in re.findall(r"[\w-]+", unescape(each))}

    labels = YAML(typ="safe", pure=True).load(files[DECLARED])["labels"]

    unknown = {name for each in labels for name in (each["name"], *each.get("values", ())) if name not in named}
    assert unknown == set()
