"""Declare every exchange, queue and binding."""

from __future__ import annotations

from typing import Any

from amqp import PreconditionFailed
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from kombu import Connection
from kombu.exceptions import OperationalError

from messaging import topology
from messaging.connecting import connect


class Command(BaseCommand):
    help = "Declare every exchange, queue and binding on RabbitMQ; harmless when they exist."

    def handle(self, **options: Any) -> None:
        try:
            with Connection(settings.AMQP_URL) as broker:
                connect(broker)
                topology.declare(broker)
        except OperationalError as error:
            raise CommandError(
                f"RabbitMQ does not answer ({error}), so nothing was declared. "
                "Start it, or correct the setting AMQP_URL."
            ) from error
        except PreconditionFailed as error:
            raise CommandError(
                f"RabbitMQ has a queue or exchange with other arguments: {error.reply_text}\n"
                "Its arguments cannot be changed. When it is empty delete it, and declare again."
            ) from error
        self.stdout.write(f"Declared {len(topology.queues())} queues and their exchanges.")
