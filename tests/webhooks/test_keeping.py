"""What webhooks keep and for how long, and who is told of an endpoint that is dead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from failed_messages.acting import alerts
from ordersite.doctor.webhooks import deliverer
from ordersite.pipeline import health, webhook_alerts
from runtime.personal_data import Person, holdings
from tests.webhooks.events import ORDER_ID, answered, heard_of
from webhooks import managing, outcomes
from webhooks.disabling import disable
from webhooks.noting import note_orders
from webhooks.order_in_message import About
from webhooks.retention import delete_old
from webhooks.sending import Sent
from webhooks.store import Document, deliveries, endpoints, noted_orders
from webhooks.waking import LATE

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime.now(UTC)
PERSON = Person(user_id=101, pseudonym=2**52 + 7, until=NOW + timedelta(days=1))


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


def endpoint(user_id: int | None) -> Document:
    url = "https://shop.example.com/"
    made = managing.create(url, ["order.placed"], user_id=user_id, description="", by="a test")
    return made.endpoint


def ordered(user_id: int, order_id: str = ORDER_ID) -> None:
    about = About(order_id, user_id)
    note_orders("order.placed", [({}, about)])
    heard_of(orderId=order_id, userId=user_id)


def settle(at: datetime = NOW) -> None:
    for each in deliveries().find():
        answered(each, Sent(at, 5, {}, 204))


def of(name: str) -> Any:
    return next(each for each in holdings() if each.name == name)


def test_what_was_settled_long_ago_is_deleted() -> None:
    endpoint(None)
    ordered(101)
    settle(NOW - timedelta(days=31))
    noted_orders().update_many({}, {"$set": {"at": NOW - timedelta(days=31)}})
    ordered(101, "f" * 24)

    assert delete_old() == 1

    assert [each["order_id"] for each in deliveries().find()] == ["f" * 24]
    assert [each["_id"] for each in noted_orders().find()] == ["f" * 24]


def test_what_was_noted_while_its_endpoint_was_disabled_fails() -> None:
    made = endpoint(None)
    ordered(101)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"state": "disabled"}})

    delete_old()

    assert [each["state"] for each in deliveries().find()] == ["failed"]


def test_a_persons_endpoints_are_exported_without_secrets() -> None:
    endpoint(101)
    endpoint(202)

    (found,) = of("webhook endpoints").export(101)

    assert "secrets" not in found
    assert "whsec_" not in str(found)


def test_a_persons_data_go_and_others_stay() -> None:
    for user_id in (101, 202, None):
        endpoint(user_id)
    ordered(101)
    ordered(202, "f" * 24)
    settle()

    for name in ("webhook endpoints", "webhook deliveries", "webhook orders"):
        assert of(name).erase(PERSON).left == 0

    assert [each["user_id"] for each in endpoints().find({"user_id": {"$ne": None}})] == [202]
    assert {each["user_id"] for each in deliveries().find()} == {202}
    assert {each["user_id"] for each in noted_orders().find()} == {PERSON.pseudonym, 202}


def test_what_a_shop_is_yet_to_get_follows_later() -> None:
    endpoint(None)
    ordered(101)

    assert of("webhook deliveries").erase(PERSON).left == 1
    settle()
    assert of("webhook deliveries").erase(PERSON).left == 0


def test_the_operators_are_told_once_of_an_endpoint_that_failures_have_disabled(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    dead, left = endpoint(101), endpoint(202)
    since = NOW - timedelta(days=6)
    endpoints().update_many({}, {"$set": {"failing_since": since, "failures": 9}})
    outcomes.note_failure(dead["_id"], Sent(NOW, 5, {}, 500))
    disable(left["_id"], "Its owner disabled it.", NOW)
    told: list[dict[str, Any]] = []
    keys: set[str] = set()
    takes = [False, True]

    def deliver(alert: dict[str, Any], key: str) -> bool:
        told.append(alert)
        keys.add(key)
        return takes[len(told) - 1]

    monkeypatch.setattr(alerts, "deliver", deliver)

    assert webhook_alerts.send_alerts() == 0, "nobody is to be told"
    settings.ALERT_EMAILS = ["operators@example.com"]
    for _ in range(4):
        webhook_alerts.send_alerts()

    assert [each["endpoint"] for each in told] == [dead["_id"]] * 2, "until somebody takes it"
    assert len(keys) == 1
    assert "5 days" in told[0]["error"]
    assert "whsec_" not in str(told)


def test_the_doctor_misses_a_deliverer() -> None:
    made = endpoint(101)
    ordered(101)
    assert list(deliverer()) == []
    (check,) = health.deliverer(health.mongodb())
    assert check.ok

    long_ago = NOW - LATE - timedelta(minutes=1)
    endpoints().update_one({"_id": made["_id"]}, {"$set": {"next_at": long_ago}})

    (finding,) = deliverer()
    assert finding.fix == "python manage.py deliverer"
    (check,) = health.deliverer(health.mongodb())
    assert not check.ok


def test_where_webhooks_are_off_nobody_misses_a_deliverer(settings: Any) -> None:
    settings.WEBHOOKS = False

    assert list(health.deliverer(health.mongodb())) == []
