"""Whatever webhooks hears is awaited: what RabbitMQ loses of it shows, and is sent again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection

from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ
from tests.journeys.api import Api
from tests.journeys.own_services import own_services
from tests.polling import eventually
from tests.processes import ROOT, Processes, process_environment

NAME = "lost-events-of-webhooks"
ORDERS = 3
#: order.placed, order.confirmed, inventory.reserved and billing.invoiced of each.
EVENTS = 4 * ORDERS


@pytest.fixture
def settings(mongodb: MongoDB, rabbitmq: RabbitMQ) -> Iterator[dict[str, str]]:
    with own_services(mongodb, rabbitmq, NAME) as settings:
        yield {**settings, "WEBHOOKS": "true", "RECONCILE_AFTER_SECONDS": "5"}


def run(settings: dict[str, str], *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**process_environment(), **settings},
        capture_output=True,
        text=True,
    )
    assert ran.stdout or ran.returncode == 0, ran.stderr
    return ran.stdout


def test_lost_events_are_unaccounted_for_and_sent_again(
    processes: Processes, settings: dict[str, str]
) -> None:
    """
    Given orders that are confirmed, of which RabbitMQ lost all that webhooks was to hear
    Then webhooks' line names them
    And the scheduler sends each event again, and learns that it was noted.
    """
    for words in (["migrate"], ["declare_topology"], ["load_demo_products"]):
        run(settings, *words)
    api = Api(processes.start_web(**settings))
    processes.start("relay", "inventory", "billing", "orders", **settings)
    placed = {api.place(101, "book") for _ in range(ORDERS)}
    lose(settings["AMQP_URL"])

    def line() -> Any:
        told = json.loads(run(settings, "conservation", "--json"))
        return next(each for each in told if each["service"] == "webhooks")

    eventually(lambda: set(line()["orders"]) == placed)

    worker = "celery -A celery_app worker -Q webhooks -n webhooks@%h --concurrency 1"
    processes.wait_for_workers([processes.run("webhooks", worker, **settings)])
    processes.start("scheduler", **settings)
    eventually(lambda: line()["done"] == line()["accepted"] == ORDERS)


def lose(amqp_url: str) -> None:
    """Purge the queue of webhooks, once all events are in it."""
    with Connection(amqp_url) as broker:
        channel = broker.default_channel
        eventually(lambda: channel.queue_declare("webhooks", passive=True).message_count == EVENTS)
        assert channel.queue_purge("webhooks") == EVENTS
