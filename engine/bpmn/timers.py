"""When a timer is due: ISO 8601 text or FEEL in, an aware datetime out. No clock is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import feel
from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import Expression, Variables

TimerKind = Literal["date", "duration", "cycle"]

_AFTER = feel.parse_expression("start + step")
_MIDNIGHT = feel.parse_expression('date and time(day, time("00:00:00@Asia/Tokyo"))')
_IN_ZONE = feel.parse_expression('date and time(date(moment), time(string(time(moment)) + "@Asia/Tokyo"))')
_CYCLE = re.compile(r"R(\d*)/(P.+)")


@dataclass(frozen=True, slots=True)
class Timer:
    kind: TimerKind
    expression: Expression

    def check(self) -> str | None:
        """What is wrong with a constant, or None; FEEL shows itself only when it is evaluated."""
        if self.expression.compiled is not None:
            return None
        text = self.expression.text
        if self.kind == "cycle" and not _CYCLE.fullmatch(text):
            return f"繰返しタイマー「{text}」は R3/PT1H の形で書いてください。"
        if self.kind != "cycle" and text.startswith(("P", "-P")) != (self.kind == "duration"):
            return f"「{text}」は、{'期間' if self.kind == 'duration' else '日時'}ではありません。"
        try:
            self._value(text.partition("/")[2] if self.kind == "cycle" else text)
        except ElementFault as fault:
            return str(fault)
        return None

    def due(
        self, variables: Variables, environment: feel.Environment, now: datetime, remaining: int | None = None
    ) -> tuple[datetime, int]:
        """The next due time, and how often the timer may still fire after that (-1: without end)."""
        value = self.expression.evaluate(variables, environment)
        if self.kind == "cycle":
            found = _CYCLE.fullmatch(value) if isinstance(value, str) else None
            if found is None:
                raise ElementFault(f"{self.expression.text} が繰返し(R3/PT1H の形)になりません。")
            count = int(found[1]) if found[1] else -1
            left = count if remaining is None else remaining
            return self._moment(self._value(found[2]), environment, now), left - 1 if left > 0 else left
        return self._moment(self._value(value) if isinstance(value, str) else value, environment, now), 0

    def _value(self, text: str) -> feel.Value:
        function = "duration" if text.startswith(("P", "-P")) else "date and time"
        environment = feel.Environment(now=datetime.fromisoformat("2000-01-01T00:00:00+09:00"))
        value = feel.parse_expression(f"{function}(text)").evaluate({"text": text}, environment)
        if value is None:
            raise ElementFault(f"「{text}」は ISO 8601 の日時や期間として読めません。")
        return value

    def _moment(self, value: feel.Value, environment: feel.Environment, now: datetime) -> datetime:
        if isinstance(value, feel.DaysTimeDuration | feel.YearsMonthsDuration):
            value = _AFTER.evaluate({"start": feel.from_python(now), "step": value}, environment)
        return to_moment(value, environment, self.expression.text)


def to_moment(value: feel.Value, environment: feel.Environment, what: str) -> datetime:
    """An aware datetime from a FEEL date and time (JST if it names no zone) or date (its first moment in JST)."""
    if isinstance(value, feel.Date):
        value = _MIDNIGHT.evaluate({"day": value}, environment)
    if isinstance(value, feel.DateTime):
        moment = value.to_python()
        if moment.tzinfo is None:
            zoned = _IN_ZONE.evaluate({"moment": value}, environment)
            moment = zoned.to_python() if isinstance(zoned, feel.DateTime) else moment
        if moment.tzinfo is not None:
            return moment
    raise ElementFault(f"{what} が日時になりません({feel.to_text(value)})。")
