"""The web application reaches into the engine by its public names alone, and each public name is of use to it."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPEN = ("engine", "engine.audit", "engine.studio")  # packages that name modules; inside a named module all is open


def _imported() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "webapp").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "engine":
                path = (node.module or "").split(".")
                if node.module in OPEN:
                    yield from ((str(node.module), name.name) for name in node.names)
                yield from (
                    (".".join(path[:depth]), path[depth])
                    for depth in range(1, len(path))
                    if ".".join(path[:depth]) in OPEN
                )
            elif isinstance(node, ast.Import):
                assert not [name.name for name in node.names if name.name.split(".")[0] == "engine"], file


def test_the_web_application_imports_the_public_names_and_no_others() -> None:
    public = {(package, name) for package in OPEN for name in importlib.import_module(package).__all__}
    assert set(_imported()) == public
