"""What `/metrics` gives Prometheus of the whole pipeline: each family with what measures it.

All of them are read from MongoDB and RabbitMQ for each request, so each web process has the same.
What a process counts as it works is in `runtime.metrics`. Names and units follow
https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pymongo
from kombu import Connection
from prometheus_client.core import GaugeMetricFamily
from pymongo.errors import PyMongoError

from failed_messages.records.collection import failed_messages, failure_groups
from messaging.outboxes import outboxes
from messaging.queue_state import QueueState, queue_states
from messaging.service import answering
from messaging.topology import queues
from orders.collection import orders as orders_of_database
from orders.models import Status
from ordersite.overview.stored_snapshot import last
from ordersite.pipeline import health, scheduler_heartbeat
from ordersite.pipeline.conservation import lines
from runtime import presence
from runtime.connecting import BROKER_ERRORS, connect
from runtime.health import PROCESSES
from runtime.lease import RELAY_LEASE, is_taken
from runtime.mongodb_clock import mongodb_now

logger = logging.getLogger(__name__)

#: A line's numbers, each a state of an order.
STATES = ("done", "in_flight", "retrying", "failed", "discarded", "unaccounted")

#: One part in so many of the time goes into counting all orders.
SHARE = 50
#: What one family may take of MongoDB; a scrape has to end within Prometheus's 10 s.
ANSWER_WITHIN_SECONDS = 2

#: The values of the labels, and the number.
Sample = tuple[Sequence[str], float]


class ByStatus:
    """Counts the orders of each status, for at most one part in `SHARE` of the time."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}
        self._again_at: dict[str, float] = {}

    def count(self, status: str) -> int:
        began = time.monotonic()
        if began >= self._again_at.get(status, 0):
            found = orders_of_database().count_documents({"status": status}, hint="orders_status")
            self._counted[status] = found
            self._again_at[status] = began + SHARE * (time.monotonic() - began)
        return self._counted[status]


_by_status = ByStatus()


