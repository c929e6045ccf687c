"""Whether an order may be shipped, as far as the other services know."""

from __future__ import annotations

from typing import Any

from pymongo.client_session import ClientSession

from failed_messages.models import Status
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages
from inventory import consent
from inventory.consent import Obstacle
from messaging.handling import retry_notes
from messaging.order_id import object_id
from messaging.service import answering
from orders.collection import orders
from orders.owed import key
from orders.shipment import note_shipped
from runtime.moment import exact

#: Whose stock it is.
SHIPS = "inventory"
#: A message that is in one of these states has done nothing for its order.
STEPS = {
    str(Status.FAILED): "Correct the cause and replay its message, from its page.",
    str(Status.REPLAYING): "Its message is being replayed: wait for the answer.",
    str(Status.DISCARDED): "Its message was discarded: restore and replay it, from its page.",
}
UNDONE = [*STEPS]


def register() -> None:
    """Called once, at start-up."""
    consent.register(obstacle, note_shipped, audit_anyway)


def audit_anyway(order_id: str, by: str, why: str, session: ClientSession) -> None:
    """Add to the audit log who shipped an order past an obstacle."""
    audit.note(session, "ship anyway", audit.ORDER, order_id, by=by, reason=why)


def obstacle(order_id: str) -> Obstacle | None:
    """Why the order should not be shipped yet: another service failed for it, still retries, or has
    not answered.

    One that has done its part since does not count, whatever failed before; nor does one that only
    notes events, as no order is confirmed by that.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    order_key = object_id(order_id)
    wanted = {"awaited": True, "status": True}
    order = orders().find_one({"_id": order_key}, wanted) if order_key else None
    asked = [each.name for each in answering() if each.name != SHIPS and not each.notes]
    names = [each for each in asked if owes(each, order)]
    is_unconfirmed = order is not None and order.get("status") == "placed"
    late = names if is_unconfirmed else []
    # What the archiver stores meanwhile is in both then, not in neither.
    return _noted(order_id, names) or _failed(order_id, names) or _late(late)


def _failed(order_id: str, names: list[str]) -> Obstacle | None:
    wanted = {"order_id": order_id, "service": {"$in": names}, "status": {"$in": UNDONE}}
    failed = failed_messages().find_one(wanted, sort=[("last_failed_at", -1)])
    if failed is None:
        return None
    cause = f"{failed['service']} failed for it: {failed['message'] or failed['reason']}"
    return Obstacle(cause.rstrip("."), STEPS[failed["status"]])


def _noted(order_id: str, names: list[str]) -> Obstacle | None:
    """What the desk does not know, as it waits for a retry or for the archiver."""
    notes = [note for note in retry_notes.of_order(order_id) if note["service"] in names]
    waiting = next((each for each in notes if each.get("due_at")), None)
    if waiting:
        step = (
            f"Wait for the next attempt, due at {exact(waiting['due_at'])}, or retry it now there."
        )
        return Obstacle(f"{waiting['service']} failed for it and retries{_error(waiting)}", step)
    over = [each for each in notes if each.get("gave_up") or each.get("stop")]
    return next((_given_up(each) for each in over if not _is_stored(each)), None)


def _given_up(note: dict[str, Any]) -> Obstacle:
    became = "gave up" if note.get("gave_up") else "its retries were stopped"
    step = "Replay its message, once the archiver has stored it, from its page."
    return Obstacle(f"{note['service']} failed for it and {became}{_error(note)}", step)


def _is_stored(note: dict[str, Any]) -> bool:
    """Whether the desk has it, and so says itself whether it is still undone."""
    wanted = {name: note.get(name) for name in ("order_id", "service", "message_id")}
    return failed_messages().find_one(wanted, {"_id": True}) is not None


def _error(note: dict[str, Any]) -> str:
    """The latest attempt's; one that killed its worker has none."""
    attempts = note["attempts"]
    return f": {attempts[-1]['message'].rstrip('.')}" if attempts else ""


def _late(names: list[str]) -> Obstacle | None:
    if not names:
        return None
    have = "has" if len(names) == 1 else "have"
    cause = f"it is not confirmed: {' and '.join(names)} {have} not answered"
    step = "Wait until it is confirmed; its page tells what happens to it."
    return Obstacle(cause, step, is_only_late=True)


def owes(service: str, order: dict[str, Any] | None) -> bool:
    """Whether the service owes the order an answer; of an unknown order nobody knows."""
    if order is None:
        return True
    return key(service, "order.placed") in (order.get("awaited") or ())
