"""`python manage.py dumpdata`, which is refused."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.dumpdata import Command as DumpData

INSTEAD = (
    "Back up with `mongodump --oplog` and restore with `mongorestore --oplogReplay`; "
    "docs/backup.md has the commands, and what to run after a restore."
)


class Command(DumpData):
    help = f"Refused: it loses the lines of orders, reservations and invoices. {INSTEAD}"

    def handle(self, *arguments: Any, **options: Any) -> None:
        raise CommandError(
            "dumpdata is not a backup here: it writes embedded documents, such as an order's "
            f"lines, as text that loaddata cannot read, and not at one moment. {INSTEAD}"
        )
