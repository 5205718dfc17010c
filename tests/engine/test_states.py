"""States move through one table."""

from __future__ import annotations

import pytest

from engine import states
from engine.errors import IllegalMove
from engine.states import ASSIGNMENTS, TASK_MOVES, EventType, TaskState


def test_a_move_is_an_event() -> None:
    assert states.move(TaskState.CREATED, TaskState.CLAIMED, TASK_MOVES) is EventType.TASK_CLAIMED
    assert states.move(TaskState.CLAIMED, TaskState.CLAIMED, ASSIGNMENTS) is EventType.TASK_ASSIGNED


@pytest.mark.parametrize("closed", [TaskState.COMPLETED, TaskState.CANCELLED])
@pytest.mark.parametrize("new", list(TaskState))
def test_a_closed_task_moves_nowhere(closed: TaskState, new: TaskState) -> None:
    with pytest.raises(IllegalMove) as refused:
        states.move(closed, new, TASK_MOVES)

    assert (refused.value.old, refused.value.new) == (closed, new)
