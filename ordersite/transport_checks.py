"""A check of `check --deploy`: are the connections to MongoDB and RabbitMQ encrypted?"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from runtime import database_url
from runtime.broker_url import SEPARATOR

HINTS = {
    "AMQP_URL": "amqps://USER:PASSWORD@{host}:5671//?cacertfile=/path/to/ca.pem",
    "MONGODB_URL": "mongodb://USER:PASSWORD@{host}/?tls=true&tlsCAFile=/path/to/ca.pem",
    "RABBITMQ_MANAGEMENT_URL": "https://{host}:15671",
}


def check_transport(**_: Any) -> list[CheckMessage]:
    """An error for each setting that names another host without TLS; in development none."""
    if settings.DEBUG:
        return []
    in_the_clear = {
        "AMQP_URL": brokers_without_tls(settings.AMQP_URL),
        "MONGODB_URL": databases_without_tls(settings.MONGODB_URL),
        "RABBITMQ_MANAGEMENT_URL": pages_without_tls(settings.RABBITMQ_MANAGEMENT_URL),
    }
    return [
        Error(
            f"{name} reaches {host} without TLS: the password can be read on the way.",
            hint=f"Write, for example: {name}={HINTS[name].format(host=host)} (docs/access.md)",
            id="ordersite.E001",
        )
        for name, hosts in in_the_clear.items()
        for host in sorted({*hosts})
    ]


def brokers_without_tls(url: str) -> Iterator[str]:
    """Other hosts that the URL of RabbitMQ reaches in the clear."""
    for parts in map(urlsplit, url.split(SEPARATOR)):
        if parts.scheme != "amqps" and not is_this_machine(parts.hostname or ""):
            yield parts.hostname or ""


def databases_without_tls(url: str) -> Iterator[str]:
    """Other hosts that the URL of MongoDB reaches in the clear."""
    parts = database_url.split(url)
    options = {name.lower(): value.lower() for name, value in parse_qsl(parts.query)}
    asked = options.get("tls", options.get("ssl", ""))
    if asked == "true" or (parts.scheme == "mongodb+srv" and asked != "false"):
        return
    for address in parts.netloc.rpartition("@")[2].split(","):
        host = urlsplit(f"//{address}").hostname or ""
        # A socket's path is written as %2F….
        if not unquote(host).startswith("/") and not is_this_machine(host):
            yield host


def pages_without_tls(url: str) -> Iterator[str]:
    """The host, where the URL reaches another one in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
        yield parts.hostname or ""


def is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
