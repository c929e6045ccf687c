"""The programs in `examples/`, as their readers start them."""

from __future__ import annotations

import re
import sys

from django.conf import settings
from kombu import Connection

from tests.examples.test_clients import CLIENTS, told
from tests.journeys.whole_pipeline.conftest import Pipeline
from tests.polling import eventually

QUEUE = "example.subscriber"


def test_the_clients_orders_are_done_and_the_subscriber_hears_of_them(pipeline: Pipeline) -> None:
    command = f"{sys.executable} examples/subscriber.py '{settings.AMQP_URL}'"
    subscriber = pipeline.processes.run("subscriber", command)
    try:
        eventually(lambda: "Listening" in subscriber.log.read_text())

        printed = [told(client, pipeline.api.url) for client in CLIENTS.values()]

        for each in printed:
            assert "pen              1.80 EUR  Ballpoint pen, blue" in each
            assert re.search(r"confirmed +.*inventory: reserved", each)
            assert "Refused with 422, /problems/not-sold" in each
        ids = [re.search(r"Order (\w{24}): 16.10 EUR", each)[1] for each in printed]
        for order_id in ids:
            line = f"order.confirmed  {order_id} 16.10 EUR"
            eventually(lambda line=line: line in subscriber.log.read_text())
    finally:
        subscriber.stop()
        with Connection(settings.AMQP_URL) as broker:
            broker.default_channel.queue_delete(QUEUE)
