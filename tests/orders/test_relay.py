"""The relay, with the real MongoDB and the real RabbitMQ."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec
import pytest
from bson import ObjectId
from django.conf import settings
from django.db import connection
from django.test import override_settings
from kombu import Connection
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ
from messaging.errors import PublishError
from messaging.publishing.publisher import Publisher
from orders import ledger
from orders.collection import orders
from orders.outbox import arrivals, relay, store
from orders.outbox.arrivals import PENDING, Arrivals
from orders.outbox.relay import Relay
from runtime import presence
from runtime.lease import LEASE_SECONDS, Lease
from runtime.stopping import StopRequest
from tests.broker import depth, take_all
from tests.orders.conftest import Place
from tests.polling import eventually
from tests.processes import Processes


@contextmanager
def running_relay() -> Iterator[None]:
    """A relay in a thread of its own."""
    stop = StopRequest()
    thread = threading.Thread(target=Relay(stop).run)
    thread.start()
    try:
        yield
    finally:
        stop.request()
        thread.join(timeout=30)
    assert not thread.is_alive()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(settings.AMQP_URL) as publisher:
        yield publisher


def is_published(order_id: str) -> bool:
    order = orders().find_one({"_id": ObjectId(order_id)})
    return order is not None and not order["pending_events"] and "pending_since" not in order


def doing() -> str:
    """What the list of processes says of the relay."""
    return presence._does_now()


def expire_lease(name: str) -> None:
    """Let the lease end now, as it would by itself ten seconds after its holder's death."""
    ended = {"$currentDate": {"expires_at": True}}
    connection.database["relay_lease"].update_one({"_id": name}, ended)


def is_outbox_empty() -> bool:
    return not store.oldest_pending()


def message_ids(queue: str) -> list[str]:
    return [message.properties["message_id"] for message in take_all(queue)]


def test_an_order_reaches_both_services_as_it_was_answered(place: Place, publisher: Publisher):
    order = place(101, ["book", "pen"])

    assert relay.publish_batch(publisher) == 1

    for queue in ("inventory", "billing"):
        [message] = take_all(queue)
        assert msgspec.json.decode(message.body) == order
        assert message.content_type == "application/json"
        properties = message.properties
        assert properties["message_id"] == f"order.placed:{order['orderId']}"
        assert properties["type"] == "order.placed"
        assert properties["correlation_id"] == order["orderId"]
        assert properties["delivery_mode"] == 2
        assert message.headers["order-version"] == 1
    assert is_published(order["orderId"])
    assert relay.publish_batch(publisher) == 0


def test_a_rejection_follows_with_its_reason(place: Place, publisher: Publisher):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")

    relay.publish_batch(publisher)

    placed, rejected = take_all("billing")
    assert msgspec.json.decode(placed.body)["status"] == "placed"
    body = msgspec.json.decode(rejected.body)
    assert (body["status"], body["reason"]) == ("rejected", "Out of stock: pen")
    assert rejected.properties["message_id"] == f"order.rejected:{order_id}"
    assert rejected.headers["order-version"] == 2
    assert is_published(order_id)


def test_an_event_that_becomes_pending_during_a_publish_stays(place: Place):
    order_id = place()["orderId"]
    pending = store.oldest_pending()
    ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")

    store.mark_published(pending)

    [rest] = store.oldest_pending()
    assert rest.message.type == "order.rejected"


@contextmanager
def subscriber(exchange: str, **binding: Any) -> Iterator[str]:
    """A queue of somebody else's, bound to the exchange."""
    with Connection(settings.AMQP_URL) as broker, broker.channel() as channel:
        name = channel.queue_declare("subscriber", durable=False).queue
        channel.queue_bind(name, exchange, **binding)
        yield name
        channel.queue_delete(name)


@pytest.mark.parametrize(
    ("exchange", "binding"),
    [
        ("order_events.topic", {"routing_key": "order.#"}),
        ("order_events.headers", {"arguments": {"x-match": "all"}}),
    ],
)
def test_a_confirmation_goes_to_subscribers_and_to_none_of_our_services(
    place: Place, publisher: Publisher, exchange: str, binding: dict[str, Any]
):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "reserved")
    ledger.record(order_id, "billing", "invoiced", "2026-000001")

    with subscriber(exchange, **binding) as queue:
        relay.publish_batch(publisher)
        placed, confirmed = take_all(queue)

    assert placed.properties["type"] == "order.placed"
    assert confirmed.properties["message_id"] == f"order.confirmed:{order_id}"
    assert msgspec.json.decode(confirmed.body)["status"] == "confirmed"
    assert (depth("inventory"), depth("billing")) == (1, 1)
    assert is_published(order_id)


