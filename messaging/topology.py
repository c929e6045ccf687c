"""The map of the system: every exchange and every queue.

One rule makes every service: it publishes to its own fanout `<service>_events`, consumes from
its own queue `<service>`, retries through its own `<service>.retry.*` and dies into its own
`<service>.dlq`. A new service is one line in `SERVICES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from kombu import Connection, Exchange, Queue

order_events = Exchange("order_events", type="fanout", durable=True)
inventory_events = Exchange("inventory_events", type="fanout", durable=True)
billing_events = Exchange("billing_events", type="fanout", durable=True)

#: What subscribers that are not ours bind their own queue to, beside `order_events` itself; the
#: one passes on to the other. Events that no service of ours waits for enter here.
order_events_topic = Exchange("order_events.topic", type="topic", durable=True)
order_events_headers = Exchange("order_events.headers", type="headers", durable=True)

#: Where a message goes to die; the routing key is the service that gave up.
dead_letters = Exchange("dead_letters", type="direct", durable=True)

#: What is meant for one queue alone; the routing key is the queue's name. RabbitMQ's default
#: exchange does the same, but its bindings cannot be moved, so a queue that is published to through
#: it cannot be replaced without loss (docs/decisions/0009-shadow-queues.md).
by_name = Exchange("by_name", type="direct", durable=True)

#: Exists while `manage.py topology apply` moves queues: until it is gone, nobody else declares.
change_marker = Exchange("topology.change", type="fanout", durable=True)


@dataclass(frozen=True, slots=True)
class Service:
    """One consumer of events."""

    name: str
    #: Where its own events go.
    publishes_to: Exchange
    #: The exchanges that its queue is bound to.
    subscribes_to: tuple[Exchange, ...]
    #: The type of a message that names none, as a foreign publisher's plain JSON.
    default_type: str | None = None


SERVICES = {
    "inventory": Service("inventory", inventory_events, (order_events,), "order.placed"),
    "billing": Service("billing", billing_events, (order_events,), "order.placed"),
    "orders": Service("orders", order_events, (inventory_events, billing_events)),
}

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
#: A service's queue takes back more: an outage returns what nobody can handle meanwhile.
SERVICE_RETURNS = 1_000
#: The largest that 3.10 takes for a limit; -1 means "none" from 4.0 on, and 0 before.
WITHOUT_END = 2**31 - 1

#: What RabbitMQ cannot hand to any consumer of ours. Nobody consumes it; the doctor tells of it.
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

#: Tells the operator's desk how a replayed message ended.
replay_outcomes = Queue(
    "replay_outcomes",
    by_name,
    routing_key="replay_outcomes",
    durable=True,
    # Only `declare` declares; kombu's consumers would, too.
    no_declare=True,
    queue_arguments=TO_UNDELIVERABLE,
)

#: In one retry queue. Whoever would put more there waits, as in an outage: a service that fails
#: for so many messages fails for each.
RETRY_QUEUE_MESSAGES = 100_000


def service_queue(service: Service) -> Queue:
    """The queue that the service's Celery workers consume.

    It names the first of its exchanges alone: a kombu queue with several bindings has no
    exchange, and Celery would give it one of its own. `bindings` has them all.
    """
    return Queue(
        service.name,
        service.subscribes_to[0],
        # A fanout looks at no routing key; without one Celery would use its default exchange.
        routing_key=service.name,
        durable=True,
        no_declare=True,
        queue_arguments={
            **AT_LEAST_ONCE,
            "x-dead-letter-exchange": dead_letters.name,
            "x-dead-letter-routing-key": service.name,
            # Beside those that `messaging.begun` counts.
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


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every exchange of the system."""
    return (
        order_events,
        inventory_events,
        billing_events,
        order_events_topic,
        order_events_headers,
        dead_letters,
        by_name,
    )


@cache
def queues() -> tuple[Queue, ...]:
    """Every queue of the system, ready to be declared."""
    per_service = (
        queue
        for service in SERVICES.values()
        for queue in (
            service_queue(service),
            *(retry_queue(service, delay) for delay in settings.RETRY_DELAYS_SECONDS),
            dead_letter_queue(service),
        )
    )
    return (*per_service, replay_outcomes, undeliverable)


class Binding(NamedTuple):
    """What is published to `source` goes on to `destination`."""

    source: Exchange
    destination: Exchange | Queue
    routing_key: str


@cache
def bindings() -> tuple[Binding, ...]:
    """Every binding of the system."""
    return (
        Binding(order_events, order_events_topic, ""),
        Binding(order_events_topic, order_events_headers, "#"),
        *(
            Binding(exchange, service_queue(service), service.name)
            for service in SERVICES.values()
            for exchange in service.subscribes_to
        ),
        *(
            Binding(dead_letters, dead_letter_queue(service), service.name)
            for service in SERVICES.values()
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
