"""Failed messages on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.management.color import Style

from failed_messages.acting.second_person import Waits
from failed_messages.models import FailedMessage
from failed_messages.reading.description import deaths, summary, verdict_json
from failed_messages.reading.headline import headline
from failed_messages.reading.next_step import consequence, next_step
from failed_messages.reading.verdict import Verdict
from failed_messages.records.order_facts import order_facts
from runtime.moment import exact, for_people
from runtime.terminal import printable, table

Columns = Sequence[str]

MESSAGE_COLUMNS: Columns = (
    "id",
    "service",
    "type",
    "orderId",
    "reason",
    "attempts",
    "status",
    "lastFailedAt",
)
GROUP_COLUMNS: Columns = (
    "fingerprint",
    "service",
    "exception",
    "pattern",
    "failedNow",
    "deaths",
    "orders",
    "value",
    "status",
    "owner",
    "lastFailedAt",
)
JOB_COLUMNS: Columns = ("id", "state", "filter", "ratePerSecond", "by", "at")
POLICY_COLUMNS: Columns = ("scope", "enabled", "afterSeconds", "reason", "by")


class Refusal(ValueError):
    """What was asked for on the command line cannot be done; the text says why."""


class Terminal:
    """Shows an operator lines, and a script JSON."""

    def __init__(
        self, stdout: OutputWrapper, stderr: OutputWrapper, style: Style, is_json: bool
    ) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._style = style
        self._is_json = is_json
        #: True once a message was refused what was asked for it.
        self.refused = False

    def show(self, value: object, lines: Iterable[str]) -> None:
        """The same, as JSON and as lines."""
        if self._is_json:
            self._stdout.write(json.dumps(value, indent=2))
        else:
            self._stdout.write("\n".join(printable(line) for line in lines))

    def items(self, items: Sequence[Mapping[str, Any]], columns: Columns, none: str) -> None:
        """A table; `none` stands for an empty one."""
        rows = [[_cell(name, item[name]) for name in columns] for item in items]
        self.show(items, table(columns, rows, stdout=self._stdout) if items else [none])

    def verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """What became of each message that was acted on."""
        self.refused = not all(verdict.done for verdict in verdicts)
        if self._is_json:
            self.show([verdict_json(each) for each in verdicts], ())
            return
        for verdict in verdicts:
            style = self._style.SUCCESS if verdict.done else self._style.ERROR
            word = style("done" if verdict.done else "refused")
            self._stdout.write(f"{printable(verdict.id)}  {word}: {printable(verdict.detail)}")

    def waits(self, waits: Waits) -> None:
        """That another person has to approve what was asked for."""
        self.show({"pending": str(waits.id)}, [f"{waits!s}: failed_messages pending"])

    def warn(self, line: str) -> None:
        self._stderr.write(printable(line))


def _cell(name: str, value: object) -> object:
    """What JSON says, for a person: a moment as everywhere."""
    is_moment = isinstance(value, str) and (name == "at" or name.endswith("At"))
    return for_people(str(value)) if is_moment else value


def record_lines(record: FailedMessage) -> list[str]:
    """Everything about one record, what matters most first."""
    newest = deaths(record)[0]
    is_known = not record.order_id or bool(order_facts([record.order_id]))
    lines = [
        headline(record, newest),
        f"Consequence: {consequence(record, is_known)}",
        f"Next step:   {next_step(record)}",
        *(f"{name}: {_cell(name, value)}" for name, value in summary(record).items()),
        f"properties: {record.properties}",
        f"headers: {record.headers}",
        "body:",
        record.preview,
        *(
            f"attempt {a.number} at {for_people(a.at)}: {a.exception}: {a.message}"
            for a in newest.attempts
        ),
        newest.traceback or "",
        *(f"{exact(a.at)} {a.by}: {a.act} {a.reason}" for a in record.history),
    ]
    return [printable(line) for line in lines]


def job_lines(job: Mapping[str, Any]) -> Iterator[str]:
    """How far a bulk replay is; `job` is its JSON."""
    counts = job["messages"]
    total = sum(counts.values())
    yield f"Bulk replay {job['id']}: {job['state']}, {counts['resolved']:,} of {total:,} resolved"
    if job["why"]:
        yield job["why"]
    yield f"{job['filter']}, at most {job['ratePerSecond']} a second, by {job['by']}"
    yield from (f"{state}: {count:,}" for state, count in counts.items() if count)
