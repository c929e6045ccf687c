"""The outbox: events of orders that are not published yet.

They are in the order's own document, so that the order and its event are stored in one write. An
event leaves the document only after RabbitMQ has confirmed it: a relay killed in between
publishes it again, with the same message id and the same body, and consumers are idempotent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import UpdateMany
from pymongo.collection import Collection

from messaging.message import Message, event
from messaging.publishing.outbox import IS_PENDING
from messaging.publishing.publisher import Outgoing
from messaging.service import exchange_of, listeners
from orders.collection import DURABLE, orders
from orders.events import body_of
from orders.outbox.set_aside import SetAside

BATCH_ORDERS = 500
NO_TRACE: dict[str, str] = {}

#: One order that cannot be published does not hold up the others.
aside = SetAside()


class Pending(NamedTuple):
    """One event in the outbox, and its message."""

    order_id: ObjectId
    message: Message


def oldest_pending(event_type: str | None = None) -> list[Pending]:
    """The pending events of up to `BATCH_ORDERS` orders, those that wait longest first.

    Of one type where it is named.

    Only what a majority has: another primary may never have had the rest, and a service that was
    told of such an order would work on one that is not there.
    """
    durable = orders().with_options(read_concern=DURABLE)
    left_out = aside.ids()
    wanted = {**IS_PENDING, "_id": {"$nin": left_out}} if left_out else IS_PENDING
    if event_type is not None:
        wanted = {**wanted, "pending_events.type": event_type}
    documents = durable.find(wanted).sort("pending_since", 1).limit(BATCH_ORDERS)
    return [
        each
        for document in documents
        for each in pending_of(document)
        if event_type in (None, each.message.type)
    ]


def pending_of(document: dict[str, Any]) -> list[Pending]:
    """The order's pending events; none where its document cannot be read."""
    try:
        return [
            Pending(document["_id"], message(document, pending))
            for pending in document["pending_events"]
        ]
    except Exception as error:
        aside.add(document["_id"], error)
        return []


def documents() -> Collection[dict[str, Any]]:
    """Those in which events wait."""
    return orders()


def message(document: dict[str, Any], pending: dict[str, Any]) -> Message:
    """The message of a pending event; every publish of it is the same, but for its trace."""
    return event(
        body_of(document, pending["type"]),
        str(document["_id"]),
        at=pending["at"],
        headers={"order-version": int(pending["version"]), **document.get("trace", NO_TRACE)},
    )


def outgoing(each: Message) -> Outgoing:
    """Where the event goes; one that no service of ours listens to may have no receiver."""
    exchange = exchange_of(each.type).name
    return Outgoing(each, exchange, each.type, mandatory=bool(listeners(each.type)))


def mark_published(published: Iterable[Pending]) -> None:
    """Take the events out of the outbox.

    Nearly always each is its order's only one. A plain update does then, which costs MongoDB two
    thirds of what the general one does.
    """
    by_type: defaultdict[str, list[ObjectId]] = defaultdict(list)
    for each in published:
        by_type[each.message.type].append(each.order_id)
    if not by_type:
        return
    taken = orders().bulk_write([take_only(type_, ids) for type_, ids in by_type.items()])
    if taken.matched_count < sum(map(len, by_type.values())):
        orders().bulk_write([take_one_of(type_, ids) for type_, ids in by_type.items()])


def take_only(type_: str, order_ids: list[ObjectId]) -> UpdateMany:
    """An update of those of the orders that have no other event in the outbox."""
    return UpdateMany(
        {
            "_id": {"$in": order_ids},
            "pending_events": {"$size": 1},
            "pending_events.type": type_,
        },
        {"$set": {"pending_events": []}, "$unset": {"pending_since": ""}},
    )


def take_one_of(type_: str, order_ids: list[ObjectId]) -> UpdateMany:
    """An update of these orders; an order has at most one event of a type.

    An event that became pending meanwhile stays, and so does `pending_since` with it.
    """
    others = {"$filter": {"input": "$pending_events", "cond": {"$ne": ["$$this.type", type_]}}}
    none_left = {"$eq": ["$pending_events", []]}
    return UpdateMany(
        {"_id": {"$in": order_ids}},
        [
            {"$set": {"pending_events": others}},
            {"$set": {"pending_since": {"$cond": [none_left, "$$REMOVE", "$pending_since"]}}},
        ],
    )
