"""Which orders are held up by a failed message, or were given up with one."""

from __future__ import annotations

from failed_messages.collection import failed_messages
from failed_messages.models import Status

HELD_UP = (str(Status.FAILED), str(Status.REPLAYING))


def held_up(service: str) -> set[str]:
    """Orders whose outcome from the service waits for an operator."""
    return _order_ids(service, HELD_UP)


def given_up(service: str) -> set[str]:
    """Orders whose outcome from the service was discarded."""
    return _order_ids(service, (str(Status.DISCARDED),))


def _order_ids(service: str, statuses: tuple[str, ...]) -> set[str]:
    """By the order's own event in the service, or by the service's answer on its way to orders."""
    its_event = {"service": service, "type": "order.placed"}
    its_answer = {"service": "orders", "type": {"$regex": f"^{service}\\."}}
    wanted = {"status": {"$in": list(statuses)}}
    return {
        record.get("order_id") or ""
        for which in (its_event, its_answer)
        for record in failed_messages()
        .find({**which, **wanted}, {"_id": False, "order_id": True})
        .hint("standing")
    }
