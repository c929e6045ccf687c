"""Delete a queue that is not needed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from amqp import NotFound
from django.core.management.base import BaseCommand, CommandError

from messaging.queue_state import queue_state_on
from ordersite.pipeline.health import broker_connection
from ordersite.short_text import short_text
from runtime.connecting import BROKER_ERRORS, connect
from runtime.trouble import of_rabbitmq


class Command(BaseCommand):
    help = "Delete a queue of RabbitMQ, unless it has messages or consumers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", type=short_text, help="the queue's name, such as billing.retry.7s"
        )

    def handle(self, **options: Any) -> None:
        try:
            with broker_connection() as broker:
                connect(broker)
                delete(broker.default_channel, options["name"])
        except NotFound as error:
            raise CommandError(f"RabbitMQ has no queue {options['name']}.") from error
        except BROKER_ERRORS as error:
            raise CommandError(of_rabbitmq(error)) from error
        self.stdout.write(f"Deleted the queue {options['name']}.")


def delete(channel: Any, name: str) -> None:
    """Raises CommandError: the queue is in use, or holds messages."""
    # A quorum queue does not know RabbitMQ's own "if empty" and "if unused".
    found = queue_state_on(channel, name)
    if found.consumers:
        raise CommandError(
            f"{found.consumers} consume {name}: stop its worker or the archiver first."
        )
    if found.messages:
        raise CommandError(
            f"{name} holds {found.messages} messages, which would be lost. "
            "Wait until it is empty; a service's queue needs its worker for that."
        )
    channel.queue_delete(name)
