"""The conservation line: where every accepted order is, for each service.

accepted = done + in flight + retrying + failed + discarded + unaccounted

It shows work that is missing as plainly as work that has failed. The numbers come from the ledger,
the outbox, the queues and the failed messages; nothing is counted as it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain, islice

from django.conf import settings

from failed_messages.reading.affected_orders import affected_orders
from messaging.handling import retry_notes
from messaging.queue_state import depths
from messaging.service import Service, answering
from orders import unanswered
from ordersite.pipeline.answers import ConservationLine
from ordersite.pipeline.lost_events import (
    MOST_SENT_AGAIN,
    Missing,
    never_answered,
    never_noted,
    unexplained,
)
from runtime.connecting import connect, connection_to

#: Counts the orders that a service is to answer for.
Accepted = Callable[[Service], int]

#: How many unaccounted orders an answer names.
NAMED_ORDERS = 20
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
    accepted = accepted_of(unanswered.count_all())
    return lines_of(queue_depths(), accepted, retry_notes.waiting())


def missing() -> dict[str, tuple[Missing, ...]]:
    """What is unaccounted for, by service; its cost does not grow with the orders that are stored.

    Raises as `lines` does.
    """
    uncounted = lines_of(queue_depths(), lambda service: 0, retry_notes.waiting())
    return {line.service: line.missing for line in uncounted}


def queue_depths() -> Mapping[str, int]:
    with connection_to(settings.AMQP_URL, within_seconds=CONNECT_SECONDS) as broker:
        connect(broker, reraise_as_library_errors=False)
        return depths(broker)


def lines_of(
    waiting: Mapping[str, int], accepted: Accepted, retrying: Mapping[str, Set[str]]
) -> list[Line]:
    """The line of each such service.

    Args:
        waiting: how many messages are in each queue.
        retrying: what `retry_notes.waiting` returns.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    unanswered.adopt()
    return [
        line(service, waiting, accepted(service), retrying[service.name]) for service in answering()
    ]


def accepted_of(total: int) -> Accepted:
    """Where there are so many orders in all: the lines of all services that hear of each agree."""

    def accepted(service: Service) -> int:
        return total if unanswered.hears_all(service) else unanswered.accepted(service)

    return accepted


def line(service: Service, waiting: Mapping[str, int], accepted: int, retrying: Set[str]) -> Line:
    """The service's line; `retrying` holds the orders of which a message waits for its retry."""
    unasked = list(islice(never_noted(service), MOST_SENT_AGAIN))
    untold = {each.order_id for each in unasked}
    answered_untold = untold - unanswered.among(service, untold)
    undone = unanswered.count(service) + len(answered_untold)
    affected = affected_orders(service)
    given_up = affected.given_up - affected.held_up
    return balance(
        service.name,
        accepted=accepted,
        undone=undone,
        failed=undone_of(service, affected.held_up, untold),
        discarded=undone_of(service, given_up, untold),
        retrying=undone_of(service, retrying - affected.held_up - given_up, untold),
        waiting=waiting,
        lost=unexplained(chain(never_answered(service), unasked), affected.explained),
    )


def balance(
    name: str,
    *,
    accepted: int,
    undone: int,
    failed: int,
    discarded: int,
    retrying: int,
    waiting: Mapping[str, int],
    lost: Iterable[Missing],
) -> Line:
    """The service's line; `lost` is read as far as no message in a queue speaks for an order.

    Args:
        retrying: orders of which a message waits for its retry. Of the messages in the retry
            queues some may be no order's of ours.
    """
    on_the_way = max(0, undone - failed - discarded)
    # A message in a queue may be any order's, so it speaks for one of them.
    in_queues = waiting[name] + waiting[f"{name}.dlq"] + waiting["orders"]
    in_queues += retrying_messages(name, waiting)
    missing = tuple(of_orders(on_the_way - in_queues, lost))
    unaccounted = len({each.order_id for each in missing})
    retrying = min(retrying, on_the_way - unaccounted)
    return Line(
        service=name,
        accepted=accepted,
        done=max(0, accepted - undone),
        in_flight=on_the_way - retrying - unaccounted,
        retrying=retrying,
        failed=failed,
        discarded=discarded,
        unaccounted=unaccounted,
        missing=missing,
    )


def of_orders(count: int, lost: Iterable[Missing]) -> Iterator[Missing]:
    """What is missing of the first so many orders; of one, several events may be."""
    found: set[str] = set()
    for each in islice(lost, MOST_SENT_AGAIN) if count > 0 else ():
        if each.order_id in found or len(found) < count:
            found.add(each.order_id)
            yield each


def retrying_messages(service: str, waiting: Mapping[str, int]) -> int:
    return sum(count for queue, count in waiting.items() if queue.startswith(f"{service}.retry."))


def undone_of(service: Service, order_ids: Set[str], untold: set[str]) -> int:
    """How many of the orders the service owes an answer, or of which orders was not told."""
    return unanswered.how_many(service, order_ids - untold) + len(order_ids & untold)


def as_json(each: Line) -> ConservationLine:
    """The line in the API's JSON."""
    return {
        "service": each.service,
        "accepted": each.accepted,
        "done": each.done,
        "inFlight": each.in_flight,
        "retrying": each.retrying,
        "failed": each.failed,
        "discarded": each.discarded,
        "unaccounted": each.unaccounted,
        "orders": list(each.orders[:NAMED_ORDERS]),
    }
