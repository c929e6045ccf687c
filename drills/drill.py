"""A drill: what it breaks, and which promise it holds the pipeline to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drills.cluster.release import THIS, Release
from drills.violation import Violation

if TYPE_CHECKING:
    from drills.run import Run


def this_release() -> Release:
    return THIS


def nothing_to_prepare(run: Run) -> None:
    pass


def nothing_more(run: Run) -> Iterable[Violation]:
    return ()


@dataclass(frozen=True, slots=True)
class Drill:
    """One of the drills; `python -m drills NAME` runs it."""

    name: str
    #: The numbers of the promises that it proves, as in `drills/report/promises.py`.
    promises: tuple[int, ...]
    #: What it proves, in a line.
    promise: str
    #: Breaks things while the traffic flows, and fixes them.
    inject: Callable[[Run], None]
    #: What the site runs before the traffic begins; another one needs a site of its own.
    begins_with: Callable[[], Release] = this_release
    #: Before the traffic begins.
    prepare: Callable[[Run], None] = nothing_to_prepare
    #: What must be true beside the invariant.
    check: Callable[[Run], Iterable[Violation]] = nothing_more
    #: How many orders a run places at least, unless it is told …
    orders: int = 150
    #: … over so many seconds, which is their pace.
    traffic_seconds: float = 10
    #: Whether more of them come at this pace until everything is fixed; else these are all.
    goes_on: bool = True
    #: Whether it has a site of its own, with nothing on it before and after.
    own_site: bool = False
    #: Whether the dates of documents say nothing of when they were written. It needs a site of its
    #: own then, so that each document of the site is its own.
    dates_tell_nothing: bool = False
