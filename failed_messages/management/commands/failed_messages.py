"""`python manage.py failed_messages VERB`: the operator's verbs for a terminal and for scripts."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from failed_messages.description import full, group_json, job_json, policy_json, summary
from failed_messages.discard import discard, restore
from failed_messages.editing import InvalidEdit, diff, edit_and_replay
from failed_messages.editing import check as check_edit
from failed_messages.filters import Filter, InvalidFilter, duration
from failed_messages.group_figures import figures
from failed_messages.jobs import DEFAULT_RATE, InvalidJob, start
from failed_messages.listing import page
from failed_messages.models import (
    FailedMessage,
    FailureGroup,
    GroupStatus,
    Reason,
    ReplayJob,
    ReplayPolicy,
    Status,
)
from failed_messages.policies import InvalidPolicy, set_policy, switch_off
from failed_messages.preview import preview, preview_of
from failed_messages.recount import recount
from failed_messages.replay import replay
from failed_messages.terminal import (
    GROUP_COLUMNS,
    MESSAGE_COLUMNS,
    POLICY_COLUMNS,
    printable,
    record_lines,
    table,
)
from failed_messages.verdict import ReasonMissing, Verdict, record_id
from messaging.errors import Outage
from messaging.topology import SERVICES

LIST_LIMIT = 50

INVALID = (InvalidEdit, InvalidFilter, InvalidJob, InvalidPolicy, ReasonMissing)


class Command(BaseCommand):
    help = "Look at failed messages and their groups; replay, edit, discard or restore them."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        self._add_list(verbs)
        self._add_groups(verbs)
        self._add_show(verbs)
        self._add_replay(verbs)
        self._add_edit(verbs)
        self._add_act(verbs, "discard", "set them aside", discard, reason_required=True)
        self._add_act(verbs, "restore", "take a discard back", restore)
        self._add_policy(verbs)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            options["run"](options)
        except (PyMongoError, DatabaseError, Outage) as error:
            raise CommandError(
                f"MongoDB does not answer ({error}). Start it, or correct MONGODB_URL, and run "
                "this again: each act is done once."
            ) from error
        except BrokenPipeError:
            # A reader like `head` has enough; Python would still flush, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except INVALID as error:
            raise CommandError(str(error)) from error

    # --- what the verbs take --------------------------------------------------------------

    def _add_list(self, verbs: Any) -> None:
        verb = _verb(verbs, "list", "the newest failed messages", self._list)
        verb.add_argument("--service", choices=SERVICES)
        verb.add_argument("--status", choices=Status.values)
        verb.add_argument("--order", metavar="ID", help="only those of this order")
        _add_filter(verb)
        verb.add_argument("--limit", type=_at_least_one, default=LIST_LIMIT, help="default 50")

    def _add_groups(self, verbs: Any) -> None:
        verb = _verb(verbs, "groups", "one row for each cause", self._groups)
        verb.add_argument("--service", choices=SERVICES)
        verb.add_argument("--status", choices=GroupStatus.values)
        verb.add_argument("--limit", type=_at_least_one, default=LIST_LIMIT, help="default 50")
        verb.add_argument("--recount", action="store_true", help="count the deaths again first")

    def _add_show(self, verbs: Any) -> None:
        verb = _verb(verbs, "show", "everything about failed messages", self._show)
        verb.add_argument("ids", nargs="+", metavar="ID")

    def _add_replay(self, verbs: Any) -> None:
        verb = _verb(verbs, "replay", "send them to their service again", self._replay)
        verb.add_argument("ids", nargs="*", metavar="ID")
        verb.add_argument("--group", metavar="FINGERPRINT", help="all that failed of one cause")
        _add_filter(verb)
        verb.add_argument("--dry-run", action="store_true", help="say what it would do")
        verb.add_argument(
            "--rate", type=int, default=DEFAULT_RATE, metavar="N", help="messages a second, of many"
        )
        _add_who(verb)

    def _add_edit(self, verbs: Any) -> None:
        verb = _verb(verbs, "edit", "send an edited copy of one", self._edit)
        verb.add_argument("ids", nargs=1, metavar="ID")
        verb.add_argument("--body", required=True, metavar="FILE", help="the body; - is stdin")
        verb.add_argument("--dry-run", action="store_true", help="check it and show the difference")
        _add_who(verb)

    def _add_act(
        self, verbs: Any, name: str, help_: str, act: Callable, reason_required: bool = False
    ) -> None:
        verb = _verb(verbs, name, help_, lambda options: self._act(act, options))
        verb.add_argument("ids", nargs="+", metavar="ID")
        _add_who(verb, reason_required)

    def _add_policy(self, verbs: Any) -> None:
        verb = _verb(verbs, "policy", "scheduled replay: list, set or end it", self._policy)
        verb.add_argument("what", nargs="?", choices=("list", "set", "off"), default="list")
        verb.add_argument("--service", choices=SERVICES, default="")
        verb.add_argument("--group", metavar="FINGERPRINT", default="")
        verb.add_argument("--after", metavar="15m,1h,6h", default="", help="one replay after each")
        verb.add_argument("--reason", choices=Reason.values, default="", help="only these")
        verb.add_argument("--by", metavar="NAME", default=getpass.getuser())

    # --- what the verbs do ----------------------------------------------------------------

    def _list(self, options: dict[str, Any]) -> None:
        named = {"service": "service", "status": "status", "order": "orderId"}
        chosen = {field: options[name] for name, field in named.items() if options[name]}
        asked = Filter.of_text(options["filter"]).parameters()
        records = page(Filter.of({**asked, **chosen}), options["limit"])
        self._write_items(
            [summary(record) for record in records], MESSAGE_COLUMNS, "No failed messages.", options
        )

    def _groups(self, options: dict[str, Any]) -> None:
        if options["recount"] and (changed := recount()):
            self.stderr.write(f"Failing meanwhile, count again: {', '.join(changed)}")
        chosen = {name: options[name] for name in ("service", "status") if options[name]}
        groups = list(FailureGroup.objects.filter(**chosen)[: options["limit"]])
        known = figures([group.pk for group in groups])
        items = [group_json(group, known[group.pk]) for group in groups]
        self._write_items(items, GROUP_COLUMNS, "No failure groups.", options)

    def _show(self, options: dict[str, Any]) -> None:
        records = [_record(id_) for id_ in options["ids"]]
        if options["json"]:
            self._write_json([full(record) for record in records])
        else:
            self._write_lines(line for record in records for line in record_lines(record))

    def _replay(self, options: dict[str, Any]) -> None:
        ways = [way for way in ("ids", "group", "filter") if options[way]]
        if len(ways) != 1:
            raise CommandError("say which: ids, --group FINGERPRINT, or --filter service=billing")
        if ways == ["ids"]:
            self._replay_ids(options)
        else:
            self._replay_all(options)

    def _replay_ids(self, options: dict[str, Any]) -> None:
        if options["dry_run"]:
            keys = [record_id(id_) for id_ in options["ids"]]
            self._write_preview(preview_of([key for key in keys if key]), options)
        else:
            self._act(replay, options)

    def _replay_all(self, options: dict[str, Any]) -> None:
        group = options["group"]
        selection = Filter(group=group) if group else Filter.of_text(options["filter"])
        if options["dry_run"]:
            self._write_preview(preview(selection), options)
            return
        job = job_json(
            ReplayJob.objects.get(
                pk=start(selection, options["by"], options["reason"], options["rate"])
            )
        )
        if options["json"]:
            self._write_json(job)
        else:
            self._write_lines(
                [*preview(selection).sentences(), f"Started bulk replay {job['id']}."]
            )

    def _edit(self, options: dict[str, Any]) -> None:
        record = _record(options["ids"][0])
        file = options["body"]
        body = sys.stdin.read() if file == "-" else _text_of(Path(file))
        check_edit(record.service, record.type, body)
        if options["dry_run"]:
            lines = [f"{line.sign} {line.text}" for line in diff(bytes(record.body), body)]
            self._write_lines(lines)
            return
        verdict = edit_and_replay(record.pk, body, options["by"], options["reason"])
        self._write_verdicts([verdict], options)

    def _act(self, act: Callable[..., list[Verdict]], options: dict[str, Any]) -> None:
        self._write_verdicts(act(options["ids"], options["by"], options["reason"]), options)

    def _policy(self, options: dict[str, Any]) -> None:
        if options["what"] == "set":
            self._set_policy(options)
        elif options["what"] == "off":
            scope = _scope(options)
            if not switch_off(scope, options["by"]):
                raise CommandError(f"{scope} has no policy that is on")
        items = [policy_json(policy) for policy in ReplayPolicy.objects.all()]
        none = "No policies: nothing is replayed unasked."
        self._write_items(items, POLICY_COLUMNS, none, options)

    def _set_policy(self, options: dict[str, Any]) -> None:
        try:
            delays = [duration(part.strip()) for part in options["after"].split(",")]
        except ValueError as error:
            raise CommandError(f"--after: {error}") from error
        set_policy(
            options["by"],
            delays=delays,
            service=options["service"],
            group=options["group"],
            reason=options["reason"],
        )

    # --- how they tell --------------------------------------------------------------------

    def _write_json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2))

    def _write_lines(self, lines: Iterable[str]) -> None:
        self.stdout.write("\n".join(printable(line) for line in lines))

    def _write_items(
        self, items: list[dict[str, Any]], columns: Any, none: str, options: dict[str, Any]
    ) -> None:
        if options["json"]:
            self._write_json(items)
        else:
            self._write_lines(table(items, columns) if items else [none])

    def _write_preview(self, known: Any, options: dict[str, Any]) -> None:
        if options["json"]:
            self._write_json(known.json())
        else:
            self._write_lines(known.sentences())

    def _write_verdicts(self, verdicts: list[Verdict], options: dict[str, Any]) -> None:
        if options["json"]:
            self._write_json([{"id": v.id, "done": v.done, "detail": v.detail} for v in verdicts])
        else:
            for verdict in verdicts:
                style = self.style.SUCCESS if verdict.done else self.style.ERROR
                word = style("done" if verdict.done else "refused")
                self.stdout.write(f"{printable(verdict.id)}  {word}: {printable(verdict.detail)}")
        if not all(verdict.done for verdict in verdicts):
            sys.exit(1)


def _verb(verbs: Any, name: str, help_: str, run: Callable) -> Any:
    verb = verbs.add_parser(name, help=help_)
    verb.add_argument("--json", action="store_true")
    verb.set_defaults(run=run)
    return verb


def _add_filter(verb: Any) -> None:
    example = "as in the admin's URL, e.g. 'service=billing&newerThan=24h'"
    verb.add_argument("--filter", metavar="FILTER", default="", help=example)


def _add_who(verb: Any, reason_required: bool = False) -> None:
    verb.add_argument("--reason", metavar="TEXT", default="", required=reason_required)
    user = getpass.getuser()
    verb.add_argument("--by", metavar="NAME", default=user, help="default: the OS user")


def _record(id_: str) -> FailedMessage:
    record = FailedMessage.objects.filter(pk=record_id(id_)).first() if record_id(id_) else None
    if record is None:
        raise CommandError(
            f"{printable(id_)} is no failed message; `failed_messages list` shows those there are"
        )
    return record


def _scope(options: dict[str, Any]) -> str:
    if bool(options["service"]) == bool(options["group"]):
        raise CommandError("name either --service or --group")
    service, group = options["service"], options["group"]
    return f"service {service}" if service else f"group {group}"


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--body: {error}") from error


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number
