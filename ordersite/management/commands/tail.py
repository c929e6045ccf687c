"""Show events live."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Any
from uuid import uuid4

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand
from kombu import Connection, Consumer, Exchange, Message, Queue

from messaging.incoming import take_raw
from messaging.service import services
from messaging.short_string import readable
from messaging.storable import plain
from ordersite.short_text import short_text
from runtime.connecting import BROKER_ERRORS, connect, connection_to
from runtime.moment import for_programs, to_the_millisecond
from runtime.terminal import printable
from runtime.trouble import Reported, in_words

BODY_CHARACTERS = 120
RECONNECT_SECONDS = 1
CONNECT_SECONDS = 5
#: What a slow terminal may lag behind; the oldest go first.
WAITING_MESSAGES = 10_000


class NobodyReads(Exception):
    """What this command writes to is closed."""


class Command(BaseCommand):
    help = "Show the events of all services live, by routing key: 'order.*', 'billing.#', '#'."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "pattern", nargs="?", default="#", type=short_text, help="an AMQP topic pattern"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object for each event"
        )

    def handle(self, *, pattern: str, **options: Any) -> None:
        self.show = as_json if options["json"] else as_line
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if isinstance(sys.stdout, TextIOWrapper):
            # A terminal that is not UTF-8 cannot show every text.
            sys.stdout.reconfigure(errors="backslashreplace")
        self.reported = Reported()
        self.name = f"tail.{uuid4()}"
        try:
            while True:
                try:
                    self.follow(pattern)
                except BROKER_ERRORS as error:
                    if self.reported.is_new(why := in_words(error)):
                        self.stderr.write(f"Waiting for RabbitMQ; events may be missed: {why}")
                time.sleep(RECONNECT_SECONDS)
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")
        except NobodyReads:
            # Python would write what is left, and complain of that.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def follow(self, pattern: str) -> None:
        """Show events until the connection is lost.

        Raises:
            OSError, amqp.AMQPError, kombu.exceptions.OperationalError: it is, or was never made.
        """
        with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
            queue = declare(connect(broker), self.name, pattern)
            channel = broker.default_channel
            take_raw(channel)
            with Consumer(channel, [queue], on_message=self.write, no_ack=True):
                self.reported.end()
                self.stderr.write(f"Events with a routing key like {pattern}; Ctrl-C stops.")
                while True:
                    broker.drain_events()

    def write(self, message: Message) -> None:
        """Raises NobodyReads: as behind `| head`, which has read enough."""
        try:
            self.stdout.write(self.show(message))
            self.stdout.flush()
        except BrokenPipeError as error:
            raise NobodyReads from error


def declare(broker: Connection, name: str, pattern: str) -> Queue:
    """A queue of ours alone that gets every service's events whose routing key matches.

    The fanouts know no patterns, so they feed a topic exchange that ends with the queue.
    """
    matching = Exchange(name, type="topic", auto_delete=True)
    with broker.channel() as channel:
        matching(channel).declare()
        for service in services().values():
            service.exchange(channel).declare()
            matching(channel).bind_to(service.exchange)
    # An earlier connection may be lost here and still there for RabbitMQ, with its queue.
    name = f"{name}.{uuid4()}"
    return Queue(name, matching, routing_key=pattern, exclusive=True, max_length=WAITING_MESSAGES)


def as_line(message: Message) -> str:
    """Time, routing key, message id, order id and the body's beginning."""
    properties = message.properties
    shown = [
        to_the_millisecond(datetime.now(UTC)),
        f"{readable(message.delivery_info['routing_key']) or '(no key)':<20}",
        f"id={readable(properties.get('message_id') or '-')}",
        f"order={readable(properties.get('correlation_id') or '-')}",
        _text(message)[:BODY_CHARACTERS],
    ]
    return printable(" ".join("  ".join(shown).splitlines()))


def as_json(message: Message) -> str:
    """The body as JSON, or as its text where it is not: a foreign publisher may send anything."""
    properties = message.properties
    shown = {
        "at": for_programs(datetime.now(UTC)),
        "exchange": message.delivery_info["exchange"],
        "routingKey": message.delivery_info["routing_key"],
        "type": properties.get("type"),
        "messageId": properties.get("message_id"),
        "orderId": properties.get("correlation_id"),
    }
    try:
        body = msgspec.json.decode(message.body)
        return json.dumps({**plain(shown), "body": body})
    except (msgspec.DecodeError, ValueError, RecursionError):
        return json.dumps({**plain(shown), "body": _text(message)})


def _text(message: Message) -> str:
    return bytes(message.body).decode(errors="replace")
