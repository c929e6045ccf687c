"""Issues one invoice for each order, and credits it when the order is rejected.

The two may come in either sequence: both end with the same state, see `credit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128
from django.db import connection
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from billing.order import Line, PlacedOrder, RejectedOrder
from messaging.transactions import in_transaction

#: As stored in `invoices`: _id (the order's id), number ("2026-000001" | None), user_id,
#: items [{sku, quantity, unit_price, amount}], total, currency, state ("issued" | "credited" |
#: "void"), created_at, credited_at; money as Decimal128.
Invoice = dict[str, Any]


def issue(order: PlacedOrder) -> Invoice:
    """Return the order's invoice, issued now unless billing has dealt with the order before.

    An order that was rejected before keeps its void invoice.

    Raises:
        Outage: MongoDB is away or the documents are held, see `messaging.transactions`.
    """

    def issue_once(session: ClientSession) -> Invoice:
        if recorded := _recorded(order.order_id, session):
            return recorded
        now = datetime.now(UTC)
        [number] = next_numbers(1, now.year, session)
        invoice = issued(order, number, now)
        invoices().insert_one(invoice, session=session)
        return invoice

    return in_transaction(issue_once)


def credit(order: RejectedOrder) -> Invoice:
    """Credit the order's invoice, or see to it that none will be issued; return what is recorded.

    Raises:
        Outage: MongoDB is away or the documents are held, see `messaging.transactions`.
    """

    def credit_once(session: ClientSession) -> Invoice:
        now = datetime.now(UTC)
        recorded = _recorded(order.order_id, session)
        if recorded is None:
            invoices().insert_one(tombstone := _void(order, now), session=session)
            return tombstone
        if recorded["state"] == "issued":
            credited = {"state": "credited", "credited_at": now}
            invoices().update_one({"_id": order.order_id}, {"$set": credited}, session=session)
            recorded |= credited
        return recorded

    return in_transaction(credit_once)


def next_numbers(count: int, year: int, session: ClientSession) -> list[str]:
    """Give out the next `count` numbers of the year's series, as "2026-000001".

    The series has no gaps: the numbers are taken back if the session's transaction fails.
    """
    counter = connection.database["invoice_counters"].find_one_and_update(
        {"_id": str(year)},
        {"$inc": {"last": count}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    return [f"{year}-{n:06d}" for n in range(counter["last"] - count + 1, counter["last"] + 1)]


def issued(order: PlacedOrder, number: str, now: datetime) -> Invoice:
    """The document of an invoice that the order has to pay."""
    return {
        "_id": order.order_id,
        "number": number,
        "user_id": order.user_id,
        "items": _items(order.lines),
        "total": Decimal128(order.total),
        "currency": order.currency,
        "state": "issued",
        "created_at": now,
        "credited_at": None,
    }


def invoices() -> Collection[Invoice]:
    """The invoices; past Django's query log, which would keep every statement of a worker."""
    return connection.database["invoices"]


def _recorded(order_id: str, session: ClientSession) -> Invoice | None:
    return invoices().find_one({"_id": order_id}, session=session)


def _items(lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [
        {
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": Decimal128(line.unit_price),
            "amount": Decimal128(line.amount),
        }
        for line in lines
    ]


def _void(order: RejectedOrder, now: datetime) -> Invoice:
    return {
        "_id": order.order_id,
        "number": None,
        "user_id": order.user_id,
        "items": [],
        "total": Decimal128(Decimal("0.00")),
        "currency": order.currency,
        "state": "void",
        "created_at": now,
        "credited_at": now,
    }
