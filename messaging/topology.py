"""The map of the system: every exchange, queue and binding, as the services' declarations say.

One rule makes every service: it publishes to its own fanout `<service>_events`, consumes from
its own queue `<service>`, retries through its own `<service>.retry.*` and dies into its own
`<service>.dlq`. `manage.py topology show` prints the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from kombu import Connection, Exchange, Queue

from messaging.service import Service, exchange_of, heard, services
from messaging.service import events as published_events

#: Where a message goes to die; the routing key is the service that gave up.
dead_letters = Exchange("dead_letters", type="direct", durable=True)

#: What is meant for one queue alone; the routing key is the queue's name. RabbitMQ's default
#: exchange does the same, but its bindings cannot be moved, so a queue that is published to through
#: it cannot be replaced without loss (docs/decisions/0009-shadow-queues.md).
by_name = Exchange("by_name", type="direct", durable=True)

#: Exists while `manage.py topology apply` moves queues: until it is gone, no other process
#: declares.
change_marker = Exchange("topology.change", type="fanout", durable=True)


#: Dead-lettering that waits for the target's confirm; without both of these it may lose.
#: https://www.rabbitmq.com/docs/quorum-queues#dead-lettering
AT_LEAST_ONCE = {
    "x-queue-type": "quorum",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}

#: How often RabbitMQ takes back what a consumer held, until it takes it for undeliverable. From 4.0
#: on a queue that names no limit has 20, and drops the message where it names no exchange either.
#: https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
RETURNS = 100
#: A service's queue takes back more: an outage returns what cannot be handled meanwhile.
SERVICE_RETURNS = 1_000
#: The largest that 3.10 takes for a limit; -1 means "none" from 4.0 on, and 0 before.
WITHOUT_END = 2**31 - 1

#: By consumer tag: the service's queue that this process consumes, or has consumed, under it.
_consumed: dict[str, str] = {}
#: Messages of a consumer that has ended since may still be in hand.
CONSUMERS_REMEMBERED = 1_000


class ServiceQueue(Queue):
    """A queue that notes under which consumer tag it is consumed."""

    def consume(self, consumer_tag: str = "", *args: Any, **options: Any) -> Any:
        _consumed[consumer_tag] = self.name
        if len(_consumed) > CONSUMERS_REMEMBERED:
            del _consumed[next(iter(_consumed))]
        return super().consume(consumer_tag, *args, **options)


def consumed_queue(consumer_tag: str) -> str:
    """The name of the service's queue that a message was delivered from."""
    return _consumed[consumer_tag]


#: What RabbitMQ cannot deliver to any consumer of ours. It has no consumer; the doctor names it.
undeliverable = Queue(
    "undeliverable",
    by_name,
    routing_key="undeliverable",
    durable=True,
    no_declare=True,
    queue_arguments={"x-queue-type": "quorum", "x-delivery-limit": WITHOUT_END},
)

#: For a queue that the archiver consumes.
TO_UNDELIVERABLE = {
    **AT_LEAST_ONCE,
    "x-dead-letter-exchange": by_name.name,
    "x-dead-letter-routing-key": undeliverable.name,
    "x-delivery-limit": RETURNS,
}

#: Its messages say how a replayed message ended.
replay_outcomes = Queue(
    "replay_outcomes",
    by_name,
    routing_key="replay_outcomes",
    durable=True,
    # Only `declare` declares; kombu's consumers would, too.
    no_declare=True,
    queue_arguments=TO_UNDELIVERABLE,
)

#: In one retry queue. A worker that would put more there waits, as in an outage: a service that
#: fails for so many messages fails for each.
RETRY_QUEUE_MESSAGES = 100_000


def service_queue(service: Service) -> Queue:
    """The queue that the service's Celery workers consume.

    It names the first of its exchanges alone: a kombu queue with several bindings has no
    exchange, and Celery would give it one of its own. `bindings` has them all.
    """
    first = next(subscriptions(service), None)
    return ServiceQueue(
        service.name,
        first.exchange if first else by_name,
        routing_key=first.routing_key if first else service.name,
        durable=True,
        no_declare=True,
        queue_arguments={
            **AT_LEAST_ONCE,
            "x-dead-letter-exchange": dead_letters.name,
            "x-dead-letter-routing-key": service.name,
            # Beside those that `messaging.handling.run_notes` counts.
            "x-delivery-limit": settings.DELIVERY_LIMIT + SERVICE_RETURNS,
        },
    )


