"""What FEEL raises: text that is not FEEL, a host function that refuses, work beyond the limits."""

from __future__ import annotations


class FeelError(Exception):
    """Anything FEEL raises is one of these."""


class FeelSyntaxError(FeelError):
    """The text is not FEEL: where (line and column from 1), and what was expected there."""

    def __init__(self, message: str, *, line: int, column: int, expected: str) -> None:
        super().__init__(f"line {line}, column {column}: {message}; expected {expected}")
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected


class FeelFault(FeelError):
    """An operation is refused; inside an evaluation it becomes null and a warning."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FeelLimitExceeded(FeelFault):
    """The evaluation asked for more work, depth or size than the limits allow; it ends here.

    `expression` is the text of the innermost compiled form in which that happened, if it was in one.
    """

    expression = ""
