"""What compiling or advancing a process can tell off."""

from dataclasses import dataclass

from engine.errors import EngineError


class BpmnError(EngineError):
    """The process cannot take this step."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a file that must be mended before the bundle can be deployed; as a warning, looked at."""

    file: str
    element_id: str
    element_name: str
    message: str

    def __str__(self) -> str:
        return f"{self.file} {self.element_name or self.element_id}: {self.message}"


class BundleInvalid(BpmnError):
    """The files cannot be executed as they are; `findings` holds every reason."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


class TokenGone(BpmnError):
    """Nothing waits at this place any more: it was completed or cancelled in the meantime."""

    def __init__(self, token: int) -> None:
        super().__init__(f"{token} は、もう待っていません。")
        self.token = token


class ActorExcluded(BpmnError):
    """This person must not complete the task, because the process excludes them from it."""

    def __init__(self, actor: str) -> None:
        super().__init__(f"{actor} さんは、この作業の担当から外れています。")
        self.actor = actor


class ElementFault(Exception):
    """Inside a step: the element cannot go on. Becomes a `Fault` of the Advance, never escapes."""
