"""Moving messages from one queue to another: each is confirmed there before it is acked here."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from kombu import Connection

from messaging.errors import PublishError
from messaging.publishing.confirms import Outgoing
from messaging.topology import by_name
from ordersite.broker.raw_messages import RawChannel, copy_of

#: Messages in our hands at once; bounds memory, as a body may be large.
PREFETCH_MESSAGES = 100

#: Above every other consumer's, which then get nothing new while we keep up.
#: https://www.rabbitmq.com/docs/consumer-priority
PRIORITY = 100

#: What is published to one queue alone: by our own retries and replays, by an earlier release.
DIRECT = (by_name.name, "")

#: How long we wait for a message that may follow the last one.
GATHERING_SECONDS = 0.02


class Copier:
    """Consumes `source` before all others, and publishes each message where it belongs.

    A message that was meant for one queue goes to the queue `target` by its name, so that it can
    still be told from one that came from a fanout; any other goes through `exchange`, under its own
    routing key. To be used inside `unread_properties`.
    """

    def __init__(self, broker: Connection, source: str, *, exchange: str, target: str) -> None:
        self._broker = broker
        self._exchange, self._target = exchange, target
        self._waiting: list[Any] = []
        self._publishing = RawChannel(broker.channel())
        #: Whether the source was deleted.
        self.is_cancelled = False
        self._consuming = broker.channel()
        self._consuming.auto_decode = False
        self._consuming.basic_qos(0, PREFETCH_MESSAGES, False)
        self._consuming.basic_consume(
            source,
            callback=self._waiting.append,
            on_cancel=self._cancelled,
            arguments={"x-priority": PRIORITY},
        )

    def copy(self, within_seconds: float) -> int:
        """Move what arrives; return how many messages it was.

        Raises:
            PublishError: the target has not taken all; they stay in the source.
            OSError, amqp.AMQPError: RabbitMQ did not answer.
        """
        self._receive(within_seconds)
        copied, self._waiting[:] = list(self._waiting), []
        if copied:
            outgoing = [self._outgoing(message) for message in copied]
            self._publishing.publish(outgoing, settings.CONFIRM_TIMEOUT_SECONDS)
            if len(self._publishing.confirmed) < len(copied):
                raise PublishError(f"RabbitMQ did not take every message for {self._target}")
            self._consuming.basic_ack(copied[-1].delivery_tag, multiple=True)
        return len(copied)

    def close(self) -> None:
        """Stop consuming; what is unacked goes back to the source."""
        self._consuming.close()
        self._publishing.close()

    def _receive(self, within_seconds: float) -> None:
        try:
            self._broker.drain_events(timeout=within_seconds)
            while len(self._waiting) < PREFETCH_MESSAGES:
                self._broker.drain_events(timeout=GATHERING_SECONDS)
        except TimeoutError:
            return

    def _outgoing(self, message: Any) -> Outgoing:
        raw: Any = copy_of(message, str(self._broker.userid), self._target)
        if message.delivery_info["exchange"] in DIRECT:
            return Outgoing(raw, by_name.name, self._target)
        return Outgoing(raw, self._exchange, message.delivery_info["routing_key"])

    def _cancelled(self, consumer_tag: str) -> None:
        self.is_cancelled = True
