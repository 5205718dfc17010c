"""What the engine tells a person by itself, in the reader's language: it speaks Japanese."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Flask
from flask_babel import get_locale

from engine import operations
from engine.forms import messages
from webapp.content import content

ENGLISH: Mapping[str, str] = {
    messages.ENTER: "Please fill in “{label}”.",
    messages.CHOOSE: "Please choose “{label}”.",
    messages.TICK: "Please check “{label}” and tick it.",
    messages.ADD_ROW: "Please add at least one row to “{label}”.",
    messages.NOT_AN_OPTION: "Please choose “{label}” from the options shown.",
    messages.NOT_TEXT: "Please write “{label}” as text.",
    messages.UNUSABLE_CHARACTER: "“{label}” holds signs that cannot be used. Please remove them.",
    messages.NOT_A_NUMBER: "Please write “{label}” as a number, such as 30.",
    messages.NOT_A_WHOLE_NUMBER: "Please write “{label}” as a whole number, such as 30.",
    messages.TOO_MANY_DECIMALS: "Please give “{label}” at most {digits} decimal places.",
    messages.NOT_YES_OR_NO: "Please either tick “{label}” or leave it unticked.",
    messages.NOT_A_DATE: "Please write “{label}” as a date, such as 2026-11-24.",
    messages.NOT_A_TIME: "Please write “{label}” as a time, such as 10:30.",
    messages.NOT_A_DATE_TIME: "Please write “{label}” as a date and time, such as 2026-11-24T10:30.",
    messages.NOT_A_SELECTION: "Please choose “{label}” from the list.",
    messages.NOT_ROWS: "Please give “{label}” as rows.",
    messages.TOO_MANY_ROWS: "Please keep “{label}” to {limit} rows.",
    messages.TOO_SMALL: "“{label}” must be {limit} or more.",
    messages.TOO_LARGE: "“{label}” must be {limit} or less.",
    messages.TOO_SHORT: "Please write at least {limit} characters in “{label}”.",
    messages.TOO_LONG: "Please keep “{label}” to {limit} characters; it has {length} now.",
    messages.NOT_AS_ASKED: "Please check how “{label}” is written.",
    messages.CHECK_FAILED: "Please look at “{label}” again.",
    messages.UNKNOWN_FIELD: "This form has no field “{key}”. Please remove it.",
    operations.NOT_A_NAME: "Please write the name of a variable with letters, digits and _, a letter first.",
    operations.NOT_A_VALUE: 'This is no value. Please put text in "…", and write a date as @"2026-11-24".',
    operations.NOT_TO_BE_CHANGED: "This variable cannot be changed here.",
    operations.TOO_LONG: "This value is too long.",
    "期限を過ぎた作業があります: {task}": "A step is past its deadline: {task}",
    "事案 {number} のコメントで、声がかかっています": "Somebody speaks to you in a comment on case {number}",
}
"""What `engine.forms.messages` says to the person who fills a form and `engine.operations` to an operator, and the
subjects of the engine's own notices."""


def init_app(app: Flask) -> None:
    """Templates have the filter `told`."""
    app.jinja_env.filters["told"] = told


def told(sentence: str) -> str:
    """The engine's sentence, or that of a form's own check, in the reader's language."""
    if str(get_locale()) == "ja":
        return sentence
    for pattern, english in _PATTERNS:
        found = pattern.fullmatch(sentence)
        if found:
            return english.format(**{name: content(text) for name, text in found.groupdict().items()})
    return content(sentence)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{part}>.*)" if index % 2 else re.escape(part) for index, part in enumerate(parts)))


_PATTERNS = [(_pattern(template), english) for template, english in ENGLISH.items()]
