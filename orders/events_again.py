"""An order's event once more, as it was published first: for a service that has not got it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from bson import ObjectId
from msgspec import Struct

from messaging.isolation import isolated
from messaging.message import Message, event
from messaging.order_id import object_id
from messaging.outages import is_outage
from messaging.publishing.counts import publish_counted
from messaging.publishing.publisher import Outgoing, Publisher, check_publishable
from messaging.service import events, publisher_of
from messaging.topology import by_name
from messaging.trust import records
from orders.collection import orders
from orders.outbox.store import NO_TRACE, message
from orders.recorded import decided_by
from orders.unanswered import IS_AWAITED

logger = logging.getLogger(__name__)

UNREADABLE = (
    "Order %s cannot be sent to %s again, since its document, or what the publisher of the event "
    "has recorded of it, is not as this release stores it; the others are sent. Correct the "
    "document: it stays unaccounted for until then."
)
NO_ID_OF_OURS = (
    "Order %s cannot be sent to %s again, since another program has stored it, and no answer to "
    "such an id would be noted; the others are sent. Place it through the API, and delete it."
)


def send_again(
    service: str, type_: str, order_ids: Sequence[str], publisher: Publisher
) -> set[str]:
    """Publish this event of these orders to the service's own queue, and to no other.

    It has the id of the message that the outbox published first, so that a service that has heard
    of it after all has nothing to do.

    Returns: the orders whose event was sent; one that cannot be made is logged.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends them again.
    """
    ids = {each: object_id(each) for each in order_ids}
    for each in (each for each, id_ in ids.items() if id_ is None):
        logger.error(NO_ID_OF_OURS, each, service)
    known = [id_ for id_ in ids.values() if id_]
    outgoing: dict[ObjectId, Outgoing] = {}
    recorded_of = _recorded(type_, order_ids)
    for document in orders().find({"_id": {"$in": known}}):
        with isolated(logger, UNREADABLE, document["_id"], service):
            recorded = recorded_of(str(document["_id"]))
            again = Outgoing(message_again(document, type_, recorded), by_name.name, service)
            check_publishable(again)
            outgoing[document["_id"]] = again
    publish_counted(publisher, [*outgoing.values()])
    # What was answered meanwhile waits for nothing.
    sent = {**IS_AWAITED, "_id": {"$in": [*outgoing]}}
    orders().update_many(sent, {"$currentDate": {"awaited_since": True}})
    return {str(each) for each in outgoing}


def _recorded(type_: str, order_ids: Collection[str]) -> Callable[[str], Mapping[str, Struct]]:
    """What another service has recorded of an order: read at once, or one by one where a record
    cannot be read, so that it costs its own order alone.
    """
    try:
        recorded = recorded_by_another(type_, order_ids)
    except Exception as error:
        if is_outage(error):
            raise
        return lambda order_id: recorded_by_another(type_, [order_id])
    return lambda order_id: recorded


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
