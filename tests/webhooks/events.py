"""Events, as webhooks hear of them; the tests' pipeline has no such service running."""

from __future__ import annotations

from typing import Any

from webhooks import noting, outcomes
from webhooks.order_in_message import read
from webhooks.sending import Sent
from webhooks.store import Document, endpoints

ORDER_ID = "674300000000000000000001"


def heard_of(type_: str = "order.placed", **body: Any) -> None:
    """Note the event for every endpoint that listens."""
    event = {"orderId": ORDER_ID, "userId": 101, **body}
    noting.note(type_, [(event, read(event))])


def answered(delivery: Document, sent: Sent) -> None:
    """Note the attempt, whatever it led to."""
    endpoint = endpoints().find_one({"_id": delivery["endpoint"]})
    assert endpoint is not None
    outcomes.note_attempt(delivery, sent)
    outcomes.note_health(endpoint, sent)
