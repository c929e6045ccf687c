"""The verb for failure groups."""

from __future__ import annotations

from typing import Any

from failed_messages.acting.death_recount import recount
from failed_messages.cli.arguments import add_verb, items_shown
from failed_messages.cli.terminal import Terminal
from failed_messages.models import FailureGroup, GroupStatus
from failed_messages.reading.group_choice import chosen
from failed_messages.reading.group_figures import figures
from failed_messages.reading.representation import group_json
from messaging.service import services

GROUPS_LIMIT = 50
COLUMNS = (
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


def add_groups(verbs: Any) -> None:
    verb = add_verb(verbs, "groups", "list failure groups, one for each cause", show_groups)
    verb.add_argument("--service", choices=services(), help="only groups of this service")
    verb.add_argument("--status", choices=GroupStatus.values, help="only groups with this status")
    verb.add_argument(
        "--limit",
        type=items_shown,
        default=GROUPS_LIMIT,
        help="how many groups; default %(default)s",
    )
    verb.add_argument("--recount", action="store_true", help="first count the deaths again")


def show_groups(options: dict[str, Any], terminal: Terminal) -> None:
    if options["recount"] and (changed := recount()):
        terminal.warn(f"New failures came meanwhile, count again: {', '.join(changed)}")
    of_service = {"service": options["service"]} if options["service"] else {}
    found = chosen(FailureGroup.objects.filter(**of_service), options["status"] or "")
    groups = list(found[: options["limit"]])
    known = figures([group.pk for group in groups])
    items = [group_json(group, known[group.pk]) for group in groups]
    terminal.items(items, COLUMNS, "No failure groups.")
