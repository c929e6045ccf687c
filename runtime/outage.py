"""A dependency that is down, which is not the failure of any message."""

from __future__ import annotations


class Outage(Exception):
    """The database or the broker is down, which is not the fault of what is being done.

    A message that meets it keeps its attempts.
    """
