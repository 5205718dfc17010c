"""What reading or evaluating a decision model can tell off."""

from dataclasses import dataclass


class DmnError(Exception):
    """Everything that engine.dmn raises by itself."""


class XmlRefused(DmnError):
    """The document is not XML that this engine is willing to read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a file that must be mended before it can be deployed."""

    element_id: str
    element_name: str
    message: str

    def __str__(self) -> str:
        return f"{self.element_name or self.element_id}: {self.message}"


class DmnInvalid(DmnError):
    """The file cannot be used as it is; `findings` holds every reason, not only the first."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class DecisionFault(DmnError):
    """A decision cannot be evaluated at all, for example because no decision bears the name."""