def retry_queue(service: Service, delay_seconds: float) -> Queue:
    """Where a message waits for its next attempt; it returns to this service alone."""
    name = f"{service.name}.retry.{delay_label(delay_seconds)}"
    return Queue(
        name,
        by_name,
        routing_key=name,
        durable=True,
        no_declare=True,
        queue_arguments={
            **AT_LEAST_ONCE,
            "x-message-ttl": round(delay_seconds * 1000),
            "x-max-length": RETRY_QUEUE_MESSAGES,
            "x-dead-letter-exchange": by_name.name,
            "x-dead-letter-routing-key": service.name,
            "x-delivery-limit": WITHOUT_END,
        },
    )


def dead_letter_queue(service: Service) -> Queue:
    """What the service gave up, until the archiver has stored it."""
    return Queue(
        f"{service.name}.dlq",
        dead_letters,
        routing_key=service.name,
        durable=True,
        no_declare=True,
        queue_arguments=TO_UNDELIVERABLE,
    )


def delay_label(seconds: float) -> str:
    """`5` -> `5s`, `120` -> `2m`, `0.2` -> `200ms`: how a retry queue names its delay."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds >= 60 and seconds % 60 == 0:
        return f"{round(seconds / 60)}m"
    return f"{seconds:g}s"


class Subscription(NamedTuple):
    """A binding of a service's queue to an exchange that it listens to."""

    exchange: Exchange
    routing_key: str


def subscriptions(service: Service) -> Iterator[Subscription]:
    """What the service's queue is bound to, each once."""
    seen = set()
    for on in heard(service):
        if on.type not in published_events():
            continue  # A system check stops the start.
        exchange = exchange_of(on.type)
        # A fanout ignores the routing key; without one Celery would use its default exchange.
        key = service.name if exchange.type == "fanout" else on.type
        if (exchange.name, key) not in seen:
            seen.add((exchange.name, key))
            yield Subscription(exchange, key)


def carried_to(service: Service) -> set[str]:
    """The types of events that reach the service's queue; it may listen to some of them alone.

    A fanout carries all that is published to it, and a topic exchange what was asked for by key.
    """
    fanouts = {each.exchange.name for each in subscriptions(service)} & {
        each.exchange.name for each in services().values()
    }
    listened = {on.type for on in heard(service)}
    return {
        type_
        for type_ in published_events()
        if type_ in listened or exchange_of(type_).name in fanouts
    }


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every exchange of the system."""
    by_topic = [service for service in services().values() if service.by_topic]
    return (
        *(service.exchange for service in services().values()),
        *(service.topic_exchange for service in by_topic),
        *(service.headers_exchange for service in by_topic),
        dead_letters,
        by_name,
    )


@cache
def queues() -> tuple[Queue, ...]:
    """Every queue of the system, ready to be declared."""
    per_service = (
        queue
        for service in services().values()
        for queue in (
            service_queue(service),
            *(retry_queue(service, delay) for delay in settings.RETRY_DELAYS_SECONDS),
            dead_letter_queue(service),
        )
    )
    return (*per_service, replay_outcomes, undeliverable)


def archived() -> tuple[Queue, ...]:
    """Every queue that the archiver consumes."""
    return (*map(dead_letter_queue, services().values()), replay_outcomes)


class Binding(NamedTuple):
    """What is published to `source` goes on to `destination`."""

    source: Exchange
    destination: Exchange | Queue
    routing_key: str


@cache
def bindings() -> tuple[Binding, ...]:
    """Every binding of the system."""
    return (
        *(
            binding
            for service in services().values()
            if service.by_topic
            for binding in (
                Binding(service.exchange, service.topic_exchange, ""),
                Binding(service.topic_exchange, service.headers_exchange, "#"),
            )
        ),
        *(
            Binding(subscription.exchange, service_queue(service), subscription.routing_key)
            for service in services().values()
            for subscription in subscriptions(service)
        ),
        *(
            Binding(dead_letters, dead_letter_queue(service), service.name)
            for service in services().values()
        ),
        *(Binding(by_name, queue, queue.name) for queue in queues()),
    )


def declare(connection: Connection) -> None:
    """Declare every exchange, queue and binding; harmless when they exist.

    Raises:
        amqp.PreconditionFailed: a queue or exchange exists with other arguments.
    """
    with connection.channel() as channel:
        for exchange in exchanges():
            exchange(channel).declare()
        for queue in queues():
            queue(channel).queue_declare()
        bind(channel)


def bind(channel: Any) -> None:
    """Make every binding; the exchanges and queues have to be there."""
    for source, destination, routing_key in bindings():
        destination(channel).bind_to(source, routing_key=routing_key)
