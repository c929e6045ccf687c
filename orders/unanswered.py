"""Orders that a service has not answered yet: each expects one outcome from each service."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from bson import ObjectId
from pymongo import IndexModel

from messaging.isolation import isolated
from messaging.mongodb_clock import mongodb_now
from messaging.order_id import object_id
from messaging.publisher import Outgoing, Publisher, check_publishable
from messaging.topology import by_name
from orders.collection import orders
from orders.outbox import message

logger = logging.getLogger(__name__)

UNREADABLE = (
    "Order %s cannot be sent to %s again, since its document is not as this release stores one; "
    "the others are sent. Correct the document: it stays unaccounted for until then."
)

#: The services whose outcome an order expects.
EXPECTED_SERVICES = ("inventory", "billing")

#: Asked as the partial index asks it, which holds none but these orders.
BY_ANY = {"$or": [{f"ledger.{service}.state": "pending"} for service in EXPECTED_SERVICES]}
INDEX = "orders_unanswered"

#: Clocks that differ by less do no harm.
CLOCK_SKEW = timedelta(minutes=1)


def index() -> IndexModel:
    """The partial index; Django's own cannot look into the ledger."""
    return IndexModel([("updated_at", 1)], name=INDEX, partialFilterExpression=BY_ANY)


def accepted() -> int:
    """How many orders were ever taken; exact, where the estimate is wrong after a crash."""
    return orders().count_documents({}, hint="_id_")


def count(service: str) -> int:
    """How many orders the service has not answered."""
    # Without the hint MongoDB reads every order, since the index does not hold the states.
    return orders().count_documents(by(service), hint=INDEX)


def among(service: str, order_ids: Collection[str]) -> set[str]:
    """Those of the orders that the service has not answered."""
    ids = [key for each in order_ids if (key := object_id(each))]
    found = orders().find({**by(service), "_id": {"$in": ids}}, {"_id": 1})
    return {str(order["_id"]) for order in found}


def overdue(service: str, seconds: float, limit: int) -> list[str]:
    """Published orders of which nothing was heard for so long, oldest first."""
    before = mongodb_now() - timedelta(seconds=seconds)
    condition = {**by(service), "updated_at": {"$lt": before}, "pending_since": None}
    found = orders().find(condition, {"_id": 1}).sort("updated_at", 1).limit(limit)
    return [str(order["_id"]) for order in found]


def date_those_of_the_future() -> int:
    """Date now what a clock that is ahead has dated later, as it would be overdue as much later.

    Returns: how many orders it was.
    """
    later = {**BY_ANY, "updated_at": {"$gt": mongodb_now() + CLOCK_SKEW}}
    now = {"$currentDate": {"updated_at": True}}
    return orders().update_many(later, now, hint=INDEX).modified_count


def send_again(service: str, order_ids: Sequence[str], publisher: Publisher) -> None:
    """Publish `order.placed` of these orders to the service's own queue, and to no other.

    It is the message that the outbox published first, with the same id, so that a service that
    has heard of the order after all has nothing to do.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends them again.
    """
    ids = [ObjectId(each) for each in order_ids]
    outgoing: dict[ObjectId, Outgoing] = {}
    for document in orders().find({"_id": {"$in": ids}}):
        with isolated(logger, UNREADABLE, document["_id"], service):
            again = Outgoing(_placed(document), by_name.name, service)
            check_publishable(again)
            outgoing[document["_id"]] = again
    publisher.publish([*outgoing.values()])
    sent = {"_id": {"$in": [*outgoing]}}
    orders().update_many(sent, {"$currentDate": {"updated_at": True}})


def by(service: str) -> dict[str, Any]:
    return {**BY_ANY, f"ledger.{service}.state": "pending"}


def _placed(document: dict[str, Any]) -> Any:
    order_id, at = document["_id"], document["created_at"]
    placed = {"id": f"order.placed:{order_id}", "type": "order.placed", "version": 1, "at": at}
    return message(document, placed)
