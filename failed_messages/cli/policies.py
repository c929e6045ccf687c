"""The verb for policies of scheduled replay."""

from __future__ import annotations

from typing import Any

from failed_messages.acting.policies import set_policy, switch_off
from failed_messages.cli.arguments import add_verb
from failed_messages.cli.terminal import Refusal, Terminal
from failed_messages.models import REASON_LABELS, ReplayPolicy
from failed_messages.reading.filters import duration
from failed_messages.reading.representation import policy_json
from messaging.readable_records import listed
from messaging.service import services
from runtime.os_user import add_by

COLUMNS = ("scope", "enabled", "afterSeconds", "reason", "by")


def add_policy(verbs: Any) -> None:
    verb = add_verb(verbs, "policy", "scheduled replay: list, set or end policies", run_policy)
    verb.add_argument(
        "what",
        nargs="?",
        choices=("list", "set", "off"),
        default="list",
        help="what to do; default list",
    )
    verb.add_argument(
        "--service", choices=services(), default="", help="the policy of this service"
    )
    verb.add_argument("--group", metavar="FINGERPRINT", default="", help="the policy of this group")
    verb.add_argument(
        "--after", metavar="15m,1h,6h", default="", help="the delays: one replay after each"
    )
    verb.add_argument(
        "--reason",
        choices=list(REASON_LABELS),
        default="",
        help="only failed messages with this reason",
    )
    add_by(verb)


def run_policy(options: dict[str, Any], terminal: Terminal) -> None:
    if options["what"] == "set":
        _set(options)
    elif options["what"] == "off":
        _switch_off(options)
    policies = ReplayPolicy.objects.all()
    items = listed(policies, policy_json, lambda each: f"replay policy {each.pk}")
    terminal.items(items, COLUMNS, "No policies: nothing is replayed automatically.")


def _set(options: dict[str, Any]) -> None:
    try:
        delays = [duration(part.strip()) for part in options["after"].split(",")]
    except ValueError as error:
        raise Refusal(f"--after: {error}") from error
    chosen = {name: options[name] for name in ("service", "group", "reason")}
    set_policy(options["by"], delays=delays, **chosen)


def _switch_off(options: dict[str, Any]) -> None:
    service, group = options["service"], options["group"].lower()
    if bool(service) == bool(group):
        raise Refusal("name either --service or --group")
    scope = f"service {service}" if service else f"group {group}"
    if not switch_off(scope, options["by"]):
        raise Refusal(f"{scope} has no active policy")
