"""Small decision models written by hand, read and evaluated at a fixed time."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from engine import dmn, feel

NAMESPACE = "https://www.omg.org/spec/DMN/20230324/MODEL/"
FRAME = '<definitions xmlns="{namespace}" id="file" name="file" namespace="urn:file">{body}</definitions>'

Read = Callable[..., dmn.Definitions]


@pytest.fixture
def environment() -> feel.Environment:
    return feel.Environment(now=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


@pytest.fixture
def source() -> Callable[..., bytes]:
    """Wrap elements in the definitions of a file."""

    def wrap(body: str, namespace: str = NAMESPACE) -> bytes:
        return FRAME.format(namespace=namespace, body=body).encode()

    return wrap


@pytest.fixture
def read(source: Callable[..., bytes]) -> Read:
    """Read a file of the given elements."""

    def read_body(body: str, **options: object) -> dmn.Definitions:
        return dmn.read(source(body), **options)  # type: ignore[arg-type]  # passed through as given

    return read_body


@pytest.fixture
def decide(read: Read, environment: feel.Environment) -> Callable[..., dmn.Outcome]:
    """Evaluate the decision `it` of a file of the given elements with Python values as inputs."""

    def evaluate(body: str, **inputs: object) -> dmn.Outcome:
        values = {name: feel.from_python(value) for name, value in inputs.items()}
        return read(body).evaluate("it", values, environment)

    return evaluate
