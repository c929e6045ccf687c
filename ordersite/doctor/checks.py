"""Every check, by name and by what it asks, in the order in which one would check by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from kombu import Connection

from ordersite.doctor import (
    backlogs,
    bindings,
    changes,
    clocks,
    consumers,
    exchanges_and_queues,
    leftovers,
    migrated,
    mongodb,
    outbox,
    prices,
    rabbitmq_nodes,
    rabbitmq_settings,
    rights,
    secrets,
    undeliverable,
    versions,
    webhooks,
)
from ordersite.doctor.report import Finding

Checks = dict[str, Callable[[], Iterable[Finding]]]


def of_mongodb() -> Checks:
    return {
        "replica set": mongodb.replica_set,
        "write concern": mongodb.write_concern,
        "journal": mongodb.journal,
        "transaction lifetime": mongodb.transaction_lifetime,
        "snapshot history": mongodb.snapshot_history,
        "migrations": migrated.migrations,
        "indexes": migrated.indexes,
        "relay": outbox.relay,
        "scheduler": outbox.scheduler,
        "outbox": outbox.waiting_events,
        "webhooks": webhooks.deliverer,
        "stored secrets": secrets.stored,
        "clock of MongoDB": clocks.of_mongodb,
        "prices of products": prices.of_products,
        "rights of MongoDB's users": rights.of_mongodbs_users,
    }


def over_amqp(broker: Connection) -> Checks:
    return {
        "version of RabbitMQ": partial(versions.rabbitmq, broker),
        "arguments of exchanges and queues": partial(exchanges_and_queues.arguments, broker),
        "topology, workers and archiver": partial(consumers.declared_and_consumed, broker),
        "archiver's backlog": partial(backlogs.of_archiver, broker),
        "what RabbitMQ cannot deliver": partial(undeliverable.messages, broker),
        "change of the topology": partial(changes.unfinished, broker),
        "frame size": partial(rabbitmq_settings.frame_size, broker),
    }


def over_management(broker: Connection) -> Checks:
    """What AMQP has no question for."""
    return {
        "bindings": bindings.missing,
        "undeclared bindings": bindings.undeclared,
        "leftover queues": partial(leftovers.queues, broker),
        "policies": rabbitmq_settings.policies,
        "consumer timeout": rabbitmq_settings.consumer_timeout,
        "clock of RabbitMQ": clocks.of_rabbitmq,
        "alarms of RabbitMQ": rabbitmq_nodes.of_nodes,
        "rights of RabbitMQ's users": rights.of_rabbitmqs_users,
    }
