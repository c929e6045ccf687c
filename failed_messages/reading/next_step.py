"""What a failed message means for its order, and what an operator should do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from failed_messages.archiving import certificate
from failed_messages.models import FailedMessage, Status, reason_label
from failed_messages.records.order_facts import OrderFacts
from failed_messages.records.simulated_fault import SimulatedFault, simulated_fault
from messaging.certificate import Reason
from messaging.handling.handler import Handler
from messaging.handling.handlers import HANDLERS, known_types
from messaging.service import services


def consequence(record: FailedMessage, order: OrderFacts | None) -> str:
    """What is missing because of it, and what is not; `order` is None where there is none."""
    if record.status == Status.RESOLVED:
        return f"Nothing is missing: {record.service} has handled it since."
    if record.status == Status.DISCARDED:
        return f"{record.discarded_by} discarded it: {record.discard_reason}"
    if record.reason in NOT_BELIEVED:
        named = _named(record.order_id)
        return f"{record.service.capitalize()} did nothing about {named} because of it."
    return missing(record.service, record.type, record.order_id, order, record.reason)


def missing(
    service: str, type_: str, order_id: str, order: OrderFacts | None, reason: str = ""
) -> str:
    """What is missing as long as the service has not handled its message about the order.

    Args:
        order: None where there is none of this id.
        reason: what the message died of, if it did.
    """
    if order_id and order is None:
        return (
            f"There is no order {order_id} here, so no customer of ours waits for it. An "
            "external publisher may have made it up, or a restored backup is older than it."
        )
    handler, named = handler_of(service, type_), _named(order_id)
    state = order.ledger.get(service, "") if order else ""
    special = handler.consequence_if.get(state) if handler else None
    if state in _ends(service, type_) and not special:
        return f"Nothing is missing: {service} has done its part for {named}, which is {state}."
    if reason == Reason.UNROUTABLE:
        told = UNTOLD
    else:
        told = special or (handler and handler.consequence) or UNHANDLED
    sentence = told.format(order=named, service=service)
    return sentence[0].upper() + sentence[1:]


def _named(order_id: str) -> str:
    return f"order {order_id}" if order_id else "its order"


def _ends(service: str, type_: str) -> frozenset[str]:
    """The states of an order in the service that a message of this type leads to."""
    if (known := services().get(service)) is None:
        return frozenset()
    asked = type_ or known.plain_messages_are
    return frozenset().union(*(known.ends(on) for on in known.listens if on.type == asked))


#: Of a service whose handler has run.
UNTOLD = (
    "{service} has done its part for {order}, but its event is not published, so nobody who waits "
    "for that knows it."
)
UNHANDLED = "{service} has not handled it; no other service is affected."


def next_step(record: FailedMessage) -> str:
    """What to do now: the handler's own runbook where it has one."""
    if record.status != Status.FAILED:
        return WHEN_NOT_FAILED[Status(record.status)]
    if record.body_cut:
        return (
            "Its body was too large to be kept whole, so it cannot be replayed: "
            "ask its publisher to send it again, then discard this one."
        )
    if fault := fault_behind(record):
        return f"It is a fault that somebody simulates on purpose: {fault}. Remove it, then replay."
    if is_simulated(record):
        return (
            f"It was a fault of {record.service} that somebody simulated for user "
            f"{record.user_id}, and it is gone since: replay it."
        )
    if record.reason in BY_REASON:
        return BY_REASON[record.reason]
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
        "user's rights in RabbitMQ (docs/access.md). After a restored backup run `python manage.py "
        "reconcile_restore` first."
    ),
    Reason.CONTRADICTS_RECORD: (
        "It was forged or edited; what was stored counts, and a replay fails in the same way. "
        "Find out who published it, then discard it. After a restored backup run `python manage.py "
        "reconcile_restore` first."
    ),
}
#: What the reason itself says about what to do; the handler's own runbook is about its errors.
BY_REASON: dict[str, str] = NOT_BELIEVED | {
    Reason.DELIVERY_LIMIT: (
        "Each worker that handled it was killed. Look in the system's log for the OOM killer: the "
        "handler may need more memory for this message than the worker's limit. Or it ran longer "
        "than TASK_TIME_LIMIT_SECONDS without noticing the soft limit. Give it more of what it "
        "lacked, or discard it: a replay kills another worker."
    ),
    Reason.TIME_LIMIT: (
        "It ran longer than TASK_SOFT_TIME_LIMIT_SECONDS. See in the traceback what it waited for; "
        "repair that, or raise the limit, then replay."
    ),
    Reason.STOPPED: (
        "Somebody stopped its retries; the error says who, and why. The attempts below say what "
        "failed before: fix that, then replay, or discard it."
    ),
    Reason.UNDECODABLE: (
        "Its body is not JSON, so a replay fails in the same way. Ask its publisher to send it "
        "again as JSON in UTF-8, or edit a copy; then discard this one."
    ),
    Reason.INVALID_BODY: (
        "The error names the field that is wrong and shows a right body. Edit a copy and replay "
        "that, or have its publisher send it again; as it is, a replay fails in the same way."
    ),
    Reason.INVALID_PROPERTIES: (
        "The error says which property or header is wrong, so a replay fails in the same way. Have "
        "its publisher send it again as the error says, then discard this one."
    ),
    Reason.TOO_LARGE: (
        "Its body has more than MAX_MESSAGE_BYTES, so a replay fails in the same way. Have its "
        "publisher send less, then discard this one; or raise the limit, restart the service, then "
        "replay."
    ),
    Reason.UNKNOWN_TYPE: (
        "The service has no handler for this type, so a replay fails in the same way. If a newer "
        "release has one, run that, then replay. Else find out who published it here, then discard "
        "it."
    ),
    Reason.UNROUTABLE: (
        "Its handler has run; what it publishes had no queue to go to. Run `python manage.py "
        "declare_topology`, then replay, so that the event is published."
    ),
    Reason.RETURNED: (
        "No worker settled it. See whether the service's workers run, and whether what they need "
        "answers: `python manage.py doctor` tells. Repair that, then replay."
    ),
    Reason.REJECTED: (
        "Nothing here says why it was rejected. Look in the service's log at the moment when it "
        "failed; if somebody published it to dead_letters by hand, ask who. Repair that, then "
        "replay, or discard it."
    ),
    Reason.EXPIRED: (
        "No worker took it in time. See whether the service's workers run and keep up, then "
        "replay; discard it if it is no longer needed."
    ),
    Reason.QUEUE_FULL: (
        "The queue had no room for it. See whether the service's workers run and keep up, and "
        "whether its limit, a policy in RabbitMQ, is too low. Then replay."
    ),
}
#: With these a replay of the same message fails in the same way.
FAILS_AGAIN = {
    *NOT_BELIEVED,
    Reason.UNDECODABLE,
    Reason.INVALID_BODY,
    Reason.INVALID_PROPERTIES,
    Reason.TOO_LARGE,
    Reason.UNKNOWN_TYPE,
}
#: A simulated fault that is slow, or kills the worker, has no words in the error.
WORDLESS = (Reason.TIME_LIMIT, Reason.DELIVERY_LIMIT)
#: How any other's error begins.
SIMULATED = "Simulated fault:"
GENERAL_RUNBOOK = (
    "Read the error, fix its cause, then replay. If the message "
    "itself is wrong, discard it with a reason."
)


