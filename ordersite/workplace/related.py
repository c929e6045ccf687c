"""What belongs to an order, in every app: each thing with the link to its page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from msgspec import Struct

from billing.invoicing import invoices
from failed_messages.records.collection import failed_messages
from inventory.movements import ids_of_order, movements
from inventory.reserving import reservations
from messaging.isolation import isolated
from orders.collection import orders
from ordersite.overview.links import Link
from runtime.moment import exact
from webhooks.store import deliveries

logger = logging.getLogger(__name__)

UNREADABLE = (
    "On an order's page the row %s cannot be shown, since a document is not as this release stores "
    "one. The others are shown."
)

#: Of the customer's other orders, and of the failed messages.
SHOWN = 5


class Item(Struct, frozen=True):
    link: Link
    #: Behind the link, in a few words.
    detail: str = ""


class Related(Struct, frozen=True):
    """One row: what it is, and the things themselves."""

    title: str
    items: tuple[Item, ...]
    #: What to say where there is none.
    none: str = "none"


def related(order: dict[str, Any]) -> list[Related]:
    """Everything that belongs to the stored order.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    order_id = str(order["_id"])
    reservation = reservations().find_one({"_id": order_id})
    return [
        _row("Invoice", lambda: _documents(order_id), "not issued yet"),
        _row("Reservation", lambda: _reservation(reservation), "nothing is reserved"),
        _row("Stock movements", lambda: _movements(reservation)),
        _row("Failed messages", lambda: _failures(order_id)),
        *([_row("Webhooks", lambda: _deliveries(order_id))] if settings.WEBHOOKS else []),
        _row("Other orders of this customer", lambda: _others(order)),
    ]


def _row(title: str, items: Callable[[], list[Item]], none: str = "none") -> Related:
    """A row whose documents cannot be read hides no other."""
    with isolated(logger, UNREADABLE, title):
        return Related(title, tuple(items()), none)
    return Related(title, (), "(unreadable)")


def _documents(order_id: str) -> list[Item]:
    invoice = invoices().find_one({"_id": order_id})
    if invoice is None:
        return []
    state = str(invoice["state"])
    page = Link(invoice["number"] or state, "admin:billing_invoice_change", args=(order_id,))
    found = [Item(page, state)]
    if invoice["number"]:
        found.append(Item(Link("print", "invoice", args=(order_id,))))
        found.append(Item(Link("PDF", "invoice-pdf", args=(order_id,))))
    if number := invoice.get("credit_note_number"):
        found.append(Item(Link(f"credit note {number}", "credit-note", args=(order_id,))))
        found.append(Item(Link("PDF", "credit-note-pdf", args=(order_id,))))
    return found


def _reservation(reservation: dict[str, Any] | None) -> list[Item]:
    if reservation is None:
        return []
    state = str(reservation["state"])
    id_ = str(reservation["_id"])
    return [Item(Link(state, "admin:inventory_reservation_change", args=(id_,)))]


def _movements(reservation: dict[str, Any] | None) -> list[Item]:
    """Their ids are known from the reservation's lines."""
    if reservation is None:
        return []
    ids = ids_of_order(reservation["_id"], [line["sku"] for line in reservation["items"]])
    found = movements().find({"_id": {"$in": ids}}).sort("at", 1)
    return [
        Item(
            Link(
                f"{each['kind']} {each['sku']}",
                "admin:inventory_movement_change",
                args=(each["_id"],),
            ),
            exact(each["at"]) + (f" by {each['by']}" if each.get("by") else ""),
        )
        for each in found
    ]


def _failures(order_id: str) -> list[Item]:
    wanted = {"service": True, "type": True, "status": True, "message": True}
    found = failed_messages().find({"order_id": order_id}, wanted).limit(SHOWN + 1)
    items = [
        Item(
            Link(
                f"{each['service']}: {each['type'] or '(no type)'}",
                "admin:failed_messages_failedmessage_change",
                args=(str(each["_id"]),),
            ),
            f"{each['status']}: {each['message'][:100]}",
        )
        for each in found
    ]
    name = "admin:failed_messages_failedmessage_changelist"
    more = Item(Link("all", name, f"orderId={order_id}"))
    return [*items[:SHOWN], more] if len(items) > SHOWN else items


def _deliveries(order_id: str) -> list[Item]:
    found = deliveries().find({"order_id": order_id}, {"type": True, "state": True})
    items = [
        Item(
            Link(each["type"], "admin:webhooks_delivery_change", args=(each["_id"],)), each["state"]
        )
        for each in found.sort("_id", 1).limit(SHOWN + 1)
    ]
    more = Item(Link("all", "admin:webhooks_delivery_changelist", f"q={order_id}"))
    return [*items[:SHOWN], more] if len(items) > SHOWN else items


def _others(order: dict[str, Any]) -> list[Item]:
    theirs = {"user_id": order["user_id"], "_id": {"$ne": order["_id"]}}
    found = orders().find(theirs, {"status": True, "created_at": True}).sort("_id", -1)
    items = [
        Item(
            Link(str(each["_id"]), "admin:orders_order_change", args=(str(each["_id"]),)),
            f"{each['status']}, {exact(each['created_at'])}",
        )
        for each in found.limit(SHOWN + 1)
    ]
    more = Item(Link("all", "admin:orders_order_changelist", f"q={int(order['user_id'])}"))
    return [*items[:SHOWN], more] if len(items) > SHOWN else items


def reservation_state(order_id: str) -> str | None:
    found = reservations().find_one({"_id": order_id}, {"state": True})
    return str(found["state"]) if found else None


def invoice_state(order_id: str) -> str | None:
    found = invoices().find_one({"_id": order_id}, {"state": True})
    return str(found["state"]) if found else None
