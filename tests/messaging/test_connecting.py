"""RabbitMQ has several addresses, and is down for longer than a moment."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from bson import ObjectId
from django.db import connection
from django.test import Client, override_settings

from drills.cluster.network import Network
from drills.cluster.proxy import Proxy
from localservices.ports import free_port
from localservices.rabbitmq import RabbitMQ
from messaging.publishing.publisher import Publisher
from tests.broker import publish, take_all
from tests.messaging.test_publisher import to
from tests.polling import eventually
from tests.processes import Processes

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture
def proxy(rabbitmq: RabbitMQ) -> Iterator[Proxy]:
    """Stands before RabbitMQ."""
    with Network() as network:
        yield network.proxy(rabbitmq.port)


#: After which a wait that doubles would be longer than the test has patience.
OUTAGE_SECONDS = 8


def url(port: int) -> str:
    return f"amqp://guest:guest@127.0.0.1:{port}//"


def test_the_last_of_three_addresses_will_do(rabbitmq: RabbitMQ) -> None:
    addresses = ";".join([url(free_port()), url(free_port()), rabbitmq.url])

    with Publisher(addresses) as publisher:
        publisher.publish([to("replay_outcomes")])

    assert len(take_all("replay_outcomes")) == 1


def test_addresses_that_do_not_answer_cost_one_wait_together(
    rabbitmq: RabbitMQ, proxy: Proxy
) -> None:
    proxy.swallow()
    started = time.monotonic()

    with (
        override_settings(CONFIRM_TIMEOUT_SECONDS=3),
        Publisher(";".join([url(proxy.port), url(proxy.port), rabbitmq.url])) as publisher,
    ):
        publisher.publish([to("replay_outcomes")])

    assert time.monotonic() - started < 3
    take_all("replay_outcomes")


def test_a_node_that_is_down_leaves_the_site_ready(
    rabbitmq: RabbitMQ, readiness_anew: None
) -> None:
    with override_settings(AMQP_URL=f"{url(free_port())};{rabbitmq.url}"):
        checks = {
            each["name"]: each
            for each in Client(SERVER_NAME="localhost").get("/health/ready").json()["checks"]
        }

    assert checks["rabbitmq"]["status"] == "ok"
    assert checks["topology"]["status"] == "ok"


def test_a_worker_works_again_seconds_after_a_long_outage(
    processes: Processes, proxy: Proxy
) -> None:
    """It polls every two seconds, however long RabbitMQ was down."""
    [worker] = processes.start("billing", AMQP_URL=url(proxy.port))
    proxy.cut()
    back_at = time.monotonic() + OUTAGE_SECONDS
    eventually(lambda: time.monotonic() > back_at, within_seconds=2 * OUTAGE_SECONDS)
    assert worker.log_since_start().count("Waiting for RabbitMQ at") == 1
    order_id = str(ObjectId())
    line = {"sku": "pen", "quantity": 1, "unitPrice": "1.80"}
    order = {"orderId": order_id, "userId": 101, "items": [line], "total": "1.80"}
    publish(
        json.dumps({**order, "currency": "EUR"}).encode(),
        content_type="application/json",
        message_id=f"order.placed:{order_id}",
    )

    proxy.restore()

    invoices = connection.database["invoices"]
    eventually(lambda: invoices.find_one({"_id": order_id}), within_seconds=6)
