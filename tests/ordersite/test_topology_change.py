"""Queues change their arguments while messages flow, and nothing is lost."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from amqp import ConnectionForced
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from kombu import Connection

from drills.traffic.poison import HEADERS
from drills.traffic.poison import publish as publish_poison
from failed_messages.models import FailedMessage
from localservices.process import Process
from messaging import topology
from messaging.adapters import py_amqp
from messaging.declaring import is_changing
from messaging.publishing.publisher import Outgoing, Publisher
from messaging.service import services
from runtime.tried_releases import Tried
from tests import broker as foreign
from tests.messaging.test_retries import order, place
from tests.polling import eventually
from tests.processes import Processes

#: What is declared for billing's returns.
LIMIT = settings.DELIVERY_LIMIT + topology.SERVICE_RETURNS
APPLY = "python manage.py topology apply"
#: With workers, a move waits for counts that are some seconds old.
MOVE_SECONDS = 90
#: Some are always on their way, and the worker can keep up.
BETWEEN_ORDERS_SECONDS = 0.005


def topology_command(*arguments: str) -> tuple[int, str]:
    """The exit code, and what is said."""
    said = StringIO()
    try:
        call_command("topology", *arguments, stdout=said)
    except SystemExit as ended:
        return int(ended.code), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def broker(clean: None) -> Iterator[Connection]:
    """A connection; whatever is done through it, the topology is whole again afterwards."""
    with Connection(settings.AMQP_URL) as connected:
        yield connected
    with Connection(settings.AMQP_URL) as again, again.channel() as channel:
        for queue in topology.queues():
            channel.queue_delete(f"{queue.name}.shadow")
            for exchange in (f"{queue.name}.shadow", f"{queue.name}.back"):
                channel.exchange_delete(exchange)
        topology.change_marker(channel).delete()
        call_command("topology", "apply", stdout=StringIO())


def of_an_earlier_release(broker: Connection, name: str, **arguments: Any) -> None:
    """Declare the queue as an earlier release did: with other arguments."""
    [queue] = [queue for queue in topology.queues() if queue.name == name]
    with broker.channel() as channel:
        channel.queue_delete(name)
        other = {**vars(queue)["queue_arguments"], **arguments}
        channel.queue_declare(name, durable=True, auto_delete=False, arguments=other)
        for source, destination, routing_key in topology.bindings():
            if destination.name == name:
                channel.queue_bind(name, source.name, routing_key)


def billing_of_an_earlier_release(broker: Connection) -> None:
    of_an_earlier_release(broker, "billing", **{"x-delivery-limit": 9})


def assert_as_declared(broker: Connection) -> None:
    assert topology_command("plan") == (0, "RabbitMQ is as declared: nothing to do.\n")
    assert not is_changing(broker)
    topology.declare(broker)  # raises where an argument differs


def invoiced() -> set[str]:
    return {invoice["_id"] for invoice in connection.database.invoices.find({}, {"_id": True})}


def test_nothing_to_do_is_exit_code_0(broker: Connection) -> None:
    assert_as_declared(broker)
    assert topology_command("apply") == (0, "RabbitMQ is as declared.\n")


def test_the_plan_says_what_would_be_done_and_does_nothing(broker: Connection) -> None:
    billing_of_an_earlier_release(broker)
    place("waiting")

    code, said = topology_command("plan")

    assert code == 1
    assert "Move the queue billing (" in said
    assert f"x-delivery-limit: 9 -> {LIMIT}" in said
    assert "1. Declare billing.shadow" in said
    planned = json.loads(topology_command("plan", "--json")[1])
    assert planned["moves"][0]["changed"] == [
        {"argument": "x-delivery-limit", "old": 9, "new": LIMIT}
    ]
    assert foreign.depth("billing") == 1


def test_a_message_is_moved_as_it_is(broker: Connection) -> None:
    """Given messages that py-amqp cannot read or would publish twice, each arrives as it was."""
    billing_of_an_earlier_release(broker)
    foreign.publish(
        b"first",
        routing_key="any key",
        headers={"x": [1, {"y": "z"}], "CC": ["inventory"]},
        message_id="first",
        user_id=foreign.user(),
        priority=3,
        reply_to="someone",
    )
    odd = replace(HEADERS["time beyond every calendar"], routing_key=b"\xff" * 255)
    with foreign.amqp_channel() as channel:
        publish_poison(channel, odd, "odd")
    foreign.publish(b"", exchange="by_name", routing_key="billing", message_id="replayed")
    inventory_before = foreign.depth("inventory")

    assert topology_command("apply")[0] == 0

    first, unreadable, replayed = foreign.take_all("billing")
    assert unreadable.properties["message_id"] == "odd"
    assert unreadable.delivery_info["routing_key"] == "\udcff" * 255
    assert (bytes(first.body), first.properties["message_id"]) == (b"first", "first")
    assert first.headers["x"] == [1, {"y": "z"}]
    assert first.headers["CC"] == ["inventory"]
    assert first.properties["priority"] == 3
    assert first.properties["reply_to"] == "someone"
    assert first.delivery_info["routing_key"] == "any key"
    assert "unreadable" in unreadable.properties
    assert replayed.delivery_info["exchange"] == "by_name"
    assert replayed.properties["message_id"] == "replayed"
    assert foreign.depth("inventory") == inventory_before
    assert_as_declared(broker)


def test_on_py_amqps_own_way_a_message_is_moved_by_its_properties(
    broker: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(py_amqp, "TRIED", Tried("amqp", "==0", "of no release"))
    billing_of_an_earlier_release(broker)
    foreign.publish(
        b"first",
        routing_key="any key",
        headers={"x": [1]},
        message_id="first",
        user_id=foreign.user(),
    )
    foreign.publish(b"", exchange="by_name", routing_key="billing", message_id="replayed")

    assert topology_command("apply")[0] == 0

    first, replayed = foreign.take_all("billing")
    assert (bytes(first.body), first.properties["message_id"]) == (b"first", "first")
    assert (first.headers["x"], first.delivery_info["routing_key"]) == ([1], "any key")
    assert first.properties["user_id"] == foreign.user()
    assert replayed.delivery_info["exchange"] == "by_name"
    assert replayed.properties["message_id"] == "replayed"
    assert_as_declared(broker)


def test_thousands_of_messages_keep_their_order(broker: Connection) -> None:
    billing_of_an_earlier_release(broker)
    publish_many(3_000)

    assert topology_command("apply")[0] == 0

    with Connection(settings.AMQP_URL) as reading, reading.channel() as channel:
        got = [channel.basic_get("billing", no_ack=True) for _ in range(3_000)]
    assert [message.properties["message_id"] for message in got] == [
        f"order.placed:many-{number}" for number in range(3_000)
    ]
    assert foreign.depth("billing") == 0


def publish_many(count: int) -> None:
    from messaging.message import Message

    with Publisher(settings.AMQP_URL) as publisher:
        publisher.publish(
            [
                Outgoing(
                    Message(
                        order(f"many-{number}", user_id=101),
                        "order.placed",
                        f"order.placed:many-{number}",
                    ),
                    "order_events",
                    "order.placed",
                )
                for number in range(count)
            ]
        )


def test_what_waits_for_its_retry_still_returns(broker: Connection) -> None:
    of_an_earlier_release(broker, "billing.retry.400ms", **{"x-max-length": 7_000})
    foreign.publish(b"again", exchange="by_name", routing_key="billing.retry.400ms")

    assert topology_command("apply")[0] == 0

    assert bytes(eventually(lambda: foreign.take("billing")).body) == b"again"
    assert_as_declared(broker)


@contextmanager
def orders_flowing() -> Iterator[list[str]]:
    """Orders are published and confirmed all the time, to the fanout and to billing alone."""
    published: list[str] = []
    stop = threading.Event()
    failed: list[BaseException] = []

    def publish() -> None:
        try:
            while not stop.is_set() and len(published) < 20_000:
                order_id = f"flow-{len(published)}"
                if len(published) % 5:
                    place(order_id, user_id=101)
                else:
                    foreign.publish(
                        order(order_id, user_id=101),
                        exchange="by_name",
                        routing_key="billing",
                        type="order.placed",
                        message_id=f"order.placed:{order_id}",
                    )
                published.append(order_id)
                stop.wait(BETWEEN_ORDERS_SECONDS)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield published
    finally:
        stop.set()
        thread.join()
    assert not failed


def test_under_load_nothing_is_lost_and_workers_go_on_unaided(
    broker: Connection, processes: Processes
) -> None:
    billing_of_an_earlier_release(broker)
    workers = processes.start("billing", "inventory")
    with orders_flowing() as published:
        eventually(lambda: len(published) > 200)
        apply = processes.run("apply", APPLY)
        eventually(lambda: apply.exit_code is not None, MOVE_SECONDS)
        count = len(published)
        eventually(lambda: len(published) > count + 50)

    assert apply.exit_code == 0, apply.log_tail()
    eventually(lambda: invoiced() >= set(published))
    assert len(invoiced()) == len(published)
    assert foreign.depth("billing.dlq") == 0
    assert all(worker.running for worker in workers)
    billing_log = workers[0].log.read_text()
    assert "Traceback" not in billing_log
    assert billing_log.count("Waiting for `topology apply`") <= 1
    assert_as_declared(broker)


def test_killed_at_any_moment_it_is_run_again(
    broker: Connection, processes: Processes, chance: random.Random
) -> None:
    """Given `apply` is killed again and again, when it is run once more, then it completes."""
    billing_of_an_earlier_release(broker)
    worker = processes.start("billing")[0]
    with orders_flowing() as published:
        for moment in ("takes what is published", "set aside", "brought back", "", "", ""):
            apply = processes.run("apply", APPLY)
            kill_at(apply, moment, chance)
        apply = processes.run("apply", APPLY)
        eventually(lambda: apply.exit_code is not None, MOVE_SECONDS)

    assert apply.exit_code == 0, apply.log_tail()
    eventually(lambda: invoiced() >= set(published))
    assert foreign.depth("billing.dlq") == 0
    assert worker.running
    assert_as_declared(broker)


def kill_at(apply: Process, moment: str, chance: random.Random) -> None:
    """Kill it when it says so, or some time after it began."""
    if moment:
        eventually(lambda: moment in apply.log_tail() or apply.exit_code is not None, MOVE_SECONDS)
    else:
        time.sleep(chance.uniform(0.5, 4))
    apply.kill()


@pytest.mark.parametrize("step", ["before", "between", "after"])
def test_it_goes_on_from_whatever_a_killed_run_has_left(broker: Connection, step: str) -> None:
    """Without workers, each state that RabbitMQ may be in when `apply` dies."""
    billing_of_an_earlier_release(broker)
    publish_many(10)
    with broker.channel() as channel:
        topology.change_marker(channel).declare()
        channel.queue_declare("billing.shadow", durable=True, auto_delete=False)
        channel.queue_bind("billing.shadow", "order_events", "billing")
        if step != "before":
            channel.queue_delete("billing")
        if step == "after":
            topology.declare(broker)
    publish_many(10)

    assert topology_command("plan")[0] == 1
    assert topology_command("apply")[0] == 0

    assert foreign.depth("billing") >= 10
    assert_as_declared(broker)


def test_a_failed_message_is_archived_once(broker: Connection, processes: Processes) -> None:
    of_an_earlier_release(broker, "billing.dlq", **{"x-max-length": 100_000})
    archiver = processes.start("archiver")[0]
    billing = processes.start("billing")[0]
    eventually(lambda: "Archiving" in archiver.log_tail())
    apply = processes.run("apply", APPLY)
    for number in range(40):
        foreign.publish(b"not JSON", message_id=f"bad-{number}", type="order.placed")
        eventually(lambda: apply.exit_code is not None or True)

    eventually(lambda: apply.exit_code == 0, MOVE_SECONDS)
    eventually(lambda: FailedMessage.objects.count() == 40)
    assert archiver.running
    assert billing.running


def test_a_worker_works_on_with_the_queues_of_an_earlier_release(
    broker: Connection, processes: Processes
) -> None:
    billing_of_an_earlier_release(broker)

    worker = processes.start("billing")[0]
    place("old-queue", user_id=101)

    eventually(lambda: "old-queue" in invoiced())
    assert "python manage.py topology plan" in worker.log.read_text()


def test_a_consumer_that_missed_the_end_of_its_queue_is_sent_back(broker: Connection) -> None:
    """RabbitMQ does not always tell it, and so it would wait for ever, beside the new queue."""
    billing_of_an_earlier_release(broker)
    with Connection(settings.AMQP_URL) as deaf:
        deaf.default_channel.basic_consume("billing", callback=print, on_cancel=print)

        assert topology_command("apply")[0] == 0

        # It hears of the queue's end first.
        with pytest.raises(ConnectionForced):
            eventually(lambda: deaf.drain_events(timeout=5))


def test_two_at_once_are_one(broker: Connection, processes: Processes) -> None:
    with broker.channel() as channel:
        channel.queue_declare("topology.apply", exclusive=True, auto_delete=True)
        second = processes.run("apply", APPLY)
        assert second.wait() == 2
    assert "is running" in second.log_tail()


def test_what_is_left_over_goes_where_that_is_safe(broker: Connection) -> None:
    channel = broker.default_channel
    empty = topology.retry_queue(services()["billing"], 7)
    full = topology.retry_queue(services()["billing"], 600)
    empty(channel).queue_declare()
    full(channel).queue_declare()
    foreign.publish(b"{}", exchange="", routing_key=full.name)
    channel.queue_bind("billing", "inventory_events", "")
    channel.exchange_declare("someone.else", "fanout", durable=True, auto_delete=False)
    channel.queue_bind("billing", "someone.else", "")
    channel.queue_declare("subscriber", durable=True, auto_delete=False)
    channel.queue_bind("subscriber", "order_events", "")
    try:
        code, said = topology_command("apply")
        assert code == 1
        assert "Deleted the queue billing.retry.7s" in said
        assert "Removed the binding of inventory_events to billing" in said
        assert "Left the queue billing.retry.10m: it holds 1 messages" in said
        assert "they leave it within 10m" in said
        assert "Left the binding of someone.else to billing: the exchange someone.else" in said
        assert "subscriber" not in said
        assert foreign.depth("subscriber") == 0
    finally:
        channel.queue_delete(full.name)
        channel.queue_delete("subscriber")
        channel.exchange_delete("someone.else")


def test_without_rabbitmq_it_says_what_to_do(processes: Processes) -> None:
    unreachable = processes.run(
        "plan", "python manage.py topology plan", AMQP_URL="amqp://127.0.0.1:1//"
    )
    assert unreachable.wait() == 2
    assert "run this again" in unreachable.log_tail()
    assert "Traceback" not in unreachable.log_tail()
    with (
        override_settings(RABBITMQ_MANAGEMENT_URL=""),
        pytest.raises(CommandError, match="export RABBITMQ_MANAGEMENT_URL"),
    ):
        call_command("topology", "plan")
