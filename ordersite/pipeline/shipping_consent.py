"""Whether an order may be shipped, as far as the other services know."""

from __future__ import annotations

from typing import Any

from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from inventory import consent
from messaging.handling import retry_notes
from messaging.order_id import object_id
from messaging.service import answering
from orders.collection import orders
from orders.owed import key, waits
from orders.shipment import note_shipped

#: Whose stock it is.
SHIPS = "inventory"
#: A message that is in one of these states has done nothing for its order.
UNDONE = [str(Status.FAILED), str(Status.REPLAYING), str(Status.DISCARDED)]


def register() -> None:
    """Called once, at start-up."""
    consent.register(obstacle, note_shipped)


def obstacle(order_id: str) -> str:
    """Why the order should not be shipped yet: another service failed for it, or still retries.

    One that has done its part since does not count, whatever failed before.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    order_key = object_id(order_id)
    order = orders().find_one({"_id": order_key}, {"awaited": True}) if order_key else None
    names = [each.name for each in answering() if each.name != SHIPS and owes(each.name, order)]
    wanted = {"order_id": order_id, "service": {"$in": names}, "status": {"$in": UNDONE}}
    if failed := failed_messages().find_one(wanted, sort=[("last_failed_at", -1)]):
        return f"{failed['service']} failed for it: {failed['message'] or failed['reason']}"
    for note in retry_notes.of_order(order_id):
        if note["service"] in names and note.get("due_at"):
            attempt = note["attempts"][-1]
            return f"{note['service']} failed for it and retries: {attempt['message']}"
    return ""


def owes(service: str, order: dict[str, Any] | None) -> bool:
    """Whether the service owes the order an answer; of an unknown order nobody knows."""
    if order is None:
        return True
    owed = {key(service, on.type) for each, on in waits("order.placed") if each.name == service}
    return bool(owed & {*(order.get("awaited") or ())})
