"""The analysis of decision tables finds what evaluating every combination finds, and says where it cannot tell."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, product
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import dmn, feel
from engine.dmn import FindingKind, TableFinding

FRAME = '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="f" name="f" namespace="urn:f">{}</definitions>'
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    text: str
    type: str = ""
    declared: str = ""


LEVEL = Column("level", "number", "1, 2, 3")
CHANNEL = Column("channel", "string", '"phone", "visit"')
URGENT = Column("urgent", "boolean")
AMOUNT = Column("amount", "number")


def entries(tag: str, texts: list[str]) -> str:
    return "".join(f"<{tag}><text>{escape(text)}</text></{tag}>" for text in texts)


def model(
    columns: list[Column],
    rows: list[list[str]],
    policy: str = "UNIQUE",
    *,
    results: list[str] | None = None,
    output: str = "",
    before: str = "",
) -> bytes:
    """Return a file with the decision `it`: a table that answers the number of the rule unless told."""
    body = ""
    for column in columns:
        values = f"<inputValues><text>{escape(column.declared)}</text></inputValues>" if column.declared else ""
        reference = f' typeRef="{column.type}"' if column.type else ""
        body += (
            f"<input><inputExpression{reference}><text>{escape(column.text)}</text></inputExpression>{values}</input>"
        )
    body += output or '<output name="rule"/>'
    for row, result in zip(rows, results or [str(number) for number in range(1, len(rows) + 1)], strict=True):
        body += f"<rule>{entries('inputEntry', row)}{entries('outputEntry', [result])}</rule>"
    table = f'<decisionTable hitPolicy="{policy}">{body}</decisionTable>'
    return FRAME.format(f'{before}<decision id="it" name="表">{table}</decision>').encode()


def findings(*args: object, **options: object) -> tuple[TableFinding, ...]:
    return dmn.analyse(dmn.read(model(*args, **options)))  # type: ignore[arg-type]  # passed through as given


def kinds(found: tuple[TableFinding, ...]) -> list[str]:
    return [finding.kind.value for finding in found]


def scope(example: Mapping[str, feel.Value]) -> dict[str, feel.Value]:
    """Return the inputs that a counter-example with paths of at most two names stands for."""
    inputs: dict[str, feel.Value] = {}
    for path, value in example.items():
        head, _, tail = path.partition(".")
        if tail:
            inner = inputs.setdefault(head, {})
            assert isinstance(inner, dict)
            inner[tail] = value
        else:
            inputs[head] = value
    return inputs


def matching(columns: list[Column], rows: list[list[str]]) -> Callable[[Mapping[str, feel.Value]], tuple[int, ...]]:
    """Return the evaluation of the real table that tells which rules match some inputs."""
    definitions = dmn.read(model(columns, rows, "COLLECT"))

    def evaluate(inputs: Mapping[str, feel.Value]) -> tuple[int, ...]:
        outcome = definitions.evaluate("it", inputs, feel.Environment(NOW))
        assert outcome.faults == ()
        return tuple(rule.index for rule in outcome.evaluations[-1].rules)

    return evaluate


def test_a_table_that_covers_every_declared_combination_once_is_clean() -> None:
    rows = [["1", "-", "-"], ["2, 3", '"phone"', "-"], [">= 2", 'not("phone")', "true"], ["[2..3]", '"visit"', "false"]]

    assert findings([LEVEL, CHANNEL, URGENT], rows) == ()


def test_a_gap_is_shown_by_inputs_that_no_rule_covers() -> None:
    columns, rows = [LEVEL, CHANNEL], [["1", "-"], ["2", '"phone"'], ["3", "-"]]

    (gap,) = findings(columns, rows)

    assert gap.kind is FindingKind.GAP
    assert gap.example == {"level": 2, "channel": "visit"}
    assert matching(columns, rows)(gap.example) == ()
    assert gap.message == '表: 当てはまる行がありません(例: level = 2、channel = "visit")。'


def test_gaps_that_lie_together_are_told_as_one() -> None:
    found = findings([LEVEL, CHANNEL], [["1", '"phone"'], ["2", "-"], ["3", '"visit"']], "FIRST")

    told = [(finding.kind.value, finding.example) for finding in found]
    assert told == [
        ("gap", {"level": 3, "channel": "phone"}),
        ("gap", {"level": 1, "channel": "visit"}),
    ]
    assert kinds(findings([LEVEL, CHANNEL], [["1", "-"]], "FIRST")) == ["gap"]


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER", "OUTPUT ORDER"])
def test_policies_that_collect_rules_have_no_gaps_and_no_overlaps(policy: str) -> None:
    assert findings([LEVEL], [["1"], ["<= 2"]], policy) == ()


def test_a_default_output_leaves_no_gap() -> None:
    output = '<output name="rule"><defaultOutputEntry><text>0</text></defaultOutputEntry></output>'

    assert findings([LEVEL], [["1"]], output=output) == ()


def test_an_overlap_under_unique_names_both_rules_and_shows_inputs() -> None:
    columns, rows = [AMOUNT, URGENT], [["< 10", "-"], ["[5..20]", "true"], ["[10..20]", "false"], ["> 20", "-"]]

    (overlap,) = findings(columns, rows)

    assert (overlap.kind, overlap.rules) == (FindingKind.OVERLAP, (1, 2))
    assert matching(columns, rows)(overlap.example) == (1, 2)


def test_rules_of_any_may_overlap_where_their_outputs_are_equal() -> None:
    rows = [["<= 2"], [">= 2"], ["3"]]

    found = findings([LEVEL], rows, "ANY", results=['"a"', '"a"', '"b"'])

    assert [(finding.kind, finding.rules) for finding in found] == [(FindingKind.OVERLAP, (2, 3))]


def test_rules_of_any_with_outputs_that_are_computed_are_not_decided() -> None:
    found = findings([LEVEL], [["<= 2"], [">= 2"]], "ANY", results=["level + 1", "level + 2"])

    assert [(finding.kind, finding.rules) for finding in found] == [(FindingKind.NOT_DECIDED, (1, 2))]


def test_a_rule_that_earlier_ones_always_forestall_never_matches_under_first() -> None:
    found = findings([LEVEL, URGENT], [["1", "-"], ["-", "true"], ["-", "false"], ["3", "-"]], "FIRST")

    (shadowed,) = found
    assert (shadowed.kind, shadowed.rules) == (FindingKind.NEVER_MATCHES, (4, 2, 3))


def test_a_rule_whose_condition_no_value_meets_never_matches() -> None:
    found = findings([AMOUNT], [["> 5"], ["<= 5"], ["(7..7)"]], "FIRST")

    assert [(finding.kind, finding.rules) for finding in found] == [(FindingKind.NEVER_MATCHES, (3,))]


def test_a_value_that_is_not_declared_is_told_with_its_column_and_rules() -> None:
    found = findings([CHANNEL], [['"phone"'], ['"visit"'], ['"fax"']])

    assert kinds(found) == ["outside_declared_values", "never_matches"]
    assert (found[0].rules, found[0].column) == ((3,), 1)
    assert found[0].message == '表: 1 列目の値 "fax" は、使える値("phone", "visit")にありません。'


def test_an_output_that_is_not_declared_or_of_another_type_is_told() -> None:
    output = '<output name="x" typeRef="string"><outputValues><text>"a"</text></outputValues></output>'

    found = findings([URGENT], [["true"], ["false"], ["-"]], "FIRST", results=['"b"', "1", '"a"'], output=output)

    assert kinds(found)[:2] == ["outside_declared_values", "type_error"]
    assert [(finding.rules, finding.column) for finding in found[:2]] == [((1,), 2), ((2,), 2)]


def test_a_constant_of_another_type_than_its_column_is_told() -> None:
    found = findings([AMOUNT], [['"many"'], ["-"]], "FIRST")

    assert kinds(found) == ["type_error", "never_matches"]
    assert (found[0].rules, found[0].column) == ((1,), 1)


def test_a_column_of_another_type_than_the_variable_it_shows_is_told() -> None:
    data = '<inputData id="i" name="amount"><variable name="amount" typeRef="string"/></inputData>'
    source = model([AMOUNT], [["-"]], before=data).replace(
        b"<decisionTable",
        b'<informationRequirement><requiredInput href="#i"/></informationRequirement><decisionTable',
    )

    found = dmn.analyse(dmn.read(source))

    assert ("type_error", 1) in [(finding.kind.value, finding.column) for finding in found]


def test_allowed_values_of_an_item_definition_are_the_declared_values() -> None:
    item = '<itemDefinition name="tLevel"><typeRef>number</typeRef><allowedValues><text>1, 2</text></allowedValues></itemDefinition>'

    assert findings([Column("level", "tLevel")], [["1"], ["2"]], before=item) == ()


def test_a_cell_that_is_not_feel_is_told_where_the_file_was_read_leniently() -> None:
    definitions = dmn.read(model([LEVEL], [["1 +"]]), lenient=True)

    assert kinds(dmn.analyse(definitions)) == ["not_feel"]


@pytest.mark.parametrize("cell", ["> limit", "today()", "count(?) > 1", "? * 2 = 4", "? = limit"])
def test_a_cell_that_does_not_compare_with_constants_is_not_decided(cell: str) -> None:
    columns = [AMOUNT, Column("limit", "number")]

    (finding,) = findings(columns, [[cell, "-"], ["-", "-"]], "FIRST")

    assert (finding.kind, finding.rules, finding.column) == (FindingKind.NOT_DECIDED, (1,), 1)


def test_columns_computed_from_a_common_value_are_not_decided() -> None:
    columns = [AMOUNT, Column("amount * 2", "number")]

    assert kinds(findings(columns, [["< 5", "< 10"], [">= 5", ">= 10"]])) == ["not_decided"]


def test_a_computed_column_is_taken_as_a_value_of_its_own() -> None:
    columns = [Column("count(visits)", "number"), URGENT]

    (gap,) = findings(columns, [["< 3", "-"], [">= 3", "true"]])

    assert gap.kind is FindingKind.GAP
    assert gap.example == {"count(visits)": 3, "urgent": False}


def test_columns_that_ask_the_same_value_are_followed() -> None:
    columns = [Column('if urgent = true then "now" else channel', "string", '"now", "phone", "visit"'), URGENT]

    assert findings(columns, [['"now"', "-"], ['"phone", "visit"', "false"]]) == ()


def test_null_is_a_value_where_a_test_speaks_of_it() -> None:
    column = Column('if level = null then "none" else "some"')

    (gap,) = findings([column], [['"some"']])

    assert gap.example == {"level": None}


def test_the_parts_of_a_value_that_may_be_null_are_followed() -> None:
    column = Column('if found = null then "none" else found.state', "string", '"none", "open"')

    found = findings([column, Column("found.grade", "number", "1, 2")], [['"open"', "-"], ['"none"', "1, 2"]])

    assert [finding.example for finding in found] == [{"found": None}]


def test_lists_are_asked_for_every_combination_of_the_members_that_cells_name() -> None:
    codes = Column("codes")
    rows = [['list contains(?, "A"), list contains(?, "B")'], ['list contains(?, "C")'], ['not(list contains(?, "A"))']]

    (gap,) = findings([codes], rows, "FIRST") or (None,)
    overlaps = findings([codes], rows, "UNIQUE")

    assert gap is None
    assert [finding.rules for finding in overlaps] == [(1, 2), (1, 3), (2, 3)]
    for overlap in overlaps:
        assert set(overlap.rules) <= set(matching([codes], rows)(overlap.example))


def test_a_table_that_needs_too_much_work_is_not_decided() -> None:
    columns = [Column(f"n{number}", "number") for number in range(24)]
    rows = [["-"] * place + [">= 0"] + ["-"] * (23 - place) for place in range(24)]
    rows += [[f"[{row * 7 % 11}..{row * 7 % 11 + place % 3}]" for place in range(24)] for row in range(200)]

    assert kinds(findings(columns, rows, "FIRST"))[-1] == "not_decided"


def test_declared_output_values_that_need_too_much_work_are_not_decided() -> None:
    endless = "<outputValues><text>some n in 1..10**9 satisfies n = -?</text></outputValues>"

    found = findings([URGENT], [["true"], ["false"]], output=f'<output name="rule">{endless}</output>')

    assert kinds(found) == ["not_decided"]


def test_tables_inside_functions_and_contexts_are_analysed() -> None:
    table = (
        "<decisionTable><input><inputExpression><text>n</text></inputExpression></input><output/>"
        "<rule><inputEntry><text>{}</text></inputEntry><outputEntry><text>1</text></outputEntry></rule></decisionTable>"
    )
    knowledge = (
        '<businessKnowledgeModel id="k" name="k"><encapsulatedLogic><formalParameter name="n" typeRef="boolean"/>'
        f"{table.format('true')}</encapsulatedLogic></businessKnowledgeModel>"
    )
    decision = (
        '<decision id="d" name="d"><context><contextEntry><variable name="x"/>'
        f"{table.format('1')}</contextEntry></context></decision>"
    )

    found = dmn.analyse(dmn.read(FRAME.format(decision + knowledge).encode()))

    assert [(finding.kind, finding.decision_id) for finding in found] == [
        (FindingKind.GAP, "d"),
        (FindingKind.GAP, "k"),
    ]
    assert found[1].example == {"n": False}


# Against brute force: every combination of small domains, evaluated by the real table

NUMBERS = ["-", "0", "1, 2", "< 1", ">= 2", "[0..2)", "not(1)", "(1..3]", "null, 2", "? > 0 and ? < 3", "<= 1.5"]
DOMAINS: dict[str, tuple[Column, list[str], list[str]]] = {  # column, cells, a domain finer than the cells
    "number": (AMOUNT, NUMBERS, ["-1", "0", "0.5", "1", "1.2", "1.5", "1.7", "2", "2.5", "3", "4"]),
    "level": (LEVEL, ["-", "1", "2, 3", "< 3", ">= 2", "not(2)", "4"], ["1", "2", "3"]),
    "channel": (CHANNEL, ["-", '"phone"', '"visit"', 'not("phone")', '"visit", "phone"'], ['"phone"', '"visit"']),
    "open": (Column("name", "string"), ["-", '"a"', '"b", "c"', 'not("a", "b")', '< "b"'], ['""', '"a"', '"a0"', '"b"', '"bb"', '"c"', '"d"']),
    "boolean": (URGENT, ["-", "true", "false", "not(true)"], ["true", "false"]),
    "date": (
        Column("day", "date"),
        ["-", '< date("2026-04-01")', '[@"2026-04-01"..@"2026-04-03"]', '@"2026-04-02"', '>= @"2026-04-05"'],
        [f'@"2026-{month:02}-{day:02}"' for month, day in [(3, 1), (4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (5, 1)]],
    ),
    "time": (
        Column("clock", "time"),
        ["-", '< @"09:00:00"', '>= @"17:00:00"', '[@"09:00:00"..@"17:00:00")', 'not(@"12:00:00")'],
        [f'@"{clock}"' for clock in ("08:00:00", "09:00:00", "10:00:00", "12:00:00", "16:59:59", "17:00:00", "18:00:00")],
    ),
    "duration": (
        Column("wait", "days and time duration"),
        ["-", '<= duration("P1D")', '> @"P1D"', '[@"PT1H"..@"P2D"]'],
        [f'@"{wait}"' for wait in ("PT0S", "PT1H", "PT2H", "P1D", "P1DT1H", "P2D", "P3D")],
    ),
    "list": (
        Column("codes"),
        ["-", 'list contains(?, "A")', 'list contains(?, "A"), list contains(?, "B")', 'not(list contains(?, "B"))'],
        ["[]", '["A"]', '["B"]', '["A", "B"]', '["C"]'],
    ),
    "conditional": (
        Column('if grade = null then "unknown" else grade', "string", '"good", "bad", "unknown"'),
        ["-", '"good"', '"bad", "unknown"', 'not("unknown")'],
        ['"good"', '"bad"', '"unknown"', "null"],
    ),
}  # fmt: skip
NAMES = {"conditional": "grade"}


def value_of(text: str) -> feel.Value:
    return feel.parse_expression(text).evaluate({}, feel.Environment(NOW))


@dataclass(frozen=True)
class Case:
    columns: list[Column]
    rows: list[list[str]]
    combinations: list[dict[str, feel.Value]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    chosen = draw(st.lists(st.sampled_from(sorted(DOMAINS)), min_size=1, max_size=3, unique=True))
    row = st.tuples(*(st.sampled_from(DOMAINS[name][1]) for name in chosen)).map(list)
    rows = draw(st.lists(row, min_size=1, max_size=6))
    domains = [list(domain(name, [row[place] for row in rows])) for place, name in enumerate(chosen)]
    names = [NAMES.get(name, DOMAINS[name][0].text) for name in chosen]
    inputs = [dict(zip(names, values, strict=True)) for values in product(*domains)]
    return Case([DOMAINS[name][0] for name in chosen], rows, inputs)


def domain(name: str, cells: list[str]) -> Iterator[feel.Value]:
    yield from map(value_of, DOMAINS[name][2])
    if any("null" in cell for cell in cells):
        yield None


@settings(max_examples=250, deadline=None)
@given(cases())
def test_what_it_finds_is_what_evaluating_every_combination_finds(case: Case) -> None:
    evaluate = matching(case.columns, case.rows)
    matched = [evaluate(inputs) for inputs in case.combinations]
    rules = range(1, len(case.rows) + 1)
    pairs = {pair for each in matched for pair in combinations(each, 2)}

    unique = findings(case.columns, case.rows, "UNIQUE")
    first = findings(case.columns, case.rows, "FIRST")
    collect = findings(case.columns, case.rows, "COLLECT")

    assert FindingKind.NOT_DECIDED not in {finding.kind for finding in (*unique, *first, *collect)}
    gaps = [finding for finding in unique if finding.kind is FindingKind.GAP]
    assert bool(gaps) == (() in matched)
    assert [evaluate(scope(gap.example)) for gap in gaps] == [()] * len(gaps)
    overlaps = [finding for finding in unique if finding.kind is FindingKind.OVERLAP]
    assert {finding.rules for finding in overlaps} == pairs
    assert all(set(overlap.rules) <= set(evaluate(scope(overlap.example))) for overlap in overlaps)
    assert never(collect) == set(rules) - {index for each in matched for index in each}
    assert never(first) == set(rules) - {each[0] for each in matched if each}


def never(found: tuple[TableFinding, ...]) -> set[int]:
    return {finding.rules[0] for finding in found if finding.kind is FindingKind.NEVER_MATCHES}
