"""An order whose document cannot be read hides the facts about no other. In memory."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, ObjectId

from orders import facts_for_desk

SOUND, WRONG = ObjectId(), ObjectId()


def order(id_: ObjectId, total: Any) -> dict[str, Any]:
    return {
        "_id": id_,
        "status": "placed",
        "version": 1,
        "total": total,
        "currency": "EUR",
        "ledger": {},
    }


@pytest.mark.parametrize(
    "total", [None, "5", *map(Decimal128, ("NaN", "sNaN", "Infinity", "-Infinity"))]
)
def test_a_total_that_is_no_amount(monkeypatch: pytest.MonkeyPatch, total: Any) -> None:
    class Orders:
        def find(self, *_: Any) -> list[dict[str, Any]]:
            return [order(WRONG, total), order(SOUND, Decimal128("14.90"))]

    monkeypatch.setattr(facts_for_desk, "orders", Orders)

    known = facts_for_desk.facts([str(WRONG), str(SOUND)])

    assert [*known] == [str(SOUND)]
    assert known[str(SOUND)].total == Decimal("14.90")
