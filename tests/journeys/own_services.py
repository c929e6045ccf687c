"""A database and a virtual host of a journey's own, for a pipeline with other services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient

from drills.cluster.management import Management
from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ


@contextmanager
def own_services(mongodb: MongoDB, rabbitmq: RabbitMQ, name: str) -> Iterator[dict[str, str]]:
    """The settings of a pipeline that uses them; they are deleted at the end."""
    management, vhost = Management(rabbitmq.management_url), f"/api/vhosts/{name}"
    management.put(vhost)
    yield {
        "AMQP_URL": urlunsplit(urlsplit(rabbitmq.url)._replace(path=f"/{name}")),
        "MONGODB_DATABASE": name,
    }
    management.delete(vhost)
    with MongoClient(mongodb.url) as client:
        client.drop_database(name)
