"""Snapshots of a pipeline that is well, and of one with this or that wrong; in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from messaging import topology
from ordersite.overview.snapshot import (
    Doctor,
    Failed,
    Group,
    Heartbeat,
    Line,
    Outbox,
    QueueReading,
    Snapshot,
)

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
SERVICES = ("orders", "inventory", "billing")


def ago(**duration: float) -> datetime:
    return NOW - timedelta(**duration)


def queue(name: str, messages: int = 0, consumers: int = 1) -> QueueReading:
    return QueueReading(name, messages, consumers)


def line(service: str, accepted: int = 100, **places: Any) -> Line:
    counts = {"in_flight": 0, "retrying": 0, "failed": 0, "discarded": 0, "unaccounted": 0}
    counts |= {name: count for name, count in places.items() if name != "orders"}
    orders = places.get("orders", ())
    return Line(service, accepted, accepted - sum(counts.values()), **counts, orders=orders)


def well() -> Snapshot:
    names = [each for of in SERVICES for each in (of, f"{of}.retry.5s", f"{of}.dlq")]
    names += [topology.replay_outcomes.name, topology.undeliverable.name]
    unconsumed = (".retry.", topology.undeliverable.name)
    queues = {
        name: queue(name, consumers=0 if any(each in name for each in unconsumed) else 1)
        for name in names
    }
    return Snapshot(
        at=NOW,
        failed=Failed(0),
        queues=queues,
        lines=(line("inventory"), line("billing")),
        outboxes=(Outbox("orders", None), Outbox("inventory", None)),
        waiting_since={},
        retries_due={},
        relay=True,
        web=1,
        scheduler=Heartbeat(3.0, True),
        consumers_seen=dict.fromkeys(SERVICES, NOW),
        doctor=Doctor(NOW),
    )


def but(**changes: Any) -> Snapshot:
    """A pipeline that is well, but for this."""
    return replace(well(), **changes)


def with_queues(*changed: QueueReading) -> dict[str, QueueReading]:
    return {**(well().queues or {}), **{each.name: each for each in changed}}


def failed(messages: int = 12, **others: Any) -> Failed:
    """So many messages, of one cause."""
    about: dict[str, Any] = {
        "orders": messages,
        "customers": 3,
        "money": "4,210.00 EUR",
        "oldest_at": ago(hours=2),
        "new_groups": 1,
        "groups": (Group("abc123", "billing: TimeoutError: card service timed out", messages),),
    }
    return Failed(messages, **{**about, **others})
