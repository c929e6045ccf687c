"""`python manage.py relay`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from messaging import declarations
from orders.outbox.relay import Relay
from runtime import heartbeat_file, presence
from runtime.garbage_collector import tune_garbage_collector
from runtime.metrics import serving
from runtime.priority import lower_priority
from runtime.stopping import StopRequest
from runtime.waiting import wait_for_database, wait_for_rabbitmq


class Command(BaseCommand):
    help = "Publish the events of orders to RabbitMQ until stopped. Several may run at once."
    # The others are of pages, which it has none of.
    requires_system_checks = (declarations.TAG,)

    def handle(self, *args: Any, **options: Any) -> None:
        lower_priority()
        stop = StopRequest()
        stop.listen()
        heartbeat_file.begin("relay")
        presence.begin("relay")
        serving.serve()
        wait_for_database(stop)
        wait_for_rabbitmq(stop)
        tune_garbage_collector()
        Relay(stop).run()
