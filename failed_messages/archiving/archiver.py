"""The archiver: consumes every `<service>.dlq` and `replay_outcomes`.

It acks a message once MongoDB's majority has it. While MongoDB is down it keeps the messages in
its hands and probes; nothing is lost, and nothing goes round in circles.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

from amqp import InternalError
from django.conf import settings
from django.db import DatabaseError
from kombu import Connection, Consumer
from kombu.mixins import ConsumerMixin
from pymongo.errors import PyMongoError

from failed_messages.archiving import archive
from failed_messages.archiving.log_ids import ids_of
from failed_messages.archiving.outcomes import record_outcome
from messaging import topology
from messaging.consuming.one_by_one import use_up_returns
from messaging.declaring import declare_or_wait
from messaging.incoming import take_raw, was_returned
from messaging.outages import is_about_the_document
from messaging.service import services
from messaging.spans import of_message, processing
from messaging.storable import text
from runtime import heartbeat_file, log_context, presence
from runtime.connecting import BROKER_ERRORS, connect
from runtime.metrics.counting import Counter
from runtime.outage import Outage
from runtime.stopping import StopRequest
from runtime.tracing.spans import is_on, note
from runtime.trouble import Reported, in_words
from runtime.waiting import wait_for_database, wait_for_rabbitmq

log = logging.getLogger(__name__)

#: Messages held at once from each queue; bounds memory, as a body may be large.
PREFETCH_MESSAGES = 20
#: Between two probes of a database or broker that is down.
PROBE_SECONDS = 1

ARCHIVED = Counter(
    "ordersite_archived_total", "Dead letters that the archiver stored", ("service",)
)

CANNOT_ARCHIVE = (
    "A message cannot be recorded, so RabbitMQ keeps it, and the next ones are: a queue with %d of "
    "them stops. Report the error below; a release that can record it gets it again."
)

CANNOT_CHANGE = (
    "A message cannot be recorded, as MongoDB refuses to change a document that another program "
    "has made unlike what this release stores; the error below names it. RabbitMQ keeps the "
    "message, and the next such ones: a queue with %d of them stops. Correct the document, then "
    "start the archiver again."
)
CANNOT_MARK = (
    "A message is stored as failed message %s and gone from its queue, but MongoDB refuses to note "
    "there that it is gone. Correct that document and take out its field `unacknowledged`: an "
    "equal message that comes back could be taken for this one."
)


class Stopped(Exception):
    """The archiver was asked to stop before there was a connection."""


class Archiver(ConsumerMixin):
    """Runs until `stop` is called."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._stop = StopRequest()
        self._reported = Reported()
        #: The queues that it consumes, and what it does with each message of them.
        self._handlers = deque(
            [
                *(
                    (topology.dead_letter_queue(service), self._on_death(name))
                    for name, service in services().items()
                ),
                (topology.replay_outcomes, self._on_outcome),
            ]
        )

    def run(self, *args: Any, **kwargs: Any) -> None:
        with suppress(Stopped):
            wait_for_database(self._stop)
            while not self._stop.requested:
                heartbeat_file.beat()
                self._consume_until_it_breaks_off()

    def _consume_until_it_breaks_off(self) -> None:
        try:
            for _ in self.consume():
                pass
        except BROKER_ERRORS as error:
            if self._reported.is_new(why := in_words(error)):
                log.warning("Archiving stopped with an error and starts again: %s", why)
            self._stop.wait(PROBE_SECONDS)

    def stop(self) -> None:
        """Finish the message in hand, then return from `run`; safe in a signal handler."""
        self._stop.request()
        self.should_stop = True

    def get_consumers(self, consumer: Callable[..., Consumer], channel: Any) -> list[Consumer]:
        consumed = [queue.name for queue, _ in self._handlers]
        declare_or_wait(channel.connection.client, consumed, self._stop)
        take_raw(channel)
        self._take_returned(channel)
        self._end_if_asked_to()
        return [self._consume(consumer, queue, handle) for queue, handle in self._handlers]

    def _end_if_asked_to(self) -> None:
        if self._stop.requested:
            raise Stopped

    def _take_returned(self, channel: Any) -> None:
        """Settle what came back, with nothing else in hand.

        One that RabbitMQ cannot deliver may be among it; see `messaging.consuming.one_by_one`. It
        takes no others along then, and the other queues come first next time.
        """
        for queue, handle in [*self._handlers]:
            self._handlers.rotate(-1)
            try:
                self._take_returned_of(channel, queue.name, handle)
            except InternalError:
                use_up_returns(settings.AMQP_URL, queue.name, self._end_if_asked_to)
                raise

    def _take_returned_of(self, channel: Any, queue: str, handle: Callable[[Any], None]) -> None:
        """RabbitMQ puts what it takes back first."""
        while not self._stop.requested and (got := channel.basic_get(queue)) is not None:
            message = channel.message_to_python(got)
            handle(message)
            if not was_returned(message):
                return

    def on_iteration(self) -> None:
        heartbeat_file.beat()

    def on_consume_ready(self, *_: Any, **__: Any) -> None:
        self._reported.end()
        presence.doing("waits for dead letters and outcomes of replays")
        log.info("Archiving %s", ", ".join(queue.name for queue in topology.archived()))

    @contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        """A connection, as soon as there can be one; kombu's own wait takes no notice of `stop`."""
        wait_for_rabbitmq(self._stop)
        self._end_if_asked_to()
        with self.create_connection() as connection:
            yield connect(connection)

    def _consume(self, consumer: Callable[..., Consumer], queue: Any, handle: Any) -> Consumer:
        return consumer(queues=[queue], on_message=handle, prefetch_count=PREFETCH_MESSAGES)

    def _on_death(self, service: str) -> Callable[[Any], None]:
        return partial(self._archive, service)

    def _archive(self, service: str, message: Any) -> None:
        named = log_context.about(partial(ids_of, message, service))
        with named, traced(f"{service}.dlq", message):
            self._archive_once(service, message)

    def _archive_once(self, service: str, message: Any) -> None:
        stored = self._until_done(partial(archive.store, message, service))
        if stored is None:
            return
        note({"ordersite.failed_message_id": str(stored.record_id)})
        message.ack()
        ARCHIVED.add(service)
        presence.did("stored a dead letter of", service)
        about = (CANNOT_MARK, stored.record_id)
        self._until_done(partial(archive.acknowledged, stored), about)
        log.info("%s gave up a message: failed message %s", service, stored.record_id)

    def _on_outcome(self, message: Any) -> None:
        named = log_context.about(partial(ids_of, message, ""))
        with named, traced(topology.replay_outcomes.name, message):
            if self._until_done(lambda: record_outcome(bytes(message.body)) or True):
                message.ack()

    def _until_done(
        self,
        write: Callable[[], Any],
        about_the_document: tuple[str, object] = (CANNOT_CHANGE, PREFETCH_MESSAGES),
    ) -> Any:
        """What `write` returns; None when asked to stop before the database came back, or where
        the message is one that nothing here can store.

        The message stays unacked meanwhile, so that RabbitMQ keeps it whatever happens to us.
        """
        reported = Reported()
        while True:
            heartbeat_file.beat()
            try:
                return write()
            except (PyMongoError, DatabaseError, Outage) as error:
                if is_about_the_document(error):
                    # Waiting would not help it, and all that is behind it would wait, too.
                    log.exception(*about_the_document)
                    return None
                if reported.is_new(why := in_words(error)):
                    log.warning("Waiting for MongoDB, and keeping the message: %s", why)
            except Exception:
                # It would end the archiver now, and again after each start.
                log.exception(CANNOT_ARCHIVE, PREFETCH_MESSAGES)
                return None
            self._stop.wait(PROBE_SECONDS)
            if self._stop.requested:
                return None


def traced(queue: str, message: Any) -> AbstractContextManager[None]:
    """A span around what is done with the message, where its trace is recorded."""
    if not is_on():
        return nullcontext()
    properties = message.properties
    named = (text(properties.get(name) or "", 300) for name in ("message_id", "correlation_id"))
    return processing(queue, message.headers, of_message(*named))
