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
