"""The present figures of a failure group: messages, orders, money, trend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from failed_messages.archiving.groups import hour_of
from failed_messages.models import Status
from failed_messages.reading.counts import counts_since
from failed_messages.records.collection import failed_messages
from failed_messages.records.order_facts import OrderFacts, order_facts, value
from runtime.mongodb_clock import about_now

TREND_HOURS = 24
#: Orders of more messages are not read: each takes some 40 µs. The groups of a page share them.
MOST_MESSAGES = 5_000
#: Of one group; the front page reads as many of all groups.
NEWEST_MESSAGES = 2_000
#: A list by orders or money compares at most so many groups.
MOST_COMPARED = 100
#: A query for each of so many takes a third of the time of one that groups 100,000 messages; of
#: more groups it takes longer.
MANY_GROUPS = 1_000
#: The newest messages of each of all groups, of which the orders tell which are dearest.
MOST_OF_EACH = 50
#: What is failed now, and the index that is read alone for it; in a group it has the newest first.
FAILED = {"fingerprint": {"$gt": ""}, "status": str(Status.FAILED)}
BY_GROUP = "group_status_newest"


@dataclass(frozen=True, slots=True)
class Figures:
    """One group's figures; its messages are those that are failed now."""

    messages: int
    orders: int
    #: `4,210.00 EUR`; empty where no order is known.
    value: str
    #: Orders, and money whatever its currencies, for comparing groups alone. Where only
    #: the newest messages' orders were read, they stand for all.
    orders_in_all: float
    amount: Decimal
    #: True where only the newest messages' orders were read.
    at_least: bool
    #: Deaths in each of the last 24 hours, oldest first.
    trend: list[int]


def figures(fingerprints: Sequence[str]) -> dict[str, Figures]:
    """The figures of some groups, by fingerprint."""
    newest = min(NEWEST_MESSAGES, MOST_MESSAGES // max(1, len(fingerprints)))
    orders = {each: _order_ids(each, newest) for each in fingerprints}
    facts = order_facts(id_ for ids in orders.values() for id_ in ids)
    trends = deaths_by_hour(fingerprints, TREND_HOURS)
    known = {each: [facts[id_] for id_ in orders[each] if id_ in facts] for each in fingerprints}
    return {
        each: Figures(
            messages=(messages := _messages(each)),
            orders=len(orders[each]),
            value=value(known[each]),
            orders_in_all=len(orders[each]) * (share := max(1.0, messages / newest)),
            amount=_amount(known[each], share),
            at_least=messages > newest,
            trend=trends[each],
        )
        for each in fingerprints
    }


def messages_by_group(*statuses: str) -> dict[str, int]:
    """How many messages of each group are failed now, of those with any; the most first.

    Args:
        statuses: which are counted instead of the failed ones.
    """
    wanted = list(statuses) or [str(Status.FAILED)]
    query = {"fingerprint": {"$gt": ""}, "status": {"$in": wanted}}
    groups = failed_messages().distinct("fingerprint", query)
    counted = _counted_at_once(query) if len(groups) > MANY_GROUPS else _counted(groups, wanted)
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


def _counted(groups: Sequence[str], statuses: Sequence[str]) -> dict[str, int]:
    """Each for itself, so that MongoDB passes over the index's keys without reading them."""
    return {group: sum(_messages(group, each) for each in statuses) for group in groups}


def _counted_at_once(query: dict[str, Any]) -> dict[str, int]:
    stages = [{"$match": query}, {"$group": {"_id": "$fingerprint", "messages": {"$sum": 1}}}]
    counted = failed_messages().aggregate(stages, hint=BY_GROUP)
    return {each["_id"]: each["messages"] for each in counted}


def worst_groups() -> list[str]:
    """The fingerprints of up to `MOST_COMPARED` groups, those with most failed messages first."""
    return [*messages_by_group()][:MOST_COMPARED]


def dearest_groups() -> list[str]:
    """The fingerprints of up to `MOST_COMPARED` groups, those worth most first."""
    stages = [
        {"$match": FAILED},
        {
            "$group": {
                "_id": "$fingerprint",
                "messages": {"$sum": 1},
                "newest": {"$firstN": {"input": "$order_id", "n": MOST_OF_EACH}},
            }
        },
    ]
    groups = {each["_id"]: each for each in failed_messages().aggregate(stages, hint=BY_GROUP)}
    newest = max(1, min(MOST_OF_EACH, MOST_MESSAGES // max(1, len(groups))))
    orders = {each: _known_ids(group["newest"][:newest]) for each, group in groups.items()}
    facts = order_facts(id_ for ids in orders.values() for id_ in ids)
    worth = {
        each: _amount(
            [facts[id_] for id_ in ids if id_ in facts],
            max(1.0, groups[each]["messages"] / newest),
        )
        for each, ids in orders.items()
    }
    return sorted(worth, key=lambda each: worth[each], reverse=True)[:MOST_COMPARED]


def _amount(orders: Iterable[OrderFacts], share: float) -> Decimal:
    """What they are worth, whatever the currencies; they stand for `share` times as many."""
    return sum((order.total for order in orders), Decimal()) * Decimal(share)


def deaths_by_hour(fingerprints: Sequence[str], hours: int) -> dict[str, list[int]]:
    """Each group's deaths in each of the last hours, oldest first."""
    first = hour_of(about_now()) - timedelta(hours=hours - 1)
    trends: defaultdict[str, list[int]] = defaultdict(lambda: [0] * hours)
    for count in counts_since(first, group={"$in": list(fingerprints)}):
        hour = round((count["hour"] - first) / timedelta(hours=1))
        if hour < hours:  # a worker's clock may run ahead
            trends[count["group"]][hour] += count["deaths"]
    return {each: trends[each] for each in fingerprints}


def _messages(fingerprint: str, status: str = str(Status.FAILED)) -> int:
    wanted = {"fingerprint": fingerprint, "status": status}
    return failed_messages().count_documents(wanted, hint=BY_GROUP)


def _order_ids(fingerprint: str, limit: int) -> set[str]:
    """Read from the index `group_status_newest` alone."""
    wanted = {"fingerprint": fingerprint, "status": Status.FAILED}
    newest = failed_messages().find(wanted, {"_id": False, "order_id": True})
    newest = newest.sort([("last_failed_at", -1), ("_id", -1)]).limit(limit)
    return _known_ids(record.get("order_id") for record in newest)


def _known_ids(told: Iterable[Any]) -> set[str]:
    return {order_id for order_id in told if isinstance(order_id, str) and order_id}
