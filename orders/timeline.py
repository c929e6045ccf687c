"""An order's journey as its own document tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from messaging.steps import Step

#: What is awaited of each service, by the order's status: the states that end the wait.
AWAITED = {
    "placed": {"inventory": {"reserved", "shipped"}, "billing": {"invoiced"}},
    "confirmed": {},
    "rejected": {"billing": {"credited"}},
    "cancelled": {"inventory": {"released", "shipped"}, "billing": {"credited"}},
}


def steps(order: dict[str, Any]) -> list[Step]:
    """What happened to the order so far, and what is awaited; in no particular sequence."""
    return [*own_steps(order), *heard_steps(order), *outbox_steps(order), *awaited_steps(order)]


def own_steps(order: dict[str, Any]) -> Iterator[Step]:
    yield Step(service="orders", kind="done", outcome="placed", at=order["created_at"])
    if cancellation := order.get("cancellation"):
        yield Step(
            service="orders",
            kind="done",
            outcome="cancelled",
            at=cancellation["at"],
            detail=cancellation["reason"],
        )


def heard_steps(order: dict[str, Any]) -> Iterator[Step]:
    """What the services told, dated when orders heard of it."""
    for step in order.get("steps") or []:
        yield Step(
            service=step["service"],
            kind="done",
            outcome=step["state"],
            at=step["at"],
            # Steps of an earlier release were not counted.
            attempt=step.get("attempt"),
            detail=step["detail"],
        )


def outbox_steps(order: dict[str, Any]) -> Iterator[Step]:
    for event in order["pending_events"]:
        yield Step(
            service="orders",
            kind="waiting",
            outcome="to be published",
            detail=f"{event['type']} waits in the outbox for RabbitMQ",
        )


def awaited_steps(order: dict[str, Any]) -> Iterator[Step]:
    for service, states in AWAITED[order["status"]].items():
        if order["ledger"][service]["state"] not in states:
            outcome = f"to be {sorted(states)[0]}"
            yield Step(service=service, kind="waiting", outcome=outcome)
