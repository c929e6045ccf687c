"""The events that billing publishes about an order's invoice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from messaging.fields import Currency, Money, OrderId, UserId
from messaging.message import Message, event
from runtime.money.amounts import text_of

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


def billed(invoice: Mapping[str, Any]) -> Message:
    """The `billing.invoiced` or, once it is credited or void, `billing.credited` event."""
    body = invoiced_body if invoice["state"] == "issued" else credited_body
    return event(body(invoice), invoice["_id"])


def invoiced_body(invoice: Mapping[str, Any]) -> BillingInvoiced:
    return BillingInvoiced(*_bill(invoice), invoice["number"])


def credited_body(invoice: Mapping[str, Any]) -> BillingCredited:
    return BillingCredited(*_bill(invoice), invoice["number"], invoice["credit_note_number"])


def _bill(invoice: Mapping[str, Any]) -> tuple[str, int, str, str]:
    # JSON encoders don't know MongoDB's Int64, which holds what needs more than 32 bits.
    user_id, currency = int(invoice["user_id"]), invoice["currency"]
    return invoice["_id"], user_id, text_of(invoice["total"], currency), currency
