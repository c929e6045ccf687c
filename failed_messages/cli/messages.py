"""The verbs for messages: list, show, edit, discard, restore."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from failed_messages.acting.discard import discard, restore
from failed_messages.acting.editing import check_edit, diff, edit_and_replay
from failed_messages.cli.arguments import add_filter, add_verb, add_who, items_shown, record
from failed_messages.cli.terminal import Refusal, Terminal, cell
from failed_messages.models import FailedMessage, Status
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.filters import Filter
from failed_messages.reading.headline import headline
from failed_messages.reading.listing import page
from failed_messages.reading.next_step import consequence, next_step
from failed_messages.reading.representation import deaths, full, summary
from failed_messages.records.order_facts import order_facts
from messaging.service import services
from runtime.moment import exact, for_people
from runtime.terminal import printable

LIST_LIMIT = 50
COLUMNS = (
    "id",
    "service",
    "type",
    "orderId",
    "reason",
    "attempts",
    "status",
    "lastFailedAt",
)


def add_list(verbs: Any) -> None:
    verb = add_verb(verbs, "list", "list the newest failed messages", show_list)
    verb.add_argument("--service", choices=services(), help="only failed messages of this service")
    verb.add_argument(
        "--status", choices=Status.values, help="only failed messages with this status"
    )
    verb.add_argument("--order", metavar="ID", help="only failed messages of this order")
    add_filter(verb)
    verb.add_argument(
        "--limit",
        type=items_shown,
        default=LIST_LIMIT,
        help="how many messages; default %(default)s",
    )


def show_list(options: dict[str, Any], terminal: Terminal) -> None:
    named = {"service": "service", "status": "status", "order": "orderId"}
    chosen = {field: options[name] for name, field in named.items() if options[name]}
    asked = Filter.of_text(options["filter"]).parameters()
    records = page(Filter.of({**asked, **chosen}), options["limit"])
    terminal.items([summary(each) for each in records], COLUMNS, "No failed messages.")


def add_show(verbs: Any) -> None:
    verb = add_verb(verbs, "show", "show everything about failed messages", show)
    verb.add_argument("ids", nargs="+", metavar="ID", help="ids, as `list` shows them")


def show(options: dict[str, Any], terminal: Terminal) -> None:
    records = [record(id_) for id_ in options["ids"]]
    terminal.show(
        [full(each) for each in records],
        (line for each in records for line in record_lines(each)),
    )


def add_edit(verbs: Any) -> None:
    verb = add_verb(verbs, "edit", "send an edited copy of a failed message", edit)
    verb.add_argument("ids", nargs=1, metavar="ID", help="the id, as `list` shows it")
    verb.add_argument(
        "--body", required=True, metavar="FILE", help="the file with the edited body; - is stdin"
    )
    verb.add_argument(
        "--dry-run", action="store_true", help="only check it and show the difference"
    )
    add_who(verb)


def edit(options: dict[str, Any], terminal: Terminal) -> None:
    original = record(options["ids"][0])
    body = _text_of(options["body"])
    check_edit(vars(original), body)
    if options["dry_run"]:
        lines = [f"{line.sign} {line.text}" for line in diff(bytes(original.body), body)]
        terminal.show({"diff": lines}, lines)
    else:
        verdict = edit_and_replay(original.pk, body, options["by"], options["reason"])
        terminal.verdicts([verdict])


def add_discard(verbs: Any) -> None:
    verb = add_verb(verbs, "discard", "give failed messages up, with a reason", _acting(discard))
    verb.add_argument("ids", nargs="+", metavar="ID", help="ids, as `list` shows them")
    add_who(verb, reason_required=True)


def add_restore(verbs: Any) -> None:
    verb = add_verb(verbs, "restore", "take a discard of failed messages back", _acting(restore))
    verb.add_argument("ids", nargs="+", metavar="ID", help="ids, as `list` shows them")
    add_who(verb)


def _acting(act: Callable[..., list[Verdict]]) -> Callable[[dict[str, Any], Terminal], None]:
    return lambda options, terminal: terminal.verdicts(
        act(options["ids"], options["by"], options["reason"])
    )


def _text_of(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"--body: {error}") from error


def record_lines(record: FailedMessage) -> list[str]:
    """Everything about one record, what matters most first."""
    newest = deaths(record)[0]
    order = order_facts([record.order_id]).get(record.order_id)
    lines = [
        headline(record, newest),
        f"Consequence: {consequence(record, order)}",
        f"Next step:   {next_step(record)}",
        *(f"{name}: {cell(name, value)}" for name, value in summary(record).items()),
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
