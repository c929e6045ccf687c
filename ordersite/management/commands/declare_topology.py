"""Declare every exchange, queue and binding."""

from __future__ import annotations

from typing import Any

from amqp import PreconditionFailed
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging import topology
from runtime.connecting import BROKER_ERRORS, connect, connection_to
from runtime.trouble import of_rabbitmq

CONNECT_SECONDS = 5


class Command(BaseCommand):
    help = "Declare every exchange, queue and binding on RabbitMQ; those that exist stay."

    def handle(self, **options: Any) -> None:
        try:
            with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
                topology.declare(connect(broker))
        except PreconditionFailed as error:
            raise CommandError(
                f"RabbitMQ has a queue or exchange with other arguments: {error.reply_text}\n"
                "Its arguments cannot be changed. When it is empty delete it, and declare again."
            ) from error
        except BROKER_ERRORS as error:
            raise CommandError(f"Not everything is declared. {of_rabbitmq(error)}") from error
        self.stdout.write(f"Declared {len(topology.queues())} queues and their exchanges.")
