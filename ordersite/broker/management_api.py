"""RabbitMQ's management HTTP API, for what AMQP cannot answer.

https://www.rabbitmq.com/docs/management
"""

from __future__ import annotations

import base64
import json
import shlex
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, NamedTuple, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from kombu import Connection

from runtime.connecting import connection_to

#: It collects its answer from every node.
ANSWER_WITHIN_SECONDS = 3
#: For so long it is asked again by those who can't leave off in the middle of something.
PATIENCE_SECONDS = 30
PAUSE_SECONDS = 0.5

#: The tags that a login needs for what is not its own.
#: https://www.rabbitmq.com/docs/management#permissions
TAGS = {"connections": "monitoring", "nodes": "monitoring"} | dict.fromkeys(
    ("permissions", "topic-permissions", "users", "vhosts"), "administrator"
)
#: Kinds that belong to no virtual host.
OF_THE_CLUSTER = {"connections", "nodes", "users", "vhosts"}

REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}

#: As AMQP it goes straight there, and never by the `http_proxy` that leads out of a company.
_open = build_opener(ProxyHandler({})).open

T = TypeVar("T")


class Unavailable(Exception):
    """The API did not answer the question; `next_step` says what to do about it."""

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.next_step = next_step


class Forbidden(Unavailable):
    """The login of AMQP_URL may not ask this."""


class Answer(NamedTuple):
    content: Any
    #: RabbitMQ's clock, to the second.
    at: datetime


def get(kind: str, *names: str) -> Answer:
    """Ask for one, or all, of a kind in the virtual host of AMQP_URL, with the login of AMQP_URL.

    Raises:
        Forbidden: it refuses the login.
        Unavailable: it does not answer.
    """
    request = _request("GET", _address(settings.RABBITMQ_MANAGEMENT_URL, kind, *names))
    try:
        with _open(request, timeout=ANSWER_WITHIN_SECONDS) as response:
            return Answer(json.load(response), parsedate_to_datetime(response.headers["Date"]))
    except (OSError, HTTPException, ValueError, TypeError) as error:
        raise _trouble(error, kind) from error


def put(content: dict[str, Any], kind: str, *names: str) -> None:
    """Make one of a kind be as `content` says; raises as `get` does."""
    _do("PUT", json.dumps(content).encode(), kind, *names)


def delete(kind: str, *names: str) -> None:
    """Delete one of a kind; raises as `get` does."""
    _do("DELETE", None, kind, *names)


def _do(method: str, body: bytes | None, kind: str, *names: str) -> None:
    request = _request(method, _address(settings.RABBITMQ_MANAGEMENT_URL, kind, *names), body)
    try:
        _open(request, timeout=ANSWER_WITHIN_SECONDS).close()
    except (OSError, HTTPException) as error:
        raise _trouble(error, kind) from error


def _trouble(error: Exception, kind: str) -> Unavailable:
    if isinstance(error, HTTPError) and error.code in REFUSED:
        tag = TAGS.get(kind, "management")
        return Forbidden(
            f"RabbitMQ's management API answers {error.code} {error.reason} to the login of "
            "AMQP_URL.",
            f"rabbitmqctl set_user_tags {shlex.quote(str(broker().userid))} {tag}",
        )
    return Unavailable(
        f"RabbitMQ's management API does not answer at {settings.RABBITMQ_MANAGEMENT_URL} "
        f"({error}).",
        "Run rabbitmq-plugins enable rabbitmq_management, or correct the setting "
        "RABBITMQ_MANAGEMENT_URL.",
    )


def close_connection(name: str) -> None:
    """Close a client's connection, if it is still there; the client may come back.

    Raises:
        Unavailable: the API does not answer, or refuses.
    """
    address = _address(settings.RABBITMQ_MANAGEMENT_URL, "connections", name)
    try:
        _open(_request("DELETE", address), timeout=ANSWER_WITHIN_SECONDS).close()
    except (OSError, HTTPException) as error:
        if not (isinstance(error, HTTPError) and error.code == HTTPStatus.NOT_FOUND):
            raise Unavailable(
                f"RabbitMQ's management API did not close the connection {name} ({error}).",
                "Restart the worker whose connection it is.",
            ) from error


def patiently(ask: Callable[[], T]) -> T:
    """Ask again until it answers: under load it may be late, and where something ends at the very
    moment that it is asked for, it answers 500.

    Raises:
        Forbidden: it refuses the login.
        Unavailable: it still does not answer.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except Forbidden:
            raise
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def _request(method: str, url: str, body: bytes | None = None) -> Request:
    login = f"{broker().userid}:{broker().password}"
    return Request(  # noqa: S310  the setting is checked to be http or https
        url,
        data=body,
        headers={
            "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
            "Content-Type": "application/json",
        },
        method=method,
    )


def deletion(kind: str, *names: str) -> str:
    """The command that an operator types to delete something; curl asks for the password."""
    url = settings.RABBITMQ_MANAGEMENT_URL or f"http://{broker().hostname}:15672"
    address = shlex.quote(_address(url, kind, *names))
    return f"curl --fail --user {shlex.quote(str(broker().userid))} -X DELETE {address}"


def broker() -> Connection:
    """AMQP_URL in its parts; nothing is connected."""
    return connection_to(settings.AMQP_URL, within_seconds=ANSWER_WITHIN_SECONDS)


def vhost() -> str:
    """The virtual host of AMQP_URL."""
    return broker().virtual_host or "/"


def _address(url: str, kind: str, *names: str) -> str:
    scope = () if kind in OF_THE_CLUSTER else (vhost(),)
    path = "/".join(quote(part, safe="") for part in (kind, *scope, *names))
    return f"{url.rstrip('/')}/api/{path}"
