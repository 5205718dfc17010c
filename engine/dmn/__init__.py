"""DMN 1.2 to 1.5: decision models read, compiled once and evaluated with every matched rule on record."""

from engine.dmn.analysis import analyse
from engine.dmn.errors import DecisionFault, DmnError, DmnInvalid, Finding, XmlRefused
from engine.dmn.findings import FindingKind, TableFinding
from engine.dmn.graph import (
    BusinessKnowledge,
    Decision,
    DecisionService,
    Definitions,
    Element,
    InputData,
    Requirement,
)
from engine.dmn.model import Evaluation, MatchedRule, Outcome
from engine.dmn.reader import read
from engine.dmn.tables import Aggregation, DecisionTable, HitPolicy
from engine.dmn.xml import parse_xml

__all__ = [
    "Aggregation",
    "BusinessKnowledge",
    "Decision",
    "DecisionFault",
    "DecisionService",
    "DecisionTable",
    "Definitions",
    "DmnError",
    "DmnInvalid",
    "Element",
    "Evaluation",
    "Finding",
    "FindingKind",
    "HitPolicy",
    "InputData",
    "MatchedRule",
    "Outcome",
    "Requirement",
    "TableFinding",
    "XmlRefused",
    "analyse",
    "parse_xml",
    "read",
]
