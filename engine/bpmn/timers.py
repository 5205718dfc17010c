"""When a timer is due: ISO 8601 text, cron or FEEL in, an aware datetime out. No clock is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import feel
from engine.bpmn.cycles import Schedule, read_cycle
from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import Expression, Variables
from engine.bpmn.moments import read_text, to_moment

TimerKind = Literal["date", "duration", "cycle"]

_AFTER = feel.parse_expression("start + step")
_DRIFTING = re.compile(r"R(\d*)/(P.+)")


@dataclass(frozen=True, slots=True)
class Timer:
    kind: TimerKind
    expression: Expression

    def check(self) -> str | None:
        """What is wrong with a constant, or None; FEEL shows itself only when it is evaluated."""
        if self.expression.compiled is not None:
            return None
        text = self.expression.text
        try:
            if self.kind == "cycle":
                read_cycle(text)
                return None
            read_text(text)
        except ElementFault as fault:
            return str(fault)
        if text.startswith(("P", "-P")) != (self.kind == "duration"):
            return f"「{text}」は、{'期間' if self.kind == 'duration' else '日時'}ではありません。"
        return None

    def due(self, variables: Variables, environment: feel.Environment, now: datetime) -> datetime:
        """The due time of a timer that fires once."""
        value = self.expression.evaluate(variables, environment)
        return self._moment(read_text(value) if isinstance(value, str) else value, environment, now)

    def schedule(
        self, variables: Variables, environment: feel.Environment, now: datetime, remaining: int | None = None
    ) -> Schedule:
        """That of a cycle, which begins now."""
        return Schedule.begin(self.expression.text_value(variables, environment, "繰返しタイマー"), now, remaining)

    def drifting(
        self, variables: Variables, environment: feel.Environment, now: datetime, remaining: int | None
    ) -> tuple[datetime, int]:
        """A cycle by semantics 1, counted anew from each firing: due time, and how often it may fire after that."""
        value = self.expression.evaluate(variables, environment)
        found = _DRIFTING.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ElementFault(f"{self.expression.text} が繰返し(R3/PT1H の形)になりません。")
        count = int(found[1]) if found[1] else -1
        left = count if remaining is None else remaining
        return self._moment(read_text(found[2]), environment, now), left - 1 if left > 0 else left

    def _moment(self, value: feel.Value, environment: feel.Environment, now: datetime) -> datetime:
        if isinstance(value, feel.DaysTimeDuration | feel.YearsMonthsDuration):
            value = _AFTER.evaluate({"start": feel.from_python(now), "step": value}, environment)
        return to_moment(value, environment, self.expression.text)