def is_simulated(record: FailedMessage) -> bool:
    """Whether its latest attempt failed by a fault that was simulated then."""
    return _latest_error(record).startswith(SIMULATED)


def _latest_error(record: FailedMessage) -> str:
    """What failed; the error of retries that were stopped says who stopped them instead."""
    if record.reason != Reason.STOPPED or not record.certificates:
        return record.message
    attempts = certificate.decode(record.certificates[-1]).attempts
    return attempts[-1].message if attempts else record.message


def fault_behind(record: FailedMessage) -> SimulatedFault | None:
    """The simulated fault that it dies of, where there is one now."""
    if is_simulated(record) or record.reason in WORDLESS:
        return simulated_fault(record.service, record.user_id)
    return None


def fails_again(reason: str) -> bool:
    """Whether a replay of a message that died of this can only fail, as it is."""
    return reason in FAILS_AGAIN


def kills_again(reason: str) -> bool:
    """Whether a replay kills another worker, whatever the handler says of running twice."""
    return reason == Reason.DELIVERY_LIMIT


def warns(reason: str) -> bool:
    """Whether nothing is to be replayed that died of this, before something else is done."""
    return fails_again(reason) or kills_again(reason)


def handler_of(service: str, type_: str) -> Handler | None:
    """The handler that a message of this type meets; None where the service has none."""
    default = services()[service].plain_messages_are if service in services() else None
    return HANDLERS.get((service, type_ or default or ""))


def replay_safe_types(service: str) -> list[str]:
    """The types of message that the service may handle twice; empty text for plain ones."""
    types = ["", *known_types(service)]
    return [each for each in types if (met := handler_of(service, each)) and met.replay_safe]


class Kind(NamedTuple):
    """What messages have in common that decides what is to be done about them."""

    service: str
    type: str
    reason: str


def runbooks(kinds: Iterable[Kind]) -> list[tuple[str, str]]:
    """What is to be known before such messages are replayed, each once.

    Like `("billing, order.placed", "Replay is safe. …")`: what the handler says, or for a reason
    that needs something else `("billing, order.placed, the body is not readable", "As it is, …")`.
    """
    # What could not be read of a spoilt document is None.
    known = {kind for kind in kinds if None not in kind}
    told = {_about(kind): words for kind in sorted(known) if (words := _before_replay(kind))}
    return list(told.items())


def _about(kind: Kind) -> str:
    parts = [kind.service, kind.type or "no type"]
    if kind.reason in BY_REASON:
        label = reason_label(kind.reason)
        parts.append(label[0].lower() + label[1:])
    return ", ".join(parts)


def _before_replay(kind: Kind) -> str:
    handler = handler_of(kind.service, kind.type)
    if fails_again(kind.reason):
        safety = AS_IT_IS
    elif handler and not kills_again(kind.reason):
        safety = SAFETY[handler.replay_safe]
    else:
        safety = ""
    advice = BY_REASON.get(kind.reason, handler.runbook if handler else "")
    return f"{safety} {advice}".strip()


SAFETY = {True: "Replay is safe.", False: "Replay is NOT safe."}
AS_IT_IS = "As it is, a replay fails in the same way."