class Readings:
    """What several families are made of, read once for a scrape."""

    @cached_property
    def queues(self) -> dict[str, QueueState]:
        """The state of each queue that is declared; raises what `connect` does."""
        broker: Connection
        with health.broker_connection() as broker:
            connect(broker)
            states = queue_states(broker, (queue.name for queue in queues()))
        return {name: state for name, state in states.items() if state}

    @cached_property
    def last_heartbeat(self) -> scheduler_heartbeat.Heartbeat | None:
        """The scheduler's."""
        return scheduler_heartbeat.last()


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: all its samples have the same labels."""

    name: str
    #: What it counts, with its unit.
    help: str
    labels: tuple[str, ...]
    samples: Callable[[Readings], Iterator[Sample]]


class PipelineCollector:
    """Measures every family anew for each scrape.

    One that cannot be measured is left out: `ordersite_dependency_up` says why, or the log does,
    and the others are told anyway.
    """

    def __init__(self) -> None:
        #: Names of the families of which the log has that they cannot be measured.
        self._told: set[str] = set()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        readings = Readings()
        for family in FAMILIES:
            gauge = GaugeMetricFamily(family.name, family.help, labels=family.labels)
            try:
                with pymongo.timeout(ANSWER_WITHIN_SECONDS):
                    samples = list(family.samples(readings))
            except (PyMongoError, *BROKER_ERRORS):
                continue
            except Exception:
                # Some document is not as this release stores one.
                if family.name not in self._told:
                    logger.exception("%s cannot be measured; the other metrics are", family.name)
                self._told.add(family.name)
                continue
            for values, number in samples:
                gauge.add_metric(values, number)
            yield gauge


def dependencies(_: Readings) -> Iterator[Sample]:
    yield ["mongodb"], health.mongodb().ok
    yield ["rabbitmq"], health.rabbitmq_answers()


def orders(_: Readings) -> Iterator[Sample]:
    for line in lines():
        numbers: dict[str, Any] = asdict(line)
        for state in STATES:
            yield [line.service, state], numbers[state]


def outbox_age(_: Readings) -> Iterator[Sample]:
    for each in outboxes():
        yield [each.service], _age_seconds(each.oldest_pending_since())


def outbox_events(_: Readings) -> Iterator[Sample]:
    for each in outboxes():
        yield [each.service], each.pending()


def orders_by_status(_: Readings) -> Iterator[Sample]:
    for status in Status.values:
        yield [status], _by_status.count(status)


def oldest_waiting(_: Readings) -> Iterator[Sample]:
    if (kept := last()) is None or kept.waiting_since is None:
        return
    for service in answering():
        yield [service.name], _age_seconds(kept.waiting_since.get(service.name))


def messages_by_status(_: Readings) -> Iterator[Sample]:
    # The index `standing` answers it without reading the documents.
    stages: list[dict[str, Any]] = [
        {"$match": {"service": {"$gte": ""}, "status": {"$gte": ""}}},
        {"$group": {"_id": {"s": "$service", "t": "$status"}, "n": {"$sum": 1}}},
    ]
    for each in failed_messages().aggregate(stages, hint="standing"):
        yield [each["_id"]["s"], each["_id"]["t"]], each["n"]


def groups_by_status(_: Readings) -> Iterator[Sample]:
    stages: list[dict[str, Any]] = [
        # A label is text.
        {"$match": {"service": {"$type": "string"}, "status": {"$type": "string"}}},
        {"$group": {"_id": {"s": "$service", "t": "$status"}, "n": {"$sum": 1}}},
    ]
    for each in failure_groups().aggregate(stages):
        yield [each["_id"]["s"], each["_id"]["t"]], each["n"]


def queue_messages(readings: Readings) -> Iterator[Sample]:
    for name, state in readings.queues.items():
        yield [name], state.messages


def queue_consumers(readings: Readings) -> Iterator[Sample]:
    for name, state in readings.queues.items():
        yield [name], state.consumers


def relay(_: Readings) -> Iterator[Sample]:
    yield [], is_taken(RELAY_LEASE)


def scheduler(readings: Readings) -> Iterator[Sample]:
    if last := readings.last_heartbeat:
        yield [], last.age_seconds


def living_processes(readings: Readings) -> Iterator[Sample]:
    return (([kind], presence.living(kind)) for kind in PROCESSES)


def late_jobs(readings: Readings) -> Iterator[Sample]:
    if last := readings.last_heartbeat:
        yield [], len(last.late)


FAMILIES = (
    Family(
        "ordersite_dependency_up",
        "1 while MongoDB or RabbitMQ answers this process",
        ("dependency",),
        dependencies,
    ),
    Family(
        "ordersite_orders",
        "Orders by service and by where they are; unaccounted must be 0",
        ("service", "state"),
        orders,
    ),
    Family(
        "ordersite_outbox_oldest_age_seconds",
        "How long the oldest event has waited to be published; 0 if none waits",
        ("service",),
        outbox_age,
    ),
    Family(
        "ordersite_outbox_events",
        "Events that wait to be published; more than 100,000 are shown as 100,000",
        ("service",),
        outbox_events,
    ),
    Family(
        "ordersite_orders_by_status",
        "Orders by status; counted less often when counting takes long",
        ("status",),
        orders_by_status,
    ),
    Family(
        "ordersite_oldest_waiting_age_seconds",
        "How long the oldest order waits for a service that neither failed nor is retried",
        ("service",),
        oldest_waiting,
    ),
    Family(
        "ordersite_failed_messages",
        "Failed messages by service and status",
        ("service", "status"),
        messages_by_status,
    ),
    Family(
        "ordersite_failure_groups",
        "Causes of failed messages by service and status",
        ("service", "status"),
        groups_by_status,
    ),
    Family(
        "ordersite_queue_messages",
        "Messages that are ready in a queue; those that a worker holds are not counted",
        ("queue",),
        queue_messages,
    ),
    Family(
        "ordersite_queue_consumers",
        "Processes that consume a queue",
        ("queue",),
        queue_consumers,
    ),
    Family("ordersite_relay_up", "1 while a relay publishes events", (), relay),
    Family(
        "ordersite_scheduler_heartbeat_age_seconds",
        "Since the scheduler last said that it runs; absent where none runs",
        (),
        scheduler,
    ),
    Family(
        "ordersite_processes",
        "Processes that give signs of life, by kind; those of an earlier release do not",
        ("kind",),
        living_processes,
    ),
    Family(
        "ordersite_scheduler_late_jobs",
        "Periodic jobs of which a run does not end",
        (),
        late_jobs,
    ),
)


def _age_seconds(since: datetime | None) -> float:
    return max(0.0, (mongodb_now() - since).total_seconds()) if since else 0.0
