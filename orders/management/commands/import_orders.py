"""`python manage.py import_orders orders.ndjson`"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from orders.importing import comma_separated, ndjson, orderdb
from orders.importing.batches import Import
from orders.importing.entry import Entry, Outcome
from orders.importing.report import Sums
from runtime.requests.refusal import Refusal

FORMATS = {
    ".ndjson": ndjson.entries,
    ".jsonl": ndjson.entries,
    ".csv": comma_separated.entries,
}

#: Of the orders that may be repeats.
NAMED_REPEATS = 10

#: Progress is a matter of a file's bytes, or of a collection's documents: done, of how many.
Done = Callable[[], int]


class Command(BaseCommand):
    help = (
        "Place the orders of a file (.ndjson, .jsonl or .csv) or of the tutorial's database. "
        "Exits with 1 if an order is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "file", nargs="?", type=Path, help="the file; docs/importing.md shows the formats"
        )
        source.add_argument(
            "--from-mongoose",
            metavar="URI",
            help="a MongoDB with the tutorial's orders, e.g. mongodb://localhost:27017/orderdb",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would happen, place nothing"
        )
        parser.add_argument(
            "--place-repeats",
            action="store_true",
            help="also place orders without an orderRef that are the same as another one",
        )

    def handle(
        self,
        *,
        file: Path | None,
        from_mongoose: str | None,
        dry_run: bool,
        place_repeats: bool,
        **options: Any,
    ) -> None:
        self.sums = Sums()
        self.importing = Import(is_dry_run=dry_run)
        self.places_repeats = place_repeats or dry_run
        try:
            if file:
                self.import_file(file)
            elif from_mongoose:
                self.import_orderdb(from_mongoose)
        except PyMongoError as error:
            raise CommandError(
                f"MongoDB failed after {self.sums.total} orders, so the rest is not imported: "
                f"{error}\nRun the command again; orders with an orderRef are not placed twice."
            ) from error
        self.tell(dry_run)

    def import_file(self, file: Path) -> None:
        if file.suffix not in FORMATS:
            raise CommandError(f"{file} is not one of {', '.join(FORMATS)}: rename it.")
        try:
            with file.open("rb") as stream:
                read = FORMATS[file.suffix]
                if not self.places_repeats:
                    check_repeats(read(stream))
                    stream.seek(0)
                self.import_all(read(stream), stream.tell, of=file.stat().st_size)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except Refusal as refusal:
            raise CommandError(f"{file} was not imported. {refusal.detail}") from refusal

    def import_orderdb(self, uri: str) -> None:
        documents = orderdb.documents(uri)
        with documents.database.client:
            count = documents.count_documents({})
            self.import_all(orderdb.entries(documents), lambda: self.sums.total, of=count)

    def import_all(self, entries: Iterator[Entry], done: Done, of: int) -> None:
        """Import, with a bar on the terminal and a line for each order that is refused."""
        columns = (BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=of)
            for outcome in self.importing.run(entries):
                self.sums.add(outcome)
                progress.update(bar, completed=done())
                if outcome.faults or (outcome.warning and self.importing.is_dry_run):
                    progress.console.print(sentence(outcome), markup=False, highlight=False)

    def tell(self, dry_run: bool) -> None:
        sums = self.sums.json()
        text = "Would place {placed}" if dry_run else "Placed {placed}"
        text += " orders; {repeated} were placed before, {refused} refused."
        self.stdout.write(text.format(**sums))
        if sums["refused"]:
            raise CommandError(
                f"{sums['refused']} orders were refused; each is named above. "
                "Fix them and import them again."
            )


def check_repeats(entries: Iterator[Entry]) -> None:
    """Raises CommandError: orders without an orderRef are the same as others."""
    warned = [each for each in Import(is_dry_run=True).run(entries) if each.warning]
    if warned:
        named = "\n".join(sentence(each) for each in warned[:NAMED_REPEATS])
        raise CommandError(
            f"Nothing was imported, as orders are the same as others: {len(warned)}.\n{named}\n"
            "Give each order an orderRef, so that none is placed twice. To place them all, run the "
            "command with --place-repeats."
        )


def sentence(outcome: Outcome) -> str:
    """`line 7: quantity: expected a whole number. Send …`."""
    where = outcome.entry.name or f"line {outcome.entry.line}"
    if outcome.warning:
        return f"{where}: {outcome.warning}"
    faults = (f"{fault['field']}: {fault['detail']}. {fault['fix']}" for fault in outcome.faults)
    return f"{where}: {' '.join(faults)}"
