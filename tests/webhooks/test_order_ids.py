"""Whose order an event is about, by an id that all services take or refuse alike."""

from __future__ import annotations

import pytest

from billing.order_in_message import read_placed
from inventory.order_in_message import read as read_by_inventory
from messaging.errors import InvalidMessage
from webhooks.order_in_message import read

LINE = {"sku": "pen", "quantity": 1, "unitPrice": "1.00"}
READERS = (read, read_by_inventory, read_placed)


@pytest.mark.parametrize("order_id", ["\U0001f4e6" * 100, "é" * 101, "x" * 101, -1, 2**63, ""])
def test_an_id_that_no_answer_has_room_for_is_refused_by_all(order_id: str | int) -> None:
    body = {"orderId": order_id, "userId": 101, "items": [LINE], "total": "1.00"}
    for reader in READERS:
        with pytest.raises(InvalidMessage, match="orderId"):
            reader(body)


@pytest.mark.parametrize("order_id", ["\U0001f4e6" * 50, "x" * 100, 0, 2**63 - 1, 2**53 + 1])
def test_one_that_fits_is_taken_by_all(order_id: str | int) -> None:
    body = {"orderId": order_id, "userId": 101, "items": [LINE], "total": "1.00"}
    assert {reader(body).order_id for reader in READERS} == {str(order_id)}
