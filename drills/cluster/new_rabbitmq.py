"""A RabbitMQ beside the cluster, to which a pipeline moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from drills.cluster.management import Management
from localservices import environment_file
from localservices.rabbitmq import RabbitMQ

#: Names a `services.env` with one that runs already, of another version: `make services` writes it.
VARIABLE = "NEW_RABBITMQ"


@dataclass(frozen=True, slots=True)
class NewRabbitMQ:
    """One node, which takes the place of a cluster."""

    port: int
    management_url: str

    @property
    def nodes(self) -> list[NewRabbitMQ]:
        return [self]

    @property
    def living(self) -> NewRabbitMQ:
        return self

    @property
    def management(self) -> Management:
        return Management(self.management_url)


@contextmanager
def new_rabbitmq(folder: Path) -> Iterator[NewRabbitMQ]:
    """The one that the environment names, or one of this machine's version, without data."""
    if file := os.environ.get(VARIABLE):
        settings = environment_file.read(Path(file))
        port = urlsplit(settings["AMQP_URL"]).port
        assert port is not None, file
        yield NewRabbitMQ(port, settings["RABBITMQ_MANAGEMENT_URL"])
        return
    with RabbitMQ(folder) as node:
        yield NewRabbitMQ(node.port, node.management_url)
