"""What reading, filling or submitting a form can tell off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class FormError(Exception):
    """Everything that engine.forms raises by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a form file that must be mended before it can be deployed; `label` is that of the component."""

    component_id: str
    message: str
    label: str = ""

    def __str__(self) -> str:
        called = self.label or self.component_id
        return f"{called}: {self.message}" if called else self.message


class FormInvalid(FormError):
    """The file cannot be used as it is; `findings` holds every reason, not only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class FormFault(FormError):
    """An expression of the form could not be computed for these values (a limit of FEEL was reached)."""


class SubmissionRejected(FormError):
    """Nothing was taken; `errors` says for each field path, such as `items[0].name`, what to do."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("\n".join(f"{path}: {message}" for path, message in errors.items()))
        self.errors = errors


class Unreadable(FormError):
    """A submitted value is not of its field's type; the message says to the person how to write it."""
