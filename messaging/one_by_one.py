"""A message that harms whoever gets it is handed out alone, so that it takes no others along.

There are messages that RabbitMQ cannot deliver: it closes the connection at each attempt (541
INTERNAL_ERROR, as 4.0 does for AMQP 1.0's uuid, char and decimal application properties), and takes
back all that the connection held. So a consumer begins with one message at a time, and goes on so
as long as those that come were returned suspiciously often. Then only the one that harms is
returned again and again, until RabbitMQ dead-letters it (`messaging.topology.SERVICE_RETURNS`).
What was returned comes first, so the first message that was not ends this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import amqp
from django.conf import settings

from messaging.connecting import connect, connection_to
from messaging.incoming import returns_of
from messaging.publisher import CONNECTION_ERRORS

logger = logging.getLogger(__name__)

#: Returned so often, a message comes alone. Each stop of a worker returns what it holds, too.
SUSPICIOUS_RETURNS = 10


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
        self._suspicious_returns = 1 if after_refusal else SUSPICIOUS_RETURNS
        self._consumer = consumer
        self._usual_count = usual_count
        self._later = later
        consumer.qos(prefetch_count=1)

    def received(self, message: Any) -> None:
        """Look at a message that has come; the first that is not suspicious ends this."""
        if self.is_on and returns_of(message) < self._suspicious_returns:
            self.is_on = False
            self._later(self._take_as_usual)

    def _take_as_usual(self) -> None:
        # Per-consumer prefetch is fixed when it begins to consume.
        # https://www.rabbitmq.com/docs/consumer-prefetch
        is_lost = self._consumer.channel.connection is None
        if is_lost or not self._consumer.consuming_from(self._consumer.queues[0]):
            return
        self._consumer.cancel()
        self._consumer.qos(prefetch_count=self._usual_count)
        self._consumer.consume()


def use_up_returns(url: str, queues: Iterable[str]) -> None:
    """Make RabbitMQ give up what it cannot deliver and is next in one of the queues.

    Nothing else is held meanwhile, and no other message is waited for: some seconds, where a
    consumer that begins anew each time would take minutes.
    """
    for queue in queues:
        refusals = 0
        with suppress(*CONNECTION_ERRORS):
            while _is_refused(url, queue):
                refusals += 1
        if refusals:
            logger.error(
                "RabbitMQ could not deliver the next message of %s, %d times (541), so it "
                "dead-letters it. To see what became of it: python manage.py doctor",
                queue,
                refusals,
            )


def _is_refused(url: str, queue: str) -> bool:
    """Whether RabbitMQ breaks down over the queue's next message. Raises CONNECTION_ERRORS."""
    with connection_to(url, within_seconds=settings.CONFIRM_TIMEOUT_SECONDS) as connection:
        connect(connection, reraise_as_library_errors=False)
        try:
            message = connection.default_channel.basic_get(queue)
        except amqp.InternalError:
            connection.collect()
            return True
        if message is not None:
            message.channel.basic_reject(message.delivery_tag, requeue=True)
        return False
