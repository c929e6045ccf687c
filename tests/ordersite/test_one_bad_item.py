"""One item that a shared loop cannot take costs itself alone, and the log says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.mail import EmailMessage

from billing.invoicing import invoices, issue
from billing.order_in_message import read_placed
from failed_messages.acting import job_control, policies
from failed_messages.acting.alerts import send_alerts
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.acting.policies import apply_policies
from failed_messages.acting.retention import delete_expired
from failed_messages.models import ReplayJob
from failed_messages.reading.filters import Filter
from failed_messages.reading.representation import job_json
from failed_messages.reading.timeline import steps
from failed_messages.records.collection import (
    failed_messages,
    failure_groups,
    replay_jobs,
    replay_policies,
)
from inventory.reserving import reservations, reserve
from inventory.shipping import publish_waiting, ship
from messaging.publishing import outbox
from messaging.publishing.publisher import Publisher
from orders import events_again, unanswered
from orders.collection import orders
from orders.events import rejection_reason
from orders.facts_for_desk import facts
from orders.outbox import relay, store
from orders.outbox.set_aside import SetAside
from tests import broker
from tests.billing.orders import placed
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import order, stocked

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(settings.AMQP_URL) as publisher:
        yield publisher


@pytest.fixture(autouse=True)
def nothing_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "aside", SetAside())


def change(order_id: ObjectId, **fields: Any) -> None:
    orders().update_one({"_id": order_id}, {"$set": fields})


UNTELLABLE = {
    "an event without its type": {"pending_events": [{"id": "x"}]},
    "no event at all": {"pending_events": None},
    "an amount of another type": {"total": "12.50"},
    "a line of another type": {"items": ["pen"]},
    "an event that nobody publishes": {
        "pending_events": [{"id": "x", "type": "order.lost", "version": 1, "at": datetime.now(UTC)}]
    },
    "a version that is not a number": {
        "pending_events": [
            {"id": "x", "type": "order.placed", "version": {"$a": b"x" * 200_000}, "at": None}
        ]
    },
}


@pytest.mark.parametrize("fields", UNTELLABLE.values(), ids=UNTELLABLE)
def test_an_order_that_cannot_be_told_of_does_not_stop_the_relay(
    publisher: Publisher, caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
):
    broken, sound = place()["_id"], place()["_id"]
    change(broken, **fields)

    published = relay.publish_batch(publisher)

    assert published == 1
    assert [message.properties["correlation_id"] for message in broker.take_all("billing")] == [
        str(sound)
    ]
    assert f"The events of order {broken} cannot be published" in caplog.text
    assert relay.publish_batch(publisher) == 0
    assert outbox.oldest_pending_since(orders()) is not None, "it waits on"


def test_a_rejection_of_an_order_without_steps_is_told():
    """As an earlier release stored it."""
    stored = place() | {"steps": None}
    stored["ledger"]["inventory"] = {"state": "rejected", "detail": "Out of stock: pen"}

    assert rejection_reason(stored) == "Out of stock: pen"


def test_an_order_that_cannot_be_sent_again_does_not_hold_up_the_others(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
):
    broken, sound = place()["_id"], place()["_id"]
    change(broken, total="12.50")

    events_again.send_again("billing", "order.placed", [str(broken), str(sound)], publisher)

    [sent] = broker.take_all("billing")
    assert sent.properties["correlation_id"] == str(sound)
    assert f"Order {broken} cannot be sent to billing again" in caplog.text


def test_an_order_with_another_programs_id_does_not_hold_up_the_others(
    publisher: Publisher, caplog: pytest.LogCaptureFixture
):
    sound = place()
    orders().insert_one({**sound, "_id": "legacy-17"})
    order_ids = ["legacy-17", str(sound["_id"])]

    sent = events_again.send_again("billing", "order.placed", order_ids, publisher)

    assert sent == {str(sound["_id"])}
    assert broker.depth("billing") == 1
    assert "Order legacy-17 cannot be sent to billing again" in caplog.text


def test_what_was_noted_of_an_order_with_another_programs_id_is_settled():
    sound = place()
    owed = {"awaited": ["crm order.placed", "x"], "awaited_since": datetime.now(UTC)}
    change(sound["_id"], **owed)
    orders().insert_one({**sound, **owed, "_id": "legacy-17"})

    unanswered.settle_noted("crm", "order.placed", ["legacy-17", str(sound["_id"])])

    assert [each["awaited"] for each in orders().find()] == [["x"], ["x"]]


@pytest.mark.parametrize(
    ("type_", "records"), [("billing.invoiced", invoices), ("inventory.reserved", reservations)]
)
def test_a_record_that_cannot_be_told_again_does_not_hold_up_the_other_orders(
    publisher: Publisher, caplog: pytest.LogCaptureFixture, type_: str, records: Any
):
    stocked(pen=10)
    broken, sound = (str(place()["_id"]) for _ in range(2))
    for order_id in (broken, sound):
        reserve(order(order_id, pen=1))
        issue(read_placed(placed(order_id)))
    records().update_one({"_id": broken}, {"$set": {"total": "12.50", "items": None}})

    sent = events_again.send_again("orders", type_, [broken, sound], publisher)

    assert sent == {sound}
    [message] = broker.take_all("orders")
    assert message.properties["correlation_id"] == sound
    assert f"Order {broken} cannot be sent to orders again" in caplog.text


@pytest.mark.parametrize(
    "fields", [{"items": None}, {"user_id": "x"}, {"shipped_at": "yesterday"}, {"items": [{}]}]
)
def test_a_shipment_that_cannot_be_told_of_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
):
    stocked(pen=10)
    for order_id in ("broken", "sound"):
        reserve(order(order_id, pen=1))
        ship(order_id, by="operator")
    reservations().update_one({"_id": "broken"}, {"$set": fields})

    assert publish_waiting() == 1

    assert [each.properties["correlation_id"] for each in broker.take_all("orders")] == ["sound"]
    assert "That order broken was shipped cannot be published" in caplog.text


def test_an_order_id_that_is_too_long_for_a_message_id_holds_up_no_other_shipment():
    """A foreign publisher's id: 100 characters, 400 bytes."""
    stocked(pen=10)
    for order_id in ("\U0001f4e6" * 100, "sound"):
        reserve(order(order_id, pen=1))
        ship(order_id, by="operator")

    assert publish_waiting() == 1

    assert [each.properties["correlation_id"] for each in broker.take_all("orders")] == ["sound"]


