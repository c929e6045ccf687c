"""The archiver's process: it loses nothing and no message stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import psutil
import pytest

from drills.traffic.poison import KINDS, Poison
from drills.traffic.poison import publish as publish_poison
from failed_messages.acting.replay import replay
from failed_messages.archiving.log_ids import ids_of
from failed_messages.models import FailedMessage, FailureGroup
from failed_messages.records.collection import failed_messages
from localservices.ports import free_port
from messaging.service import services
from tests import broker
from tests.failed_messages.letters import (
    ORDER_ID,
    bury,
    bury_nameless,
    certificate,
    delivered,
    record,
)
from tests.polling import eventually

OUTAGE_SECONDS = 30


@pytest.fixture
def archiver(processes):
    [process] = processes.start("archiver")
    eventually(lambda: "Archiving" in process.log_tail())
    return process


def stored() -> int:
    return FailedMessage.objects.count()


def test_it_empties_every_dead_letter_queue_whatever_is_in_them(archiver):
    for service in services():
        bury(service=service)
        bury(service=service, death="rubbish", body=b"\xff", message_id="garbage")
    bury(body=b"x" * 5_000_000, message_id="large")

    assert eventually(lambda: stored() == 2 * len(services()) + 1, OUTAGE_SECONDS)
    eventually(lambda: all(broker.depth(f"{name}.dlq") == 0 for name in services()))
    assert archiver.stop() == 0
    assert all(broker.depth(f"{name}.dlq") == 0 for name in services()), "everything was acked"


@pytest.mark.parametrize("way", ["waiting", "arriving", "over TLS"])
def test_it_stores_every_shape_of_poison_with_its_id(processes, rabbitmq, way: str) -> None:
    """Whoever may publish may publish to `dead_letters`, too, and to any routing key there."""
    named = to_dead_letters() if way == "waiting" else set()
    [process] = processes.start("archiver", **(rabbitmq.tls_settings if way == "over TLS" else {}))
    if way != "waiting":
        eventually(lambda: "Archiving" in process.log_tail())
        named = to_dead_letters()

    eventually(lambda: stored() == len(named))

    assert {record.message_id for record in FailedMessage.objects.all()} == named
    assert process.stop() == 0
    assert broker.depth("billing.dlq") == 0


def to_dead_letters() -> set[str]:
    """Publish all poison to billing's dead letters, whatever its routing key; return the ids."""
    with broker.amqp_channel() as channel:
        return {
            publish_poison(
                channel, with_cc(each), name, exchange=b"dead_letters", user=broker.user()
            )
            for name, each in KINDS.items()
        }


def with_cc(each: Poison) -> Poison:
    return replace(each, headers={**each.headers, "CC": ["billing"]})


