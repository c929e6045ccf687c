"""What is known of faults that somebody simulates.

The desk imports no other app: where faults are simulated, the site hands it a function at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class SimulatedFault(Protocol):
    """A fault of one service for one user; as text it says which: `billing, user 500: crash`."""

    @property
    def url(self) -> str:
        """Its page in the admin."""

    def __str__(self) -> str: ...


#: The fault of a service for a user; None where there is none.
Source = Callable[[str, str], SimulatedFault | None]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Let `source` say which faults there are."""
    _sources[:] = [source]


def simulated_fault(service: str, user_id: str) -> SimulatedFault | None:
    """The fault that the service has for this user, if there is one."""
    return next((fault for source in _sources if (fault := source(service, user_id))), None)
