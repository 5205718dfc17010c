"""One evaluation in progress: what has been seen so far, told by every boxed expression below it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.dmn.model import Evaluation, MatchedRule
from engine.feel import Environment, Value

Scope = Mapping[str, Value]


@dataclass(slots=True)
class Trace:
    """What the tables inside one decision read and matched."""

    inputs: dict[str, Value] = field(default_factory=dict)
    rules: list[MatchedRule] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """The environment of one evaluation and its growing record."""

    environment: Environment
    evaluations: list[Evaluation] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)

    def fault(self, message: str) -> Value:
        """Record why a value is null where a person must look, and return that null."""
        self.faults.append(message)
        return None

    @contextmanager
    def tracing(self) -> Iterator[Trace]:
        """Collect what tables do until the end of the block apart from the decision around it."""
        outer, self.trace = self.trace, Trace()
        try:
            yield self.trace
        finally:
            self.trace = outer
