"""An order's event once more, as it was published first: for a service that has not got it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from messaging.message import Message, event
from messaging.service import events, publisher_of
from messaging.trust import records
from orders.outbox.store import NO_TRACE, message
from orders.recorded import decided_by


def message_again(document: dict[str, Any], type_: str, recorded: Mapping[str, Struct]) -> Message:
    """The message of an event of the order, or of another service's that the order has noted.

    Args:
        document: of the order.
        recorded: what `recorded_by_another` returns.

    Raises:
        KeyError: it is another service's, which has recorded nothing such.
    """
    if is_of_orders(type_):
        return message(document, event_again(document, type_))
    order_id = str(document["_id"])
    return event(
        recorded[order_id],
        order_id,
        at=noted_at(document, type_) or document["updated_at"],
        headers=document.get("trace", NO_TRACE),
    )


def recorded_by_another(type_: str, order_ids: Collection[str]) -> Mapping[str, Struct]:
    """The bodies of another service's events, by order id; none of orders' own.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    return {} if is_of_orders(type_) else records.bodies(type_, order_ids)


def is_of_orders(type_: str) -> bool:
    publisher = publisher_of(type_)
    return publisher is None or publisher.keeps_ledger


def noted_at(document: dict[str, Any], type_: str) -> Any:
    """When the order noted another service's event; None if it has not."""
    name, state = type_.partition(".")[0], events()[type_].state
    for step in document.get("steps") or ():
        if (step["service"], step["state"]) == (name, state):
            return step["at"]
    return None


def event_again(document: dict[str, Any], type_: str) -> dict[str, Any]:
    """The event as the outbox had it, as far as the order still has it.

    With the order's version of that moment: a subscriber leaves out what is older than what it has.
    """
    at, version = document["updated_at"], document["version"]
    if type_ == "order.placed":
        at, version = document["created_at"], 1
    elif type_ == "order.cancelled":
        cancellation = document["cancellation"]
        # An earlier release noted no version.
        at, version = cancellation["at"], cancellation.get("version", version)
    elif (place := decided_by(document, type_)) is not None:
        # Each step made a version, after the first one.
        at, version = document["steps"][place]["at"], place + 2
    return {"type": type_, "version": version, "at": at}