@pytest.mark.parametrize(
    "fields",
    [
        {"selection": "newerThan=999999d"},
        {"selection": "olderThan=999999d"},
        {"selection": "colour=red"},
        {"selection": "%"},
        {"selection": None},
        {"rate": "fast", "sent_at": datetime.now(UTC)},
    ],
    ids=lambda fields: ", ".join(f"{name}={fields[name]}" for name in fields if name != "sent_at"),
)
def test_a_bulk_replay_that_cannot_go_on_ends_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
):
    failed()
    broken = job_control.start(Filter(service="billing", status="failed"), "me")
    replay_jobs().update_one({"_id": broken}, {"$set": fields})
    sound = job_control.start(Filter(service="billing", status="failed"), "me")

    for _ in range(3):
        advance_jobs()

    stopped, other = (ReplayJob.objects.get(pk=id_) for id_ in (broken, sound))
    assert stopped.state == "stopped"
    assert "stopped with an error" in stopped.why
    assert stopped.finished_at is not None
    assert other.state == "running"
    assert job_json(other)["messages"]["sent"] + job_json(stopped)["messages"]["sent"] == 1
    assert f"Bulk replay {broken} is stopped by an error; the others continue" in caplog.text


def test_a_policy_that_cannot_be_applied_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture,
):
    stored = failed()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    failed_messages().update_one(
        {"_id": stored.pk}, {"$set": {"last_failed_at": long_ago, "archived_at": long_ago}}
    )
    for number, delays in enumerate([None, ["soon"], [10**15]]):
        policy = {"_id": f"group {number}", "delays_seconds": delays, "enabled": True}
        replay_policies().insert_one({**policy, "service": "", "group": f"{number}", "reason": ""})
    policies.set_policy("me", delays=[timedelta(minutes=15)], service="billing")

    assert apply_policies() == 1

    assert broker.depth("billing") == 1
    for number in range(3):
        assert f"The policy of group {number} cannot be applied" in caplog.text


def test_an_alert_that_cannot_be_written_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture, settings: Any, mailoutbox: list[EmailMessage]
):
    settings.ALERT_EMAILS = ["operators@example.com"]
    failed()
    [sound] = failure_groups().find()
    broken = sound | {"_id": "0" * 12, "first_failed_at": None}
    del broken["deaths"]
    failure_groups().delete_one({"_id": sound["_id"]})
    failure_groups().insert_many([broken, sound])

    assert send_alerts() == 1

    assert len(mailoutbox) == 1
    assert f"The alert about group {broken['_id']} cannot be written" in caplog.text


