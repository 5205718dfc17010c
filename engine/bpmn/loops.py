"""How often an activity is done: once per item of a collection, or while a condition holds.

BPMN 2.0, clause 13.3.6 and 13.3.7. One token, the body, stands for the whole; each instance is a token of its own
beside it. The body holds `items` (none in a standard loop) and how many instances have `completed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import feel
from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import Expression, Variables, shown
from engine.bpmn.scopes import Token, Values, visible

if TYPE_CHECKING:
    from engine.bpmn.step import Step

COUNTER = "loopCounter"
"""Local of each instance: which one it is, from 1."""


@dataclass(frozen=True, slots=True)
class MultiInstance:
    """`zeebe:loopCharacteristics`: one instance of the activity per item of a collection."""

    sequential: bool
    collection: Expression
    element: str | None
    output_collection: str | None
    output_element: Expression | None
    completion: Expression | None

    def begin(self, body: Token, step: Step) -> int:
        """How many instances begin at once."""
        items = self.collection.evaluate(visible(body), step.environment)
        if not isinstance(items, list):
            raise ElementFault(f"{self.collection.text} がリストになりません({shown(items)})。")
        body.internal_data.update(items=items, completed=0)
        if self.output_collection:
            body.result[self.output_collection] = [None] * len(items)
        return min(1, len(items)) if self.sequential else len(items)

    def local(self, body: Token, index: int) -> Values:
        """The variables of the instance with this index alone."""
        local: Values = {COUNTER: feel.from_python(index + 1)}
        if self.element:
            local[self.element] = body.internal_data["items"][index]
        return local

    def collect(self, instance: Token, body: Token, writes: Values, step: Step) -> None:
        """Evaluate what an instance contributes and whether it completes the whole."""
        variables = visible(instance).new_child({**instance.result, **writes})
        if self.output_element is not None:
            instance.internal_data["collected"] = self.output_element.evaluate(variables, step.environment)
        if self.completion is not None:
            instances = sum(1 for other in instance.workflow.tokens if other.body is body)
            counted = variables.new_child(
                {
                    "numberOfInstances": feel.from_python(len(body.internal_data["items"])),
                    "numberOfActiveInstances": feel.from_python(instances - 1),
                    "numberOfCompletedInstances": feel.from_python(body.internal_data["completed"] + 1),
                    "numberOfTerminatedInstances": feel.from_python(0),
                }
            )
            instance.internal_data["whole"] = _is_true(self.completion, counted, "完了条件", step)

    def completes(self, instance: Token, body: Token) -> bool:
        """Take in what a completed instance contributes; whether it completes the whole."""
        data = body.internal_data
        if self.output_collection:
            collected = body.result[self.output_collection]
            assert isinstance(collected, list)  # noqa: S101
            collected[instance.internal_data["index"]] = instance.internal_data.get("collected")
        return bool(instance.internal_data.get("whole")) or data["completed"] == len(data["items"])


@dataclass(frozen=True, slots=True)
class StandardLoop:
    """`bpmn:standardLoopCharacteristics`: the activity again and again while the condition holds.

    The condition sees what everything after an iteration sees, and `loopCounter`: the iterations done so far.
    """

    test_before: bool
    maximum: int | None
    condition: Expression | None

    sequential = True

    def begin(self, body: Token, step: Step) -> int:
        again = not self.test_before or self._again(visible(body), 0, step)
        body.internal_data.update(items=[], completed=0)
        return int(again)

    def local(self, body: Token, index: int) -> Values:
        return {COUNTER: feel.from_python(index + 1)}

    def collect(self, instance: Token, body: Token, writes: Values, step: Step) -> None:
        done = body.internal_data["completed"] + 1
        instance.internal_data["whole"] = not self._again(visible(body).new_child(writes), done, step)

    def completes(self, instance: Token, body: Token) -> bool:
        return bool(instance.internal_data["whole"])

    def _again(self, variables: Variables, done: int, step: Step) -> bool:
        if self.maximum is not None and done >= self.maximum:
            return False
        counted = {**variables, COUNTER: feel.from_python(done)}
        return self.condition is None or _is_true(self.condition, counted, "繰返しの条件", step)


Loop = MultiInstance | StandardLoop


def _is_true(expression: Expression, variables: Variables, what: str, step: Step) -> bool:
    value = expression.evaluate(variables, step.environment)
    if not isinstance(value, bool):
        raise ElementFault(f"{what} {expression.text} が true / false になりません。")
    return value
