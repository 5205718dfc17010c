"""Decision tables in the words of their file."""

from __future__ import annotations

import pytest

from engine import decision_tables
from engine.decision_tables import Column, Row, Table, Variable

SOURCE = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="http://example.org/d">
  <decision id="price" name="Price">
    <decisionTable hitPolicy="FIRST">
      <input label="Kind"><inputExpression><text> kind </text></inputExpression></input>
      <input><inputExpression><text>age + 1</text></inputExpression></input>
      <output name="amount" label="Amount"/>
      <annotation name="why"/>
      <rule id="r1">
        <description>half</description>
        <inputEntry><text>"child", "pupil"</text></inputEntry>
        <inputEntry><text>&lt; 12</text></inputEntry>
        <outputEntry><text>"low"</text></outputEntry>
        <annotationEntry><text>half</text></annotationEntry>
      </rule>
      <rule id="r2"><inputEntry><text>-</text></inputEntry><inputEntry><text/></inputEntry><outputEntry><text>9</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="other" name="Other"><literalExpression><text>1</text></literalExpression></decision>
</definitions>
"""


def test_a_table_is_read_as_it_is_written_and_an_expression_is_none() -> None:
    assert decision_tables.read(SOURCE) == (
        Table(
            "price",
            "Price",
            "FIRST",
            (Column("Kind", "kind"), Column("age + 1", "age + 1")),
            (Column("Amount", "amount"),),
            (Row(1, "r1", ('"child", "pupil"', "< 12"), ('"low"',), "half"), Row(2, "r2", ("-", ""), ("9",), "")),
        ),
    )


def test_decisions_and_inputs_have_the_name_of_their_variable_and_what_their_author_calls_them() -> None:
    source = SOURCE.replace(b"<literalExpression>", b'<variable name="other_one"/><literalExpression>').replace(
        b'  <decision id="price"', b'  <inputData id="i" name="Kind"/><decision id="price"'
    )

    assert decision_tables.read_variables(source) == (
        Variable("i", "Kind", "Kind"),
        Variable("price", "Price", "Price"),
        Variable("other", "other_one", "Other"),
    )


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("level", "level"),
        ("conduct.max_floor", "max_floor"),
        ('if asked = null then "pending" else asked', "asked"),
        ("warned = true", "warned"),
        ("1 + 2", "1 + 2"),
    ],
)
def test_an_expression_is_about_the_last_variable_that_it_names(expression: str, name: str) -> None:
    assert decision_tables.subject(expression) == name


def test_the_literals_are_what_stands_between_quotes_in_the_cells() -> None:
    (table,) = decision_tables.read(SOURCE)

    assert decision_tables.literals(table) == {"child", "pupil", "low"}
