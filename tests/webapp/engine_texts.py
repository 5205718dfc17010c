"""What the engine's code can say: every text with Japanese in it, with its places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import engine

JAPANESE = re.compile(r"[\u300c\u3041-\u30fa\u30fc-\u30ff\u3400-\u9fff]")
FOLDER = Path(engine.__file__).parent
NOT_ON_PAGES = {
    "cli.py": "the command line keeps its language",
    "audit_cli.py": "the command line keeps its language",
    "incidents_cli.py": "the command line keeps its language",
    "terminal.py": "the command line keeps its language",
    "audit/checkpoint_delivery.py": "set-up and mail of who runs the server",
    "audit/checkpoint_keys.py": "set-up of who runs the server",
    "audit/checkpoints.py": "set-up of who runs the server, and the proofs",
    "audit/evidence.py": "the evidence package is a Japanese document",
    "audit/evidence_report.py": "the evidence package is a Japanese document",
    "audit/displacements.py": "the proofs are told on the command line",
    "audit/findings.py": "the proofs are told on the command line",
    "audit/restores.py": "the command line keeps its language",
    "audit/seals.py": "the proofs are told on the command line",
    "audit/verification.py": "the proofs are told on the command line",
    "audit/verify_evidence.py": "the evidence package is a Japanese document",
    "dmn/representatives.py": "example values, in the words of Japanese tables",
    "mail.py": "mail is in both languages",
}
"""Files whose texts no page shows, and why."""


def texts() -> Iterator[str]:
    """Each text as the catalogue writes it: f-strings with numbered places, templates with named ones."""
    for path in sorted(FOLDER.rglob("*.py")):
        if path.relative_to(FOLDER).as_posix() not in NOT_ON_PAGES:
            yield from _texts(ast.parse(path.read_text()))


def _texts(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):
            numbers = iter(range(len(child.values)))
            parts = [
                str(each.value) if isinstance(each, ast.Constant) else f"{{{next(numbers)}}}" for each in child.values
            ]
            if JAPANESE.search("".join(parts)):
                yield "".join(parts)
            for each in child.values:
                yield from _texts(each) if isinstance(each, ast.FormattedValue) else ()
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and JAPANESE.search(child.value):
            yield child.value.replace("{{", "{").replace("}}", "}")
        else:
            yield from _texts(child)


# FEEL, which speaks English -------------------------------------------------------------------------------

SAYING = {"FeelFault", "FeelLimitExceeded", "FeelSyntaxError", "warn", "_unexpected", "syntax_error"}
SAID_LATER = {"expected", "found", "message"}
"""Variables of what a syntax error says in its places."""
TYPES = {
    *("Null", "boolean", "number", "string", "date", "time", "date and time", "days and time duration"),
    *("years and months duration", "range", "list", "context", "function"),
}
PREFIXED = "{0}: {1}"
"""The name of a built-in function before what it says."""


def feel_texts() -> set[str]:
    """What a fault, a limit or a warning of FEEL can say; in its places also the names of types, and a choice."""
    said = {"{0} or {1}", *TYPES, "line {0}, column {1}: {2}; expected {3}"}
    for path in sorted((FOLDER / "feel").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in SAYING:
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    said.update(_english(argument))
            elif isinstance(node, ast.Assign) and {getattr(target, "id", "") for target in node.targets} & SAID_LATER:
                said.update(_english(node.value))
    return said - {PREFIXED}


def _english(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_english(node.body), *_english(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        numbers = iter(range(len(node.values)))
        parts = [str(each.value) if isinstance(each, ast.Constant) else f"{{{next(numbers)}}}" for each in node.values]
        if any(isinstance(each, ast.Constant) and len(str(each.value)) > 1 for each in node.values):
            yield "".join(parts)
        for each in node.values:
            yield from _english(each.value) if isinstance(each, ast.FormattedValue) else ()
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from _english(each)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 1:
        yield node.value
