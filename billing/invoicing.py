"""Issues one invoice for each order, and credits it when the order is rejected or cancelled.

They may come in any sequence: each ends with nothing owed, see `credit`. A credit note
always credits its whole invoice, so it is stored as what it adds to that: a number, a time and
a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from billing.numbering import credit_note_series, invoice_series, next_numbers
from billing.order_in_message import Line, PlacedOrder, WithdrawnOrder
from billing.tax import tax_of
from runtime.money.amounts import stored
from runtime.money.currencies import rounded
from runtime.stored_documents import AWARE
from runtime.transactions import in_transaction

#: As stored in `invoices`: _id (the order's id), number ("2026-000001" | None), user_id,
#: items [{sku, quantity, unit_price, amount}], total, tax_rate_percent, tax (what of the total is
#: tax), currency, state ("issued" | "credited" | "void"), created_at, credited_at,
#: credit_note_number ("C2026-000001" | None), credit_reason; money as Decimal128.
Invoice = dict[str, Any]


def issue(order: PlacedOrder) -> Invoice:
    """Return the order's invoice, issued now unless billing has dealt with the order before.

    An order that was rejected or cancelled before keeps its void invoice.

    Raises:
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def issue_once(session: ClientSession) -> Invoice:
        if recorded := _recorded(order.order_id, session):
            return recorded
        now = datetime.now(UTC)
        [number] = next_numbers(1, invoice_series(now), session)
        invoice = issued(order, number, now)
        invoices().insert_one(invoice, session=session)
        return invoice

    return in_transaction(issue_once)


def credit(order: WithdrawnOrder) -> Invoice:
    """Credit the order's invoice, or make sure that none will be issued; return what is recorded.

    Raises:
        Outage: MongoDB is down or the documents are held, see `runtime.transactions`.
    """

    def credit_once(session: ClientSession) -> Invoice:
        now = datetime.now(UTC)
        recorded = _recorded(order.order_id, session)
        if recorded is None:
            invoices().insert_one(tombstone := _void(order, now), session=session)
            return tombstone
        if recorded["state"] == "issued":
            recorded |= (credited := _credited(order, now, session))
            invoices().update_one({"_id": order.order_id}, {"$set": credited}, session=session)
        return recorded

    return in_transaction(credit_once)


def issued(order: PlacedOrder, number: str, now: datetime) -> Invoice:
    """The document of an invoice that the order has to pay."""
    return {
        "_id": order.order_id,
        "number": number,
        "user_id": order.user_id,
        "items": _items(order.lines),
        "total": stored(order.total),
        "tax_rate_percent": stored(settings.TAX_RATE_PERCENT),
        "tax": stored(tax_of(order)),
        "currency": order.currency,
        "state": "issued",
        "created_at": now,
        "credited_at": None,
        "credit_note_number": None,
        "credit_reason": None,
    }


def invoices() -> Collection[Invoice]:
    """The invoices, their dates aware, in UTC.

    Past Django's query log, which would keep every statement of a worker.
    """
    collection: Collection[Invoice] = connection.database.get_collection(
        "invoices", codec_options=AWARE
    )
    return collection


def recorded_of(order_ids: list[str], session: ClientSession) -> dict[str, Invoice]:
    """What billing has done for these orders, by order id; those never heard of are left out."""
    found = invoices().find({"_id": {"$in": order_ids}}, session=session)
    return {invoice["_id"]: invoice for invoice in found}


def _recorded(order_id: str, session: ClientSession) -> Invoice | None:
    return invoices().find_one({"_id": order_id}, session=session)


def _items(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": stored(line.unit_price),
            "amount": stored(line.amount),
        }
        for line in lines
    ]


def _credited(order: WithdrawnOrder, now: datetime, session: ClientSession) -> Invoice:
    [number] = next_numbers(1, credit_note_series(now), session)
    return {
        "state": "credited",
        "credited_at": now,
        "credit_note_number": number,
        "credit_reason": order.reason,
    }


def _void(order: WithdrawnOrder, now: datetime) -> Invoice:
    nothing = stored(rounded(Decimal(), order.currency))
    return {
        "_id": order.order_id,
        "number": None,
        "user_id": order.user_id,
        "items": [],
        "total": nothing,
        "tax_rate_percent": stored(Decimal("0.00")),
        "tax": nothing,
        "currency": order.currency,
        "state": "void",
        "created_at": now,
        "credited_at": now,
        "credit_note_number": None,
        "credit_reason": order.reason,
    }
