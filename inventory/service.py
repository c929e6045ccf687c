"""Inventory's declaration as a service."""

from __future__ import annotations

from inventory import events
from messaging.service import Event, On, Service

SERVICE = Service(
    "inventory",
    listens=[
        On("order.placed", leads_to=["reserved", "rejected"]),
        # Only an order that inventory rejected itself is rejected: there is nothing to release.
        On("order.cancelled", leads_to=["released"]),
    ],
    publishes=[
        Event("inventory.reserved", events.InventoryReserved),
        Event("inventory.rejected", events.InventoryRejected, detail="reason"),
        Event("inventory.released", events.InventoryReleased),
        # What is shipped has left the house, so that it stands over a release, too.
        Event("inventory.shipped", events.InventoryShipped, kept_by="inventory.shipping"),
    ],
    plain_messages_are="order.placed",
)
