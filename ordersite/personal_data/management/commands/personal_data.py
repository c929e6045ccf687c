"""`python manage.py personal_data export|erase --user N`"""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from ordersite.personal_data.archive import export
from ordersite.personal_data.erasing import erase, in_numbers
from ordersite.personal_data.retention import forget_customers
from ordersite.personal_data.wording import sentences
from runtime.os_user import add_by
from runtime.outage import Outage
from runtime.personal_data import SMALLEST_PSEUDONYM
from runtime.requests.number import whole_number
from runtime.trouble import of_mongodb


class Command(BaseCommand):
    help = "Export or erase everything that is kept of a person; see docs/personal-data.md."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        exporting = verbs.add_parser("export", help="write all of it into one archive")
        exporting.add_argument(
            "--to", metavar="FILE", type=Path, help="the file; default personal-data-N.zip"
        )
        exporting.set_defaults(run=self.export)
        erasing = verbs.add_parser("erase", help="put a pseudonym in the person's place")
        erasing.add_argument("--json", action="store_true", help="print JSON")
        erasing.set_defaults(run=self.erase)
        for verb in (exporting, erasing):
            verb.add_argument(
                "--user", type=user_id, required=True, metavar="N", help="the person's userId"
            )
            add_by(verb)
        verbs.add_parser(
            "forget", help="take the customers out of what is older than RETENTION_DAYS_ORDERS"
        ).set_defaults(run=self.forget)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["run"](options)
        except (PyMongoError, DatabaseError, Outage) as error:
            raise CommandError(f"{of_mongodb(error)} Run this again then.") from error

    def export(self, options: dict[str, Any]) -> None:
        file = options["to"] or Path(f"personal-data-{options['user']}.zip")
        content = export(options["user"], options["by"])
        try:
            # It is one person's, and nobody else's to read.
            file.touch(mode=0o600, exist_ok=False)
            file.write_bytes(content)
        except OSError as error:
            raise CommandError(f"--to: {error}") from error
        self.stdout.write(f"Wrote {file} ({len(content):,} bytes).")

    def erase(self, options: dict[str, Any]) -> None:
        outcome = erase(options["user"], options["by"])
        if options["json"]:
            self.stdout.write(json.dumps(in_numbers(outcome), indent=2))
        else:
            self.stdout.write("\n".join(sentences(outcome)))

    def forget(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"Documents that lost their customer: {forget_customers():,}.")


def user_id(text: str) -> int:
    """Raises ArgumentTypeError, which argparse turns into its own message."""
    try:
        return whole_number(text, most=SMALLEST_PSEUDONYM - 1)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