@pytest.mark.parametrize("spoilt", [{"$unset": {"alert": ""}}, {"$set": {"alert": None}}], ids=str)
def test_a_group_that_says_nothing_of_alerts_does_not_hold_up_the_others(
    settings: Any, mailoutbox: list[EmailMessage], spoilt: dict[str, Any]
):
    settings.ALERT_EMAILS = ["operators@example.com"]
    failed()
    [sound] = failure_groups().find()
    broken = sound | {"_id": "0" * 12}
    failure_groups().delete_one({"_id": sound["_id"]})
    failure_groups().insert_many([broken, sound])
    failure_groups().update_one({"_id": broken["_id"]}, spoilt)

    assert send_alerts() == 1

    assert len(mailoutbox) == 1


def test_a_record_without_all_of_its_fields_does_not_hold_up_retention():
    old = datetime.now(UTC) - timedelta(days=400)
    for name in ("a", "b"):
        stored = failed(message_id=name)
        settled = {"status": "resolved", "resolved_at": old}
        failed_messages().update_one({"_id": stored.pk}, {"$set": settled})
    failed_messages().update_one({"message_id": "a"}, {"$unset": {"exception": ""}})

    assert delete_expired() == 2


def test_an_order_of_an_earlier_release_breaks_no_page_of_the_desk():
    its_order = place()
    change(its_order["_id"], steps=None)
    order_id = str(its_order["_id"])
    stored = failed(body=placed_body(its_order), correlation_id=order_id)

    operator = staff()
    pages = [
        "/admin/failed_messages/failuregroup/",
        f"/admin/failed_messages/failuregroup/{stored.fingerprint}/change/",
        f"/admin/failed_messages/failedmessage/{stored.pk}/change/",
        "/admin/failed_messages/failedmessage/?status=all",
        f"/admin/orders/order/{order_id}/change/",
        f"/orders/{order_id}",
        f"/orders/{order_id}/timeline",
        "/orders",
    ]
    for page in pages:
        assert operator.get(page).status_code == 200, page
    assert facts([order_id])[order_id].version == 1


@pytest.mark.parametrize(
    "fields",
    [{"total": "12.50"}, {"total": None}, {"version": None}, {"ledger": None}, {"steps": 3}],
    ids=str,
)
def test_facts_of_an_order_that_cannot_be_told_are_left_out_alone(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
):
    broken, sound = place()["_id"], place()["_id"]
    change(broken, **fields)

    assert facts([str(broken), str(sound)]).keys() == {str(sound)}
    assert f"The document of order {broken} is not as this release stores one" in caplog.text


def test_a_failed_message_that_cannot_be_read_leaves_the_timeline_whole():
    order_id = str(place()["_id"])
    broken, sound = (failed(correlation_id=order_id, message_id=name) for name in ("a", "b"))
    failed_messages().update_one({"_id": broken.pk}, {"$set": {"certificates": ["{"]}})

    told = steps(order_id)

    assert {step.failed_message_id for step in told} == {str(sound.pk)}


def test_a_reason_of_a_newer_release_is_shown_as_it_is_called_there():
    order_id = str(place()["_id"])
    stored = failed(correlation_id=order_id)
    death = certificate(reason="eaten_by_a_grue")
    failed_messages().update_one(
        {"_id": stored.pk},
        {
            "$set": {
                "reason": "eaten_by_a_grue",
                "certificates": [json.dumps(death)],
            }
        },
    )

    page = staff().get(f"/admin/failed_messages/failedmessage/{stored.pk}/change/")

    assert page.status_code == 200
    assert "eaten_by_a_grue" in page.content.decode()
    assert any("eaten_by_a_grue" in (step.detail or "") for step in steps(order_id))


@pytest.mark.parametrize("fields", [{"total": "12.50"}, {"items": None}, {"user_id": "x"}], ids=str)
def test_an_order_that_cannot_be_read_does_not_hide_the_others(
    caplog: pytest.LogCaptureFixture, fields: dict[str, Any]
):
    broken, sound = place()["_id"], place()["_id"]
    change(broken, **fields)

    answer = staff().get("/orders")

    assert [order["orderId"] for order in answer.json()["orders"]] == [str(sound)]
    assert f"The document of order {broken}" in caplog.text
