"""The events of billing: what became of an order's invoice."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from messaging.published import Currency, Money, OrderId, Published, UserId
from messaging.topology import billing_events

InvoiceNumber = Annotated[str, Meta(description="Gapless within its year, like 2026-000001.")]


class Bill(Struct, rename="camel"):
    order_id: OrderId
    user_id: UserId
    total: Money
    currency: Currency


class BillingInvoiced(Bill):
    """The order's invoice is issued."""

    invoice_number: InvoiceNumber


class BillingCredited(Bill):
    """The order's invoice is credited; without numbers none was issued, nor will be."""

    invoice_number: InvoiceNumber | None
    credit_note_number: str | None


PUBLISHED = [
    Published("billing.invoiced", 1, BillingInvoiced, billing_events),
    Published("billing.credited", 1, BillingCredited, billing_events),
]
