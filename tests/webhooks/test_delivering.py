"""From an event to its endpoints: once for each, retried by itself, and none waits for another."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.requests.number import EXACT_IN_JAVASCRIPT
from tests.webhooks.events import ORDER_ID, heard_of
from webhooks import managing, outcomes, tasks, waking
from webhooks.disabling import enable
from webhooks.schedule import MOST_TRIES
from webhooks.sending import Sent
from webhooks.sending_again import send_again
from webhooks.store import Document, deliveries, endpoints
from webhooks.turn import take_turn
from webhooks.waking import Health

pytestmark = pytest.mark.usefixtures("db")

PLACED = {"orderId": ORDER_ID, "userId": 101, "status": "placed"}
ANY = list(Health)
URL = "https://shop.example.com/hook"


@pytest.fixture(autouse=True)
def private(settings: Any) -> None:
    settings.WEBHOOKS = True


def endpoint(user_id: int | None = 101, *types: str, url: str = URL) -> Document:
    wanted = types or ("order.placed",)
    made = managing.create(url, wanted, user_id=user_id, description="", by="a test")
    return made.endpoint


def answering(status: int | None, sent: list[tuple[str, str]] | None = None) -> Callable[..., Sent]:
    """Stands for the internet."""

    def send(url: str, message_id: str, body: str, secrets: Any, now: datetime) -> Sent:
        if sent is not None:
            sent.append((url, message_id))
        return Sent(now, 5, {"webhook-id": message_id}, status, error="" if status else "timed out")

    return send


def turn(status: int | None, sent: list[tuple[str, str]] | None = None) -> Document | None:
    """One turn of whichever endpoint is due."""
    claimed = waking.claim([], [], ANY)
    if claimed:
        take_turn(claimed, lambda: False, answering(status, sent))
    return claimed


def let_time_pass() -> None:
    """Whatever waits is due."""
    past = datetime(2026, 1, 1, tzinfo=UTC)
    deliveries().update_many({"state": "pending"}, {"$set": {"due_at": past}})
    endpoints().update_many(
        {"next_at": {"$ne": None}}, {"$set": {"next_at": past, "held_until": None}}
    )


def states() -> list[str]:
    return sorted(each["state"] for each in deliveries().find())


def test_each_endpoint_gets_an_event_once_however_often_it_comes() -> None:
    first, second = endpoint(), endpoint()

    for _ in range(3):
        heard_of()

    stored = list(deliveries().find())
    assert {each["endpoint"] for each in stored} == {first["_id"], second["_id"]}
    assert len(stored) == 2
    assert len({each["message_id"] for each in stored}) == 1


def test_it_hears_of_its_own_orders_and_types_alone() -> None:
    own, shops = endpoint(101), endpoint(None)
    endpoint(202)
    endpoint(101, "order.cancelled")

    heard_of()

    assert {each["endpoint"] for each in deliveries().find()} == {own["_id"], shops["_id"]}


def test_many_are_noted_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.events, "noted", lambda record: record["_id"])
    shop = endpoint(None)
    bodies = [{**PLACED, "orderId": f"{number:024x}"} for number in range(20)]

    answers = tasks.note_many("order.placed", [*bodies, {"orderId": 7}, bodies[0]])

    assert answers == [*([each["orderId"]] for each in bodies), None, [bodies[0]["orderId"]]]
    assert deliveries().count_documents({"endpoint": shop["_id"]}) == 20
    assert tasks.note_many("order.cancelled", bodies) == [[] for _ in bodies]


def test_what_is_sent_is_the_event_with_its_type_and_time() -> None:
    endpoint()
    heard_of(type="forged", items=[{"sku": "pen", "quantity": 2}])

    (stored,) = deliveries().find()
    assert stored["body"].startswith('{"type":"order.placed","timestamp":"')
    assert '"items":[{"sku":"pen","quantity":2}]' in stored["body"]
    assert "forged" not in stored["body"]


def test_a_user_id_that_javascript_rounds_is_sent_as_text_too() -> None:
    large = EXACT_IN_JAVASCRIPT + 2
    endpoint(None)
    heard_of()
    heard_of(orderId="f" * 24, userId=large)

    usual, rare = (json.loads(each["body"]) for each in deliveries().find().sort("order_id", 1))

    assert "userIdText" not in usual
    assert (rare["userId"], rare["userIdText"]) == (large, str(large))


def test_a_success_is_noted_with_its_attempt() -> None:
    made = endpoint()
    heard_of()

    turn(204)

    (stored,) = deliveries().find()
    assert (stored["state"], stored["tries"]) == ("delivered", 1)
    assert stored["attempts"][0]["status"] == 204
    known = endpoints().find_one({"_id": made["_id"]})
    assert known is not None
    assert known["last_success_at"] is not None
    assert known["next_at"] is None
    assert turn(204) is None


def test_a_failure_is_tried_again_with_the_same_id_until_it_is_given_up() -> None:
    endpoint()
    heard_of()
    sent: list[tuple[str, str]] = []

    for _ in range(MOST_TRIES + 3):
        turn(500, sent)
        let_time_pass()

    assert len(sent) == MOST_TRIES
    assert len({message_id for _, message_id in sent}) == 1
    assert states() == ["failed"]


def test_after_a_failure_the_endpoint_is_left_alone_for_a_while() -> None:
    made = endpoint()
    for number in range(3):
        heard_of(orderId=f"{number:024x}")
    sent: list[tuple[str, str]] = []

    turn(500, sent)
    assert len(sent) == 1, "a failure ends the turn"

    since = datetime.now(UTC) - timedelta(minutes=2)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"failing_since": since}})
    turn(None, sent)

    assert len(sent) == 2
    assert turn(204, sent) is None, "it is held now"
    heard_of(orderId="f" * 24)
    assert turn(204, sent) is None, "and no event changes that"


def test_a_slow_answer_ends_the_turn_and_is_remembered_for_a_minute() -> None:
    made = endpoint()
    for number in range(4):
        heard_of(orderId=f"{number:024x}")

    def answers(seconds: int, later: int = 0) -> Health:
        """The health after one turn of such answers, so much later."""
        claimed = waking.claim([], [], ANY)
        assert claimed is not None
        settled = deliveries().count_documents({"state": "delivered"})

        def send(*_: Any) -> Sent:
            at = datetime.now(UTC) + timedelta(seconds=later)
            return Sent(at, seconds * 1000, {}, 204)

        is_over = iter([False, True])
        take_turn(claimed, lambda: not seconds and next(is_over), send)
        assert deliveries().count_documents({"state": "delivered"}) == settled + 1
        known = endpoints().find_one({"_id": made["_id"]})
        assert known is not None
        return waking.health_of(known)

    assert answers(9) is Health.SLOW
    assert answers(9) is Health.SLOW
    assert answers(0, later=50) is Health.SLOW
    assert answers(0, later=70) is Health.WORKS


def test_what_waits_for_an_endpoint_comes_after_what_is_due_to_others() -> None:
    endpoint(url="https://slow.example.com/")
    for number in range(2):
        heard_of(orderId=f"{number:024x}")
    claimed = waking.claim([], [], ANY)
    assert claimed is not None
    quick = endpoint(202, url="https://quick.example.com/")
    heard_of(orderId="f" * 24, userId=202)

    take_turn(claimed, lambda: False, lambda *_: Sent(datetime.now(UTC), 9_000, {}, 204))

    first = waking.claim([], [], ANY)
    assert first is not None
    assert first["_id"] == quick["_id"]


def test_another_endpoint_does_not_wait_for_one_that_fails() -> None:
    dead, alive = endpoint(), endpoint(url="https://alive.example.com/")
    heard_of()
    outcomes.note_failure(dead["_id"], Sent(datetime.now(UTC), 1, {}, 500))
    sent: list[tuple[str, str]] = []

    while turn(204, sent):
        pass

    assert alive["url"] in [url for url, _ in sent]


def test_who_sends_already_claims_a_failing_endpoint_no_second_time() -> None:
    made = endpoint()
    heard_of()

    assert waking.claim([], [made["_id"]], ANY) is None
    assert waking.claim([], [], [Health.WORKS, Health.FAILS]) is None
    outcomes.note_success(made["_id"], Sent(datetime.now(UTC), 5, {}, 204))
    assert waking.claim([made["_id"]], [], ANY) is None
    assert waking.claim([], [made["_id"]], [Health.WORKS]) is not None


def test_what_a_killed_process_had_taken_is_sent_by_another_one() -> None:
    endpoint()
    heard_of()
    claimed = waking.claim([], [], ANY)
    assert claimed is not None

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> Sent:
        raise Killed

    with pytest.raises(Killed):
        take_turn(claimed, lambda: False, killed)
    assert turn(204) is None, "whoever has it may still be at it"
    let_time_pass()
    turn(204)

    assert states() == ["delivered"]


@pytest.mark.parametrize("turn_seconds", [0, 100])
def test_an_event_that_comes_while_an_endpoint_is_settled_is_not_forgotten(
    turn_seconds: int,
) -> None:
    made = endpoint()
    heard_of()
    claimed = waking.claim([], [], ANY)
    assert claimed is not None
    # As long as that its lease has ended.
    next_at = claimed["next_at"] - timedelta(seconds=turn_seconds)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"next_at": next_at}})
    deliveries().update_many({}, {"$set": {"state": "delivered"}})

    heard_of(orderId="f" * 24)
    deliveries().update_many({"order_id": "f" * 24}, {"$set": {"state": "delivered"}})
    waking.settle(claimed)

    assert waking.claim([], [], ANY) is not None, "it looks once more"


def test_days_of_failures_disable_it_and_its_owner_enables_it() -> None:
    made = endpoint()
    heard_of()
    since = datetime.now(UTC) - timedelta(days=5, minutes=1)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"failing_since": since, "failures": 9}})

    turn(500)

    known = endpoints().find_one({"_id": made["_id"]})
    assert known is not None
    assert known["state"] == "disabled"
    assert "5 days" in known["reason"]
    assert states() == ["failed"]
    heard_of(orderId="f" * 24)
    assert deliveries().count_documents({}) == 1, "it hears of nothing now"

    enable(made["_id"])
    heard_of(orderId="e" * 24)
    turn(204)
    assert states() == ["delivered", "failed"]


def test_gone_disables_it_at_once() -> None:
    made = endpoint()
    heard_of()

    turn(410)

    known = endpoints().find_one({"_id": made["_id"]})
    assert known is not None
    assert known["state"] == "disabled"


def test_sending_again_keeps_the_id_and_begins_anew() -> None:
    endpoint()
    heard_of()
    sent: list[tuple[str, str]] = []
    turn(204, sent)
    (stored,) = deliveries().find()

    send_again(stored)
    turn(204, sent)

    assert len(sent) == 2
    assert sent[0] == sent[1]
    (again,) = deliveries().find()
    assert (again["state"], again["tries"], len(again["attempts"])) == ("delivered", 1, 2)


def test_a_test_goes_out_although_the_endpoint_is_held() -> None:
    made = endpoint()
    held = datetime.now(UTC) + timedelta(minutes=9)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"held_until": held, "failures": 7}})

    managing.send_test(made)
    sent: list[tuple[str, str]] = []
    turn(204, sent)

    assert len(sent) == 1
