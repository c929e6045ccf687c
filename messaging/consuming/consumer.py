"""From an AMQP message to a Celery task.

Celery routes by a `task` header that the publisher sets. Ours is an event: the queue that it
arrived on and its type say which handler is meant, and nothing that a publisher writes into the
headers reaches Celery.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from django.conf import settings
from kombu import Connection
from kombu.serialization import register

from messaging.adapters import billiard, celery, kombu
from messaging.adapters.celery import Consumer, is_asked_to_stop, maybe_shutdown
from messaging.consuming import counts
from messaging.consuming.acks import Acks
from messaging.consuming.batching import BatchStrategy, has_a_history
from messaging.consuming.begun_traces import begin_trace
from messaging.consuming.holding import HOLDING_CHECK_SECONDS, Holding
from messaging.consuming.one_by_one import OneByOne, Refusals
from messaging.consuming.reading import read_in_bulk
from messaging.consuming.shutdown import finish_begun
from messaging.declaring import declare_or_wait
from messaging.errors import InvalidMessage
from messaging.handling.dead_letters import dead_letter
from messaging.handling.handlers import HANDLERS, known_types
from messaging.incoming import Delivery, body_of, delivery_of, take_raw, type_of, version_in
from messaging.service import Service, services
from messaging.topology import consumed_queue
from runtime import heartbeat_file, presence
from runtime.plural import counted
from runtime.stopping import StopRequest
from runtime.tracing import spans
from runtime.trouble import Reported, in_words
from runtime.waiting import POLL_SECONDS, wait_until_connected

logger = logging.getLogger(__name__)

#: The serializer by which an event's body becomes a Celery call with one argument, its bytes.
EVENT_SERIALIZER = "ordersite-event"
EVENT_CONTENT_TYPE = "application/vnd.ordersite.event"

register(
    EVENT_SERIALIZER,
    encoder=bytes,
    decoder=lambda body: ([bytes(body)], {}, {}),
    content_type=EVENT_CONTENT_TYPE,
    content_encoding="binary",
)

#: How soon a killed pool child is noticed, replaced, and its message returned; Celery's is 5.
CHECK_CHILDREN_SECONDS = 0.5

#: After a connection that lasted so long, what ended the one before it is over.
LASTING_SECONDS = 5

celery.install()


class CeleryStop(StopRequest):
    """Celery's own signal handlers note the request to stop, and who waits polls them."""

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises celery.exceptions.WorkerShutdown, WorkerTerminate."""
        maybe_shutdown()
        super().wait(seconds)


class EventConsumer(Consumer):
    """Celery's consumer for queues that carry events."""

    class Blueprint(Consumer.Blueprint):
        default_steps = celery.used_steps()

    #: Of the connection that there is or was last.
    one_by_one: OneByOne | None = None

    def __init__(self, *args: Any, worker_options: dict[str, Any] | None = None, **kwargs: Any):
        # Workers of different services have no messages for each other.
        quiet = {"without_mingle": True, "without_gossip": True, "without_heartbeat": True}
        self.refusals = Refusals(settings.AMQP_URL, before_each=maybe_shutdown)
        self._reported = Reported()
        self._records_traces = spans.is_on()
        super().__init__(*args, worker_options={**(worker_options or {}), **quiet}, **kwargs)

    def ensure_connected(self, connection: Connection) -> Connection:
        # Celery's own wait grows to half a minute, and a refused login ends it.
        wait_until_connected(connection, CeleryStop())
        return connection

    def on_connection_error_before_connected(self, error: Exception) -> None:
        self._tell(error)

    def on_connection_error_after_connected(self, error: Exception) -> None:
        self._tell(error)
        with warnings.catch_warnings():
            # It announces each time what Celery 6 will do to calls that run, unless told otherwise.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(error)
        has_received = self.one_by_one is None or self.one_by_one.has_received
        self.refusals.lost(error, self.app.amqp.queues.consume_from, has_received)

    def _tell(self, error: Exception) -> None:
        """Also called where a channel was closed, for a refusal or a time-out of RabbitMQ's."""
        if self._reported.is_new(why := in_words(error)):
            logger.warning(
                "Consuming from RabbitMQ stopped with an error and starts again: %s", why
            )
        else:
            CeleryStop().wait(POLL_SECONDS)

    def on_ready(self) -> None:
        super().on_ready()
        self.timer.call_after(LASTING_SECONDS, self._is_well, (self.connection,))

    def _is_well(self, connection: Connection) -> None:
        """Unless what broke it off has done so again."""
        if connection is self.connection and self._reported.end():
            logger.info("Consuming again.")

    def on_close(self) -> None:
        # Also called when the connection is lost, where nothing can be acked any more.
        if is_asked_to_stop():
            finish_begun(self)
        super().on_close()

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        # At every connect: the broker may be a new one.
        consumed = [queue.name for queue in self.task_consumer.queues]
        declare_or_wait(self.connection, consumed, CeleryStop())
        channel = self.task_consumer.channel
        take_raw(channel)
        read_in_bulk(channel, self.hub, self._on_message)
        self.acks = Acks(channel)
        self.one_by_one = OneByOne(
            self.task_consumer,
            self.initial_prefetch_count,
            self.call_soon,
            after_refusal=self.refusals.in_a_row > 0,
        )
        if billiard.TRIED.is_installed:
            billiard.watch_children_again(self.pool)
        self.hub.call_repeatedly(CHECK_CHILDREN_SECONDS, self.pool.maintain_pool)
        if kombu.TRIED.is_installed:
            holding = Holding(self, self.initial_prefetch_count)
            self.hub.call_repeatedly(HOLDING_CHECK_SECONDS, holding.check)
        self.hub.call_repeatedly(heartbeat_file.EVERY_SECONDS, heartbeat_file.beat)
        presence.doing(self._holds)
        self._to_celery = super().create_task_handler(*args, **kwargs)
        return self._on_message

    def _holds(self) -> str:
        """For the operators."""
        if count := self.acks.unsettled():
            return f"has {counted(count, 'message')} in its hands"
        return "waits for messages"

    def _on_message(self, message: Any) -> None:
        try:
            self._check_and_pass_on(message)
        except Exception:
            # An error that leaves this method stops the worker, and the next one after it.
            logger.exception("Rejected a message that could not be checked")
            message.reject_log_error(logger, self.connection_errors)

    def _check_and_pass_on(self, message: Any) -> None:
        self.acks.delivered(message)
        if self.one_by_one:
            self.one_by_one.received(message)
        service = self._service_of(message)
        try:
            body_of(message, service, known_types(service.name))
        except InvalidMessage as invalid:
            dead_letter(delivery_of(message, service), message.body, invalid)
            message.ack_log_error(logger, self.connection_errors)
            type_ = type_of(message, service)
            known = type_ if type_ in known_types(service.name) else ""
            counts.settled(service.name, known, counts.DEAD_LETTERED)
            return
        if self._records_traces:
            begin_trace(message, service)
        strategy = self.strategies[task_name(message, service)]
        alone = has_a_history(message) or is_newer(message, service)
        if isinstance(strategy, BatchStrategy) and celery.TRIED.is_installed and not alone:
            strategy.gather(message)
        else:
            self.run_alone(message)

    def run_alone(self, message: Any) -> None:
        """Hand the message to Celery, as a task of its own."""
        self._to_celery(as_celery_call(message, delivery_of(message, self._service_of(message))))

    def _service_of(self, message: Any) -> Service:
        """The service whose queue the message was delivered from."""
        return services()[consumed_queue(message.delivery_info["consumer_tag"])]


def as_celery_call(message: Any, delivery: Delivery) -> Any:
    """The message with headers and content type of our own, as a call of the handler's task."""
    message.headers = {
        "lang": "py",
        "task": f"{delivery.service}.{delivery.type}",
        "id": delivery.message_id,
        "argsrepr": "(…)",
        "kwargsrepr": "{}",
        "retries": len(delivery.attempts),
        "delivery": delivery,
    }
    # They would travel to the pool, which takes no table that is nested deeply.
    message.properties = {}
    message.content_type = EVENT_CONTENT_TYPE
    message.content_encoding = "binary"
    return message


def is_newer(message: Any, service: Service) -> bool:
    """Whether only a newer release reads its format, so that it would spoil a batch."""
    known = HANDLERS[service.name, type_of(message, service)].version
    return version_in(message.headers) > known


def task_name(message: Any, service: Service) -> str:
    """The Celery task that handles the message."""
    return f"{service.name}.{type_of(message, service)}"
