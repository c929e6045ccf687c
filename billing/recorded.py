"""Which events of invoices happened, for messages of an unknown publisher."""

from __future__ import annotations

from collections.abc import Collection

from billing.events import Bill, credited_body, invoiced_body
from billing.invoicing import Invoice, invoices


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Bill]:
    """The bodies of this type's events, by order id; nothing for those that never happened."""
    body_of, happened = {
        "billing.invoiced": (invoiced_body, was_invoiced),
        "billing.credited": (credited_body, was_credited),
    }[type_]
    found = invoices().find({"_id": {"$in": [*order_ids]}})
    return {each["_id"]: body_of(each) for each in found if happened(each)}


def was_invoiced(invoice: Invoice) -> bool:
    """It may have been credited since."""
    return invoice["number"] is not None


def was_credited(invoice: Invoice) -> bool:
    return invoice["state"] in ("credited", "void")
