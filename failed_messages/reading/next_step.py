"""What a failed message means for its order, and what an operator should do about it."""

from __future__ import annotations

from collections.abc import Iterable

from failed_messages.models import FailedMessage, Status
from messaging.certificate import Reason
from messaging.handling.handler import Handler
from messaging.handling.handlers import HANDLERS
from messaging.service import services


def consequence(record: FailedMessage) -> str:
    """What is missing because of it, and what is not."""
    if record.status == Status.RESOLVED:
        return f"Nothing is missing: {record.service} has handled it since."
    if record.status == Status.DISCARDED:
        return f"{record.discarded_by} discarded it: {record.discard_reason}"
    order = f"order {record.order_id}" if record.order_id else "its order"
    if record.reason in NOT_BELIEVED:
        return f"{record.service.capitalize()} did nothing about {order} because of it."
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
    if record.reason in NOT_BELIEVED:
        return NOT_BELIEVED[record.reason]
    handler = handler_of(record.service, record.type)
    return handler.runbook if handler and handler.runbook else GENERAL_RUNBOOK


def replay_safe(record: FailedMessage) -> bool | None:
    """Whether the handler may run twice for one message; None where it does not say."""
    handler = handler_of(record.service, record.type)
    return handler.replay_safe if handler else None


WHEN_NOT_FAILED = {
    Status.REPLAYING: "Wait: the worker's answer makes this resolved, or failed again.",
    Status.RESOLVED: "There is nothing to do.",
    Status.DISCARDED: "There is nothing to do. To replay it, restore it first.",
}
#: By reason.
NOT_BELIEVED: dict[str, str] = {
    Reason.UNTRUSTED_PUBLISHER: (
        "Find out who it was. If they are to publish such messages, list them in "
        "EXTERNAL_PUBLISHERS, restart the service, then replay; else discard it, and revoke the "
        "user's rights in RabbitMQ (docs/access.md)."
    ),
    Reason.CONTRADICTS_RECORD: (
        "It was forged or edited; what was stored counts, and a replay fails in the same way. "
        "Find out who published it, then discard it. After a restored backup run `python manage.py "
        "reconcile_restore` first."
    ),
}
GENERAL_RUNBOOK = (
    "Read the error, fix its cause, then replay. If the message "
    "itself is wrong, discard it with a reason."
)


def handler_of(service: str, type_: str) -> Handler | None:
    """The handler that a message of this type meets; None where the service has none."""
    default = services()[service].plain_messages_are if service in services() else None
    return HANDLERS.get((service, type_ or default or ""))


def runbooks(kinds: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What the handlers of these services' types say: `("billing, order.placed", "Safe. …")`."""
    return [
        (f"{service}, {type_}", f"{SAFETY[handler.replay_safe]} {handler.runbook}")
        for service, type_ in sorted(set(kinds))
        if (handler := handler_of(service, type_))
    ]


SAFETY = {True: "Replay is safe.", False: "Replay is NOT safe."}
