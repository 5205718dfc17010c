"""A graph evaluates what a decision requires, once each, and tells what it did (DMN 1.5, 6 and 10.4)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from engine import dmn, feel

Read = Callable[..., dmn.Definitions]
Decide = Callable[..., dmn.Outcome]


def literal(text: str) -> str:
    return f"<literalExpression><text>{text}</text></literalExpression>"


def requires(*hrefs: str) -> str:
    """Return requirements: `i:` input data, `d:` a decision, `k:` knowledge."""
    kinds = {"i": ("information", "Input"), "d": ("information", "Decision"), "k": ("knowledge", "Knowledge")}
    arrows = ""
    for href in hrefs:
        kind, _, target = href.partition(":")
        outer, inner = kinds[kind]
        arrows += f'<{outer}Requirement><required{inner} href="{target}"/></{outer}Requirement>'
    return arrows


def decision(id_: str, text: str, *hrefs: str, type_ref: str = "Any") -> str:
    variable = f'<variable name="{id_}" typeRef="{type_ref}"/>'
    return f'<decision id="{id_}" name="{id_}">{variable}{requires(*hrefs)}{literal(text)}</decision>'


def input_data(id_: str, type_ref: str = "Any") -> str:
    return f'<inputData id="{id_}" name="{id_}"><variable name="{id_}" typeRef="{type_ref}"/></inputData>'


def knowledge(id_: str, parameters: dict[str, str], text: str, *hrefs: str, type_ref: str = "Any") -> str:
    heads = "".join(f'<formalParameter name="{name}" typeRef="{t}"/>' for name, t in parameters.items())
    logic = f"<encapsulatedLogic>{heads}{literal(text)}</encapsulatedLogic>"
    variable = f'<variable name="{id_}" typeRef="{type_ref}"/>'
    return (
        f'<businessKnowledgeModel id="{id_}" name="{id_}">{variable}{logic}{requires(*hrefs)}</businessKnowledgeModel>'
    )


def test_required_decisions_are_evaluated_first_and_once(decide: Decide) -> None:
    body = (
        decision("it", "left + right", "d:#left", "d:#right")
        + decision("left", "base * 2", "d:#base")
        + decision("right", "base * 3", "d:#base")
        + decision("base", "n + 1", "i:#n")
        + input_data("n", "number")
    )

    outcome = decide(body, n=1)

    assert outcome.value == 10
    assert [each.decision_id for each in outcome.evaluations] == ["base", "left", "right", "it"]
    assert outcome.evaluations[0].inputs == {"n": Decimal(1)}
    assert outcome.evaluations[-1].inputs == {"left": Decimal(4), "right": Decimal(6)}


def test_a_decision_is_found_by_id_and_by_name(read: Read, environment: feel.Environment) -> None:
    file = read(f'<decision id="d1" name="対応方針">{literal("1")}</decision>')

    assert file.evaluate("d1", {}, environment).value == 1
    assert file.evaluate("対応方針", {}, environment).value == 1
    with pytest.raises(dmn.DecisionFault, match="「ない」"):
        file.evaluate("ない", {}, environment)


def test_a_decision_tells_which_input_data_it_rests_on(read: Read) -> None:
    body = decision("it", "a", "d:#a", "i:#n") + decision("a", "m", "i:#m") + "".join(map(input_data, ("n", "m", "x")))

    file = read(body)

    assert set(file.decisions["it"].required_inputs) == {"n", "m"}
    assert file.decisions["it"].output_name == "it"


def test_what_is_not_required_is_not_seen_but_what_is_not_declared_is(decide: Decide) -> None:
    body = decision("it", "[declared, undeclared, missing]") + input_data("declared")

    assert decide(body, declared=1, undeclared=2).value == [None, 2, None]


def test_a_decision_may_read_an_earlier_value_of_its_own_name(decide: Decide) -> None:
    assert decide(decision("it", "it + 1"), it=2).value == 3


@pytest.mark.parametrize(
    ("type_ref", "given", "expected"),
    [
        ("number", 1, 1),
        ("number", "1", None),
        ("number", [1], 1),
        ("string", ["a", "b"], None),
        ("colour", "red", "red"),
        ("colour", "pink", None),
        ("colours", ["red", "blue"], ["red", "blue"]),
        ("colours", ["red", "pink"], None),
        ("colours", "red", ["red"]),
        ("pair", ["red", "red"], None),
        ("pair", ["red", "blue"], ["red", "blue"]),
        ("person", {"name": "花子", "age": 30}, {"name": "花子", "age": 30}),
        ("person", {"name": "花子", "age": None}, {"name": "花子", "age": None}),
        ("person", {"name": "花子"}, None),
        ("person", {"name": "花子", "age": "30"}, None),
        ("tree", {"value": 1, "branches": []}, {"value": 1, "branches": []}),
        (
            "tree",
            {"value": 1, "branches": [{"value": 2, "branches": []}]},
            {"value": 1, "branches": [{"value": 2, "branches": []}]},
        ),
        ("tree", {"value": 1, "branches": [{"value": "2", "branches": []}]}, None),
        ("Any", {"a": [1]}, {"a": [1]}),
        ("number", None, None),
    ],
)
def test_input_data_are_converted_to_their_type_or_null(
    decide: Decide, type_ref: str, given: object, expected: object
) -> None:
    types = """
      <itemDefinition name="colours" isCollection="true"><typeRef>colour</typeRef></itemDefinition>
      <itemDefinition name="colour"><typeRef>string</typeRef>
        <allowedValues><text>"red","blue"</text></allowedValues></itemDefinition>
      <itemDefinition name="pair" isCollection="true"><typeRef>string</typeRef>
        <typeConstraint><text>count(distinct values(?)) = 2</text></typeConstraint></itemDefinition>
      <itemDefinition name="person"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
        <itemComponent name="age"><typeRef>number</typeRef></itemComponent></itemDefinition>
      <itemDefinition name="tree"><itemComponent name="value"><typeRef>number</typeRef></itemComponent>
        <itemComponent name="branches" isCollection="true"><typeRef>tree</typeRef></itemComponent>
      </itemDefinition>"""

    assert decide(types + input_data("x", type_ref) + decision("it", "x", "i:#x"), x=given).value == expected


def test_a_date_becomes_midnight_utc_where_a_date_and_time_is_asked(decide: Decide) -> None:
    body = input_data("x", "dateTime") + decision("it", "string(x)", "i:#x")

    assert decide(body, x=date(2026, 11, 23)).value == "2026-11-23T00:00:00Z"


def test_a_result_of_another_type_is_null_with_a_warning(read: Read, environment: feel.Environment) -> None:
    outcome = read(decision("it", '"a"', type_ref="number")).evaluate("it", {}, environment)

    assert outcome.value is None
    assert "number" in environment.warnings[0]


def test_a_path_reaches_components_whose_names_hold_spaces_and_signs(decide: Decide) -> None:
    body = """<itemDefinition name="t"><itemComponent name="first-name of 顧客"><typeRef>string</typeRef>
      </itemComponent></itemDefinition>""" + input_data("the person", "t")

    body += decision("it", "the person.first-name of 顧客", "i:#the person")

    assert decide(body, **{"the person": {"first-name of 顧客": "太郎"}}).value == "太郎"


def test_instance_of_knows_the_item_definitions_but_not_their_allowed_values(decide: Decide) -> None:
    types = """<itemDefinition name="small"><typeRef>number</typeRef>
      <allowedValues><text>&lt; 10</text></allowedValues></itemDefinition>"""

    assert decide(types + decision("it", '[50 instance of small, "x" instance of small]')).value == [True, False]


def test_business_knowledge_is_a_function_and_may_use_other_knowledge(decide: Decide) -> None:
    body = (
        decision("it", "[twice(n), twice(x: n), twice()]", "k:#twice", "i:#n")
        + knowledge("twice", {"x": "number"}, "add(x, x)", "k:#add")
        + knowledge("add", {"a": "number", "b": "number"}, "a + b")
        + input_data("n")
    )

    assert decide(body, n=4).value == [8, 8, None]


def test_business_knowledge_sees_only_its_parameters_and_requirements(decide: Decide) -> None:
    body = decision("it", "f(1)", "k:#f", "i:#n") + knowledge("f", {"x": "Any"}, "[x, n]") + input_data("n")

    assert decide(body, n=4).value == [1, None]


def test_business_knowledge_may_call_itself_until_the_depth_limit(decide: Decide) -> None:
    factorial = knowledge("f", {"x": "number"}, "if x = 0 then 1 else x * f(x - 1)")
    endless = knowledge("g", {"x": "number"}, "g(x + 1)")

    assert decide(decision("it", "f(10)", "k:#f") + factorial).value == 3628800
    with pytest.raises(feel.FeelLimitExceeded):
        decide(decision("it", "g(0)", "k:#g") + endless)


def test_boxed_invocations_of_itself_end_by_the_depth_limit(decide: Decide) -> None:
    call = f'<invocation>{literal("f")}<binding><parameter name="x"/>{literal("x")}</binding></invocation>'
    for _ in range(12):
        call = f"<list>{call}</list>"
    body = f'<encapsulatedLogic><formalParameter name="x"/>{call}</encapsulatedLogic>'
    body = f'<businessKnowledgeModel id="f" name="f">{body}</businessKnowledgeModel>'

    with pytest.raises(feel.FeelLimitExceeded):
        decide(decision("it", "f(0)", "k:#f") + body)


def test_the_type_of_the_function_converts_its_result(decide: Decide) -> None:
    types = """<itemDefinition name="toNumber"><functionItem outputTypeRef="number">
      <parameters name="x" typeRef="Any"/></functionItem></itemDefinition>"""
    body = types + decision("it", '[f("a"), f([1])]', "k:#f")

    assert decide(body + knowledge("f", {"x": "Any"}, "x", type_ref="toNumber")).value == [None, 1]


SERVICE = (
    '<decisionService id="service" name="service"><variable name="service"/>'
    '<outputDecision href="#sum"/><inputDecision href="#middle"/><inputData href="#n"/></decisionService>'
    + decision("sum", "n + middle", "i:#n", "d:#middle")
    + decision("middle", "n * 100", "i:#n", type_ref="number")
    + input_data("n", "number")
)


def test_a_service_takes_input_data_first_and_does_not_touch_what_is_outside(decide: Decide) -> None:
    body = decision("it", "[service(1, 2), service(middle: 5, n: 1), n, middle]", "k:#service", "i:#n", "d:#middle")

    assert decide(SERVICE + body, n=7).value == [3, 6, 7, 700]


def test_a_service_is_not_invoked_with_an_argument_of_another_type(decide: Decide) -> None:
    body = decision("it", '[service(1, "2"), service(1)]', "k:#service")

    assert decide(SERVICE + body, n=7).value == [None, None]


def test_a_service_is_evaluated_itself_with_its_inputs(read: Read, environment: feel.Environment) -> None:
    inputs: dict[str, feel.Value] = {"n": Decimal(1), "middle": Decimal(2)}

    assert read(SERVICE).evaluate("service", inputs, environment).value == 3


def test_a_service_of_several_decisions_yields_a_context(read: Read, environment: feel.Environment) -> None:
    body = (
        """<decisionService id="s" name="s"><outputDecision href="#a"/><outputDecision href="#b"/>
      </decisionService>"""
        + decision("a", "1")
        + decision("b", "2")
    )

    assert read(body).evaluate("s", {}, environment).value == {"a": 1, "b": 2}


IMPORTED = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" name="base" namespace="urn:base">'
    '<itemDefinition name="level"><typeRef>number</typeRef><allowedValues><text>[0..4]</text></allowedValues>'
    "</itemDefinition>"
    + input_data("base level", "level")
    + decision("next level", "base level + 1", "i:#base level", type_ref="level")
    + knowledge("cap", {"x": "level"}, "min(x, 3)")
    + "</definitions>"
)


@pytest.mark.parametrize("alias", ["基本", ""])
def test_an_imported_file_is_seen_under_the_name_of_the_import(
    read: Read, environment: feel.Environment, alias: str
) -> None:
    base = dmn.read(IMPORTED.encode())
    prefix = alias and f"{alias}."
    body = f'<import name="{alias}" namespace="urn:base" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'
    text = f"[{prefix}next level, {prefix}cap(4), {prefix}cap(9), true instance of {prefix}level]"
    body += decision("it", text, "d:urn:base#next level", "k:urn:base#cap")

    outcome = read(body, imports={"urn:base": base}).evaluate("it", {"base level": Decimal(2)}, environment)

    assert outcome.value == [3, 3, None, False]


def test_a_decision_without_logic_is_null(decide: Decide) -> None:
    assert decide('<decision id="it" name="it"/>').value is None
