"""Connecting to RabbitMQ, at one of the addresses that AMQP_URL names.

Several, as of a cluster's nodes, are separated by `;`: the first that answers is used.
https://docs.celeryq.dev/projects/kombu/en/stable/userguide/connections.html#urls
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import amqp
from kombu import Connection
from kombu.exceptions import OperationalError

from runtime.broker_url import SEPARATOR, parse

#: A connection that is lost without a sign, as behind a firewall, is noticed after two of these.
#: https://www.rabbitmq.com/docs/heartbeats
HEARTBEAT_SECONDS = 10

#: Each error that says that there is no connection to RabbitMQ, or that it refuses what was asked.
BROKER_ERRORS = (OSError, amqp.AMQPError, OperationalError)


def connection_to(
    url: str,
    *,
    within_seconds: float,
    **options: Any,
) -> Connection:
    """A connection, yet to be made, for which all addresses together have so long to answer.

    AMQP_URL's parameters win; `options` are kombu's.
    """
    broker = parse(url)
    addresses = broker.addresses.count(SEPARATOR) + 1
    if broker.heartbeat_seconds and "heartbeat" in options:
        options["heartbeat"] = broker.heartbeat_seconds
    return Connection(
        broker.addresses,
        connect_timeout=broker.connect_seconds or within_seconds / addresses,
        # kombu notes in it which host it talks to.
        ssl=dict(broker.tls) if broker.tls else False,
        login_method=broker.login_method,
        **options,
    )


def bounded_connection(url: str, seconds: float) -> Connection:
    """A connection, yet to be made, in which nothing is waited for longer than that."""
    timeouts = {"read_timeout": seconds, "write_timeout": seconds}
    return connection_to(url, within_seconds=seconds, transport_options=timeouts)


def celery_settings(url: str) -> dict[str, Any]:
    """The same for Celery, which makes the connections of a worker's main process itself."""
    broker = parse(url)
    return {
        "broker_url": broker.addresses,
        "broker_use_ssl": broker.tls or False,
        "broker_login_method": broker.login_method,
        "broker_heartbeat": broker.heartbeat_seconds or HEARTBEAT_SECONDS,
        **({"broker_connection_timeout": broker.connect_seconds} if broker.connect_seconds else {}),
    }


def connect(connection: Connection, **options: Any) -> Connection:
    """Make the connection, trying each of its addresses once; `options` are kombu's.

    Raises:
        kombu.exceptions.OperationalError: none of them answers.
        amqp.AMQPError: the last one refuses the login or the virtual host.
    """
    for _ in connection.alt[1:]:
        try:
            return connection.ensure_connection(max_retries=0, **options)
        except BROKER_ERRORS:
            connection.maybe_switch_next()
    return connection.ensure_connection(max_retries=0, **options)


def addresses_of(connection: Connection) -> str:
    """Host and port of each address, without the login."""
    urls = connection.alt or [connection.as_uri()]
    return " or ".join(urlsplit(url).netloc.rpartition("@")[2] for url in urls)
