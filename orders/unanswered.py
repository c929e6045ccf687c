"""Orders that a service has not answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from pymongo import IndexModel

from messaging.order_id import object_id
from messaging.service import PENDING, Service, answering, awaited_of
from orders.collection import orders
from orders.owed import key, ledger_at_first, state_in, waits
from runtime.batches import in_batches
from runtime.mongodb_clock import EPOCH, mongodb_now

#: The same condition as the partial index's.
IS_AWAITED = {"awaited_since": {"$gt": EPOCH}}
INDEX = "orders_awaited"

#: Orders of an earlier release, which kept no `awaited`, and the index that holds them.
IS_UNANSWERED = {"$or": [{"ledger.inventory.state": PENDING}, {"ledger.billing.state": PENDING}]}
INDEX_OF_EARLIER_RELEASE = "orders_unanswered"

#: Of so many it is asked why they wait, in search of the oldest that waits for no known reason;
#: each time of twice as many. So a hundred thousand that failed are a dozen questions.
EXPLAINED_AT_FIRST = 200
EXPLAINED_AT_MOST = 20_000
#: As many as fit into a query by far.
COUNTED_AT_ONCE = 20_000

#: Clocks that differ by less do no harm.
CLOCK_SKEW = timedelta(minutes=1)


class Waiting(NamedTuple):
    """An order that waits for answers."""

    order_id: str
    since: datetime
    #: What is owed to it, each as `orders.owed.key` names it.
    awaited: list[str]


def answers(service: Service, awaited: Collection[str]) -> list[str]:
    """The types of the service's events of which any is an answer to what is owed of it."""
    owed = [on for on in service.listens if key(service.name, on.type) in awaited]
    ends = {state for on in owed for state in service.ends(on)}
    return [event.type for event in service.publishes if event.state in ends]


def index() -> IndexModel:
    """The partial index; it holds none but the orders that something is owed to."""
    keys = [("awaited", 1), ("awaited_since", 1)]
    return IndexModel(keys, name=INDEX, partialFilterExpression=IS_AWAITED)


def index_of_earlier_release() -> IndexModel:
    keys = [("updated_at", 1)]
    return IndexModel(keys, name=INDEX_OF_EARLIER_RELEASE, partialFilterExpression=IS_UNANSWERED)


def hears_all(service: Service) -> bool:
    """Whether the service is to answer for every order that there is."""
    return service.name in ledger_at_first()


def count_all() -> int:
    """How many orders there are; exact, where MongoDB's estimate is wrong after a crash."""
    return orders().count_documents({}, hint="_id_")


def accepted(service: Service) -> int:
    """How many orders the service was ever to answer for."""
    if hears_all(service):
        return count_all()
    return orders().count_documents(heard_of_by(service))


def heard_of_by(service: Service) -> dict[str, Any]:
    """The query of the orders that the service has to do with; the partial index's condition."""
    return {f"ledger.{service.name}.state": {"$gt": ""}}


def indexes_of_services() -> list[IndexModel]:
    """The index of each service that hears of an order later than by `order.placed`, or never.

    It counts the service's orders without reading any. No migration can know these services.
    """
    return [
        IndexModel(
            [(f"ledger.{service.name}.state", 1), ("_id", 1)],
            name=f"orders_heard_of_by_{service.name}",
            partialFilterExpression=heard_of_by(service),
        )
        for service in answering()
        if not hears_all(service)
    ]


def count(service: Service) -> int:
    """How many orders the service owes an answer."""
    return orders().count_documents(owed_by(service), hint=INDEX)


def among(service: Service, order_ids: Collection[str]) -> set[str]:
    """Those of the orders that the service owes an answer."""
    ids = [key for each in order_ids if (key := object_id(each))]
    if not ids:
        return set()
    found = orders().find({**owed_by(service), "_id": {"$in": ids}}, {"_id": 1})
    return {str(order["_id"]) for order in found}


def how_many(service: Service, order_ids: Collection[str]) -> int:
    """How many of the orders the service owes an answer, however many they are."""
    keys = {key for each in order_ids if (key := object_id(each))}
    found = 0
    for some in in_batches(keys, COUNTED_AT_ONCE):
        found += orders().count_documents({**owed_by(service), "_id": {"$in": some}}, hint="_id_")
    return found


