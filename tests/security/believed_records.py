"""What the three services have stored, in memory: two orders of ours at every stage."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from msgspec import Struct

from billing.events import BillingInvoiced
from inventory.events import InventoryReserved, StockLine
from messaging.trust import records
from orders import events

PLACED, CANCELLED = str(ObjectId(b"placed-order")), str(ObjectId(b"cancel-order"))
ORDER: dict[str, Any] = {
    "user_id": 101,
    "items": [
        {"sku": "pen", "quantity": 2, "unit_price": Decimal128("12.50")},
        {"sku": "book", "quantity": 1, "unit_price": Decimal128("0.99")},
    ],
    "total": Decimal128("25.99"),
    "currency": "EUR",
    "created_at": datetime(2026, 11, 28, tzinfo=UTC),
    "cancellation": {"reason": "changed my mind"},
}


def placed(order_id: str) -> Struct:
    return events.body_of({**ORDER, "_id": order_id}, "order.placed")


#: By type, and by order id: what happened, and nothing else did.
HAPPENED: dict[str, Mapping[str, Struct]] = {
    "order.placed": {each: placed(each) for each in (PLACED, CANCELLED)},
    "order.cancelled": {
        CANCELLED: events.body_of({**ORDER, "_id": CANCELLED}, "order.cancelled"),
    },
    "inventory.reserved": {
        PLACED: InventoryReserved(PLACED, 101, [StockLine("pen", 2), StockLine("book", 1)])
    },
    "billing.invoiced": {CANCELLED: BillingInvoiced(CANCELLED, 101, "25.99", "EUR", "2026-000001")},
}


def bodies(type_: str, order_ids: Collection[str]) -> dict[str, Struct]:
    happened = HAPPENED.get(type_, {})
    return {each: happened[each] for each in order_ids if each in happened}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every service answers from here."""
    monkeypatch.setattr(records, "_module", lambda package: SimpleNamespace(bodies=bodies))
