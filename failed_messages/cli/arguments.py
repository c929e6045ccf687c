"""What the verbs of `manage.py failed_messages` take."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any

from failed_messages.cli.terminal import Refusal
from failed_messages.models import FailedMessage
from failed_messages.reading.act_result import record_id
from failed_messages.reading.filters import Filter
from runtime.os_user import add_by
from runtime.requests.number import whole_number
from runtime.requests.text import fault_in
from runtime.terminal import printable

#: More than a terminal or a script has use for at once.
MOST_SHOWN = 100_000


def add_verb(verbs: Any, name: str, help_: str, run: Callable) -> Any:
    """A verb with `--json`; `run(options, terminal)` carries it out."""
    verb = verbs.add_parser(name, help=help_)
    verb.add_argument("--json", action="store_true", help="print JSON")
    verb.set_defaults(run=run)
    return verb


def add_filter(verb: Any) -> None:
    example = "as in the admin's URL, e.g. 'service=billing&newerThan=24h'"
    verb.add_argument("--filter", metavar="FILTER", default="", help=example)


def add_who(verb: Any, reason_required: bool = False) -> None:
    """Who acts, and why: it is in the audit log."""
    why = "why, for the audit log"
    verb.add_argument("--reason", metavar="TEXT", default="", required=reason_required, help=why)
    add_by(verb)


def items_shown(text: str) -> int:
    """How many to list. Raises ArgumentTypeError, which argparse shows as its own message."""
    try:
        return whole_number(text, most=MOST_SHOWN)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def check_texts(options: Mapping[str, Any]) -> None:
    """Raises Refusal: an argument has what MongoDB takes nowhere."""
    for name, value in options.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and (fault := fault_in(each)):
                raise Refusal(f"{name.replace('_', '-')}: {fault}")


def selected(options: dict[str, Any]) -> Filter:
    """What `--group` or `--filter` selects. Raises InvalidFilter."""
    group = options["group"]
    return Filter.of({"group": group}) if group else Filter.of_text(options["filter"])


def record(id_: str) -> FailedMessage:
    """The failed message. Raises Refusal where there is none."""
    found = FailedMessage.objects.filter(pk=record_id(id_)).first() if record_id(id_) else None
    if found is None:
        raise Refusal(
            f"{printable(id_)} is not a failed message; `failed_messages list` shows them all"
        )
    return found
