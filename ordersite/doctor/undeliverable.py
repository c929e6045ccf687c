"""Does RabbitMQ keep messages that it cannot deliver?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from kombu import Connection

from messaging import topology
from messaging.queue_state import depth
from ordersite.broker import management_api
from ordersite.doctor.report import Finding, Severity


def messages(broker: Connection) -> Iterator[Finding]:
    name = topology.undeliverable.name
    count = depth(broker, name)
    if count:
        vhost = management_api.broker().virtual_host
        yield Finding(
            Severity.ERROR,
            f"Queue {name}",
            f"Messages in it that the archiver could not read: {count}.",
            "They are not failed messages: RabbitMQ closes the connection (541) whenever it "
            "delivers one, as it does for the uuid, char and decimal properties of AMQP 1.0.",
            f"rabbitmqctl --vhost {shlex.quote(vhost)} purge_queue {name}",
            "Have their publisher send text in place of such properties, and send them again, "
            "before this deletes them. An AMQP 1.0 client can read them from the queue.",
        )
