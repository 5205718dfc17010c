"""From what a page, a file or a program gives to the FEEL value of a field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine import feel
from engine.forms import messages
from engine.forms.errors import Unreadable
from engine.forms.model import Field, Fields, Kind

ZONE = ZoneInfo("Asia/Tokyo")  # of a date and time that names none
MAX_ROWS = 200
MAX_DIGITS = 15

_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_NUMBER = re.compile(rf"[+-]?\d{{1,{MAX_DIGITS}}}(\.\d{{1,{MAX_DIGITS}}})?", re.ASCII)
_YES = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an entry cannot be taken as it is; `stray` if the form has no field of that name."""

    message: str
    entered: object
    stray: bool = False


def read_fields(
    fields: Fields, given: Mapping[str, object], path: str = ""
) -> tuple[dict[str, feel.Value], dict[str, Fault]]:
    """The typed values of the known keys of `given`, and by path what cannot be read or is not known.

    A value that cannot be read counts as empty for everything else.
    """
    values: dict[str, feel.Value] = {}
    faults: dict[str, Fault] = {}
    for key, raw in given.items():
        field = fields.by_key.get(key)
        if field is None:
            faults[f"{path}{key}"] = Fault(messages.UNKNOWN_FIELD.format(key=key), raw, stray=True)
            continue
        try:
            values[key] = _read_rows(field, raw, f"{path}{key}", faults) if field.kind == "list" else read(field, raw)
        except Unreadable as fault:
            values[key] = empty(field)
            faults[f"{path}{key}"] = Fault(str(fault), raw)
    return values, faults


def read(field: Field, raw: object) -> feel.Value:
    """The FEEL value of one entry; text is trimmed, and an empty text is null. Raises Unreadable."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return empty(field)
    return _READERS[field.kind](field, raw)


def empty(field: Field) -> feel.Value:
    """What stands in a visible field where nothing was entered."""
    if field.kind == "bool":
        return False
    return [] if field.kind in ("multi", "list") else None


def _read_rows(field: Field, raw: object, path: str, faults: dict[str, Fault]) -> feel.Value:
    if raw is None or raw == "":
        return []
    if not isinstance(raw, list | tuple) or not all(isinstance(row, Mapping) for row in raw):
        raise _unreadable(messages.NOT_ROWS, field)
    if len(raw) > MAX_ROWS:
        raise Unreadable(messages.TOO_MANY_ROWS.format(label=field.label, limit=MAX_ROWS))
    rows: list[feel.Value] = []
    for index, row in enumerate(raw):
        values, row_faults = read_fields(field.fields, row, f"{path}[{index}].")
        rows.append(values)
        faults.update(row_faults)
    return rows


def _text(field: Field, raw: object) -> feel.Value:
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        raw = feel.to_text(feel.from_python(raw))
    if not isinstance(raw, str):
        raise _unreadable(messages.NOT_TEXT, field)
    if _UNUSABLE.search(raw):
        raise _unreadable(messages.UNUSABLE_CHARACTER, field)
    return raw.replace("\r\n", "\n").replace("\r", "\n").strip()


def _choice(field: Field, raw: object) -> feel.Value:
    if not isinstance(raw, str):
        raise _unreadable(messages.NOT_AN_OPTION, field)
    return raw.strip()


def _choices(field: Field, raw: object) -> feel.Value:
    chosen = [raw] if isinstance(raw, str) else raw
    if not isinstance(chosen, list | tuple):
        raise _unreadable(messages.NOT_A_SELECTION, field)
    return list(dict.fromkeys(_choice(field, each) for each in chosen))


def _number(field: Field, raw: object) -> feel.Value:
    if isinstance(raw, str):
        text = _plain(raw)
        number = Decimal(text) if _NUMBER.fullmatch(text) else None
    elif isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        number = Decimal(raw)
    else:
        number = Decimal(str(raw)) if isinstance(raw, float) else None
    if number is None or not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise _unreadable(messages.NOT_A_NUMBER, field)
    return _to_digits(field, number)


def _to_digits(field: Field, number: Decimal) -> Decimal:
    if field.digits is None:
        return number
    rounded = number.quantize(Decimal(1).scaleb(-field.digits), context=feel.CONTEXT)
    if rounded != number:
        message = messages.TOO_MANY_DECIMALS if field.digits else messages.NOT_A_WHOLE_NUMBER
        raise Unreadable(message.format(label=field.label, digits=field.digits))
    return rounded


def _bool(field: Field, raw: object) -> feel.Value:
    if isinstance(raw, bool):
        return raw
    answer = _YES.get(raw.strip().lower()) if isinstance(raw, str) else None
    if answer is None:
        raise _unreadable(messages.NOT_YES_OR_NO, field)
    return answer


def _date(field: Field, raw: object) -> feel.Value:
    moment = _temporal(raw, _DATE, date.fromisoformat) or _temporal(raw, _DATE_TIME, datetime.fromisoformat)
    try:
        day = _in_zone(moment).astimezone(ZONE).date() if isinstance(moment, datetime) else moment
    except OverflowError:
        day = None  # beyond the first or last day of the calendar
    if not isinstance(day, date):
        raise _unreadable(messages.NOT_A_DATE, field)
    return feel.from_python(day)


def _time(field: Field, raw: object) -> feel.Value:
    moment = _temporal(raw, _TIME, time.fromisoformat)
    if not isinstance(moment, time):
        raise _unreadable(messages.NOT_A_TIME, field)
    return feel.from_python(moment)


def _date_time(field: Field, raw: object) -> feel.Value:
    moment = _temporal(raw, _DATE_TIME, datetime.fromisoformat)
    if not isinstance(moment, datetime):
        raise _unreadable(messages.NOT_A_DATE_TIME, field)
    return feel.from_python(_in_zone(moment))


def _in_zone(moment: datetime) -> datetime:
    """An aware moment with a fixed offset, so that it reads the same whatever the zone's rules become."""
    aware = moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment
    return datetime.fromisoformat(aware.isoformat())


def _temporal(raw: object, shape: re.Pattern[str], parse: Callable[[str], date | time]) -> date | time | None:
    """The Python value of a text in this shape, of a FEEL temporal or of itself; None if it is none."""
    try:
        if isinstance(raw, feel.Date | feel.DateTime | feel.Time):
            return raw.to_python()
        if isinstance(raw, str):
            text = _plain(raw)
            return parse(text) if shape.fullmatch(text) else None
    except (ValueError, OverflowError, feel.FeelError):
        return None  # a day or year that no calendar has: the caller says so to the person
    return raw if isinstance(raw, date | time) else None


def _plain(text: str) -> str:
    """Full-width digits and signs, as a Japanese keyboard gives them, become plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def _unreadable(message: str, field: Field) -> Unreadable:
    return Unreadable(message.format(label=field.label))


_READERS: Mapping[Kind, Callable[[Field, object], feel.Value]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "bool": _bool,
    "enum": _choice,
    "multi": _choices,
    "date": _date,
    "time": _time,
    "datetime": _date_time,
}
