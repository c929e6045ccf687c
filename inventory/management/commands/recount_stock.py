"""Compare the stock with its movements."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inventory.recounting import (
    Difference,
    HistoryTooShort,
    LessThanNone,
    Recount,
    correct,
    recount,
)
from inventory.refusals import UnknownSku
from runtime.terminal import table

TOO_SHORT = (
    "MongoDB forgot how the stock was before all was read, so nothing was compared. Let it "
    'remember an hour, and recount: mongosh "$MONGODB_URL" --eval '
    "'db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})'. "
    "`python manage.py doctor` says how to set it back."
)

LESS_THAN_NONE = (
    "The movements of {sku} add up to less than no unit, so nothing was stored: something deleted "
    "or changed documents of stock_movements. Restore them from a backup."
)


class Command(BaseCommand):
    help = (
        "Compute every product's quantities from the stock movements and compare them with what "
        "is stored. Changes nothing without --correct. Exits with 1 if a quantity differs, 2 if "
        "MongoDB kept its history for too short a time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--correct",
            metavar="SKU",
            help="set this product's quantities to the sums of its movements; check no other",
        )

    def handle(self, **options: Any) -> None:
        if options["correct"] is None:
            self._recount(options)
        else:
            self._correct(options["correct"])

    def _correct(self, sku: str) -> None:
        try:
            found = correct(sku)
        except UnknownSku as error:
            raise CommandError(str(error.detail)) from error
        except LessThanNone as error:
            raise CommandError(LESS_THAN_NONE.format(sku=sku)) from error
        if found:
            self.stdout.write("\n".join([*compared(found), "Stored what was recounted."]))
        else:
            self.stdout.write(f"{sku}: every quantity is what its movements add up to.")

    def _recount(self, options: dict[str, Any]) -> None:
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
    return "\n".join(
        [
            *compared(counted.differences),
            f"{of_all}{len(counted.differences)} quantities differ.",
            "Something changed products or stock_movements outside the pipeline. Count the goods. "
            "To store what the movements add up to: python manage.py recount_stock --correct SKU",
        ]
    )


def compared(differences: list[Difference]) -> list[str]:
    """A table of what is stored and what was recounted."""
    heads = ("SKU", "quantity", "stored", "recounted")
    rows = [(each.sku, each.quantity, each.stored, each.recounted) for each in differences]
    return table(heads, rows, numbers=("stored", "recounted"))
