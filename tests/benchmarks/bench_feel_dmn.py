"""How long FEEL and DMN take, in microseconds and as multiples of hand-written Python; run it as a program.

It prints what it measures and asserts nothing about time; it only makes sure that both sides answer alike.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from time import process_time
from timeit import Timer
from typing import Any, cast
from xml.sax.saxutils import escape

from engine import dmn, feel
from engine.dmn import DecisionTable
from engine.dmn.boxed import Boxed
from engine.dmn.run import Run
from engine.feel import Value

Scope = dict[str, Any]

JUDGEMENT = Path(__file__).parents[2] / "processes/harassment-response/judgement.dmn"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=9)))
ROUNDS = 20  # of which the fastest counts
ROUND = 0.02  # seconds


@dataclass(frozen=True)
class Case:
    """The same work done by the engine, by plain Python, and perhaps by another engine."""

    name: str
    ours: Callable[[], object]
    python: Callable[[], object]
    other: Callable[[], object] | None = None


def microseconds(*calls: Callable[[], object]) -> list[float]:
    """Return the processor time of one call of each: the fastest of some rounds, taken in turns."""
    timers = [Timer(call, timer=process_time) for call in calls]
    numbers = [max(5, int(ROUND * 10 / (timer.timeit(10) + 1e-9))) for timer in timers]
    rounds = [
        [timer.timeit(number) / number for timer, number in zip(timers, numbers, strict=True)] for _ in range(ROUNDS)
    ]
    return [min(times) * 1e6 for times in zip(*rounds, strict=True)]


def _plain(value: Value) -> object:
    """Return the value as Python itself would have it."""
    match value:
        case Decimal():
            return int(value)
        case feel.Date():
            return value.to_python()
        case dict():
            return {name: _plain(each) for name, each in value.items()}
    return value


def bkflow_feel() -> Callable[[str, dict[str, object]], object] | None:
    """Return the evaluation of bkflow-feel, which parses each time; None where it is not installed."""
    try:
        from bkflow_feel.api import parse_expression  # type: ignore[import-not-found]  # not needed to run
    except ImportError:
        return None
    logging.getLogger("bkflow_feel").setLevel(logging.CRITICAL)
    return cast(Callable[[str, dict[str, object]], object], parse_expression)


def _answers(call: Callable[[], object], expected: object) -> bool:
    try:
        return call() == expected
    except Exception:  # whatever it raises for what it does not know
        return False


def environment_for_rounds() -> feel.Environment:
    """An environment whose budget, meant for one evaluation, lasts for as many as a fast machine times."""
    environment = feel.Environment(NOW)
    environment._steps = 10**12
    return environment


# FEEL against lambdas

VARIABLES: Scope = {
    "a": Decimal(12),
    "b": Decimal(30),
    "channel": "phone",
    "level": Decimal(3),
    "urgent": False,
    "conduct": {"level": Decimal(3)},
    "codes": ["V01", "M02", "X03"],
    "due": feel.Date(2026, 11, 30),
}
EXPRESSIONS: list[tuple[str, Callable[[Scope], object]]] = [
    ("a > 10", lambda v: v["a"] > 10),
    ("a + b * 2 - 1", lambda v: v["a"] + v["b"] * 2 - 1),
    ('level >= 3 and channel = "phone"', lambda v: v["level"] >= 3 and v["channel"] == "phone"),
    ("conduct.level in [2..4]", lambda v: 2 <= v["conduct"]["level"] <= 4),
    ("if urgent then 1 else level", lambda v: 1 if v["urgent"] else v["level"]),
    ('list contains(codes, "M02")', lambda v: "M02" in v["codes"]),
    ("sum(for n in [1, 2, 3, 4] return n * a)", lambda v: sum(n * v["a"] for n in (1, 2, 3, 4))),
    ('some c in codes satisfies c = "X03"', lambda v: any(c == "X03" for c in v["codes"])),
    ('due < date("2026-12-01")', lambda v: v["due"] < feel.Date(2026, 12, 1)),
]  # fmt: skip


def expression_cases() -> Iterator[Case]:
    bkflow = bkflow_feel()
    environment = environment_for_rounds()
    for text, function in EXPRESSIONS:
        expression = feel.parse_expression(text)
        plain = {name: _plain(value) for name, value in VARIABLES.items()}
        other = bkflow and partial(bkflow, text, plain)
        yield Case(
            text,
            partial(expression.evaluate, VARIABLES, environment),
            partial(function, VARIABLES),
            other if other and _answers(other, _plain(expression.evaluate(VARIABLES, environment))) else None,
        )
    host = feel.parse_expression("level")
    yield Case(
        "one expression with an environment of its own",
        lambda: host.evaluate(VARIABLES, feel.Environment(NOW)),
        lambda: VARIABLES["level"],
    )


# Decision tables against ifs


def decision_case(name: str, logic: Boxed, scopes: list[Scope], python: Callable[[Scope], object]) -> Case:
    """Return the case of one decision in each scope, without the decisions it requires."""
    environment = environment_for_rounds()

    def ours() -> list[object]:
        return [logic.evaluate(scope, Run(environment)) for scope in scopes]

    def by_hand() -> list[object]:
        return [python(scope) for scope in scopes]

    return Case(f"{name}, {len(scopes)} evaluations", ours, by_hand)


def level_by_hand(v: Scope) -> object:
    """DT-04 as one would write it in Python."""
    conduct, health = v["conduct"], v["health_impact"]
    base, crime = conduct["max_base"], conduct["crime_suspected"]
    if v["determined"]["determination"] == "not_harassment":
        return 0
    if conduct["emergency"] or health == "injury" or base == 4:
        return 4
    if (crime and v["prior_warning"]) or (base == 3 and (v["prior_warning"] or v["repeat_count"] >= 3)):
        return 4
    if base == 3 and health == "leave":
        return 4
    if crime or base == 3:
        return 3
    if base == 2:
        return 3 if v["prior_warning"] or v["repeat_count"] >= 3 or health in ("clinic", "leave") else 2
    return 2 if v["prior_warning"] or v["repeat_count"] >= 3 else 1


def level_scopes() -> list[Scope]:
    return [
        {
            "determined": {"determination": "harassment"},
            "conduct": {"emergency": False, "max_base": Decimal(base), "crime_suspected": crime},
            "health_impact": health,
            "prior_warning": warned,
            "repeat_count": Decimal(count),
        }
        for base, crime, health, warned, count in product(
            (1, 2, 3, 4), (False, True), ("none", "leave"), (False, True), (0, 3)
        )
    ]


def catalogue_case(logic: DecisionTable) -> Case:
    """Return the catalogue of conduct for three codes against an `if` for each of its rows."""
    scope: Scope = {"codes": ["V03", "M02", "X03"], "health_impact": "none"}
    environment = feel.Environment(NOW)
    codes: list[Value] = [rule.cells[0].text.split('"')[1] for rule in logic.rules]
    rows = logic.evaluate({**scope, "codes": codes}, Run(environment))
    assert isinstance(rows, list)
    table = list(zip(codes, rows, strict=True))

    def by_hand(v: Scope) -> object:
        given = v["codes"]
        return [row for code, row in table if code in given]

    return decision_case(f"conduct catalogue, {len(table)} rules", logic, [scope], by_hand)


CHANNELS = ("phone", "visit", "email", "sns", "counter")


def large_table() -> bytes:
    """Return a table of 40 rules and 6 inputs: for each channel, eight rules that exclude each other."""
    names = [("channel", "string"), ("level", "number"), ("urgent", "boolean"), ("amount", "number")]
    names += [("repeated", "number"), ("region", "string")]
    body = "".join(
        f'<input><inputExpression typeRef="{t}"><text>{n}</text></inputExpression></input>' for n, t in names
    )
    body += '<output name="fee" typeRef="number"/>'
    for place, channel in enumerate(CHANNELS):
        rows = [
            ["< 2", "true", "-", "-", "-"],
            ["< 2", "false", ">= 100", "-", "-"],
            ["< 2", "false", "< 100", "-", '"east", "west"'],
            ["< 2", "false", "< 100", "-", 'not("east", "west")'],
            ["[2..4]", "-", "-", ">= 3", "-"],
            ["[2..4]", "-", "[50..100)", "< 3", "-"],
            ["[2..4]", "-", "< 50, >= 100", "< 3", "-"],
            ["> 4", "-", "-", "-", "-"],
        ]
        for number, row in enumerate(rows, start=1):
            cells = [f'"{channel}"', *row]
            tests = "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells)
            body += f"<rule>{tests}<outputEntry><text>{place * 10 + number}</text></outputEntry></rule>"
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">'
        f'<decision id="fee" name="fee"><decisionTable>{body}</decisionTable></decision></definitions>'
    ).encode()


def fee_by_hand(v: Scope) -> object:
    """The large table as one would write it in Python."""
    level, amount = v["level"], v["amount"]
    fee = CHANNELS.index(v["channel"]) * 10
    if level < 2:
        if v["urgent"]:
            return fee + 1
        if amount >= 100:
            return fee + 2
        return fee + (3 if v["region"] in ("east", "west") else 4)
    if level <= 4:
        if v["repeated"] >= 3:
            return fee + 5
        return fee + (6 if 50 <= amount < 100 else 7)
    return fee + 8


def fee_by_rules(v: Scope) -> object:
    """The large table as a chain of its 40 rules, each an `if` of its own, as tables are often transcribed."""
    channel, level, urgent, amount = v["channel"], v["level"], v["urgent"], v["amount"]
    repeated, region = v["repeated"], v["region"]
    for place, name in enumerate(CHANNELS):
        fee = place * 10
        if channel == name and level < 2 and urgent:
            return fee + 1
        if channel == name and level < 2 and not urgent and amount >= 100:
            return fee + 2
        if channel == name and level < 2 and not urgent and amount < 100 and region in ("east", "west"):
            return fee + 3
        if channel == name and level < 2 and not urgent and amount < 100 and region not in ("east", "west"):
            return fee + 4
        if channel == name and 2 <= level <= 4 and repeated >= 3:
            return fee + 5
        if channel == name and 2 <= level <= 4 and repeated < 3 and 50 <= amount < 100:
            return fee + 6
        if channel == name and 2 <= level <= 4 and repeated < 3 and not 50 <= amount < 100:
            return fee + 7
        if channel == name and level > 4:
            return fee + 8
    return None


def fee_scopes() -> list[Scope]:
    return [
        {
            "channel": channel,
            "level": Decimal(level),
            "urgent": urgent,
            "amount": Decimal(amount),
            "repeated": Decimal(repeated),
            "region": region,
        }
        for channel, level, urgent, amount, repeated, region in product(
            CHANNELS, (1, 3, 5), (False, True), (60, 100), (1, 3), ("east", "north")
        )
    ]


def table_cases() -> Iterator[Case]:
    judgement = dmn.read(JUDGEMENT.read_bytes())
    catalogue, level = (judgement.decisions[id_].logic for id_ in ("DT_00_catalogue", "DT_04_level"))
    assert isinstance(catalogue, DecisionTable)
    assert level is not None
    yield catalogue_case(catalogue)
    yield decision_case("DT-04, 17 rules, 7 inputs", level, level_scopes(), level_by_hand)
    fee = dmn.read(large_table()).decisions["fee"].logic
    assert fee is not None
    yield decision_case("40 rules, 6 inputs, against a tree of ifs", fee, fee_scopes(), fee_by_hand)
    yield decision_case("40 rules, 6 inputs, against an if for each rule", fee, fee_scopes(), fee_by_rules)


def show(title: str, cases: Iterator[Case]) -> None:
    print(f"\n{title:<64}{'µs':>10}{'Python µs':>12}{'ratio':>8}{'bkflow-feel µs':>16}")
    for case in cases:
        assert case.ours() == case.python(), case.name
        ours, python, *others = microseconds(*filter(None, (case.ours, case.python, case.other)))
        other = "".join(f"{each:>16.1f}" for each in others)
        print(f"{case.name:<64}{ours:>10.2f}{python:>12.3f}{ours / python:>8.1f}{other}")


if __name__ == "__main__":
    show("FEEL against lambdas", expression_cases())
    show("Decision tables against ifs", table_cases())
