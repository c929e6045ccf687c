"""One endpoint's document that another program wrote takes nothing from the others."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from failed_messages.acting import alerts
from ordersite.pipeline import webhook_alerts
from runtime.stopping import StopRequest
from tests.failed_messages.staff import staff
from tests.polling import eventually
from tests.webhooks.events import heard_of
from tests.webhooks.test_delivering import endpoint
from webhooks import deliverer
from webhooks.sending import Sent
from webhooks.sending_again import go_on
from webhooks.store import Document, deliveries, endpoints
from webhooks.turn import take_turn

pytestmark = pytest.mark.usefixtures("db")

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


@pytest.fixture
def both(on: None) -> tuple[Document, Document]:
    """One to be spoilt, which is found first, and a sound one."""
    return endpoint(None), endpoint(None)


def spoil(known: Document, *missing: str, **fields: Any) -> None:
    change: dict[str, Any] = {"$set": fields} if fields else {}
    gone = {"$unset": dict.fromkeys(missing, "")} if missing else {}
    endpoints().update_one({"_id": known["_id"]}, change | gone)


@pytest.mark.parametrize("fields", [{"woken": "often"}, {"woken": None}, {"next_at": "soon"}])
def test_the_others_hear_of_an_order(
    both: tuple[Document, Document], fields: dict[str, Any]
) -> None:
    broken, sound = both
    spoil(broken, **fields)

    heard_of()

    assert deliveries().count_documents({"endpoint": sound["_id"]}) == 1


def test_one_without_an_owner_is_nobodys(both: tuple[Document, Document]) -> None:
    """And not a shop's, which would hear of all customers' orders."""
    broken, sound = both
    spoil(broken, "user_id")

    heard_of()

    assert [each["endpoint"] for each in deliveries().find()] == [sound["_id"]]


def test_the_deliverer_goes_on(
    both: tuple[Document, Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = both
    heard_of()
    spoil(broken, "last_success_at", "url", "woken")
    monkeypatch.setattr(
        deliverer,
        "take_turn",
        lambda e, over: take_turn(e, over, lambda *_: Sent(NOW, 1, {}, 204)),
    )
    stop = StopRequest()
    running = threading.Thread(target=deliverer.Deliverer().run, args=(stop,))
    running.start()
    try:
        delivered = {"endpoint": sound["_id"], "state": "delivered"}
        eventually(lambda: deliveries().count_documents(delivered), 20)
        assert running.is_alive()
    finally:
        stop.request()
        running.join(20)


@pytest.mark.parametrize("fields", [{}, {"again_since": "then"}])
def test_what_the_others_missed_is_sent_again(
    both: tuple[Document, Document], fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = both
    heard_of()
    deliveries().update_many({}, {"$set": {"state": "failed", "settled_at": NOW}})
    long_ago = {"created_at": NOW}
    deliveries().update_many({}, {"$set": long_ago})
    for each in both:
        spoil(each, again_since=NOW, again_until=NOW)
    spoil(broken, "again_until", **fields)

    assert go_on() == 1

    assert deliveries().count_documents({"endpoint": sound["_id"], "state": "pending"}) == 1
    assert f"What the webhook endpoint {broken['_id']} missed cannot be sent again" in caplog.text


def test_lists_have_the_others(both: tuple[Document, Document]) -> None:
    broken, sound = both
    heard_of()
    (delivery,) = deliveries().find({"endpoint": sound["_id"]})
    deliveries().insert_one({**delivery, "_id": "strange", "state": {"a": 2**62}})
    spoil(broken, "url", failures="many")
    operator = staff()

    endpoints_listed = operator.get("/webhooks/endpoints")
    listed = operator.get(f"/webhooks/endpoints/{sound['_id']}/deliveries")

    assert [each["endpointId"] for each in endpoints_listed.json()["endpoints"]] == [sound["_id"]]
    assert [each["deliveryId"] for each in listed.json()["deliveries"]] == [delivery["_id"]]


def test_the_operators_hear_of_the_others(
    both: tuple[Document, Document],
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, sound = both
    for each in both:
        spoil(each, state="disabled", is_untold=True, failing_since=NOW, disabled_at=NOW)
    spoil(broken, "url")
    settings.ALERT_EMAILS = ["operators@example.com"]
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(alerts, "deliver", lambda alert, key: told.append(alert) or True)

    assert webhook_alerts.send_alerts() == 1

    assert [each["endpoint"] for each in told] == [sound["_id"]]
    assert f"about the disabled webhook endpoint {broken['_id']} cannot be written" in caplog.text
