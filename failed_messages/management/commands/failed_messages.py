"""`python manage.py failed_messages list|show|replay|discard|restore`: the operator's verbs."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from failed_messages.description import SUMMARY_FIELDS, deaths, full, summary
from failed_messages.discard import discard, restore
from failed_messages.models import FailedMessage, Status
from failed_messages.replay import replay
from failed_messages.verdict import ReasonMissing, Verdict, record_id
from failed_messages.wording import consequence, headline, next_step
from messaging.topology import SERVICES

LIST_LIMIT = 50
COLUMNS = (
    ("id", 24),
    ("service", 10),
    ("type", 18),
    ("orderId", 24),
    ("reason", 18),
    ("attempts", 8),
    ("status", 10),
    ("lastFailedAt", 24),
)


class Command(BaseCommand):
    help = "Look at failed messages, replay, discard or restore them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        self._add_list(verbs)
        self._add_verb(verbs, "show", "everything about failed messages", self._show)
        self._add_act(verbs, "replay", "send them to their service again", replay)
        self._add_act(verbs, "discard", "set them aside", discard, reason_required=True)
        self._add_act(verbs, "restore", "take a discard back", restore)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["run"](options)
        except (PyMongoError, DatabaseError) as error:
            raise CommandError(
                f"MongoDB does not answer ({error}). Start it, or correct MONGODB_URL, and run "
                "this again: each act is done once."
            ) from error
        except BrokenPipeError:
            # A reader like `head` has enough; Python would still flush, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _add_list(self, verbs: Any) -> None:
        verb = verbs.add_parser("list", help="the newest failed messages")
        verb.add_argument("--service", choices=SERVICES)
        verb.add_argument("--status", choices=Status.values)
        verb.add_argument("--order", metavar="ID", help="only those of this order")
        verb.add_argument("--limit", type=_at_least_one, default=LIST_LIMIT, help="default 50")
        verb.add_argument("--json", action="store_true")
        verb.set_defaults(run=self._list)

    def _add_verb(self, verbs: Any, name: str, help_: str, run: Callable) -> Any:
        verb = verbs.add_parser(name, help=help_)
        verb.add_argument("ids", nargs="+", metavar="ID")
        verb.add_argument("--json", action="store_true")
        verb.set_defaults(run=run)
        return verb

    def _add_act(
        self, verbs: Any, name: str, help_: str, act: Callable, reason_required: bool = False
    ) -> None:
        verb = self._add_verb(verbs, name, help_, lambda options: self._act(act, options))
        verb.add_argument("--reason", metavar="TEXT", default="", required=reason_required)
        verb.add_argument("--by", metavar="NAME", help="for the history; default: the OS user")

    def _list(self, options: dict[str, Any]) -> None:
        filters = {"service": "service", "status": "status", "order": "order_id"}
        chosen = {field: options[name] for name, field in filters.items() if options[name]}
        records = FailedMessage.objects.only(*SUMMARY_FIELDS).filter(**chosen)
        items = [summary(record) for record in records[: options["limit"]]]
        if options["json"]:
            self._write_json(items)
        else:
            self._write_table(items)

    def _show(self, options: dict[str, Any]) -> None:
        records = [_record(id_) for id_ in options["ids"]]
        if options["json"]:
            self._write_json([full(record) for record in records])
            return
        for record in records:
            self._write_record(record)

    def _act(self, act: Callable[..., list[Verdict]], options: dict[str, Any]) -> None:
        by = options["by"] or getpass.getuser()
        try:
            verdicts = act(options["ids"], by, options["reason"])
        except ReasonMissing as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self._write_json([{"id": v.id, "done": v.done, "detail": v.detail} for v in verdicts])
        else:
            self._write_verdicts(verdicts)
        if not all(verdict.done for verdict in verdicts):
            sys.exit(1)

    def _write_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2))

    def _write_table(self, items: list[dict[str, Any]]) -> None:
        if not items:
            self.stdout.write("No failed messages.")
            return
        self.stdout.write("  ".join(name.ljust(width) for name, width in COLUMNS))
        for item in items:
            cells = (_printable(item[name])[:width].ljust(width) for name, width in COLUMNS)
            self.stdout.write("  ".join(cells).rstrip())

    def _write_record(self, record: FailedMessage) -> None:
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
        self.stdout.write("\n".join(_printable(line) for line in lines))

    def _write_verdicts(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            word = self.style.SUCCESS("done") if verdict.done else self.style.ERROR("refused")
            self.stdout.write(f"{_printable(verdict.id)}  {word}: {verdict.detail}")


def _record(id_: str) -> FailedMessage:
    record = FailedMessage.objects.filter(pk=record_id(id_)).first() if record_id(id_) else None
    if record is None:
        raise CommandError(
            f"{_printable(id_)} is no failed message; `failed_messages list` shows those there are"
        )
    return record


def _printable(value: object) -> str:
    """Without the control characters by which a stranger's text would steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in str(value))


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
