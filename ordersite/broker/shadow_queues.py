"""The names of a queue's shadow while its arguments change."""

from __future__ import annotations


def shadow_of(queue: str) -> str:
    """The name of the shadow queue, and of the exchange that leads into it."""
    return f"{queue}.shadow"


def way_back(queue: str) -> str:
    """The exchange through which messages return from the shadow queue."""
    return f"{queue}.back"
