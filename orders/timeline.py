"""An order's journey, from its own document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from messaging.service import PENDING, answering, awaited_of
from messaging.timeline_step import Step
from orders.owed import key


def steps(order: dict[str, Any]) -> list[Step]:
    """What happened to the order so far, and what is awaited; in no particular sequence.

    Of an order that an earlier release stored without some of it, the rest is shown.
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
    """The answers of the services, dated when orders got them."""
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
    """What each service has yet to do; of several events, the one that it declares last."""
    keys = order.get("awaited") or ()
    for service in answering():
        awaited = [on for on in awaited_of(service) if key(service.name, on.type) in keys]
        if awaited:
            outcome = f"to be {(awaited[-1].leads_to or ['noted'])[0]}"
            yield Step(service=service.name, kind="waiting", outcome=outcome)


def state_of(order: dict[str, Any], service: str) -> str:
    """What the order's ledger says of the service."""
    entry = (order.get("ledger") or {}).get(service) or {}
    return str(entry.get("state", PENDING))
