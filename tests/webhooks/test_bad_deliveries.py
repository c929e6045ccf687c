"""A delivery that another program spoilt is tried once at most; no other fault gives one up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.errors import OperationFailure, WriteError

from tests.webhooks.events import heard_of
from tests.webhooks.test_delivering import endpoint
from webhooks import outcomes, sending, waking
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints
from webhooks.turn import take_turn

pytestmark = pytest.mark.usefixtures("db")

FIRST, SECOND = "674300000000000000000001", "674300000000000000000002"
SPOILT: list[dict[str, Any]] = [
    *({"attempts": None}, {"attempts": "none"}, {"tries": None}, {"tries": "twice"}),
    *({"body": None}, {"body": {"a": 1}}, {"message_id": 7}, {"tries": -9}),
]


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


def turn(send: Any) -> None:
    claimed = waking.claim([], [], list(waking.Health))
    assert claimed
    take_turn(claimed, lambda: False, send)


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

    turn(send)

    first, second = deliveries().find().sort("order_id", 1)
    assert (first["state"], second["state"]) == ("failed", "delivered")
    assert [each for each in sent if SECOND in each]
    assert len(sent) <= 2
    assert f"The delivery {first['_id']}" in caplog.text


def test_one_whose_attempt_cannot_be_noted_is_not_sent_again_and_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint(None)
    heard_of(orderId=FIRST)
    sent: list[str] = []

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        deliveries().update_one({}, {"$set": {"attempts": "none"}})
        sent.append(body)
        return Sent(now, 5, {}, 204)

    turn(send)

    assert [each["state"] for each in deliveries().find()] == ["failed"]
    assert len(sent) == 1
    assert "is given up" in caplog.text


def test_one_that_only_this_process_cannot_send_waits_for_another_turn() -> None:
    """As where no thread can be started, or there is no memory."""
    endpoint(None)
    heard_of(orderId=FIRST)
    heard_of(orderId=SECOND)

    def send(*_: Any) -> Sent:
        raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError):
        turn(send)

    assert [(each["state"], each["tries"]) for each in deliveries().find()] == [("pending", 0)] * 2


def test_a_secret_that_cannot_sign_gives_up_no_delivery() -> None:
    endpoint(None)
    endpoints().update_one({}, {"$set": {"secrets.0.value": "whsec_abcde"}})
    heard_of(orderId=FIRST)

    with pytest.raises(ValueError, match="base64"):
        turn(sending.send)

    assert [each["state"] for each in deliveries().find()] == ["pending"]


@pytest.mark.parametrize(
    "refusal",
    [OperationFailure("the operation was interrupted", 11601), WriteError("disk full", 14031)],
    ids=str,
)
def test_what_mongodb_cannot_note_now_is_sent_once_more(
    refusal: OperationFailure, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint(None)
    heard_of(orderId=FIRST)

    def refuse(*_: Any) -> None:
        raise refusal

    monkeypatch.setattr(outcomes, "settled", refuse)
    with pytest.raises(type(refusal)):
        turn(lambda *each: Sent(each[-1], 5, {}, 204))

    assert [each["state"] for each in deliveries().find()] == ["pending"]
