"""The conservation line: where every accepted order is, for each service.

accepted = done + in flight + retrying + failed + discarded + unaccounted

It shows work that is missing as plainly as work that has failed. The numbers come from the ledger,
the outbox, the queues and the failed messages; nothing is counted as it passes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from failed_messages import standing
from messaging.connecting import connect, connection_to
from messaging.depths import depths
from orders import unanswered

#: How many unaccounted orders an answer names.
NAMED_ORDERS = 20
#: How many overdue orders a line looks at; more than that are reported as so many.
LOOKED_AT_ORDERS = 10_000
#: How long RabbitMQ may take to answer.
CONNECT_SECONDS = 2


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
    #: Those that are unaccounted for, oldest first.
    orders: tuple[str, ...]


def lines() -> list[Line]:
    """The line of each service that an order expects an outcome from.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
        OSError, amqp.AMQPError: RabbitMQ did not answer.
    """
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        connect(broker, reraise_as_library_errors=False)
        waiting = depths(broker)
    return [line(service, waiting) for service in unanswered.EXPECTED_SERVICES]


def line(service: str, waiting: dict[str, int]) -> Line:
    """The service's line; `waiting` holds how many messages are in each queue."""
    accepted, unanswered_count = unanswered.accepted(), unanswered.count(service)
    failed = unanswered.among(service, standing.held_up(service))
    discarded = unanswered.among(service, standing.given_up(service)) - failed
    on_the_way = max(0, unanswered_count - len(failed) - len(discarded))
    retrying = min(on_the_way, retrying_messages(service, waiting))
    missing = unheard_of(service, failed | discarded)
    # A message in a queue may be any order's, so it speaks for one of them.
    in_queues = waiting[service] + waiting[f"{service}.dlq"] + waiting["orders"]
    unaccounted = max(0, min(len(missing), on_the_way - retrying - in_queues))
    return Line(
        service=service,
        accepted=accepted,
        done=max(0, accepted - unanswered_count),
        in_flight=on_the_way - retrying - unaccounted,
        retrying=retrying,
        failed=len(failed),
        discarded=len(discarded),
        unaccounted=unaccounted,
        orders=tuple(missing[:unaccounted]),
    )


def retrying_messages(service: str, waiting: dict[str, int]) -> int:
    return sum(count for queue, count in waiting.items() if queue.startswith(f"{service}.retry."))


def unheard_of(service: str, explained: set[str]) -> list[str]:
    """Orders of which nothing was heard for too long, and no failed message tells why."""
    overdue = unanswered.overdue(service, settings.RECONCILE_AFTER_SECONDS, LOOKED_AT_ORDERS)
    return [order_id for order_id in overdue if order_id not in explained]


def as_json(each: Line) -> dict[str, Any]:
    """The line in the API's JSON."""
    words = asdict(each)
    words["inFlight"] = words.pop("in_flight")
    words["orders"] = list(each.orders[:NAMED_ORDERS])
    return words
