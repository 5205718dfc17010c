"""Contexts (DMN 1.5 table 81)."""

from typing import Final

from engine.feel.builtins.definition import Library
from engine.feel.errors import FeelFault
from engine.feel.values import Value

LIBRARY: Final = Library()


@LIBRARY.declare("get value", "m, key")
def get_value(m: dict[str, Value], key: str) -> Value:
    return m.get(key)


@LIBRARY.declare("get value", "m, keys")
def get_value_along(m: dict[str, Value], keys: list[Value]) -> Value:
    """The value at the end of a path of keys."""
    value: Value = m
    for key in _path(keys):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value


@LIBRARY.declare("get entries", "m")
def get_entries(m: dict[str, Value]) -> Value:
    return [{"key": key, "value": value} for key, value in m.items()]


@LIBRARY.declare("context", "entries")
def context(entries: list[Value]) -> Value:
    """The context of entries with `key` and `value`; null if a key is given twice."""
    result: dict[str, Value] = {}
    for entry in entries:
        if not (isinstance(entry, dict) and "value" in entry and isinstance(key := entry.get("key"), str)):
            raise FeelFault("an entry is a context of a key (a string) and a value")
        if key in result:
            raise FeelFault(f"the key {key!r} is given twice")
        result[key] = entry["value"]
    return result


@LIBRARY.declare("context put", "context, key, value")
def context_put(context: dict[str, Value], key: str, value: Value) -> Value:
    return {**context, key: value}


@LIBRARY.declare("context put", "context, keys, value")
def context_put_along(context: dict[str, Value], keys: list[Value], value: Value) -> Value:
    """The context with the value at the end of a path of keys."""
    first, *rest = _path(keys)
    if not rest:
        return {**context, first: value}
    inner = context.get(first)
    if not isinstance(inner, dict):
        raise FeelFault(f"there is no context at {first!r}")
    return {**context, first: context_put_along(inner, list(rest), value)}


@LIBRARY.declare("context merge", "contexts")
def context_merge(contexts: list[Value]) -> Value:
    """One context with all entries; of two with one key the later holds."""
    result: dict[str, Value] = {}
    for part in contexts:
        if not isinstance(part, dict):
            raise FeelFault("only contexts can be merged")
        result.update(part)
    return result


def _path(keys: list[Value]) -> list[str]:
    path = [key for key in keys if isinstance(key, str)]
    if not keys or len(path) < len(keys) or len(keys) > 100:
        raise FeelFault("a path of keys is a list of 1 to 100 strings")
    return path
