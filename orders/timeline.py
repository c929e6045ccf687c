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
    """What happened to the order so far, and what is awaited; in no particular sequence.

    Of an order that an earlier release stored without some of it, the rest is told.
    """
    return [*own_steps(order), *heard_steps(order), *outbox_steps(order), *awaited_steps(order)]


def own_steps(order: dict[str, Any]) -> Iterator[Step]:
    yield Step(service="orders", kind="done", outcome="placed", at=order.get("created_at"))
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
    for event in order.get("pending_events") or []:
        yield Step(
            service="orders",
            kind="waiting",
            outcome="to be published",
            detail=f"{event['type']} waits in the outbox for RabbitMQ",
        )


def awaited_steps(order: dict[str, Any]) -> Iterator[Step]:
    for service, states in AWAITED.get(str(order.get("status")), {}).items():
        if stands(order, service) not in states:
            outcome = f"to be {sorted(states)[0]}"
            yield Step(service=service, kind="waiting", outcome=outcome)


def stands(order: dict[str, Any], service: str) -> str:
    """What the order's ledger says of the service."""
    entry = (order.get("ledger") or {}).get(service) or {}
    return str(entry.get("state", "pending"))
