"""The built-in functions of DMN 1.5 (clause 10.3.4), by name."""

from typing import Final

from engine.feel.builtins import contexts, conversion, lists, numeric, ranges, strings, temporal
from engine.feel.builtins.definition import BuiltIn

FUNCTIONS: Final[dict[str, BuiltIn]] = {}
for _module in (contexts, conversion, lists, numeric, ranges, strings, temporal):
    FUNCTIONS.update(_module.LIBRARY.functions)
