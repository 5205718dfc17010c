"""A text that tells everything a compiled bundle holds, so that any change at run time shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from types import FunctionType, MethodType, ModuleType
from typing import Any

from engine import bpmn, feel

_ATOMS = (str, bytes, int, float, bool, type(None), type, Enum, FunctionType, MethodType, ModuleType)


def fingerprint(bundle: bpmn.Bundle) -> str:
    """SHA-256 over every attribute, container and expression (by its text) reachable from the bundle."""
    whole = hashlib.sha256()
    for line in lines(bundle):
        whole.update(line.encode() + b"\n")
    return whole.hexdigest()


def lines(value: object) -> list[str]:
    """One line per value, in the order of the walk; a value met again is named by its place in that order."""
    return list(_walk("", value, {}))


def _walk(name: str, value: object, seen: dict[int, tuple[int, object]]) -> Iterator[str]:
    if isinstance(value, _ATOMS):
        yield f"{name}={getattr(value, '__qualname__', None) or repr(value)}"
        return
    if id(value) in seen:
        yield f"{name} is {seen[id(value)][0]}"
        return
    seen[id(value)] = (len(seen), value)  # holding the value keeps its id from being given to another
    yield f"{name}:{type(value).__qualname__}"
    for key, part in _parts(value):
        yield from _walk(f"{name}.{key}", part, seen)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, feel.Expression):
        yield "text", value.text
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield repr(key), part
    elif isinstance(value, AbstractSet):
        yield from ((str(n), part) for n, part in enumerate(sorted(value, key=repr)))
    elif isinstance(value, list | tuple):
        yield from ((str(n), part) for n, part in enumerate(value))
    else:
        yield from _attributes(value)


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    """Attributes of the object in slots and dictionary, and what its classes share that could be changed."""
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                yield name, getattr(value, name)
        for name, shared in vars(kind).items():
            if isinstance(shared, dict | list | set) and not name.startswith("__"):
                yield f"{kind.__qualname__}.{name}", shared
    own: Mapping[str, Any] = getattr(value, "__dict__", {})
    yield from own.items()
