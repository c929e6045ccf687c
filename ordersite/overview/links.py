"""Where a number or a concern leads to: the list behind it."""

from __future__ import annotations

from django.urls import reverse
from msgspec import Struct


class Link(Struct, frozen=True):
    #: What one sees there.
    label: str
    #: The name of the address.
    name: str
    #: Of the list's filters, as in the address.
    query: str = ""
    args: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.name, args=self.args) + (f"?{self.query}" if self.query else "")
