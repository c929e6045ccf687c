"""The conservation line: where every accepted order is, for each service.

accepted = done + in flight + retrying + failed + discarded + unaccounted

It shows work that is missing as plainly as work that has failed. The numbers come from the ledger,
the outbox, the queues and the failed messages; nothing is counted as it passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.conf import settings

from failed_messages.reading.affected_orders import affected_orders
from messaging.queues import depths
from messaging.service import Service, answering
from orders import unanswered
from runtime.connecting import connect, connection_to

#: How many unaccounted orders an answer names.
NAMED_ORDERS = 20
#: How many orders one line may tell as unaccounted; the next check names the others.
MOST_UNACCOUNTED = 10_000
#: How long RabbitMQ may take to answer.
CONNECT_SECONDS = 2


class Missing(NamedTuple):
    """An event that a service should have answered, and nothing tells why it has not."""

    #: The type of the event that the service owes an answer to.
    type: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """One service's line; every number counts orders."""

    service: str
    accepted: int
    done: int
    in_flight: int
    retrying: int
    failed: int
    discarded: int
    unaccounted: int
    #: What is unaccounted for, for each type of event the oldest first.
    missing: tuple[Missing, ...]

    @property
    def orders(self) -> tuple[str, ...]:
        """The ids of the orders that are unaccounted for."""
        return tuple(dict.fromkeys(each.order_id for each in self.missing))


def lines() -> list[Line]:
    """The line of each service that an order expects an outcome from.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        connect(broker, reraise_as_library_errors=False)
        waiting = depths(broker)
    unanswered.adopt()
    return [line(service, waiting) for service in answering()]


def line(service: Service, waiting: dict[str, int]) -> Line:
    """The service's line; `waiting` holds how many messages are in each queue."""
    name = service.name
    accepted, unanswered_count = unanswered.accepted(service), unanswered.count(service)
    affected = affected_orders(service)
    failed = unanswered.among(service, affected.held_up)
    discarded = unanswered.among(service, affected.given_up) - failed
    on_the_way = max(0, unanswered_count - len(failed) - len(discarded))
    retrying = min(on_the_way, retrying_messages(name, waiting))
    # A message in a queue may be any order's, so it speaks for one of them.
    in_queues = waiting[name] + waiting[f"{name}.dlq"] + waiting["orders"]
    most = min(on_the_way - retrying - in_queues, MOST_UNACCOUNTED)
    missing = tuple(islice(unheard_of(service, affected.explained), max(0, most)))
    unaccounted = len({each.order_id for each in missing})
    return Line(
        service=name,
        accepted=accepted,
        done=max(0, accepted - unanswered_count),
        in_flight=on_the_way - retrying - unaccounted,
        retrying=retrying,
        failed=len(failed),
        discarded=len(discarded),
        unaccounted=unaccounted,
        missing=missing,
    )


def retrying_messages(service: str, waiting: dict[str, int]) -> int:
    return sum(count for queue, count in waiting.items() if queue.startswith(f"{service}.retry."))


def unheard_of(service: Service, explained: Mapping[str, Set[str]]) -> Iterator[Missing]:
    """Events of orders that were not answered for too long, and no failed message tells why."""
    for on in service.listens:
        if not on.leads_to:
            continue
        for order_id in unanswered.overdue(service, on.type, settings.RECONCILE_AFTER_SECONDS):
            if order_id not in explained.get(on.type, ()):
                yield Missing(on.type, order_id)


def as_json(each: Line) -> dict[str, Any]:
    """The line in the API's JSON."""
    words = asdict(each)
    words["inFlight"] = words.pop("in_flight")
    del words["missing"]
    words["orders"] = list(each.orders[:NAMED_ORDERS])
    return words
