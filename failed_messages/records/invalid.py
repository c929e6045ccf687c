"""A wrong request of an operator: over HTTP, in the admin or on a terminal."""

from __future__ import annotations


class Invalid(ValueError):
    """`field` has a value that it cannot have: `detail` says what it must be, `fix` what to send.

    The text is all three.
    """

    def __init__(self, field: str, detail: str, fix: str) -> None:
        super().__init__(f"{field}: {detail}. {fix}")
        self.field = field
        self.detail = detail
        self.fix = fix
