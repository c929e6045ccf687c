"""The stale guard: whether an order has changed since a message about it failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from failed_messages.records.order_facts import OrderFacts, order_facts
from messaging.isolation import isolated

CANCELLED = "cancelled"
#: Goods may leave before each service has done its part, which it is to do all the same.
SHIPPED, PLACED = "shipped", "placed"

CANNOT_TELL = (
    "Whether failed message %s is stale is not known, as its document is not as this release "
    "stores one, so it is not replayed without a reason; the others are."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stale:
    """That an order has changed, and how."""

    detail: str
    cancelled: bool


def moved_on(
    records: Iterable[Mapping[str, Any]], facts: Mapping[str, OrderFacts] | None = None
) -> dict[Any, Stale]:
    """Why each record is stale, by its id; nothing for a record that is not.

    A record needs `_id`, `order_id`, `type` and `headers`; one in which they cannot be read counts
    as stale. `facts` are those of its orders, read here unless they are given.
    """
    records = list(records)
    if facts is None:
        facts = order_facts(record.get("order_id") for record in records)
    found = {record["_id"]: _stale(record, facts) for record in records}
    return {id_: stale for id_, stale in found.items() if stale and stale.detail}


def _stale(record: Mapping[str, Any], facts: Mapping[str, OrderFacts]) -> Stale | None:
    with isolated(log, CANNOT_TELL, record["_id"]):
        if (order := facts.get(record["order_id"])) is None:
            return None
        return Stale(why_stale(record, order), cancelled=order.status == CANCELLED)
    return Stale("its document cannot be read; the log says why", cancelled=False)


def why_stale(record: Mapping[str, Any], order: OrderFacts) -> str:
    """How the order has changed since the message was published; empty where it has not.

    That other services have answered to the order changes its version too, and is not a reason: one
    service's failure is none of the others' business. Nor is a service's answer ever stale: the
    ledger takes answers in any order, and a cancelled order needs those that follow from that.
    """
    told = _status_told(record["type"])
    if told is None:
        return ""
    if order.status != told and not (order.status == SHIPPED and told == PLACED):
        return f"order {record['order_id']} is {order.status} since"
    version = _version_told(record["headers"])
    if version is not None and order.version > version:
        return (
            f"order {record['order_id']} is at version {order.version}, "
            f"the message has version {version}"
        )
    return ""


def _status_told(type_: str) -> str | None:
    """`order.rejected` means that the order is rejected; None for any other event."""
    service, _, what = (type_ or "order.placed").partition(".")
    return what if service == "order" else None


def _version_told(headers: str) -> int | None:
    version = json.loads(headers).get("order-version")
    return version if isinstance(version, int) and not isinstance(version, bool) else None
