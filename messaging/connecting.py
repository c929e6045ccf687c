"""Connecting to RabbitMQ, at one of the addresses that AMQP_URL names.

Several, as of a cluster's nodes, are separated by `;`: whichever answers will do.
https://docs.celeryq.dev/projects/kombu/en/stable/userguide/connections.html#urls
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

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

    It says once that it waits, and once that it goes on. Whatever `before_each_wait` raises ends
    the waiting.
    """

    what = f"RabbitMQ at {addresses_of(connection)}"
    is_told = False

    def on_error(error: Exception, interval_seconds: float) -> None:
        nonlocal is_told
        if not is_told:
            logger.warning("Waiting for %s: it does not answer (%s).", what, error)
        is_told = True

    connection.ensure_connection(
        errback=on_error,
        callback=before_each_wait,
        interval_start=FIRST_WAIT_SECONDS,
        interval_step=FIRST_WAIT_SECONDS,
        interval_max=LONGEST_WAIT_SECONDS,
    )
    if is_told:
        logger.info("Here now: %s", what)
    return connection


def addresses_of(connection: Connection) -> str:
    """Host and port of each address, without the login."""
    urls = connection.alt or [connection.as_uri()]
    return " or ".join(urlsplit(url).netloc.rpartition("@")[2] for url in urls)
