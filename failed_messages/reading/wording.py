"""A failed message in plain words, for whoever is woken by it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from failed_messages.archiving import certificate
from failed_messages.models import FailedMessage, Status, reason_label
from messaging.certificate import Certificate
from messaging.handling.handler import Handler
from messaging.handling.handlers import HANDLERS
from messaging.service import services


def headline(record: FailedMessage, death: Certificate) -> str:
    """`Billing gave up after 4 attempts in 3 min: card service timed out`."""
    error = death.message or reason_label(record.reason)
    return f"{_what_it_did(record.service.capitalize(), death)}: {error}"


def headline_of(record: FailedMessage) -> str:
    """The headline of the record's latest death."""
    return headline(record, certificate.decode(record.certificates[-1]))


def consequence(record: FailedMessage) -> str:
    """What is missing because of it, and what is not."""
    if record.status == Status.RESOLVED:
        return f"Nothing is missing: {record.service} has handled it since."
    if record.status == Status.DISCARDED:
        return f"{record.discarded_by} decided that nothing is missing: {record.discard_reason}"
    order = f"order {record.order_id}" if record.order_id else "its order"
    handler = handler_of(record.service, record.type)
    if handler is None or not handler.consequence:
        return f"{record.service.capitalize()} has not handled it; no other service is affected."
    sentence = handler.consequence.format(order=order)
    return sentence[0].upper() + sentence[1:]


def next_step(record: FailedMessage) -> str:
    """What to do now: the handler's own runbook where it has one."""
    if record.status != Status.FAILED:
        return WHEN_NOT_FAILED[Status(record.status)]
    if record.body_cut:
        return (
            "Its body was too large to be kept whole, so it cannot be replayed: "
            "ask its publisher to send it again, then discard this one."
        )
    handler = handler_of(record.service, record.type)
    return handler.runbook if handler and handler.runbook else GENERAL_RUNBOOK


def replay_safe(record: FailedMessage) -> bool | None:
    """Whether the handler may run twice for one message; None where it does not say."""
    handler = handler_of(record.service, record.type)
    return handler.replay_safe if handler else None


WHEN_NOT_FAILED = {
    Status.REPLAYING: "Wait: the worker's answer makes this resolved, or failed again.",
    Status.RESOLVED: "There is nothing to do.",
    Status.DISCARDED: "There is nothing to do. Restore it if it has to be replayed after all.",
}
GENERAL_RUNBOOK = (
    "Read the error, fix its cause, then replay. If nothing is to be fixed because the message "
    "itself is wrong, discard it with a reason."
)


def handler_of(service: str, type_: str) -> Handler | None:
    """The handler that a message of this type meets; None where the service has none."""
    default = services()[service].plain_messages_are if service in services() else None
    return HANDLERS.get((service, type_ or default or ""))


def _what_it_did(service: str, death: Certificate) -> str:
    count = len(death.attempts)
    if death.reason == "returned":
        return f"RabbitMQ gave up on {service.lower()}"
    if death.kills:
        return f"{service} gave it up"
    if count == 0:
        return f"{service} refused it"
    if count == 1:
        return f"{service} gave up at the first attempt"
    return f"{service} gave up after {count} attempts{_within(death)}"


def _within(death: Certificate) -> str:
    try:
        first, last = (datetime.fromisoformat(death.attempts[index].at) for index in (0, -1))
        return f" in {span(last - first)}"
    except (ValueError, TypeError):  # a forger's dates
        return ""


def span(duration: timedelta) -> str:
    """`0.4 s`, `35 s`, `3 min`, `2 h`, `4 days`."""
    seconds = duration.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} days"


def runbooks(kinds: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the handlers of these services' types say: `("billing, order.placed", "Safe. …")`."""
    return [
        (f"{service}, {type_}", f"{SAFETY[handler.replay_safe]} {handler.runbook}")
        for service, type_ in sorted(set(kinds))
        if (handler := handler_of(service, type_))
    ]


SAFETY = {True: "Replay is safe.", False: "Replay is NOT safe."}
