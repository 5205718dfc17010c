"""Forms under test: small ones written in the test, and those of the product."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine import feel, forms

FORMS = Path(__file__).parents[3] / "forms"
PEOPLE = [
    {"label": "担当 一", "value": "handler1", "groups": ["handler"]},
    {"label": "上長 一", "value": "supervisor1", "groups": ["supervisor"]},
    {"label": "上長 二", "value": "supervisor2", "groups": ["supervisor"]},
    {"label": "窓口 一", "value": "desk1", "groups": ["desk"]},
    {"label": "責任者 一", "value": "head1", "groups": ["head"]},
    {"label": "弁護士 一", "value": "lawyer1", "groups": ["lawyer"]},
]


@pytest.fixture
def environment() -> feel.Environment:
    return feel.Environment(datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo")))


@pytest.fixture(scope="session")
def make_form() -> Callable[..., forms.Form]:
    """Reads a form with these components; an id and a label are added where the test leaves them out."""

    def make(*components: dict[str, Any]) -> forms.Form:
        document = {"type": "default", "id": "sample", "components": named(components)}
        return forms.read(json.dumps(document).encode())

    return make


def named(components: Iterable[dict[str, Any]], prefix: str = "") -> list[dict[str, Any]]:
    complete = []
    for number, component in enumerate(components):
        identifier = f"{prefix}{number}"
        component = {"id": identifier, "label": component.get("key", "項目"), **component}
        if "components" in component:
            component["components"] = named(component["components"], f"{identifier}_")
        complete.append(component)
    return complete


@pytest.fixture
def take(environment: feel.Environment) -> Callable[..., dict[str, feel.Value]]:
    """Submits and gives the values taken."""

    def take(
        form: forms.Form,
        submitted: Mapping[str, object],
        prefill: Mapping[str, Any] | None = None,
        actor: str = "head",
        **variables: Any,
    ) -> dict[str, feel.Value]:
        visible = {"people": PEOPLE, "actor": {"name": f"{actor}1", "groups": [actor]}, **variables}
        return forms.submit(
            form,
            submitted,
            prefill={name: feel.from_python(value) for name, value in (prefill or {}).items()},
            variables={name: feel.from_python(value) for name, value in visible.items()},
            environment=environment,
        ).values

    return take


@pytest.fixture
def refuse(take: Callable[..., dict[str, feel.Value]]) -> Callable[..., Mapping[str, str]]:
    """Submits what must be refused and gives the errors by field path."""

    def refuse(form: forms.Form, submitted: Mapping[str, object], **more: Any) -> Mapping[str, str]:
        with pytest.raises(forms.SubmissionRejected) as rejected:
            take(form, submitted, **more)
        return rejected.value.errors

    return refuse


@pytest.fixture(scope="session")
def bundled() -> Mapping[str, forms.Form]:
    """The product's forms by id."""
    read = (forms.read(path.read_bytes()) for path in sorted(FORMS.glob("*.form")))
    return {form.id: form for form in read}