def oldest(
    service: Service, explained_among: Callable[[Collection[str]], Collection[str]]
) -> Waiting | None:
    """The order that waits for the service longest, of those that were published to it.

    `explained_among` says of some orders of which of them it is known why they wait. None where no
    other waits.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or not in time.
    """
    wanted = {"awaited_since": True, "pending_since": True, "awaited": True}
    found = orders().find(owed_by(service), wanted, hint=INDEX).sort("awaited_since", 1)
    count = EXPLAINED_AT_FIRST
    while several := list(islice(found, count)):
        count = min(2 * count, EXPLAINED_AT_MOST)
        published = [each for each in several if not each.get("pending_since")]
        explained = explained_among([str(each["_id"]) for each in published])
        for order in published:
            if str(order["_id"]) not in explained:
                return Waiting(str(order["_id"]), order["awaited_since"], order["awaited"])
    return None


def newest(service: Service, limit: int) -> Iterator[str]:
    """The orders that the service owes an answer, those that wait for the shortest time first."""
    found = orders().find(owed_by(service), {"_id": 1}, hint=INDEX).sort("awaited_since", -1)
    return (str(order["_id"]) for order in found.limit(limit))


def settled_by(service: Service) -> dict[str, Any]:
    """The query of the orders that the service has to do with, and owes no answer."""
    keys = owed_by(service)["awaited"]["$in"]
    return {**heard_of_by(service), "awaited": {"$nin": keys}}


def waiting(service: str, type_: str, since: datetime, limit: int) -> list[tuple[str, datetime]]:
    """So many of the orders that the service owes this, which wait since then or later, and since
    when each waits, the oldest first.
    """
    found = orders().find(
        {"awaited": key(service, type_), "awaited_since": {"$gt": EPOCH, "$gte": since}},
        {"awaited_since": True},
        hint=INDEX,
    )
    return [
        (str(each["_id"]), each["awaited_since"])
        for each in found.sort("awaited_since", 1).limit(limit)
    ]


def settle_noted(service: str, type_: str, order_ids: Collection[str]) -> None:
    """The service owes these orders this no longer."""
    # One of another program may have a text of its own.
    ids = [object_id(each) or each for each in order_ids]
    still = {"$setDifference": ["$awaited", [key(service, type_)]]}
    nothing = {"$eq": ["$awaited", []]}
    orders().update_many(
        {"_id": {"$in": ids}, "awaited": key(service, type_)},
        [
            {"$set": {"awaited": still}},
            {"$set": {"awaited_since": {"$cond": [nothing, "$$REMOVE", "$awaited_since"]}}},
        ],
    )


def overdue(service: Service, type_: str, seconds: float) -> Iterator[str]:
    """Orders whose event was published and not answered for so long, oldest first."""
    before = mongodb_now() - timedelta(seconds=seconds)
    late = {
        "awaited": key(service.name, type_),
        "awaited_since": {"$gt": EPOCH, "$lt": before},
        "pending_since": None,
    }
    found = orders().find(late, {"_id": 1}, hint=INDEX).sort("awaited_since", 1)
    return (str(order["_id"]) for order in found)


def date_those_of_the_future() -> int:
    """Date now what a clock that is ahead has dated later, as it would be overdue as much later.

    Returns: how many orders it was.
    """
    later = {"awaited_since": {"$gt": mongodb_now() + CLOCK_SKEW}}
    now = {"$currentDate": {"awaited_since": True}}
    return orders().update_many(later, now, hint=INDEX).modified_count


def adopt() -> int:
    """Note what is owed to unanswered orders of an earlier release; return how many it was.

    Its web server may place some during an upgrade, too.
    """
    owed = [
        {"$cond": [{"$eq": [state_in(service), PENDING]}, [key(service.name, on.type)], []]}
        for service, on in waits("order.placed")
    ]
    change = {"awaited": {"$concatArrays": owed}, "awaited_since": "$updated_at"}
    unknown = {**IS_UNANSWERED, "awaited": {"$exists": False}}
    return (
        orders()
        .update_many(unknown, [{"$set": change}], hint=INDEX_OF_EARLIER_RELEASE)
        .modified_count
    )


def owed_by(service: Service) -> dict[str, Any]:
    keys = [key(service.name, on.type) for on in awaited_of(service)]
    return {"awaited": {"$in": keys}, **IS_AWAITED}
