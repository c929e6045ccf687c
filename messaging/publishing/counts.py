"""What is counted of events that are published, a batch at a time."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence

from messaging.errors import PublishError
from messaging.publishing.publisher import Outgoing, Publisher
from messaging.service import publisher_of
from runtime.metrics.counting import Counter

PUBLISHED = Counter(
    "ordersite_published_total",
    "Events that were given to RabbitMQ; one that is published again counts again",
    ("service", "type"),
)
CONFIRMED = Counter(
    "ordersite_confirmed_total",
    "Events that RabbitMQ confirmed; one that is published again counts again",
    ("service", "type"),
)


def publish_counted(publisher: Publisher, outgoing: Sequence[Outgoing]) -> None:
    """Publish events; raises what the publisher raises."""
    types = types_of(outgoing)
    add(PUBLISHED, types)
    try:
        publisher.publish(outgoing)
    except PublishError as error:
        add(CONFIRMED, types_of(outgoing[index] for index in error.confirmed))
        raise
    add(CONFIRMED, types)


def types_of(outgoing: Iterable[Outgoing]) -> Mapping[str, int]:
    """How many there are of each type."""
    return Tally([each.message.type for each in outgoing])


def add(counter: Counter, types: Mapping[str, int]) -> None:
    """Count so many events of each type, for the service whose events they are."""
    for type_, count in types.items():
        service = publisher_of(type_)
        counter.add(service.name if service else "", type_, count=count)
