"""Events that RabbitMQ seems to have lost: no service has answered or recorded them.

An event has to be answered, or noted, by the services that it leads to something in. A service's
own event, which nothing of the order asks for, has to be noted by orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings

from messaging.service import Event, Service, awaited_of, services
from messaging.unasked_events import keeper, kept
from orders import ledger, unanswered
from runtime.batches import in_batches
from runtime.mongodb_clock import mongodb_now

#: The reconciler's bound: so many lost events of a service are named, and sent again, in one run.
MOST_SENT_AGAIN = 10_000
#: Of which the ledger is asked at once.
ORDERS_AT_ONCE = 500


class Missing(NamedTuple):
    """An event that no service has answered or recorded."""

    #: Of the order's event that the service owes an answer to, or of the service's own event that
    #: orders has not noted.
    type: str
    order_id: str


def never_answered(service: Service) -> Iterator[Missing]:
    """Events of orders that the service has not answered for too long."""
    for on in awaited_of(service):
        late = unanswered.overdue(service, on.type, settings.RECONCILE_AFTER_SECONDS)
        yield from (Missing(on.type, order_id) for order_id in late)


def never_noted(service: Service) -> Iterator[Missing]:
    """Events of the service that nothing asked for, and that orders has not noted for too long."""
    for event in kept(service):
        for order_ids in published_before(event):
            lost = ledger.without(order_ids, service.name, event.state)
            yield from (Missing(event.type, each) for each in order_ids if each in lost)


def forget_noted() -> None:
    """Let services forget which of their own events orders has noted, or never will note."""
    for service in services().values():
        for event in kept(service):
            for order_ids in published_before(event):
                lost = ledger.without(order_ids, service.name, event.state)
                keeper(event).heard([each for each in order_ids if each not in lost])


def published_before(event: Event) -> Iterator[list[str]]:
    """Orders whose event was published so long ago that it should be noted, some at a time."""
    before = mongodb_now() - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    return in_batches(keeper(event).unheard(before), ORDERS_AT_ONCE)


def unexplained(missing: Iterable[Missing], explained: Mapping[str, Set[str]]) -> Iterator[Missing]:
    """Those of which no failed message tells why; `explained` has orders by the type of event."""
    return (each for each in missing if each.order_id not in explained.get(each.type, ()))
