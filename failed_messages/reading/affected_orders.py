"""Which orders are held up by a failed message, or were given up with one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any, NamedTuple

from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from messaging.service import Service, awaited_of
from messaging.unasked_events import kept

HELD_UP = {str(Status.FAILED), str(Status.REPLAYING)}
GIVEN_UP = {str(Status.DISCARDED)}

#: What is read of each record; the index `standing` has it.
FIELDS = ("service", "status", "type", "order_id")
READ = {"_id": False} | dict.fromkeys(FIELDS, True)


class AffectedOrders(NamedTuple):
    """What the failed messages say about the orders that a service answers or tells about."""

    #: Their outcome waits for an operator.
    held_up: set[str]
    #: Their outcome was discarded.
    given_up: set[str]
    #: By the type of an event: those of which one tells why it is not answered, or not noted.
    explained: dict[str, set[str]]


def affected_orders(service: Service) -> AffectedOrders:
    """Read once what failed of the orders' own events in the service, and of its answers in orders.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    found = AffectedOrders(set(), set(), defaultdict(set))
    about = _about(service)
    for record in chain.from_iterable(map(_records, _wanted(service, about))):
        name, status, type_, order_id = (_text(record.get(field)) for field in FIELDS)
        (found.held_up if status in HELD_UP else found.given_up).add(order_id)
        for each in about.get((name, type_), ()):
            found.explained[each].add(order_id)
    return found


def affected_among(service: Service, order_ids: Collection[str]) -> set[str]:
    """Those of the orders that are held up or were given up; raises what `affected_orders` does."""
    theirs = {"order_id": {"$in": [*order_ids]}}
    found = (_records({**wanted, **theirs}) for wanted in _wanted(service, _about(service)))
    return {_text(record.get("order_id")) for records in found for record in records}


def _text(value: object) -> str:
    """What another program stored there may be anything; then it is the id of no order."""
    return value if isinstance(value, str) else ""


def _about(service: Service) -> dict[tuple[str, str], list[str]]:
    """By the service whose message failed, and its type: which events that explains."""
    awaited = awaited_of(service)
    about = {(service.name, on.type): [on.type] for on in awaited}
    for event in service.publishes:
        ended = [on.type for on in awaited if event.state in service.ends(on)]
        if event in kept(service):
            ended.append(event.type)
        if ended:
            about["orders", event.type] = ended
    return about


def _wanted(service: Service, about: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The queries of the records that tell about the service's orders."""
    statuses = {"$in": sorted(HELD_UP | GIVEN_UP)}
    types = {
        name: [type_ for of, type_ in about if of == name] for name in (service.name, "orders")
    }
    return [
        {"service": name, "type": {"$in": each}, "status": statuses} for name, each in types.items()
    ]


def _records(wanted: dict[str, Any]) -> Any:
    return failed_messages().find(wanted, READ).hint("standing")
