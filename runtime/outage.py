"""A dependency that is down, which is nobody's failure."""

from __future__ import annotations


class Outage(Exception):
    """The database or the broker is down: whatever is at hand, it is not its fault.

    A message that meets it keeps its attempts.
    """
