"""Every case of the DMN Technology Compatibility Kit has the expected result, except those listed.

The kit lies in the folder that MAMORI_DMN_TCK names, by default beside the repository. `known_failures.toml`
lists, by directory and case, what is out of scope or still wrong; a listed case that passes is an error too.
"""

import os
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from engine import dmn, feel

REPOSITORY = Path(__file__).parents[2]
KIT = Path(os.environ.get("MAMORI_DMN_TCK") or REPOSITORY / "../shared/conformance/dmn-tck").resolve()
if not KIT.is_dir():
    pytest.skip(f"the DMN TCK is not at {KIT}", allow_module_level=True)

KNOWN = Path(__file__).with_name("known_failures.toml")
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TOLERANCE = Decimal("1e-8")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
Result = tuple[str, feel.Value, feel.Value]
TEMPORAL: Mapping[str, Callable[[str], feel.Value]] = {
    "date": feel.parse_date,
    "time": feel.parse_time,
    "dateTime": feel.parse_date_time,
    "duration": feel.parse_duration,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case: passed, failed or errored."""

    level: str
    directory: str
    case: str
    state: str
    detail: str

    @property
    def key(self) -> str:
        return f"{self.level}/{self.directory}/{self.case}"


def environment() -> feel.Environment:
    return feel.Environment(now=NOW)


def value_of(node: etree._Element) -> feel.Value:
    """Return the value that an inputNode, an expected, an item or a component holds."""
    components = {each.get("name", ""): value_of(each) for each in node.iterfind("{*}component")}
    if components:
        return components
    if (listing := node.find("{*}list")) is not None:
        return [value_of(item) for item in listing.iterfind("{*}item")]
    value = node.find("{*}value")
    if value is None or value.get(f"{XSI}nil") == "true":
        return None
    return typed(value.get(f"{XSI}type", "string").rpartition(":")[2], value.text or "")


def typed(kind: str, text: str) -> feel.Value:
    """Return the text as a value of the XML Schema type."""
    if kind in ("decimal", "double", "integer", "int", "long", "float"):
        return Decimal(text.strip())
    if kind == "boolean":
        return text.strip() in ("true", "1")
    return TEMPORAL[kind](text.strip()) if kind in TEMPORAL else text


def same(actual: feel.Value, expected: feel.Value) -> bool:
    """Tell whether the values are equal as the kit compares them: numbers to eight places."""
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        return abs(actual - expected) <= TOLERANCE * max(Decimal(1), abs(expected))
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in expected)
    if type(actual) is not type(expected):
        return False
    return feel.equal(actual, expected) is True


@cache
def model(path: Path) -> dmn.Definitions:
    """Return the compiled model, after the files of its folder that it imports."""
    beside = {each.get("namespace", ""): file for file, each in roots(path.parent).items()}
    imports = roots(path.parent)[path].iterfind("{*}import")
    namespaces = [each.get("namespace", "") for each in imports]
    return dmn.read(path.read_bytes(), {name: model(beside[name]) for name in namespaces}, lenient=True)


@cache
def roots(folder: Path) -> Mapping[Path, etree._Element]:
    return {file: dmn.parse_xml(file.read_bytes()) for file in sorted(folder.glob("*.dmn"))}


def results_of(case: etree._Element, definitions: dmn.Definitions) -> Iterator[Result]:
    """Yield name, actual and expected value of every result of the case."""
    inputs = {each.get("name", ""): value_of(each) for each in case.iterfind("{*}inputNode")}
    service = case.get("invocableName") if case.get("type") == "decisionService" else None
    nodes = list(case.iterfind("{*}resultNode"))
    for node in nodes:
        name = node.get("name", "")
        actual = definitions.evaluate(service or name, inputs, environment()).value
        if service and len(nodes) > 1:
            assert isinstance(actual, dict)
            actual = actual[name]
        expected = node.find("{*}expected")
        yield name, actual, None if expected is None else value_of(expected)


def verdict_of(case: etree._Element, file: Path, model_name: str) -> Verdict:
    state, detail = "passed", ""
    try:
        for name, actual, expected in results_of(case, model(file.parent / model_name)):
            if not same(actual, expected):
                shown = f"{feel.to_text(actual)} for {feel.to_text(expected)}"
                state, detail = "failed", f"{detail}{name}: {shown}; "
    except Exception as fault:  # the table shows what was raised, and the case counts as errored
        state, detail = "errored", f"{type(fault).__name__}: {fault}"
    return Verdict(file.parent.parent.name, file.parent.name, case.get("id", ""), state, detail)


@pytest.fixture(scope="module")
def verdicts() -> tuple[Verdict, ...]:
    """Every case of the kit, run once."""
    found: list[Verdict] = []
    for file in sorted(KIT.glob("*/*/*-test-*.xml")):
        root = dmn.parse_xml(file.read_bytes())
        model_name = root.findtext("{*}modelName", f"{file.parent.name}.dmn").strip()
        found.extend(verdict_of(case, file, model_name) for case in root.iterfind("{*}testCase"))
    return tuple(found)


@pytest.fixture(scope="module")
def known() -> Mapping[str, str]:
    """The listed cases, `level/directory/case`, each with its reason."""
    tables = tomllib.loads(KNOWN.read_text(encoding="utf-8"))
    return {f"{place}/{case}": reason for place, cases in tables.items() for case, reason in cases.items()}


def table(verdicts: tuple[Verdict, ...]) -> str:
    """Return one line per directory and level: passed, failed, errored."""
    counts = Counter((f"{each.level}/{each.directory}", each.state) for each in verdicts)
    counts.update((each.level, each.state) for each in verdicts)
    places = sorted({place for place, _ in counts})
    width = max(map(len, places))
    lines = [f"{'':{width}}  passed  failed errored"]
    for place in places:
        numbers = "".join(f"{counts[place, state]:8}" for state in ("passed", "failed", "errored"))
        lines.append(f"{place:{width}}{numbers}")
    return "\n".join(lines)


def test_every_case_passes_but_for_the_listed_ones(
    verdicts: tuple[Verdict, ...], known: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{table(verdicts)}")

    surprises = [f"{each.key}: {each.state}: {each.detail}" for each in verdicts if each.state != "passed"]

    assert [each for each in surprises if each.split(": ")[0] not in known] == []


def test_no_listed_case_passes(verdicts: tuple[Verdict, ...], known: Mapping[str, str]) -> None:
    passing = {each.key for each in verdicts if each.state == "passed"}

    assert passing & known.keys() == set()


def test_every_listed_case_has_a_reason(known: Mapping[str, str]) -> None:
    assert [case for case, reason in known.items() if not reason.strip()] == []


def test_the_kit_is_not_empty(verdicts: tuple[Verdict, ...]) -> None:
    assert len({each.directory for each in verdicts}) > 50
