"""`python manage.py loaddata`, which is refused."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.loaddata import Command as LoadData

from ordersite.management.commands.dumpdata import INSTEAD


class Command(LoadData):
    help = f"Refused: it cannot read the lines of orders, reservations and invoices. {INSTEAD}"

    def handle(self, *arguments: Any, **options: Any) -> None:
        raise CommandError(
            "loaddata cannot read what dumpdata writes of embedded documents, such as an order's "
            f"lines, and overwrites what the pipeline has written since. {INSTEAD}"
        )
