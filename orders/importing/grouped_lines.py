"""The lines of a CSV file grouped by order.

No order is complete before the file's end, so that the lines wait in a temporary file: SQLite's,
which keeps a few MiB of it in memory and deletes it in the end.
https://www.sqlite.org/inmemorydb.html#temp_db
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from orders.importing.request_body import MAX_BYTES
from runtime.batches import in_batches
from runtime.requests.problem_types import BODY_TOO_LARGE
from runtime.requests.refusal import Fault, Refusal

#: A line, with its number from 1 and the order that it is of; None for one that cannot be kept.
Line = tuple[int, str, bytes | None]

LINES_AT_ONCE = 1_000

TOO_LARGE = Fault(
    field="body",
    detail=f"must have at most {MAX_BYTES // 1024**2} MiB of lines",
    fix="Split the file between two orders; NDJSON has no such limit.",
)


def grouped(lines: Iterable[Line], title: str) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers, order by order, in the sequence of the orders' first lines.

    Raises:
        Refusal: there are more bytes than a temporary file may have; nothing was yielded.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as file:
        file.executescript(
            "PRAGMA journal_mode = OFF;"
            "CREATE TABLE orders (name TEXT PRIMARY KEY, first INTEGER) WITHOUT ROWID;"
            "CREATE TABLE lines (first INTEGER, number INTEGER, line BLOB);"
        )
        keep(file, lines, title)
        yield from file.execute("SELECT number, line FROM lines ORDER BY first, number")


def keep(file: sqlite3.Connection, lines: Iterable[Line], title: str) -> None:
    size_bytes = 0
    for some in in_batches(lines, LINES_AT_ONCE):
        size_bytes += sum(len(line or b"") for _, _, line in some)
        if size_bytes > MAX_BYTES:
            raise Refusal(title, [TOO_LARGE], BODY_TOO_LARGE)
        file.execute("BEGIN")
        firsts = [(name, number) for number, name, _ in some]
        file.executemany("INSERT OR IGNORE INTO orders VALUES (?, ?)", firsts)
        kept = [(name, number, line) for number, name, line in some]
        file.executemany("INSERT INTO lines SELECT first, ?2, ?3 FROM orders WHERE name = ?1", kept)
        file.execute("COMMIT")
