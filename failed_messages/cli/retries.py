"""The verbs for messages that wait for their next attempt: retry-now, stop-retrying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from failed_messages.acting.waiting_retries import retry_now, stop_retrying
from failed_messages.cli.arguments import add_verb, add_who
from failed_messages.cli.terminal import Refusal, Terminal
from failed_messages.reading.act_result import Verdict
from failed_messages.reading.waiting_retry import waiting_retry
from messaging.handling import retry_notes
from messaging.order_id import canonical
from runtime.terminal import printable

ID = "the order's id; where several of its messages wait, the retryId that its timeline has"


def add_retry_now(verbs: Any) -> None:
    help_ = "run the next attempt of a message now"
    verb = add_verb(verbs, "retry-now", help_, _acting(retry_now))
    verb.add_argument("id", metavar="ID", help=ID)
    add_who(verb)


def add_stop_retrying(verbs: Any) -> None:
    help_ = "make a message that waits for its next attempt a failed message"
    verb = add_verb(verbs, "stop-retrying", help_, _acting(stop_retrying))
    verb.add_argument("id", metavar="ID", help=ID)
    add_who(verb, reason_required=True)


def _acting(act: Callable[[str, str, str], Verdict]) -> Callable[[dict[str, Any], Terminal], None]:
    return lambda options, terminal: terminal.verdicts(
        [act(_retry_id(options["id"]), options["by"], options["reason"])]
    )


def _retry_id(asked: str) -> str:
    """The only retry of an order, where that was asked for. Raises Refusal: there are several."""
    waiting = [each for each in retry_notes.of_order(canonical(asked)) if each.get("due_at")]
    if len(waiting) > 1:
        each = (f"{retry.id} ({retry.about})" for retry in map(waiting_retry, waiting))
        raise Refusal(f"several messages of {printable(asked)} wait; name one of {', '.join(each)}")
    return retry_notes.id_of(waiting[0]) if waiting else asked
