"""A delivery that another program spoilt is tried once at most, and holds up no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.webhooks.events import heard_of
from tests.webhooks.test_delivering import endpoint
from webhooks import waking
from webhooks.sending import Sent
from webhooks.store import deliveries
from webhooks.turn import take_turn

pytestmark = pytest.mark.usefixtures("db")

FIRST, SECOND = "674300000000000000000001", "674300000000000000000002"
SPOILT: list[dict[str, Any]] = [
    *({"attempts": None}, {"attempts": "none"}, {"tries": None}, {"tries": "twice"}),
    *({"body": None}, {"body": {"a": 1}}),
]


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


@pytest.mark.parametrize("status", [204, 500])
@pytest.mark.parametrize("fields", SPOILT, ids=str)
def test_it_is_given_up_and_the_next_one_sent(
    fields: dict[str, Any], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint(None)
    heard_of(orderId=FIRST)
    early = {"due_at": datetime(2026, 1, 31, tzinfo=UTC)}
    deliveries().update_one({"order_id": FIRST}, {"$set": {**early, **fields}})
    heard_of(orderId=SECOND)
    sent: list[str] = []

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        is_first = FIRST.encode() in body.encode()
        sent.append(body)
        return Sent(now, 5, {}, status if is_first else 204)

    claimed = waking.claim([], [], list(waking.Health))
    assert claimed
    take_turn(claimed, lambda: False, send)

    first, second = deliveries().find().sort("order_id", 1)
    assert (first["state"], second["state"]) == ("failed", "delivered")
    assert [each for each in sent if SECOND in each]
    assert len(sent) <= 2
    assert f"The delivery {first['_id']}" in caplog.text
