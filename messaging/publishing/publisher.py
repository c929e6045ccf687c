"""Publishes, and returns when the broker has confirmed every message."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from types import TracebackType
from typing import Self

import amqp
from django.conf import settings
from kombu import Connection

from messaging.errors import PublishError, Unroutable
from messaging.publishing.confirms import ConfirmedChannel, Outgoing
from messaging.publishing.frames import publish_frame
from messaging.publishing.properties import properties_of
from messaging.spans import sending
from runtime.broker_url import parse
from runtime.connecting import connect, connection_to
from runtime.tracing import spans
from runtime.trouble import in_words

__all__ = ["Outgoing", "Publisher"]

#: Messages on the wire before their confirms are awaited; bounds what an error leaves in doubt.
ROUND_MESSAGES = 500

CONNECTION_ERRORS = (OSError, amqp.AMQPError)


class Publisher:
    """Publishes over one connection, opened at first use and again after an error.

    Not for use by several threads at once.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._channel: ConfirmedChannel | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish all, persistent and mandatory; return once each of them is confirmed.

        Raises:
            Unroutable: the broker took every message but those that no queue is bound for, or an
                exchange is missing.
            PublishError: the broker is down, refused a message, or did not answer within
                `CONFIRM_TIMEOUT_SECONDS`. Its `confirmed` holds the indexes that are safe; any
                other message has to be published again.
        """
        if not spans.is_on():
            self._publish(outgoing)
            return
        with sending(outgoing) as traced:
            self._publish(traced)

    def close(self) -> None:
        """Close the connection; the next publish opens a new one."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.close()

    def forget(self) -> None:
        """Let go of a connection that was inherited over a fork, without closing it."""
        self._connection = self._channel = None

    def _publish(self, outgoing: Sequence[Outgoing]) -> None:
        confirmed: set[int] = set()
        for start in range(0, len(outgoing), ROUND_MESSAGES):
            try:
                self._publish_round(outgoing[start : start + ROUND_MESSAGES])
            except PublishError as error:
                error.confirmed = confirmed | {start + index for index in error.confirmed}
                raise
            confirmed.update(range(start, min(start + ROUND_MESSAGES, len(outgoing))))

    def _publish_round(self, outgoing: Sequence[Outgoing]) -> None:
        try:
            channel = self._channel = self._channel or self._open()
            channel.publish(outgoing, settings.CONFIRM_TIMEOUT_SECONDS)
        except CONNECTION_ERRORS as error:
            confirmed = self._channel.confirmed if self._channel else set()
            self._abandon()
            # An exchange that is missing does not come back by itself, as RabbitMQ does.
            kind = Unroutable if isinstance(error, amqp.NotFound) else PublishError
            raise kind(f"RabbitMQ confirmed no publish: {in_words(error)}", confirmed) from error
        except Exception:
            # Half a message may be on the wire.
            self._abandon()
            raise
        self._check(channel, outgoing)

    def _check(self, channel: ConfirmedChannel, outgoing: Sequence[Outgoing]) -> None:
        if channel.refused:
            queue_full = outgoing[min(channel.refused)]
            raise PublishError(
                f"RabbitMQ refused {len(channel.refused)} message(s) for "
                f"{queue_full.exchange or queue_full.routing_key}: a queue behind it is full",
                channel.confirmed,
            )
        if channel.unroutable:
            lost = outgoing[min(channel.unroutable)]
            raise Unroutable(
                f"no queue is bound to exchange {lost.exchange!r} for {lost.routing_key!r}; "
                "run `python manage.py declare_topology`",
                channel.confirmed,
            )

    def _open(self) -> ConfirmedChannel:
        self._connection = connection_to(
            self._url,
            within_seconds=settings.CONFIRM_TIMEOUT_SECONDS,
            transport_options={"write_timeout": settings.CONFIRM_TIMEOUT_SECONDS},
        )
        connect(self._connection, reraise_as_library_errors=False)
        # Of several addresses each may have a login of its own.
        user = self._connection.userid or parse(self._url).user
        return ConfirmedChannel(self._connection.channel(), user)

    def _abandon(self) -> None:
        """A late confirm could be taken for another message's: the connection is not reused."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect()


def check_publishable(outgoing: Outgoing) -> None:
    """Raise what publishing this message would raise for all that are published with it.

    Raises:
        Exception: a name or a property is too long for AMQP, or of a type that it has not.
    """
    publish_frame(0, outgoing.exchange, outgoing.routing_key, outgoing.mandatory)
    properties_of(outgoing.message)


@cache
def process_publisher() -> Publisher:
    """The one publisher of a worker's process; a fork has to `forget()` it."""
    return Publisher(settings.AMQP_URL)
