"""Decision tables as they are written: columns and rows in the words of the file, for people to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import dmn, tables

_LITERAL = re.compile(r'"([^"\\]*)"')
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NO_VARIABLE = frozenset({"null", "true", "false"})


@dataclass(frozen=True, slots=True)
class Column:
    """`text` is the input's expression, or the output's name."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A rule: its entries in the order of the columns, and what its author remarked. `index` counts from 1."""

    index: int
    id: str
    conditions: tuple[str, ...]
    results: tuple[str, ...]
    remark: str


@dataclass(frozen=True, slots=True)
class Table:
    decision: str
    name: str
    hit_policy: str
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A decision or an input of one: `name` is what expressions call it by, `label` what its author calls it."""

    decision: str
    name: str
    label: str


def of_deployment(session: Session, deployment: int) -> Mapping[str, Table]:
    """Decision id → its table, of every decision of the deployment that has one; the others are expressions."""
    known: dict[int, Mapping[str, Table]] = session.info.setdefault("decision_tables", {})
    if deployment not in known:
        known[deployment] = {table.decision: table for file in _files(session, deployment) for table in read(file)}
    return known[deployment]


def variables(session: Session, deployment: int) -> tuple[Variable, ...]:
    """Every decision and every input of the deployment's decisions."""
    known: dict[int, tuple[Variable, ...]] = session.info.setdefault("decision_variables", {})
    if deployment not in known:
        known[deployment] = tuple(each for file in _files(session, deployment) for each in read_variables(file))
    return known[deployment]


def _files(session: Session, deployment: int) -> Sequence[bytes]:
    file = tables.Resource
    query = select(file.content).where(file.deployment_id == deployment, file.name.endswith(".dmn")).order_by(file.name)
    return session.execute(query).scalars().all()


def literals(table: Table) -> frozenset[str]:
    """The texts between quotes in the cells: what its author wrote, and nobody typed into a form."""
    cells = (cell for row in table.rows for cell in (*row.conditions, *row.results))
    return frozenset(text for cell in cells for text in _LITERAL.findall(cell))


def subject(expression: str) -> str:
    """The last variable that the expression names, of whose values it most likely is one: `y.x`, `if x = null then
    "a" else x`.
    """
    named = [name for name in _NAME.findall(_LITERAL.sub("", expression)) if name not in _NO_VARIABLE]
    return named[-1] if named else expression


@lru_cache(maxsize=64)
def read(source: bytes) -> tuple[Table, ...]:
    """The decision tables of a DMN file that a deployment has accepted."""
    return tuple(_tables(dmn.parse_xml(source)))


@lru_cache(maxsize=64)
def read_variables(source: bytes) -> tuple[Variable, ...]:
    """The decisions and inputs of a DMN file that a deployment has accepted."""
    found = []
    for element in dmn.parse_xml(source).iterchildren("{*}decision", "{*}inputData"):
        label, variable = element.get("name", ""), element.find("{*}variable")
        name = label if variable is None else variable.get("name", label)
        found.append(Variable(element.get("id", ""), name, label))
    return tuple(found)


def _tables(root: etree._Element) -> Iterator[Table]:
    for decision in root.iterchildren("{*}decision"):
        table = decision.find("{*}decisionTable")
        if table is not None:
            yield Table(
                decision.get("id", ""),
                decision.get("name", ""),
                " ".join((table.get("hitPolicy", "UNIQUE"), *table.get("aggregation", "").split())),
                tuple(_input(each) for each in table.iterchildren("{*}input")),
                tuple(_output(each, decision) for each in table.iterchildren("{*}output")),
                tuple(_row(index, each) for index, each in enumerate(table.iterchildren("{*}rule"), start=1)),
            )


def _input(clause: etree._Element) -> Column:
    text = _text(clause.find("{*}inputExpression"))
    return Column(clause.get("label") or text, text)


def _output(clause: etree._Element, decision: etree._Element) -> Column:
    name = clause.get("name") or decision.get("name") or ""
    return Column(clause.get("label") or name, name)


def _row(index: int, rule: etree._Element) -> Row:
    remarks = [_text(each) for each in rule.iterchildren("{*}annotationEntry")]
    remarks += [each.text or "" for each in rule.iterchildren("{*}description")]
    return Row(
        index,
        rule.get("id", ""),
        tuple(_text(each) for each in rule.iterchildren("{*}inputEntry")),
        tuple(_text(each) for each in rule.iterchildren("{*}outputEntry")),
        " ".join(dict.fromkeys(remark for remark in remarks if remark)),
    )


def _text(entry: etree._Element | None) -> str:
    text = None if entry is None else entry.findtext("{*}text")
    return (text or "").strip()
