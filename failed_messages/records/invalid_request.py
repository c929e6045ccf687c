"""A wrong request of an operator: over HTTP, in the admin or on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Invalid(ValueError):
    """`field` has a value that it cannot have: `detail` says what it must be, `fix` what to send.

    The text is all three, and those of what else is wrong.
    """

    def __init__(self, field: str, detail: str, fix: str) -> None:
        super().__init__(f"{field}: {detail}. {fix}")
        self.field = field
        self.detail = detail
        self.fix = fix
        #: What is wrong beside it.
        self.others: list[Invalid] = []

    def __str__(self) -> str:
        return " ".join(super(Invalid, each).__str__() for each in self.all())

    def all(self) -> Iterator[Invalid]:
        """This one, and what is wrong beside it."""
        yield self
        yield from self.others


def refuse(found: Iterable[Invalid]) -> None:
    """Raise all of them as the first one; does nothing where there is none."""
    if wrong := list(found):
        first, *first.others = wrong
        raise first
