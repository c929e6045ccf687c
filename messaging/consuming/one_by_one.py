"""A message that harms its consumer is delivered alone, so that it harms no others.

There are messages that RabbitMQ cannot deliver: it closes the connection at each attempt (541
INTERNAL_ERROR, as 4.0 does for AMQP 1.0's uuid, char and decimal application properties), and takes
back all that the connection held. So a consumer begins with one message at a time, and goes on so
as long as those that come were returned suspiciously often. Then only the one that harms is
returned again and again, until RabbitMQ dead-letters it (`messaging.topology.SERVICE_RETURNS`).
What was returned comes first, in the order of its return, so the first message that was not ends
this.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import Enum, auto
from typing import Any

import amqp
from django.conf import settings

from messaging.consuming.prefetch import begin_again
from messaging.incoming import returns_of
from messaging.publishing.publisher import CONNECTION_ERRORS
from runtime.connecting import connect, connection_to

logger = logging.getLogger(__name__)

#: Returned so often, a message comes alone. Each stop of a worker returns what it holds, too.
SUSPICIOUS_RETURNS = 10

#: How long RabbitMQ may need until it has taken back what it could not deliver.
TAKEN_BACK_POLLS = 20
TAKEN_BACK_POLL_SECONDS = 0.05


class OneByOne:
    """How much one consumer holds: one message at first, then as many as it may."""

    def __init__(
        self, consumer: Any, usual_count: int, later: Callable[..., Any], *, after_refusal: bool
    ) -> None:
        """Takes effect when the consumer begins to consume.

        Args:
            consumer: kombu's, which does not consume yet.
            usual_count: its prefetch count where nothing is suspicious.
            later: calls a function soon, outside of any message's callback.
            after_refusal: RabbitMQ just could not deliver one of those that it took back then.
        """
        self.is_on = True
        #: Whether any message has come.
        self.has_received = False
        self._suspicious_returns = 1 if after_refusal else SUSPICIOUS_RETURNS
        self._consumer = consumer
        self._usual_count = usual_count
        self._later = later
        consumer.qos(prefetch_count=1)

    def received(self, message: Any) -> None:
        """Check a message that has come; the first that is not suspicious ends this."""
        self.has_received = True
        if self.is_on and returns_of(message) < self._suspicious_returns:
            self.is_on = False
            self._later(self._take_as_usual)

    def _take_as_usual(self) -> None:
        is_lost = self._consumer.channel.connection is None
        if is_lost or not self._consumer.consuming_from(self._consumer.queues[0]):
            return
        begin_again(self._consumer, self._usual_count)


class Refusals:
    """How often in a row RabbitMQ closed the connection in place of the first message on it."""

    def __init__(self, url: str, before_each: Callable[[], None]) -> None:
        self._url = url
        self._before_each = before_each
        self.in_a_row = 0

    def lost(self, error: BaseException, queues: Iterable[str], has_received: bool) -> None:
        """A connection was lost, on which a message of the queues had come or not.

        What RabbitMQ takes back goes behind the others that it took back before. So after two in a
        row nothing is before the one that it cannot deliver, and it need not take part.
        """
        is_refusal = isinstance(error, amqp.InternalError)
        earlier = 0 if has_received else self.in_a_row
        self.in_a_row = earlier + 1 if is_refusal else 0
        if self.in_a_row > 1:
            are_next = [use_up_returns(self._url, each, self._before_each) for each in queues]
            if not all(are_next):
                # What came in its place is handled first.
                self.in_a_row = 1


def use_up_returns(url: str, queue: str, before_each: Callable[[], None]) -> bool:
    """Make RabbitMQ give up what it cannot deliver and is next in the queue.

    Nothing else is held meanwhile: this takes seconds where a consumer that starts again each time
    would take minutes. Whatever `before_each` raises ends it.

    Returns: whether that was next; another message goes back, to be consumed.
    """
    refusals, answer = 0, Answer.REFUSED
    with suppress(*CONNECTION_ERRORS):
        while answer is Answer.REFUSED:
            before_each()
            answer = _next_of(url, queue)
            refusals += answer is Answer.REFUSED
    if refusals:
        logger.error(
            "RabbitMQ could not deliver a message of %s, %d times in a row (541 INTERNAL_ERROR), "
            "and dead-letters it. To see where it is kept: python manage.py doctor",
            queue,
            refusals,
        )
    return answer is not Answer.DELIVERED


class Answer(Enum):
    """What RabbitMQ does when it is asked for a queue's next message."""

    REFUSED = auto()
    DELIVERED = auto()
    EMPTY = auto()


def _next_of(url: str, queue: str) -> Answer:
    """Raises CONNECTION_ERRORS: RabbitMQ is down."""
    with connection_to(url, within_seconds=settings.CONFIRM_TIMEOUT_SECONDS) as connection:
        connect(connection, reraise_as_library_errors=False)
        for _ in range(TAKEN_BACK_POLLS):
            try:
                message = connection.default_channel.basic_get(queue)
            except amqp.InternalError:
                connection.collect()
                return Answer.REFUSED
            if message is not None:
                message.channel.basic_reject(message.delivery_tag, requeue=True)
                return Answer.DELIVERED
            time.sleep(TAKEN_BACK_POLL_SECONDS)
    return Answer.EMPTY
