"""Billing's worker may be killed at any moment; its numbers have no gap."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

from bson import ObjectId

from billing.invoicing import invoices
from tests.billing.orders import cancelled, placed
from tests.broker import depth, publish
from tests.polling import eventually
from tests.processes import Processes

ORDERS = 300
NUMBERED_AT_LEAST = ORDERS * 2 // 3
KILLS = 3


def numbers(field: str) -> list[str]:
    numbered = invoices().find({field: {"$ne": None}}, {field: 1})
    return sorted(invoice[field] for invoice in numbered)


def test_numbers_have_no_gap_when_billing_is_killed_at_random_moments(
    processes: Processes, chance: random.Random
) -> None:
    order_ids = [str(ObjectId()) for _ in range(ORDERS)]
    for n, order_id in enumerate(order_ids):
        send("order.placed", placed(order_id))
        if n % 3 == 0:
            send("order.cancelled", cancelled(order_id))

    [worker] = processes.start("billing")
    for _ in range(KILLS):
        # A cancelled order may get no number at all.
        until = min(len(numbers("number")) + chance.randint(1, 50), NUMBERED_AT_LEAST)
        eventually(lambda until=until: len(numbers("number")) >= until)
        worker.kill()
        [worker] = processes.start("billing")

    eventually(lambda: invoices().count_documents({}) == ORDERS)
    eventually(lambda: invoices().count_documents({"state": "issued"}) == NUMBERED_AT_LEAST)
    series = datetime.now(UTC).year
    invoiced, credited = numbers("number"), numbers("credit_note_number")
    assert invoiced == [f"{series}-{n:06d}" for n in range(1, len(invoiced) + 1)]
    assert credited == [f"C{series}-{n:06d}" for n in range(1, len(credited) + 1)]
    assert len(credited) == invoices().count_documents({"state": "credited"})
    assert depth("billing.dlq") == 0


def send(type_: str, body: dict[str, object]) -> None:
    publish(
        json.dumps(body).encode(),
        exchange="order_events",
        content_type="application/json",
        type=type_,
        message_id=f"{type_}:{body['orderId']}",
    )