def test_what_it_logs_of_a_dead_letter_has_its_ids(processes) -> None:
    """Also where no property, but the body, says which order it is about."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    bury(headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-00"}, service="inventory")
    bury_nameless()
    [process] = processes.start("archiver", LOG_FORMAT="json")
    eventually(lambda: stored() == 2)
    eventually(lambda: process.log_tail().count("gave up a message") == 2)

    lines = [json.loads(each) for each in process.log_tail().splitlines() if each[:1] == "{"]
    named, nameless = sorted(
        (each for each in lines if "gave up a message" in each["message"]),
        key=lambda each: "ordersite.message_id" not in each,
    )
    assert named["ordersite.service"] == "inventory"
    assert named["ordersite.type"] == "order.placed"
    assert named["ordersite.message_id"] == f"order.placed:{ORDER_ID}"
    assert named["ordersite.order_id"] == nameless["ordersite.order_id"] == ORDER_ID
    assert named["trace.id"] == trace
    assert nameless["ordersite.service"] == "billing"
    assert not any("ordersite.service" in each for each in lines if "Archiving" in each["message"])


def test_hostile_ids_are_logged_as_text() -> None:
    properties = {"message_id": b"\xff", "type": {"a": 1}, "correlation_id": "x" * 1_000}
    hostile = SimpleNamespace(properties=properties, headers={"traceparent": 7}, body=b"")
    large = SimpleNamespace(properties={}, headers=None, body=b"[" * 3_000_000)

    ids = ids_of(hostile, "billing")

    assert (ids["ordersite.message_id"], ids["ordersite.type"]) == ("\\xff", "{'a': 1}")
    assert len(ids["ordersite.order_id"]) == 300
    assert {name for name, value in ids_of(large, "billing").items() if value} == {
        "ordersite.service"
    }


def test_it_hears_how_a_replay_ended(archiver):
    bury()
    failed = eventually(FailedMessage.objects.first)
    replay([failed.pk], "operator")
    sent = broker.take("billing")
    outcome = {
        "replayId": sent.headers["replay"],
        "service": "billing",
        "messageId": sent.properties["message_id"],
    }
    for body in (b"rubbish", json.dumps(outcome).encode()):
        broker.publish(body, exchange="", routing_key="replay_outcomes")

    assert eventually(lambda: record(failed.pk).status == "resolved")
    assert record(failed.pk).resolved_by == "operator"


def test_a_record_that_another_program_spoilt_holds_up_no_other(archiver):
    bury(message_id="spoilt")
    bury(message_id="replayed")
    eventually(lambda: stored() == 2)
    replayed = FailedMessage.objects.get(message_id="replayed")
    [verdict] = replay([replayed.pk], "anna")
    assert verdict.done
    failed_messages().update_many({}, {"$set": {"history": "of another program"}})
    replay_id = broker.take("billing").headers["replay"]

    bury(death=certificate(), message_id="spoilt")
    outcome = {"replayId": replay_id, "service": "billing", "messageId": "replayed"}
    broker.publish(json.dumps(outcome).encode(), exchange="", routing_key="replay_outcomes")
    eventually(lambda: archiver.log_tail().count("Correct the document, then start") == 2)
    bury(message_id="sound")

    eventually(lambda: stored() == 3)
    assert archiver.stop() == 0
    # RabbitMQ has kept them, for when the records are corrected.
    eventually(lambda: broker.depth("billing.dlq") == 1)
    eventually(lambda: broker.depth("replay_outcomes") == 1)


@pytest.mark.parametrize("bury_one", [bury, bury_nameless], ids=["named", "nameless"])
def test_killed_between_store_and_ack_it_leaves_one_record(
    processes, bury_one: Callable[[], None]
) -> None:
    """
    Given an archiver that has stored a message, and that RabbitMQ has no ack of yet
    When it is killed (-9), so that RabbitMQ delivers the message again, to another archiver
    Then there is one record of one death, and the queue is empty.
    """
    stopped = processes.run("archiver", "python -m tests.failed_messages.archiver_that_stops")
    bury_one()
    eventually(lambda: is_stopped(stopped.pid))
    assert (stored(), broker.depth("billing.dlq")) == (1, 0), "stored, and in its hands"
    stopped.kill()
    eventually(lambda: broker.depth("billing.dlq") == 1)
    with delivered() as again:
        assert again.delivery_info["redelivered"]
    eventually(lambda: broker.depth("billing.dlq") == 1)

    [process] = processes.start("archiver")
    eventually(lambda: "failed message" in process.log_tail())
    assert process.stop() == 0

    assert broker.depth("billing.dlq") == 0
    [only] = FailedMessage.objects.all()
    assert (len(only.certificates), [line.act for line in only.history]) == (1, ["failed"])
    assert FailureGroup.objects.get().deaths == 1


def is_stopped(pid: int) -> bool:
    return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)


def test_it_waits_for_a_database_that_is_down(archiver, mongodb):
    mongodb.kill()
    try:
        for number in range(30):
            bury(message_id=f"message {number}")
        eventually(lambda: "Waiting for MongoDB" in archiver.log_tail(), OUTAGE_SECONDS)
        assert archiver.running
    finally:
        mongodb.start()

    assert eventually(lambda: _count_when_back() == 30, OUTAGE_SECONDS)
    eventually(lambda: broker.depth("billing.dlq") == 0)
    assert archiver.stop() == 0
    assert broker.depth("billing.dlq") == 0


def test_it_comes_back_by_itself_when_the_broker_does(archiver, rabbitmq):
    rabbitmq.kill()
    eventually(lambda: "Waiting for RabbitMQ" in archiver.log_tail(), OUTAGE_SECONDS)
    rabbitmq.start()
    bury()

    assert eventually(lambda: stored() == 1, OUTAGE_SECONDS)
    assert archiver.stop() == 0


def test_it_can_be_stopped_while_the_broker_is_down(processes):
    nowhere = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    [process] = processes.start("archiver", AMQP_URL=nowhere)
    eventually(lambda: "Waiting for RabbitMQ" in process.log_tail(), OUTAGE_SECONDS)

    assert process.stop() == 0


def _count_when_back() -> int:
    from pymongo.errors import PyMongoError

    try:
        return stored()
    except PyMongoError:
        return -1
