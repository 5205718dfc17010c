"""Decision tables follow their hit policy and name every rule that matched (DMN 1.5, 8.2)."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from xml.sax.saxutils import escape

import pytest

from engine import dmn, feel

Decide = Callable[..., dmn.Outcome]

Rows = list[tuple[list[str], list[str]]]


def cells(tag: str, texts: list[str]) -> str:
    return "".join(f"<{tag}><text>{escape(text)}</text></{tag}>" for text in texts)


def table(inputs: list[str], outputs: list[str], rows: Rows, policy: str, aggregation: str = "") -> str:
    """Return a decision `it` with a table; an output may be written `name=values|default`."""
    columns = "".join(f"<input><inputExpression><text>{text}</text></inputExpression></input>" for text in inputs)
    for output in outputs:
        name, _, rest = output.partition("=")
        values, _, default = rest.partition("|")
        columns += f'<output name="{name}">'
        columns += f"<outputValues><text>{values}</text></outputValues>" if values else ""
        columns += f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
        columns += "</output>"
    for number, (tests, results) in enumerate(rows, start=1):
        entries = cells("inputEntry", tests) + cells("outputEntry", results)
        columns += f'<rule id="r{number}"><description>why {number}</description>{entries}</rule>'
    aggregate = f' aggregation="{aggregation}"' if aggregation else ""
    logic = f'<decisionTable hitPolicy="{policy}"{aggregate}>{columns}</decisionTable>'
    return f'<decision id="it" name="it">{logic}</decision>'


GRADES: Rows = [([">= 10"], ['"low"']), ([">= 20"], ['"high"']), (["[10..15]"], ['"low"'])]
OUTPUT = 'grade="high","low"'


@pytest.mark.parametrize(
    ("policy", "amount", "expected"),
    [
        ("UNIQUE", 16, "low"),
        ("ANY", 12, "low"),
        ("PRIORITY", 25, "high"),
        ("FIRST", 25, "low"),
        ("RULE ORDER", 25, ["low", "high"]),
        ("OUTPUT ORDER", 25, ["high", "low"]),
        ("COLLECT", 25, ["low", "high"]),
        ("UNIQUE", 5, None),
        ("COLLECT", 5, None),
    ],
)
def test_the_hit_policy_says_what_becomes_of_the_matching_rules(
    decide: Decide, policy: str, amount: int, expected: object
) -> None:
    outcome = decide(table(["amount"], [OUTPUT], GRADES, policy), amount=amount)

    assert outcome.value == expected
    assert outcome.faults == ()


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 60), ("MIN", 10), ("MAX", 30), ("COUNT", 3)])
def test_collect_can_aggregate(decide: Decide, aggregation: str, expected: int) -> None:
    rows: Rows = [([">1"], ["10"]), ([">2"], ["20"]), ([">3"], ["30"]), ([">4"], ["40"])]

    outcome = decide(table(["years"], ["bonus"], rows, "COLLECT", aggregation), years=4)

    assert outcome.value == Decimal(expected)


def test_an_aggregate_of_what_is_no_number_is_a_fault(decide: Decide) -> None:
    outcome = decide(table(["n"], ["x"], [(["-"], ["1"]), (["-"], ['"a"'])], "COLLECT", "SUM"), n=1)

    assert outcome.value is None
    assert len(outcome.faults) == 1


def test_overlap_under_unique_is_a_fault_that_names_the_rules(decide: Decide) -> None:
    outcome = decide(table(["amount"], [OUTPUT], GRADES, "UNIQUE"), amount=12)

    assert outcome.value is None
    assert "1 行目、3 行目" in outcome.faults[0]
    assert [rule.index for rule in outcome.evaluations[0].rules] == [1, 3]


def test_different_outputs_under_any_are_a_fault(decide: Decide) -> None:
    outcome = decide(table(["amount"], [OUTPUT], GRADES, "ANY"), amount=25)

    assert outcome.value is None
    assert "ANY" in outcome.faults[0]


def test_true_and_one_are_different_outputs(decide: Decide) -> None:
    outcome = decide(table(["n"], ["x"], [(["-"], ["true"]), (["-"], ["1"])], "ANY"), n=0)

    assert outcome.value is None
    assert len(outcome.faults) == 1


def test_priority_goes_by_the_first_output_column_before_the_second(decide: Decide) -> None:
    rows: Rows = [(["-"], ['"b"', '"x"']), (["-"], ['"a"', '"y"']), (["-"], ['"a"', '"x"'])]

    outcome = decide(table(["n"], ['one="a","b"', 'two="x","y"'], rows, "OUTPUT ORDER"), n=0)

    assert outcome.value == [
        {"one": "a", "two": "x"},
        {"one": "a", "two": "y"},
        {"one": "b", "two": "x"},
    ]


def test_the_default_output_stands_where_no_rule_matches(decide: Decide) -> None:
    outcome = decide(table(["n"], ['x="a","b"|"b"'], [(["1"], ['"a"'])], "UNIQUE"), n=2)

    assert outcome.value == "b"
    assert outcome.evaluations[0].rules == ()


def test_an_output_outside_its_values_is_a_fault(decide: Decide) -> None:
    outcome = decide(table(["n"], ['x="a","b"'], [(["-"], ['"c"'])], "UNIQUE"), n=2)

    assert outcome.value is None
    assert "「" not in outcome.faults[0]
    assert "x の値 c" in outcome.faults[0]


def test_an_input_outside_its_values_is_a_fault_and_null_is_not(decide: Decide) -> None:
    body = """<decision id="it" name="it"><decisionTable>
      <input><inputExpression><text>colour</text></inputExpression>
        <inputValues><text>"red","blue"</text></inputValues></input><output/>
      <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>1</text></outputEntry></rule>
    </decisionTable></decision>"""

    assert decide(body, colour="red").value == 1
    assert decide(body, colour=None).value == 1
    assert decide(body, colour="green").value is None
    assert "green" in decide(body, colour="green").faults[0]


def test_the_record_holds_the_input_values_and_the_rule_that_matched(decide: Decide) -> None:
    outcome = decide(table(["amount"], ["grade"], GRADES, "FIRST"), amount=16)

    (evaluation,) = outcome.evaluations
    assert (evaluation.decision_id, evaluation.decision_name) == ("it", "it")
    assert evaluation.inputs == {"amount": Decimal(16)}
    assert evaluation.value == "low"
    (rule,) = evaluation.rules
    assert (rule.index, rule.rule_id, rule.annotation) == (1, "r1", "why 1")
    assert rule.outputs == {"grade": "low"}


def test_the_description_of_a_rule_comes_before_its_annotation_entries(decide: Decide) -> None:
    body = """<decision id="it" name="it"><decisionTable><input><inputExpression><text>n</text></inputExpression>
      </input><output/><annotation name="source"/><annotation name="note"/><rule><description>d</description>
      <inputEntry><text></text></inputEntry><outputEntry><text>1</text></outputEntry>
      <annotationEntry><text>S03</text></annotationEntry><annotationEntry><text>社内基準</text></annotationEntry>
      </rule></decisionTable></decision>"""

    (rule,) = decide(body, n=1).evaluations[0].rules

    assert rule.annotation == "d"
    (rule,) = decide(body.replace("<description>d</description>", ""), n=1).evaluations[0].rules
    assert rule.annotation == "S03 / 社内基準"


# DT-01 of the domain: actor_is_customer, significant_nuisance, environment_harmed -> determination
DT_01: Rows = [
    (['"yes"', '"yes"', '"yes"'], ['"harassment"']),
    (['"no"', "-", "-"], ['"not_harassment"']),
    (['"yes","unknown"', '"no"', "-"], ['"not_harassment"']),
    (['"yes","unknown"', '"yes","unknown"', '"no"'], ['"not_harassment"']),
    (['"unknown"', '"yes","unknown"', '"yes","unknown"'], ['"pending"']),
    (['"yes"', '"unknown"', '"yes","unknown"'], ['"pending"']),
    (['"yes"', '"yes"', '"unknown"'], ['"pending"']),
]


def determination(elements: tuple[str, ...]) -> str:
    """Three elements make harassment together, each one lacking denies it, a doubt leaves it open."""
    if "no" in elements:
        return "not_harassment"
    return "pending" if "unknown" in elements else "harassment"


def test_dt_01_covers_every_combination_with_one_rule(decide: Decide) -> None:
    names = ["actor_is_customer", "significant_nuisance", "environment_harmed"]
    model = table(names, ["determination"], DT_01, "UNIQUE")

    for elements in product(["yes", "no", "unknown"], repeat=3):
        outcome = decide(model, **dict(zip(names, elements, strict=True)))

        assert outcome.faults == ()
        assert len(outcome.evaluations[0].rules) == 1
        assert outcome.value == determination(elements), elements


# DT-04 of the domain: emergency, health_impact, max_base, crime, prior_warning, repeat_count -> level
DT_04: Rows = [
    (row.split(" | "), [level])
    for row, level in (
        ("true | - | - | - | - | -", "4"),
        ('- | "injury" | - | - | - | -', "4"),
        ("- | - | 4 | - | - | -", "4"),
        ("- | - | - | true | true | -", "4"),
        ("- | - | 3 | - | true | -", "4"),
        ("- | - | 3 | - | - | >=3", "4"),
        ('- | "leave" | 3 | - | - | -', "4"),
        ("- | - | - | true | - | -", "3"),
        ("- | - | 3 | - | - | -", "3"),
        ("- | - | 2 | - | true | -", "3"),
        ("- | - | 2 | - | - | >=3", "3"),
        ('- | "clinic", "leave" | 2 | - | - | -', "3"),
        ("- | - | 2 | - | - | -", "2"),
        ("- | - | 0, 1 | - | true | -", "2"),
        ("- | - | 0, 1 | - | - | >=3", "2"),
        ("- | - | 0, 1 | - | - | -", "1"),
    )
]


def level(emergency: bool, health: str, base: int, crime: bool, warned: bool, repeats: int) -> int:
    """The severity, from the gravest reason down."""
    grave = warned or repeats >= 3
    if emergency or health == "injury" or base == 4 or (crime and warned):
        return 4
    if base == 3 or crime:
        return 4 if base == 3 and (grave or health == "leave") else 3
    if base == 2:
        return 3 if grave or health in ("clinic", "leave") else 2
    return 2 if grave else 1


def test_dt_04_gives_the_level_for_every_combination(read: Callable[..., dmn.Definitions]) -> None:
    names = ["emergency", "health_impact", "max_base", "crime", "prior_warning", "repeat_count"]
    file = read(table(names, ["level"], DT_04, "FIRST"))
    truths, healths = (True, False), ("none", "clinic", "leave", "injury")

    for case in product(truths, healths, range(5), truths, truths, (0, 2, 3)):
        inputs = {name: feel.from_python(value) for name, value in zip(names, case, strict=True)}
        outcome = file.evaluate("it", inputs, feel.Environment(now=datetime(2026, 11, 23, tzinfo=UTC)))

        assert outcome.value == level(*case), case


@pytest.mark.parametrize(("value", "rules"), [(1, [1, 4]), (True, [2, 4]), ("1", [3, 4]), ("a", [4]), (None, [])])
def test_constants_of_different_types_are_different_entries(decide: Decide, value: object, rules: list[int]) -> None:
    rows: Rows = [(["1"], ["1"]), (["true"], ["2"]), (['"1"'], ["3"]), (['1, true, "1", "a"'], ["4"])]

    outcome = decide(table(["x"], ["row"], rows, "COLLECT"), x=value)

    assert [rule.index for rule in outcome.evaluations[-1].rules] == rules
