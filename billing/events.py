"""What billing tells the other services."""

from __future__ import annotations

from billing.invoicing import Invoice
from billing.money import text_of
from messaging.message import Message, event


def billed(invoice: Invoice) -> Message:
    """The `billing.invoiced` or, once it is credited or void, `billing.credited` event."""
    order_id = invoice["_id"]
    type_ = "billing.invoiced" if invoice["state"] == "issued" else "billing.credited"
    body = {
        "orderId": order_id,
        # JSON encoders don't know MongoDB's Int64, which holds what needs more than 32 bits.
        "userId": int(invoice["user_id"]),
        "invoiceNumber": invoice["number"],
        "total": text_of(invoice["total"]),
        "currency": invoice["currency"],
    }
    if type_ == "billing.credited":
        body["creditNoteNumber"] = invoice["credit_note_number"]
    return event(type_, body, message_id=f"{type_}:{order_id}", correlation_id=order_id)