def test_a_confirmation_that_nobody_subscribed_to_leaves_the_outbox(
    place: Place, publisher: Publisher
):
    order_id = place()["orderId"]
    ledger.record(order_id, "inventory", "reserved")
    ledger.record(order_id, "billing", "invoiced", "2026-000001")

    assert relay.publish_batch(publisher) == 2

    assert is_published(order_id)


def test_the_order_of_the_largest_user_is_published(place: Place, publisher: Publisher):
    order_id = place(user_id=2**63 - 1)["orderId"]

    relay.publish_batch(publisher)

    [message] = take_all("billing")
    assert msgspec.json.decode(message.body)["userId"] == 2**63 - 1
    assert is_published(order_id)


def test_what_waits_longest_goes_first(place: Place):
    ids = [place()["orderId"] for _ in range(3)]

    assert [str(each.order_id) for each in store.oldest_pending()] == ids


def test_a_relay_killed_before_it_marked_publishes_the_same_again(
    place: Place, publisher: Publisher
):
    order = place()
    before_the_kill = [store.outgoing(each.message) for each in store.oldest_pending()]
    publisher.publish(before_the_kill)
    ledger.record(order["orderId"], "inventory", "reserved")

    relay.publish_batch(publisher)

    first, second = take_all("billing")
    assert first.properties["message_id"] == second.properties["message_id"]
    assert first.properties["timestamp"] == second.properties["timestamp"]
    assert (first.body, first.headers) == (second.body, second.headers)
    assert is_published(order["orderId"])


def test_what_the_broker_confirmed_leaves_the_outbox_though_the_rest_failed(
    place: Place, publisher: Publisher
):
    taken, unroutable = place()["orderId"], place()["orderId"]
    ledger.record(unroutable, "inventory", "rejected", "Out of stock: pen")
    ledger.record(taken, "inventory", "reserved")
    publish = publisher.publish

    def with_one_to_nowhere(batch: Any) -> None:
        publish([_to_nowhere(each) if "rejected" in each.routing_key else each for each in batch])

    publisher.publish = with_one_to_nowhere  # type: ignore[method-assign]
    with pytest.raises(PublishError):
        relay.publish_batch(publisher)

    assert is_published(taken)
    [rest] = store.oldest_pending()
    assert (str(rest.order_id), rest.message.type) == (unroutable, "order.rejected")


@pytest.mark.parametrize(
    ("exchange", "routing_key"),
    [("missing", ""), ("", "no-such-queue")],
    ids=["no exchange", "no queue"],
)
def test_what_has_no_place_in_rabbitmq_holds_up_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: Any, exchange: str, routing_key: str
):
    """Given older events than fit into a batch that RabbitMQ has no place for."""
    monkeypatch.setattr(store, "BATCH_ORDERS", 2)
    outgoing = store.outgoing

    def some_to_nowhere(message: Any) -> Any:
        if message.type == "order.rejected":
            return type(outgoing(message))(message, exchange=exchange, routing_key=routing_key)
        return outgoing(message)

    monkeypatch.setattr(store, "outgoing", some_to_nowhere)
    rejected = [place()["orderId"] for _ in range(3)]
    with running_relay():
        eventually(is_outbox_empty)
    for order_id in rejected:
        ledger.record(order_id, "inventory", "rejected", "Out of stock: pen")

    with running_relay():
        placed = [place()["orderId"] for _ in range(3)]
        eventually(lambda: all(is_published(each) for each in placed))

    assert {each.message.type for each in store.oldest_pending()} == {"order.rejected"}
    assert "RabbitMQ has no place for some events" in caplog.text
    assert "declare_topology" in caplog.text


def _to_nowhere(outgoing: Any) -> Any:
    return type(outgoing)(outgoing.message, exchange="", routing_key="no-such-queue")


def test_the_relay_publishes_what_is_placed_while_it_runs(place: Place):
    with running_relay():
        order_id = place()["orderId"]
        eventually(lambda: is_published(order_id))

    assert message_ids("billing") == [f"order.placed:{order_id}"]


def test_of_several_relays_one_publishes_each_event(place: Place):
    with running_relay(), running_relay(), running_relay():
        ids = [place()["orderId"] for _ in range(60)]
        eventually(is_outbox_empty)

    assert Counter(message_ids("billing")) == Counter(f"order.placed:{each}" for each in ids)


