"""Connecting to RabbitMQ, at one of the addresses that AMQP_URL names.

Several, as of a cluster's nodes, are separated by `;`: whichever answers will do.
https://docs.celeryq.dev/projects/kombu/en/stable/userguide/connections.html#urls
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kombu import Connection

logger = logging.getLogger(__name__)

SEPARATOR = ";"

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 2.0


def connection_to(url: str, *, within_seconds: float, **options: Any) -> Connection:
    """A connection, yet to be made, for which all addresses together have so long to answer."""
    addresses = url.count(SEPARATOR) + 1
    return Connection(url, connect_timeout=within_seconds / addresses, **options)


def connect(connection: Connection, **options: Any) -> Connection:
    """Make the connection, trying each of its addresses once; `options` are kombu's.

    Raises:
        kombu.exceptions.OperationalError: none of them answers.
    """
    addresses = max(1, len(connection.alt))
    return connection.ensure_connection(max_retries=addresses - 1, **options)


def wait_until_connected(
    connection: Connection, before_each_wait: Callable[[], None] | None = None
) -> Connection:
    """Return the connection once it is made, at most `LONGEST_WAIT_SECONDS` after it can be.

    Whatever `before_each_wait` raises ends the waiting.
    """

    def on_error(error: Exception, interval_seconds: float) -> None:
        logger.warning("Waiting for RabbitMQ, next look in %g s: %s", interval_seconds, error)

    return connection.ensure_connection(
        errback=on_error,
        callback=before_each_wait,
        interval_start=FIRST_WAIT_SECONDS,
        interval_step=FIRST_WAIT_SECONDS,
        interval_max=LONGEST_WAIT_SECONDS,
    )
