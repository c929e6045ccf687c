"""The declaration of orders as a service: it publishes the first event and keeps the ledger."""

from __future__ import annotations

from messaging.service import Event, Service
from orders import events

SERVICE = Service(
    "orders",
    publishes=[
        Event("order.placed", events.OrderPlaced),
        # Many subscribers wait for it and few services, which it would cost a delivery an order.
        Event("order.confirmed", events.OrderConfirmed, by_topic_only=True),
        Event("order.rejected", events.OrderRejected),
        Event("order.cancelled", events.OrderCancelled),
    ],
    keeps_ledger=True,
    outbox="orders.outbox.store",
    by_topic=True,
    fanout="order_events",
)
