"""Billing's declaration as a service."""

from __future__ import annotations

from billing import events
from messaging.service import Event, On, Service

SERVICE = Service(
    "billing",
    listens=[
        On("order.placed", leads_to=["invoiced"]),
        On("order.rejected", leads_to=["credited"]),
        On("order.cancelled", leads_to=["credited"]),
    ],
    publishes=[
        Event("billing.invoiced", events.BillingInvoiced, detail="invoice_number"),
        Event("billing.credited", events.BillingCredited, detail="invoice_number"),
    ],
    plain_messages_are="order.placed",
)
