"""What RabbitMQ has of queues, for a worker's process that works on them."""

from __future__ import annotations

from django.conf import settings
from kombu import Connection

from messaging.publishing.publisher import CONNECTION_ERRORS
from messaging.queue_state import QueueState, queue_state
from runtime.connecting import bounded_connection, connect


class QueueStates:
    """Asks over a connection of its own, in which nothing is waited for without end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def of(self, queue: str) -> QueueState | None:
        """Its state; None where it is not declared.

        Raises:
            OSError, amqp.AMQPError: RabbitMQ did not answer; the next call connects again.
        """
        try:
            connection = self._connection = self._connection or self._open()
            return queue_state(connection, queue)
        except CONNECTION_ERRORS:
            self._abandon()
            raise

    def _open(self) -> Connection:
        connection = bounded_connection(self._url, settings.CONFIRM_TIMEOUT_SECONDS)
        return connect(connection, reraise_as_library_errors=False)

    def _abandon(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.collect()
