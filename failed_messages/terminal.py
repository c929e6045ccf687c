"""Failed messages on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from failed_messages.description import deaths, summary
from failed_messages.models import FailedMessage
from failed_messages.wording import consequence, headline, next_step

Columns = Sequence[tuple[str, int]]

MESSAGE_COLUMNS: Columns = (
    ("id", 24),
    ("service", 10),
    ("type", 18),
    ("orderId", 24),
    ("reason", 18),
    ("attempts", 8),
    ("status", 10),
    ("lastFailedAt", 24),
)
GROUP_COLUMNS: Columns = (
    ("fingerprint", 12),
    ("service", 10),
    ("exception", 30),
    ("pattern", 40),
    ("failedNow", 9),
    ("deaths", 7),
    ("orders", 6),
    ("value", 16),
    ("status", 19),
    ("owner", 12),
    ("lastFailedAt", 24),
)
POLICY_COLUMNS: Columns = (
    ("scope", 24),
    ("enabled", 7),
    ("afterSeconds", 24),
    ("reason", 18),
    ("by", 20),
)


def printable(value: object) -> str:
    """Without the control characters by which a stranger's text would steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(value))


def table(items: list[dict[str, Any]], columns: Columns) -> Iterator[str]:
    """The items' lines below their heads."""
    yield "  ".join(name.ljust(width) for name, width in columns).rstrip()
    for item in items:
        cells = (_cell(item[name])[:width].ljust(width) for name, width in columns)
        yield "  ".join(cells).rstrip()


def record_lines(record: FailedMessage) -> list[str]:
    """Everything about one record, what matters most first."""
    newest = deaths(record)[0]
    lines = [
        headline(record, newest),
        f"Consequence: {consequence(record)}",
        f"Next step:   {next_step(record)}",
        *(f"{name}: {value}" for name, value in summary(record).items()),
        f"properties: {record.properties}",
        f"headers: {record.headers}",
        "body:",
        record.preview,
        *(f"attempt {a.number} at {a.at}: {a.exception}: {a.message}" for a in newest.attempts),
        newest.traceback or "",
        *(f"{a.at:%Y-%m-%d %H:%M:%S} {a.by}: {a.act} {a.reason}" for a in record.history),
    ]
    return [printable(line) for line in lines]


def _cell(value: object) -> str:
    return printable(value).replace("\n", " ").replace("\t", " ")
