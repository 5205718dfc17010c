"""Moments and lengths of time: ISO 8601 text or FEEL in, an aware datetime out. No clock is read."""

from __future__ import annotations

from datetime import datetime

from engine import feel
from engine.bpmn.errors import ElementFault
from engine.bpmn.expressions import shown

_MIDNIGHT = feel.parse_expression('date and time(day, time("00:00:00@Asia/Tokyo"))')
_IN_ZONE = feel.parse_expression('date and time(date(moment), time(string(time(moment)) + "@Asia/Tokyo"))')
_READ = {name: feel.parse_expression(f"{name}(text)") for name in ("duration", "date and time")}
TIMELESS = feel.Environment(now=datetime.fromisoformat("2000-01-01T00:00:00+09:00"))
"""For what does not depend on the time."""


def read_text(text: str) -> feel.Value:
    """The FEEL value that a constant in ISO 8601 stands for; raises ElementFault."""
    function = "duration" if text.startswith(("P", "-P")) else "date and time"
    try:
        value = _READ[function].evaluate({"text": text}, TIMELESS)
    except feel.FeelFault:  # beyond what FEEL can hold
        value = None
    if value is None:
        raise ElementFault(f"「{text}」は ISO 8601 の日時や期間として読めません。")
    return value


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
    raise ElementFault(f"{what} が日時になりません({shown(value)})。")
