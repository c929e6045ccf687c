"""Queues that this system made, and that no service declares any more."""

from __future__ import annotations

from typing import Any

from messaging import topology
from messaging.service import services
from ordersite.broker.shadow_queues import shadow_of

RETRY_PREFIXES = tuple(f"{service}.retry." for service in services())


def left_over(there: dict[str, Any]) -> list[str]:
    """The queues that only this system makes, and that it no longer makes.

    Args:
        there: what the management API says of each queue, by its name.
    """
    declared = {queue.name for queue in topology.queues()}
    working = {shadow_of(name) for name in declared}
    return sorted(
        name
        for name, queue in there.items()
        if name not in declared | working and _is_ours(name, queue)
    )


def _is_ours(name: str, queue: dict[str, Any]) -> bool:
    """Only queues of this system retry, or die into `dead_letters`."""
    arguments = queue["arguments"]
    return (
        name.startswith(RETRY_PREFIXES)
        or arguments.get("x-dead-letter-exchange") == topology.dead_letters.name
    )
