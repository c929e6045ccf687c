"""The failed messages that nobody has settled: how many, about which orders, worth how much."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils.text import Truncator

from failed_messages.models import FailureGroup, GroupStatus, Status
from failed_messages.reading.group_choice import chosen
from failed_messages.reading.group_figures import messages_by_group
from failed_messages.records.collection import failed_messages, failure_groups
from failed_messages.records.order_facts import order_facts, value
from messaging.body import split_example
from messaging.order_id import object_id
from orders.collection import orders
from ordersite.overview.snapshot import GROUPS_NAMED, Failed, Group

UNSETTLED = {"status": {"$in": [str(Status.FAILED), str(Status.REPLAYING)]}}
#: Of more messages the orders are not read: the newest stand for all.
MESSAGES_READ = 2_000
NEW_FOR = timedelta(hours=24)
NAME_CHARACTERS = 200


def unsettled(now: datetime) -> Failed:
    """Raises pymongo.errors.PyMongoError: MongoDB did not answer."""
    messages = failed_messages().count_documents(UNSETTLED)
    since = now - NEW_FOR
    if not messages:
        return Failed(0, new_since=since)
    told = (each.get("order_id") for each in _records("order_id", -1, MESSAGES_READ))
    ids = {each for each in told if isinstance(each, str) and each}
    facts = order_facts(ids)
    groups = FailureGroup.objects.filter(first_failed_at__gte=since)
    (oldest,) = _records("last_failed_at", +1, 1) or [{}]
    return Failed(
        messages=messages,
        replaying=failed_messages().count_documents({"status": str(Status.REPLAYING)}),
        orders=len(facts),
        customers=_customers(list(facts)),
        money=value(facts.values()),
        at_least=messages > MESSAGES_READ,
        oldest_at=_moment(oldest.get("last_failed_at")),
        new_groups=chosen(groups, str(GroupStatus.NEW)).count(),
        new_since=since,
        groups=_groups(),
    )


def _moment(value: object) -> datetime | None:
    """What another program wrote has any type."""
    return value if isinstance(value, datetime) else None


def _cause(group: dict[str, Any]) -> str:
    told = (group[name] for name in ("example", "exception", "reason") if group.get(name))
    return split_example(str(next(told, "")))[0]


def _records(field: str, direction: int, limit: int) -> list[dict[str, Any]]:
    found = failed_messages().find(UNSETTLED, {field: True})
    return list(found.sort([("last_failed_at", direction), ("_id", direction)]).limit(limit))


def _customers(order_ids: list[str]) -> int:
    keys = [key for each in order_ids if (key := object_id(each))]
    return len(orders().distinct("user_id", {"_id": {"$in": keys}}))


def _groups() -> tuple[Group, ...]:
    """The largest."""
    counted = messages_by_group(str(Status.FAILED), str(Status.REPLAYING))
    largest = list(islice(counted.items(), GROUPS_NAMED))
    known = {
        each["_id"]: f"{each.get('service')}: {_cause(each)}"
        for each in failure_groups().find({"_id": {"$in": [group for group, _ in largest]}})
    }
    return tuple(
        Group(group, Truncator(known[group]).chars(NAME_CHARACTERS), messages)
        for group, messages in largest
        if group in known
    )
