from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import pytest

from engine import feel

TOKYO = timezone(timedelta(hours=9))
NOW = datetime(2026, 4, 1, 9, 30, tzinfo=TOKYO)


@pytest.fixture
def environment() -> feel.Environment:
    return feel.Environment(NOW)


@pytest.fixture
def text_of(environment: feel.Environment) -> Callable[..., str]:
    """Evaluates an expression and writes its value as FEEL's `string()` does."""

    def evaluate(expression: str, variables: Mapping[str, object] | None = None) -> str:
        values = {name: feel.from_python(value) for name, value in (variables or {}).items()}
        return feel.to_text(feel.parse_expression(expression, values).evaluate(values, environment))

    return evaluate
