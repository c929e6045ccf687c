"""`python manage.py reconcile_restore`"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from enum import IntEnum
from typing import Any

from amqp import AMQPError
from django.core.management.base import BaseCommand, CommandError
from kombu.exceptions import OperationalError
from pymongo.errors import PyMongoError

from billing import lost_numbers
from messaging.errors import PublishError
from ordersite.pipeline import shipping_consent
from ordersite.restoring.idleness import waiting
from ordersite.restoring.rendering import as_json, as_text
from ordersite.restoring.search import find
from ordersite.restoring.settling import settle
from runtime.os_user import add_by
from runtime.outage import Outage


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
            nargs="+",
            type=invoice_number,
            default=[],
            help="the last invoice that a customer may have, of each year; no number up to it is "
            "issued again",
        )
        parser.add_argument(
            "--last-credit-note",
            metavar="NUMBER",
            nargs="+",
            type=credit_note_number,
            default=[],
            help="the same of credit notes, like C2026-000012",
        )
        parser.add_argument(
            "--believe-answers",
            action="store_true",
            help="believe failed messages that tell what a service did after the backup, though "
            "nothing in the database proves it",
        )
        add_by(parser)
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        last_numbers = [*options["last_invoice"], *options["last_credit_note"]]
        left: list[str] = []
        # A shipment that is recorded again is noted in its order, too.
        shipping_consent.register()
        try:
            check(last_numbers)
            on_their_way = waiting()
            found = find(last_numbers, options["believe_answers"], on_their_way)
            if options["apply"]:
                left = settle(found, options["by"], on_their_way)
        except (PyMongoError, Outage, AMQPError, OperationalError, OSError, PublishError) as error:
            raise CommandError(
                f"Not everything is settled, as a dependency did not answer ({error}). No step is "
                "half done: when it answers, run this again and it continues.",
                returncode=ExitCode.NOT_DONE,
            ) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found, left, options["apply"]), indent=2))
        else:
            self.stdout.write(as_text(found, left, options["apply"]))
        if left or found.unbelieved or (found.count and not options["apply"]):
            sys.exit(ExitCode.DIFFERENT)


def check(numbers: list[str]) -> None:
    """Raises CommandError: one of them is too high to be right."""
    for number in numbers:
        series, _ = lost_numbers.parts(number)
        try:
            lost_numbers.check_distance(number, lost_numbers.last(series))
        except ValueError as error:
            raise CommandError(
                f"Nothing was changed: {error}.", returncode=ExitCode.NOT_DONE
            ) from error


def invoice_number(text: str) -> str:
    """Raises ArgumentTypeError: it is not a number of an invoice."""
    try:
        return lost_numbers.invoice_number(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def credit_note_number(text: str) -> str:
    """Raises ArgumentTypeError: it is not a number of a credit note."""
    try:
        return lost_numbers.credit_note_number(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