def test_a_relay_that_stops_hands_over_at_once(place: Place):
    with running_relay():
        eventually(lambda: connection.database["relay_lease"].find_one())
    with running_relay():
        order_id = place()["orderId"]
        # Sooner than the lease would expire.
        eventually(lambda: is_published(order_id), within_seconds=LEASE_SECONDS - 2)


@pytest.mark.usefixtures("clean")
def test_a_lease_is_held_by_one_until_it_expires():
    first, second = Lease("job"), Lease("job")
    assert first.is_held()
    assert not second.is_held()

    expire_lease("job")

    assert eventually(second.is_held, within_seconds=2)


def test_with_the_broker_down_orders_are_taken_and_published_after_its_return(
    place: Place, rabbitmq: RabbitMQ
):
    with running_relay():
        before = place()["orderId"]
        eventually(lambda: is_published(before))
        rabbitmq.kill()
        try:
            started = time.monotonic()
            meanwhile = [place()["orderId"] for _ in range(5)]
            # Sooner than one of them could have waited for a confirm.
            assert time.monotonic() - started < settings.CONFIRM_TIMEOUT_SECONDS
        finally:
            rabbitmq.start()
        eventually(is_outbox_empty)

    assert set(message_ids("inventory")) == {
        f"order.placed:{each}" for each in [before, *meanwhile]
    }


def test_a_frozen_broker_loses_nothing(
    place: Place, rabbitmq: RabbitMQ, caplog: pytest.LogCaptureFixture
):
    with override_settings(CONFIRM_TIMEOUT_SECONDS=0.3), running_relay():
        first = place()["orderId"]
        eventually(lambda: is_published(first))
        rabbitmq.freeze()
        try:
            second = place()["orderId"]
            eventually(lambda: "RabbitMQ fails" in caplog.text)
            assert not is_published(second)
            assert doing().startswith("tries again: RabbitMQ fails: ")
        finally:
            rabbitmq.thaw()
        eventually(is_outbox_empty)
        eventually(lambda: doing() == "publishes events")

    assert set(message_ids("billing")) == {f"order.placed:{first}", f"order.placed:{second}"}


def test_the_relay_outlives_a_restart_of_mongodb(place: Place, mongodb: MongoDB):
    with running_relay():
        first = place()["orderId"]
        eventually(lambda: is_published(first))
        mongodb.kill()
        mongodb.start()
        second = eventually(lambda: place()["orderId"])
        eventually(lambda: is_published(second))


def test_the_command_says_once_what_is_wrong_and_ends_cleanly(
    place: Place, rabbitmq: RabbitMQ, processes: Processes
):
    [relay] = processes.start("relay", AMQP_URL="amqp://guest:secret@127.0.0.1:1//")
    place()

    eventually(lambda: "RabbitMQ" in relay.log_tail())
    eventually(lambda: store.oldest_pending())

    assert relay.stop() == 0
    log = relay.log_tail()
    assert log.count("Waiting for RabbitMQ at 127.0.0.1:1: ") == 1
    assert "secret" not in log
    assert "Stopped." in log


def test_a_killed_relay_is_followed_by_another(place: Place, processes: Processes):
    [killed] = processes.start("relay")
    first = place()["orderId"]
    eventually(lambda: is_published(first))
    killed.kill()
    expire_lease("relay")

    processes.start("relay")
    second = place()["orderId"]

    eventually(lambda: is_published(second))
    assert depth("billing") == 2


def test_it_is_told_of_an_order_at_once(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Given a relay that would look by itself only long after this test has failed."""
    monkeypatch.setattr(arrivals, "SWEEP_SECONDS", 86_400)
    told, stop = Arrivals(), StopRequest()
    told.wait(stop)

    place()
    told.wait(stop)

    told.ignore()


def test_it_is_told_of_what_becomes_pending_and_of_nothing_else(place: Place):
    with orders().watch(PENDING, max_await_time_ms=100) as told:
        order_id = place()["orderId"]
        assert str(told.next()["documentKey"]["_id"]) == order_id
        store.mark_published(store.oldest_pending())
        ledger.record(order_id, "billing", "invoiced", "2026-000001")
        assert told.try_next() is None

        ledger.record(order_id, "inventory", "reserved")
        assert str(told.next()["documentKey"]["_id"]) == order_id


def test_without_the_right_to_be_told_it_polls(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def watch(*args: Any, **options: Any) -> None:
        raise OperationFailure("not authorized", 13)

    monkeypatch.setattr(Collection, "watch", watch)
    with running_relay():
        for _ in range(2):
            order_id = place()["orderId"]
            eventually(partial(is_published, order_id))

    assert caplog.text.count("python manage.py access apply") == 1
