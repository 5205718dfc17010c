"""Block-structured processes as trees: every block has one way in and one way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pass:
    """A task without type: passed at once."""

    id: str


@dataclass(frozen=True, slots=True)
class Jump:
    """A throwing link event, and the catching one that it leads to."""

    id: str


@dataclass(frozen=True, slots=True)
class Throw:
    """A signal of this name is thrown."""

    id: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Compensation of everything that was completed in the scope; a task stands directly before."""

    id: str


@dataclass(frozen=True, slots=True)
class Sequence:
    id: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    id: str
    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """True if the variable has this value."""

    variable: str
    value: int


@dataclass(frozen=True, slots=True)
class Path:
    """A block after which the token joins the way out of what the path belongs to, or comes to an end event.

    An error has a `code`; it is thrown by a token that moves alone, because a task stands directly before it.
    """

    id: str
    block: Block
    finish: Literal["merge", "end", "terminate", "error"]
    code: str = ""


@dataclass(frozen=True, slots=True)
class Exclusive:
    id: str
    choices: tuple[tuple[Condition, Path], ...]
    default: Path


@dataclass(frozen=True, slots=True)
class Inclusive:
    """Every branch whose condition is true; the default, which is the last, if none is."""

    id: str
    conditions: tuple[Condition, ...]
    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """The body, again while the condition is true."""

    id: str
    body: Block
    again: Condition


@dataclass(frozen=True, slots=True)
class Event:
    """A message or signal brings a value for `variable`; a timer happens once, a cycle `times` times.

    A condition happens when `variable` becomes `value`; an error is caught if it has this `code`, or any if that is
    empty.
    """

    id: str
    kind: Literal["message", "signal", "timer", "cycle", "condition", "error"]
    variable: str = ""
    times: int = 1
    value: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Catch:
    id: str
    event: Event


@dataclass(frozen=True, slots=True)
class EventChoice:
    """An event-based gateway."""

    id: str
    choices: tuple[tuple[Event, Path], ...]


@dataclass(frozen=True, slots=True)
class Boundary:
    event: Event
    interrupting: bool
    path: Path


@dataclass(frozen=True, slots=True)
class MultiInstance:
    """One instance per item; whole when `enough` have completed or `until` is true after one of them."""

    sequential: bool
    items: tuple[int, ...]
    output: tuple[str, str] | None = None
    """The output collection, and the variable that each instance adds to it."""
    enough: int | None = None
    until: Condition | None = None


@dataclass(frozen=True, slots=True)
class StandardLoop:
    """Again while `again` holds (always, if it is None), but not more than `maximum` times."""

    before: bool
    maximum: int
    again: Condition | None


Repetition = MultiInstance | StandardLoop


@dataclass(frozen=True, slots=True)
class Task:
    """A user task. Its one answer goes to the variable `writes`, or as a context to `form` if that is None."""

    id: str
    writes: str | None = None
    boundaries: tuple[Boundary, ...] = ()
    loop: Repetition | None = None
    undone_by: Task | None = None


@dataclass(frozen=True, slots=True)
class Subprocess:
    """`local` has its own value in here, taken from outside; `gives` (source, target) is its output mapping."""

    id: str
    body: Block
    local: str | None = None
    gives: tuple[str, str] | None = None
    boundaries: tuple[Boundary, ...] = ()
    loop: Repetition | None = None
    undone_by: Task | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Inputs and outputs are (source, target) pairs; None lets every variable through."""

    id: str
    process: str
    inputs: tuple[tuple[str, str], ...] | None = None
    outputs: tuple[tuple[str, str], ...] | None = None
    boundaries: tuple[Boundary, ...] = ()
    loop: Repetition | None = None


@dataclass(frozen=True, slots=True)
class EventSubprocess:
    id: str
    event: Event
    interrupting: bool
    body: Block


@dataclass(frozen=True, slots=True)
class Guarded:
    """The whole of a process or subprocess that has event subprocesses."""

    id: str
    block: Block
    events: tuple[EventSubprocess, ...]


Activity = Task | Subprocess | Call
Leaf = Pass | Jump | Throw | Undo
Block = Leaf | Sequence | Parallel | Exclusive | Inclusive | Loop | Catch | EventChoice | Activity | Guarded
Processes = dict[str, Block]
FORM = "form"


def inner(block: Block) -> list[tuple[Block, Block | Path, int]]:
    """The blocks directly inside `block`, each with what it belongs to and its index there."""
    paths: list[Path] = []
    match block:
        case Sequence(blocks=blocks) | Parallel(branches=blocks) | Inclusive(branches=blocks):
            return [(child, block, index) for index, child in enumerate(blocks)]
        case Loop(body=body) | Guarded(block=body):
            return [(body, block, 0)]
        case Exclusive(choices=choices, default=default):
            paths = [*(path for _, path in choices), default]
        case EventChoice(choices=events):
            paths = [path for _, path in events]
        case Task() | Subprocess() | Call():
            paths = [boundary.path for boundary in block.boundaries]
    return [(path.block, path, 0) for path in paths]
