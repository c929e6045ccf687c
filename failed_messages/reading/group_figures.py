"""The present figures of a failure group: messages, orders, money, trend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from failed_messages.archiving.groups import hour_of
from failed_messages.models import Status
from failed_messages.reading.counts import counts_since
from failed_messages.records.collection import failed_messages
from failed_messages.records.order_facts import order_facts, value

TREND_HOURS = 24
#: Orders of more messages are not read: each takes some 40 µs. The groups of a page share them.
MOST_MESSAGES = 5_000
#: Of one group; the front page reads as many of all groups.
NEWEST_MESSAGES = 2_000
#: A list by orders or money compares no more groups.
MOST_COMPARED = 100


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
            amount=sum((order.total for order in known[each]), Decimal()) * Decimal(share),
            at_least=messages > newest,
            trend=trends[each],
        )
        for each in fingerprints
    }


def worst_groups() -> list[str]:
    """The fingerprints of up to `MOST_COMPARED` groups, those with most failed messages first."""
    counted = failed_messages().aggregate(
        [
            {"$match": {"status": Status.FAILED}},
            {"$group": {"_id": "$fingerprint", "messages": {"$sum": 1}}},
            {"$sort": {"messages": -1, "_id": 1}},
            {"$limit": MOST_COMPARED},
        ]
    )
    return [each["_id"] for each in counted if each["_id"]]


def deaths_by_hour(fingerprints: Sequence[str], hours: int) -> dict[str, list[int]]:
    """Each group's deaths in each of the last hours, oldest first."""
    first = hour_of(datetime.now(UTC)) - timedelta(hours=hours - 1)
    trends: defaultdict[str, list[int]] = defaultdict(lambda: [0] * hours)
    for count in counts_since(first, group={"$in": list(fingerprints)}):
        hour = round((count["hour"] - first) / timedelta(hours=1))
        if hour < hours:  # a worker's clock may run ahead
            trends[count["group"]][hour] += count["deaths"]
    return {each: trends[each] for each in fingerprints}


def _messages(fingerprint: str) -> int:
    return failed_messages().count_documents({"fingerprint": fingerprint, "status": Status.FAILED})


def _order_ids(fingerprint: str, limit: int) -> set[str]:
    """Read from the index `group_status_newest` alone."""
    wanted = {"fingerprint": fingerprint, "status": Status.FAILED}
    newest = failed_messages().find(wanted, {"_id": False, "order_id": True})
    newest = newest.sort([("last_failed_at", -1), ("_id", -1)]).limit(limit)
    told = (record.get("order_id") for record in newest)
    return {order_id for order_id in told if isinstance(order_id, str) and order_id}
