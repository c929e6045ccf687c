"""One private MongoDB and one private RabbitMQ for a session; each run gets a part of both."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import amqp
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.installing import LOCAL
from localservices import login
from localservices.login import GUEST
from localservices.mongodb import MongoDB
from localservices.rabbitmq import RabbitMQ


@dataclass(frozen=True)
class Ground:
    """A database and a virtual host of their own, empty when a run starts."""

    mongodb_url: str
    amqp_url: str
    rabbitmq_port: int
    management_url: str
    name: str
    database: Database[dict[str, Any]]

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which every contender finds its services."""
        return {
            "MONGODB_URL": self.mongodb_url,
            "MONGODB_DATABASE": self.name,
            "AMQP_URL": self.amqp_url,
            "RABBITMQ_MANAGEMENT_URL": self.management_url,
        }

    def queue(self, name: str) -> tuple[int, int]:
        """How many messages wait in the queue, and how many consumers it has; none: (0, 0)."""
        with self.broker() as connection:
            try:
                return connection.channel().queue_declare(name, passive=True)[1:]
            except amqp.NotFound:
                return 0, 0

    def broker(self) -> amqp.Connection:
        return amqp.Connection(f"127.0.0.1:{self.rabbitmq_port}", virtual_host=self.name)


class Services:
    """Both services, running."""

    def __init__(self, folder: Path) -> None:
        self.mongodb = MongoDB(folder / "mongodb")
        self.rabbitmq = RabbitMQ(folder / "rabbitmq")
        self._numbers = itertools.count(1)

    @contextmanager
    def ground(self) -> Iterator[Ground]:
        """An empty database and virtual host, gone afterwards."""
        name = f"bench{next(self._numbers)}"
        self._virtual_host("PUT", name)
        client: MongoClient[dict[str, Any]] = MongoClient(self.mongodb.url)
        with client:
            try:
                urls = login.mongodb_url(self.mongodb), login.amqp_url(self.rabbitmq, name)
                addresses = self.rabbitmq.port, self.rabbitmq.management_url
                yield Ground(*urls, *addresses, name, client[name])
            finally:
                client.drop_database(name)
                self._virtual_host("DELETE", name)

    def pids(self) -> dict[str, int]:
        """The process of each service."""
        return {each.name: each.process.pid for each in (self.mongodb, self.rabbitmq)}

    def _virtual_host(self, method: str, name: str) -> None:
        # https://www.rabbitmq.com/docs/vhosts#manage-using-http-api
        request = Request(f"{self.rabbitmq.management_url}/api/vhosts/{name}", method=method)
        request.add_header("Authorization", f"Basic {GUEST}")
        with urlopen(request, timeout=30):
            pass


@contextmanager
def running_services() -> Iterator[Services]:
    """Start both services on free ports, with their data in a folder that goes with them."""
    LOCAL.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="services-", dir=LOCAL))
        services = Services(Path(folder))
        services.rabbitmq.launch()
        stack.callback(services.rabbitmq.stop)
        stack.enter_context(services.mongodb)
        services.rabbitmq.wait_until_ready()
        yield services
