"""Tells the list of orders which of them failed, are in flight, or are unaccounted for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from failed_messages.reading.affected_orders import affected_among, affected_orders
from failed_messages.records.collection import failed_messages
from messaging.handling import retry_notes
from messaging.service import Service, answering
from orders import unanswered
from orders.attention import MOST, Need
from orders.attention import register as register_need
from ordersite.overview.failures import UNSETTLED
from ordersite.overview.snapshot import Snapshot
from ordersite.overview.stored_snapshot import current, last


def register() -> None:
    """Called once, at start-up."""
    register_need("failed", Need("an operator: a message failed", failed_ids, failed_among))
    for service in answering():
        need = Need(f"{service.name}'s answer, in flight", partial(flight_ids, service))
        register_need(f"flight_{service.name}", need)
        need = Need(f"nothing: {service.name}'s part was discarded", partial(given_up_ids, service))
        register_need(f"discarded_{service.name}", need)
        ids = partial(unaccounted_ids, service.name)
        need = Need(f"to be sent again: {service.name} never answered", ids)
        register_need(f"unaccounted_{service.name}", need)
    said = "to be sent again: unaccounted for"
    register_need("unaccounted", Need(said, unaccounted_ids, unaccounted_among))


def failed_ids() -> Iterable[str]:
    found = failed_messages().find(UNSETTLED, {"order_id": True})
    return (each["order_id"] for each in found.sort("last_failed_at", -1).limit(MOST))


def failed_among(ids: Collection[str]) -> Collection[str]:
    found = failed_messages().find({**UNSETTLED, "order_id": {"$in": [*ids]}}, {"order_id": True})
    return {each["order_id"] for each in found}


def unaccounted_ids(service: str = "") -> Iterable[str]:
    """Of the service, or of any."""
    return _unaccounted(current(), service)


def unaccounted_among(ids: Collection[str]) -> Collection[str]:
    # A page that shows more than this reads no snapshot of its own for it.
    return {*ids}.intersection(_unaccounted(last())) if ids else set()


def _unaccounted(snapshot: Snapshot | None, service: str = "") -> Iterator[str]:
    lines = snapshot.lines if snapshot else None
    of_these = [line for line in lines or () if line.service == service or not service]
    return (order_id for line in of_these for order_id in line.orders)


def given_up_ids(service: Service) -> Iterable[str]:
    """Of which a message was discarded, and no other one waits for an operator."""
    affected = affected_orders(service)
    return affected.given_up - affected.held_up


def flight_ids(service: Service) -> Iterable[str]:
    """Of the orders that wait for the service: those that neither failed nor are retried."""
    order_ids = list(unanswered.newest(service, MOST))
    known = affected_among(service, order_ids) | retry_notes.waiting(service.name)[service.name]
    return (each for each in order_ids if each not in known)
