"""The verb for acts that wait for a second person."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from failed_messages.acting.approving import NotDecided, approve, reject
from failed_messages.cli.arguments import add_verb, items_shown
from failed_messages.cli.terminal import Refusal, Terminal
from failed_messages.models import PendingAct
from failed_messages.reading.representation import pending_json
from messaging.readable_records import listed
from runtime.os_user import add_by

PENDING_LIMIT = 20
COLUMNS = ("id", "state", "act", "messages", "by", "reason")
DECISIONS = {"approve": approve, "reject": reject}


def add_pending(verbs: Any) -> None:
    verb = add_verb(verbs, "pending", "acts to approve: list, approve or reject", run_pending)
    verb.add_argument("id", nargs="?", metavar="ID", help="the act; without it all are listed")
    verb.add_argument("what", nargs="?", choices=tuple(DECISIONS), help="what to do with it")
    verb.add_argument(
        "--limit",
        type=items_shown,
        default=PENDING_LIMIT,
        help="how many acts; default %(default)s",
    )
    add_by(verb)


def run_pending(options: dict[str, Any], terminal: Terminal) -> None:
    if options["id"] is None:
        newest = PendingAct.objects.all()[: options["limit"]]
        acts = listed(newest, pending_json, lambda each: f"pending act {each.pk}")
        terminal.items(acts, COLUMNS, "No acts to approve.")
        return
    if not ObjectId.is_valid(options["id"]) or not options["what"]:
        raise Refusal("say which act, and approve or reject: failed_messages pending ID approve")
    id_ = ObjectId(options["id"])
    try:
        said = DECISIONS[options["what"]](id_, options["by"])
    except NotDecided as error:
        raise Refusal(str(error)) from error
    terminal.show({"id": str(id_), "outcome": said}, [said])
