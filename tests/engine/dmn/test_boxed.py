"""Boxed expressions mean what the FEEL expressions they stand for mean (DMN 1.5, 7.3 and 10.2)."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine import dmn, feel

Decide = Callable[..., dmn.Outcome]


def literal(text: str) -> str:
    return f"<literalExpression><text>{text}</text></literalExpression>"


def decision(logic: str, type_ref: str = "Any") -> str:
    return f'<decision id="it" name="it"><variable name="it" typeRef="{type_ref}"/>{logic}</decision>'


def entry(name: str, logic: str) -> str:
    return f'<contextEntry><variable name="{name}"/>{logic}</contextEntry>'


def test_a_context_entry_sees_the_entries_before_it(decide: Decide) -> None:
    body = entry("unit price", literal("2")) + entry("合計", literal("unit price * 3"))

    assert decide(decision(f"<context>{body}</context>")).value == {"unit price": 2, "合計": 6}


def test_a_result_entry_is_the_value_of_its_context(decide: Decide) -> None:
    body = entry("a", literal("2")) + f"<contextEntry>{literal('a + 1')}</contextEntry>"

    assert decide(decision(f"<context>{body}</context>")).value == 3


def test_a_list_holds_its_items_in_order(decide: Decide) -> None:
    assert decide(decision(f"<list>{literal('n')}{literal('n * 2')}</list>"), n=4).value == [4, 8]


def test_a_relation_is_a_list_of_contexts(decide: Decide) -> None:
    rows = "".join(f"<row>{literal(a)}{literal(b)}</row>" for a, b in (("1", "2"), ("3", "4")))

    outcome = decide(decision(f'<relation><column name="a"/><column name="b c"/>{rows}</relation>'))

    assert outcome.value == [{"a": 1, "b c": 2}, {"a": 3, "b c": 4}]


def function(parameters: dict[str, str], body: str) -> str:
    heads = "".join(f'<formalParameter name="{name}" typeRef="{t}"/>' for name, t in parameters.items())
    return f"<functionDefinition>{heads}{body}</functionDefinition>"


def calling(definition: str, call: str) -> str:
    return decision(f"<context>{entry('f', definition)}<contextEntry>{call}</contextEntry></context>")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("f(5, 2)", 3),
        ("f(b: 5, a: 2)", -3),
        ("f([5], 2)", 3),  # a list of one stands for its element
        ('f("5", 2)', None),  # an argument of another type: nothing is invoked
        ("f(5)", None),
        ("f(5, 2, 1)", None),
        ("f(a: 5, c: 2)", None),
    ],
)
def test_a_boxed_function_is_called_by_place_or_by_name(decide: Decide, call: str, expected: int | None) -> None:
    definition = function({"a": "number", "b": "number"}, literal("a - b"))

    assert decide(calling(definition, literal(call))).value == expected


def test_a_boxed_function_sees_the_scope_it_stands_in(decide: Decide) -> None:
    assert decide(calling(function({"a": "number"}, literal("a + n")), literal("f(1)")), n=10).value == 11


def test_an_invocation_binds_by_name_and_leaves_the_rest_null(decide: Decide) -> None:
    binding = f'<binding><parameter name="a"/>{literal("7")}</binding>'
    call = f"<invocation>{literal('f')}{binding}</invocation>"

    outcome = decide(calling(function({"a": "number", "b": "number"}, literal("[a, b]")), call))

    assert outcome.value == [7, None]


def test_invoking_what_is_no_function_is_a_fault(decide: Decide) -> None:
    outcome = decide(decision(f"<invocation>{literal('1')}</invocation>"))

    assert outcome.value is None
    assert "関数ではありません" in outcome.faults[0]


@pytest.mark.parametrize(("condition", "expected"), [("true", 1), ("false", 2), ("null", 2), ('"a"', None)])
def test_a_conditional_chooses(decide: Decide, condition: str, expected: int | None) -> None:
    parts = zip(("if", "then", "else"), (condition, "1", "2"), strict=True)
    body = "".join(f"<{tag}>{literal(text)}</{tag}>" for tag, text in parts)

    assert decide(decision(f"<conditional>{body}</conditional>")).value == expected


def test_a_filter_keeps_what_matches_and_sees_the_entries_of_an_item(decide: Decide) -> None:
    items = [{"price": 1}, {"price": 5}, {"price": 9}]
    body = f"<in>{literal('items')}</in><match>{literal('price &gt; 2 and item.price &lt; 9')}</match>"

    assert decide(decision(f"<filter>{body}</filter>"), items=items).value == [{"price": 5}]


@pytest.mark.parametrize(
    ("domain", "match", "expected"),
    [
        ("[4, 5, 6]", "item &gt; 4", [5, 6]),
        ("[4, 5, 6]", "2", 5),
        ("[4, null]", "item &gt; 3", [4]),
        ("4", "item &gt; 3", [4]),
        ("null", "true", []),
        ("[4]", '"yes"', None),
    ],
)
def test_a_filter_is_what_the_filter_of_feel_is(decide: Decide, domain: str, match: str, expected: object) -> None:
    body = f"<in>{literal(domain)}</in><match>{literal(match)}</match>"

    assert decide(decision(f"<filter>{body}</filter>")).value == expected


def iteration(tag: str, source: str, child: str, text: str) -> str:
    body = f"<in>{literal(source)}</in><{child}>{literal(text)}</{child}>"
    return decision(f'<{tag} iteratorVariable="x">{body}</{tag}>')


def test_a_for_returns_one_value_for_each_element_and_sees_what_it_returned_before(decide: Decide) -> None:
    body = "x + sum(concatenate([0], partial))"

    assert decide(iteration("for", "[1, 2, 3]", "return", body)).value == [1, 3, 7]


@pytest.mark.parametrize(
    ("tag", "domain", "condition", "expected"),
    [
        ("some", "[1, 2]", "x &gt; 1", True),
        ("some", "[1, 2]", "x &gt; 2", False),
        ("some", "[]", "true", False),
        ("some", "[1, null]", "x &gt; 1", None),
        ("every", "[1, 2]", "x &gt; 0", True),
        ("every", "[1, 2]", "x &gt; 1", False),
        ("every", "[]", "false", True),
        ("every", "[2, null]", "x &gt; 1", None),
        ("every", "null", "true", None),
    ],
)
def test_quantifiers_follow_three_valued_logic(
    decide: Decide, tag: str, domain: str, condition: str, expected: bool | None
) -> None:
    assert decide(iteration(tag, domain, "satisfies", condition)).value is expected


def test_an_iteration_goes_over_a_range(decide: Decide) -> None:
    assert decide(iteration("for", "[1..3]", "return", "x * 2")).value == [2, 4, 6]


def test_nested_iteration_ends_by_the_work_budget(decide: Decide) -> None:
    inner = literal("for y in 1..1000, z in 1..1000 return y")
    body = f"<in>{literal('for i in 1..1000 return i')}</in><return>{inner}</return>"

    with pytest.raises(feel.FeelLimitExceeded):
        decide(decision(f'<for iteratorVariable="x">{body}</for>'))


def test_a_table_inside_a_context_is_recorded_with_its_decision(decide: Decide) -> None:
    table = """<decisionTable><input><inputExpression><text>n</text></inputExpression></input><output/>
      <rule id="r1"><inputEntry><text>1</text></inputEntry><outputEntry><text>"one"</text></outputEntry></rule>
    </decisionTable>"""

    outcome = decide(decision(f"<context>{entry('word', table)}</context>"), n=1)

    assert outcome.value == {"word": "one"}
    assert [rule.rule_id for rule in outcome.evaluations[0].rules] == ["r1"]
    assert outcome.evaluations[0].inputs == {"n": Decimal(1)}
