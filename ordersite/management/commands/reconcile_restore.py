"""`python manage.py reconcile_restore`"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from enum import IntEnum
from typing import Any

from amqp import AMQPError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from kombu.exceptions import OperationalError
from pymongo.errors import PyMongoError

from billing import lost_numbers
from messaging.errors import MessagingError
from messaging.queue_state import depths
from ordersite.restoring.findings import find
from ordersite.restoring.rendering import as_json, as_text
from ordersite.restoring.settling import settle
from runtime.connecting import connect, connection_to
from runtime.os_user import add_by

CONNECT_SECONDS = 5


class ExitCode(IntEnum):
    AGREED = 0
    #: There is something to settle or, with `--apply`, something was left, and it says why.
    DIFFERENT = 1
    NOT_DONE = 2


class Command(BaseCommand):
    help = (
        "After a restore: compare orders, reservations, invoices and failed messages, and with "
        "--apply settle the differences (docs/backup.md). May run beside the pipeline, and again. "
        "Exits with 0 if nothing is to do, 1 if something is to do or was left, 2 if "
        "MongoDB or RabbitMQ failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="settle the differences")
        parser.add_argument(
            "--last-invoice",
            metavar="NUMBER",
            type=number,
            help="the last invoice that a customer may have; no number up to it is issued again",
        )
        add_by(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        left: list[str] = []
        try:
            if last_invoice := options["last_invoice"]:
                series, _ = lost_numbers.parts(last_invoice)
                lost_numbers.check_distance(last_invoice, lost_numbers.last(series))
            found = find(options["last_invoice"])
            if options["apply"]:
                left = settle(found, options["by"], is_idle("billing"))
        except ValueError as error:
            raise CommandError(
                f"Nothing was changed: {error}.", returncode=ExitCode.NOT_DONE
            ) from error
        except (PyMongoError, AMQPError, OperationalError, OSError, MessagingError) as error:
            raise CommandError(
                f"Not everything is settled, as a dependency did not answer ({error}). No step is "
                "half done: when it answers, run this again and it continues.",
                returncode=ExitCode.NOT_DONE,
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found, left, options["apply"]), indent=2))
        else:
            self.stdout.write(as_text(found, left, options["apply"]))
        if left or (found.count and not options["apply"]):
            sys.exit(ExitCode.DIFFERENT)


def number(text: str) -> str:
    """Raises ArgumentTypeError: it is not a number of an invoice."""
    try:
        lost_numbers.parts(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def is_idle(service: str) -> bool:
    """Whether no message waits in the service's queues, its retries and dead letters included."""
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        connect(broker, reraise_as_library_errors=False)
        waiting = depths(broker)
    return not any(count for name, count in waiting.items() if name.partition(".")[0] == service)
