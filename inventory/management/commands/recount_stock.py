"""Compare the stock with its movements."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.recounting import HistoryTooShort, Recount, recount
from runtime.terminal import table

TOO_SHORT = (
    "MongoDB forgot how the stock was before all was read, so nothing was compared. Let it "
    'remember an hour, and recount: mongosh "$MONGODB_URL" --eval '
    "'db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})'. "
    "`python manage.py doctor` says how to set it back."
)


class Command(BaseCommand):
    help = (
        "Compute every product's quantities from the stock movements and compare them with what "
        "is stored. Changes nothing. Exits with 1 if one differs, 2 if MongoDB forgot too early."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        try:
            counted = recount()
        except HistoryTooShort as error:
            raise CommandError(TOO_SHORT, returncode=2) from error
        self.stdout.write(json.dumps(asdict(counted)) if options["json"] else in_words(counted))
        if counted.differences:
            sys.exit(1)


def in_words(counted: Recount) -> str:
    """A line for each difference, and one for all."""
    of_all = f"{counted.products} products, {counted.movements} movements: "
    if not counted.differences:
        return of_all + "every quantity is what the movements add up to."
    heads = ("SKU", "quantity", "stored", "recounted")
    rows = [(each.sku, each.quantity, each.stored, each.recounted) for each in counted.differences]
    return "\n".join(
        [
            *table(heads, rows, numbers=("stored", "recounted")),
            f"{of_all}{len(counted.differences)} quantities differ.",
            "Something changed products or stock_movements outside the pipeline. Count the goods, "
            "then correct the stored quantity, or add the movement that is missing.",
        ]
    )
