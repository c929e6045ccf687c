"""What is wrong, as the page says it: each concern, and the verdict that they make."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from msgspec import Struct

from ordersite.overview.links import Link

ALL_IS_WELL = "Every order is where it should be."


class Level(IntEnum):
    GOOD = 0
    #: Orders are taken and move on, but not all of them, or not for long.
    DEGRADED = 1
    #: Orders are not taken, do not move on, or are missing.
    BROKEN = 2

    @property
    def word(self) -> str:
        return self.name.capitalize()

    @property
    def icon(self) -> str:
        return "✓!✕"[self]


class Concern(Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    level: Level
    what: str
    #: Whom it costs what.
    cost: str
    #: The next click.
    click: Link
    #: What to do there, or what `command` is for.
    step: str = ""
    #: What to type; empty where a click is enough.
    command: str = ""
    #: The exact time of the relative one that it tells, and what was then.
    since: datetime | None = None
    since_what: str = "Since"


class Verdict(Struct, frozen=True):
    level: Level
    #: The worst first.
    concerns: tuple[Concern, ...]

    @property
    def summary(self) -> str:
        """For a page that lists the concerns below."""
        if not self.concerns:
            return ALL_IS_WELL
        if len(self.concerns) == 1:
            return self.concerns[0].what
        return f"{len(self.concerns)} things are wrong, the worst first."

    @property
    def sentence(self) -> str:
        """For whoever sees no list of the concerns."""
        if not self.concerns:
            return ALL_IS_WELL
        more = len(self.concerns) - 1
        return self.concerns[0].what + (f" And {more} more." if more else "")
