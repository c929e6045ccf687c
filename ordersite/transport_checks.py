"""A check of `check --deploy`: can nobody read passwords on their way to another host?"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from runtime import database_url
from runtime.broker_url import SEPARATOR, parse

HINTS = {
    "AMQP_URL": "amqps://USER:PASSWORD@{host}:5671//?cacertfile=/path/to/ca.pem",
    "MONGODB_URL": "mongodb://USER:PASSWORD@{host}/?tls=true&tlsCAFile=/path/to/ca.pem",
    "RABBITMQ_MANAGEMENT_URL": "https://{host}:15671",
    "EMAIL_HOST": "{host} with EMAIL_USE_TLS=true",
}

#: Options of MongoDB with which whoever answers is taken for it.
#: https://www.mongodb.com/docs/manual/reference/connection-string-options/#tls-options
UNCHECKED = ("tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlsinsecure")

#: An owner has few, and the system many, which sign for anybody.
MOST_OWN_AUTHORITIES = 10


def check_transport(**_: Any) -> list[CheckMessage]:
    """An error for each setting whose password others can read; in development none."""
    return [] if settings.DEBUG else [*in_the_clear(), *with_anybody()]


def in_the_clear() -> Iterator[CheckMessage]:
    """An error for each other host that a setting reaches without TLS."""
    found = {
        "AMQP_URL": brokers_without_tls(settings.AMQP_URL),
        "MONGODB_URL": databases_without_tls(settings.MONGODB_URL),
        "RABBITMQ_MANAGEMENT_URL": pages_without_tls(settings.RABBITMQ_MANAGEMENT_URL),
        "EMAIL_HOST": mail_servers_without_tls(),
    }
    for name, hosts in found.items():
        for host in sorted({*hosts}):
            yield Error(
                f"{name} reaches {host} without TLS: the password can be read on the way.",
                hint=f"Write, for example: {name}={HINTS[name].format(host=host)} (docs/access.md)",
                id="ordersite.E001",
            )


def with_anybody() -> Iterator[CheckMessage]:
    """An error for each setting that has TLS with whoever answers."""
    found = {
        "AMQP_URL": is_anybody_taken_for_rabbitmq(),
        "MONGODB_URL": any(
            options_of(settings.MONGODB_URL).get(each) == "true" for each in UNCHECKED
        ),
    }
    for name, is_anybody in found.items():
        if is_anybody:
            url = HINTS[name].format(host="HOST")
            yield Error(
                f"{name} takes any certificate: who is on the way can read the password.",
                hint=f"Write, for example: {name}={url} (docs/access.md)",
                id="ordersite.E002",
            )


def is_anybody_taken_for_rabbitmq() -> bool:
    """Without a check, or with a file of the whole world's authorities and no name asked for."""
    tls = parse(settings.AMQP_URL).tls or {}
    if tls.get("cert_reqs") == ssl.CERT_NONE:
        return True
    if "ca_certs" not in tls or "server_hostname" in tls:
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tls["ca_certs"])
    return context.cert_store_stats()["x509_ca"] > MOST_OWN_AUTHORITIES


def brokers_without_tls(url: str) -> Iterator[str]:
    """Other hosts that the URL of RabbitMQ reaches in the clear."""
    for parts in map(urlsplit, url.split(SEPARATOR)):
        if parts.scheme != "amqps" and not is_this_machine(parts.hostname or ""):
            yield parts.hostname or ""


def databases_without_tls(url: str) -> Iterator[str]:
    """Other hosts that the URL of MongoDB reaches in the clear."""
    parts, options = database_url.split(url), options_of(url)
    asked = options.get("tls", options.get("ssl", ""))
    if asked == "true" or (parts.scheme == "mongodb+srv" and asked != "false"):
        return
    for address in parts.netloc.rpartition("@")[2].split(","):
        host = urlsplit(f"//{address}").hostname or ""
        # A socket's path is written as %2F….
        if not unquote(host).startswith("/") and not is_this_machine(host):
            yield host


def options_of(url: str) -> dict[str, str]:
    """The options of a URL of MongoDB, in small letters."""
    query = parse_qsl(database_url.split(url).query)
    return {name.lower(): value.lower() for name, value in query}


def pages_without_tls(url: str) -> Iterator[str]:
    """The host, where the URL reaches another one in the clear."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_this_machine(parts.hostname or ""):
        yield parts.hostname or ""


def mail_servers_without_tls() -> Iterator[str]:
    """The mail server, where it gets a password in the clear."""
    is_asked = settings.EMAIL_HOST_USER and not settings.EMAIL_USE_TLS
    if is_asked and not is_this_machine(settings.EMAIL_HOST):
        yield settings.EMAIL_HOST


def is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
