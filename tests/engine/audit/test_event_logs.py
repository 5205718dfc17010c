"""Event logs: every event of a case once, in the forms that process mining reads."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from engine import history
from engine.audit import event_logs
from engine.audit.event_logs import LogEvent
from engine.errors import CaseNotFound

MINING = Path(__file__).parents[3] / ".venv-mining" / "bin" / "python"
"""An environment of its own for pm4py: half a gigabyte, and AGPL."""
NAMES = {"x": "http://www.xes-standard.org/"}
CHILDREN = {
    "log": ["extension", "global", "classifier", "string", "trace"],
    "trace": ["string", "event"],
}
"""The order that the schema of IEEE 1849 demands, of the elements that are used."""


@pytest.fixture
def told(office: Any) -> Any:
    office.start("answer")
    office.start("review", amount=30).later(hours=1)
    office.claim("RV_01_review", by="anna")
    office.complete("RV_01_review", by="anna", verdict="mend", reason="印がない", helper="dora")
    return office


@pytest.fixture
def events(told: Any) -> list[LogEvent]:
    with told.database.reading() as session:
        return event_logs.read(session)


def test_every_event_of_a_case_is_told_once(told: Any, events: list[LogEvent]) -> None:
    with told.database.reading() as session:
        recorded = [e for case in ("2026-0001", "2026-0002") for e in history.of_case(session, case)]
        one = event_logs.read(session, told.case)

    assert [event.event for event in events] == [event.id for event in recorded]
    assert [(event.activity, event.lifecycle, event.resource) for event in one] == [
        ("instance_started", "start", "anna"),
        ("審査する", "assign", "anna"),
        ("審査する", "complete", "anna"),
    ]
    assert [event.time for event in one] == ["2026-11-24T01:00:00.000000Z", *["2026-11-24T02:00:00.000000Z"] * 2]
    assert one[0].process == "review"


def test_an_unknown_case_is_told(told: Any) -> None:
    with told.database.reading() as session, pytest.raises(CaseNotFound):
        event_logs.read(session, "1999-0001")


@pytest.mark.parametrize("form", event_logs.FORMATS)
def test_no_value_that_anybody_entered_is_in_a_log(events: list[LogEvent], form: str) -> None:
    content = event_logs.FORMATS[form](events).decode()

    assert "審査する" in content
    assert "印がない" not in content
    assert "dora" not in content


def test_csv_has_a_line_for_each_event(events: list[LogEvent]) -> None:
    content = event_logs.as_csv(events)
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert content.startswith(b"\xef\xbb\xbf")
    assert len(lines) == len(events) == 4
    assert lines[2]["activity"] == "審査する"
    assert lines[2]["case"] == "2026-0002"
    assert re.fullmatch(r"[0-9a-f]{64}", lines[2]["hash"])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", 'a,"b"\n'])
def test_no_cell_is_a_formula(events: list[LogEvent], name: str) -> None:
    hostile = [LogEvent(**{**{f: getattr(events[0], f) for f in LogEvent.__slots__}, "activity": name})]

    (line,) = csv.DictReader(io.StringIO(event_logs.as_csv(hostile).decode("utf-8-sig"), newline=""))

    assert line["activity"].lstrip("'") == name
    assert line["activity"][0] not in "=+-@\t"


def test_xes_is_in_the_order_and_types_of_the_standard(events: list[LogEvent]) -> None:
    log = etree.fromstring(event_logs.as_xes(events))

    assert (log.tag, log.get("xes.version")) == ("{http://www.xes-standard.org/}log", "1849.2016")
    for element in [log, *log.findall("x:trace", NAMES)]:
        kinds = [etree.QName(child).localname for child in element]
        order = CHILDREN[etree.QName(element).localname]
        assert kinds == sorted(kinds, key=order.index)
    keys = [element.get("key", "") for element in log.iter() if element.get("key") is not None]
    assert [key for key in keys if not re.fullmatch(r"[A-Za-z_:][\w:.-]*", key)] == []
    for whole in log.iterfind(".//x:int", NAMES):
        assert -(2**63) <= int(whole.get("value", "")) < 2**63
    for date in log.iterfind(".//x:date", NAMES):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", date.get("value", ""))
    for holder in log.iterfind(".//x:event", NAMES):
        own = [child.get("key") for child in holder]
        assert len(set(own)) == len(own)
        assert {"concept:name", "time:timestamp", "lifecycle:transition"} <= set(own)
    declared = {extension.get("prefix") for extension in log.findall("x:extension", NAMES)}
    assert {key.partition(":")[0] for key in keys if ":" in key} <= declared
    assert [trace.xpath("count(x:event)", namespaces=NAMES) for trace in log.findall("x:trace", NAMES)] == [1, 3]


def test_ocel_names_only_what_it_declares(events: list[LogEvent]) -> None:
    log = json.loads(event_logs.as_ocel(events))

    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    objects = {found["id"]: found for found in log["objects"]}
    assert len(objects) == len(log["objects"])
    for kinds, found in (("objectTypes", log["objects"]), ("eventTypes", log["events"])):
        declared = {kind["name"]: {a["name"]: a["type"] for a in kind["attributes"]} for kind in log[kinds]}
        for each in found:
            for attribute in each["attributes"]:
                kind = declared[each["type"]][attribute["name"]]
                assert isinstance(attribute["value"], {"string": str, "integer": int}[kind])
            assert {related["objectId"] for related in each["relationships"]} <= objects.keys()
            assert all(related["qualifier"] for related in each["relationships"])
    assert [related["objectId"] for related in log["events"][-1]["relationships"]] == [
        "case 2026-0002",
        "instance 2",
        "task 2",
        "person anna",
    ]
    assert objects["task 2"]["relationships"] == [{"objectId": "instance 2", "qualifier": "part of"}]


READ = """
import sys, json, pm4py
log, ocel = pm4py.read_xes(sys.argv[1]), pm4py.read_ocel2_json(sys.argv[2])
print(json.dumps({
    "traces": {case: list(rows["concept:name"]) for case, rows in log.groupby("case:concept:name")},
    "events": len(ocel.events),
    "types": sorted(pm4py.ocel_get_object_types(ocel)),
    "of": sorted(ocel.relations[ocel.relations["ocel:eid"] == sys.argv[3]]["ocel:oid"]),
}))
"""


@pytest.mark.skipif(not MINING.exists() and "CI" not in os.environ, reason="make .venv-mining/installed brings pm4py")
def test_pm4py_reads_both_back(events: list[LogEvent], tmp_path: Path) -> None:
    (tmp_path / "log.xes").write_bytes(event_logs.as_xes(events))
    (tmp_path / "log.json").write_bytes(event_logs.as_ocel(events))
    command = [MINING, "-c", READ, tmp_path / "log.xes", tmp_path / "log.json", str(events[-1].event)]

    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert told["traces"] == {
        "2026-0001": ["instance_started"],
        "2026-0002": ["instance_started", "審査する", "審査する"],
    }
    assert (told["events"], told["types"]) == (4, ["case", "instance", "person", "task"])
    assert told["of"] == ["case 2026-0002", "instance 2", "person anna", "task 2"]
