"""A user of the local services with a password, as a site in production needs one."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote
from urllib.request import Request

from pymongo import MongoClient

from localservices.direct import urlopen
from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ

USER = "shop"
PASSWORD = "no-secret-on-a-loopback"

GUEST = base64.b64encode(b"guest:guest").decode()
ANSWER_SECONDS = 30


def mongodb_url(mongodb: MongoDB) -> str:
    """Make the user, and return the URL with the login."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb.url)
    with client:
        users = client.admin.command("usersInfo", USER)["users"]
        if not users:
            client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"])
    scheme, _, rest = mongodb.url.partition("://")
    return f"{scheme}://{USER}:{PASSWORD}@{rest}"


def amqp_url(rabbitmq: RabbitMQ, virtual_host: str = "/") -> str:
    """Make the user, let it do everything in the virtual host, and return the URL."""
    _put(rabbitmq, f"users/{USER}", {"password": PASSWORD, "tags": "administrator"})
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    place = quote(virtual_host, safe="")
    _put(rabbitmq, f"permissions/{place}/{USER}", everything)
    return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{rabbitmq.port}/{place}"


def _put(rabbitmq: RabbitMQ, path: str, content: dict[str, str]) -> None:
    # https://www.rabbitmq.com/docs/http-api-reference
    request = Request(
        f"{rabbitmq.management_url}/api/{path}",
        data=json.dumps(content).encode(),
        headers={"Authorization": f"Basic {GUEST}", "Content-Type": "application/json"},
        method="PUT",
    )
    with urlopen(request, timeout=ANSWER_SECONDS):
        pass
