"""Queues that this release no longer declares.

Those of an earlier backoff schedule stay when RETRY_DELAYS_SECONDS changes, a service's own when it
goes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

from kombu import Connection

from messaging import topology
from messaging.queue_state import depth
from ordersite.broker import management_api
from ordersite.broker.leftover_queues import RETRY_PREFIXES, left_over
from ordersite.doctor.report import Finding, Severity


def queues(broker: Connection) -> Iterator[Finding]:
    there = {queue["name"]: queue for queue in management_api.get("queues").content}
    for name in left_over(there):
        messages = _messages(broker, name)
        if name.startswith(RETRY_PREFIXES):
            yield _retry_queue(name, there[name]["arguments"], messages)
        else:
            yield _service_queue(name, messages)


def _service_queue(name: str, messages: int) -> Finding:
    return Finding(
        Severity.ERROR if messages else Severity.WARNING,
        f"Queue {name}",
        f"No service of this release uses it; messages in it: {messages}.",
        "No service handles their orders." if messages else "It only uses disk space.",
        "python manage.py topology apply",
        "It deletes the queue once it is empty: let the release that knows the service handle its "
        "messages first."
        if messages
        else "",
    )


def _retry_queue(name: str, arguments: dict[str, Any], messages: int) -> Finding:
    service = name.partition(".")[0]
    subject = f"Queue {name}"
    problem = f"It is of an earlier RETRY_DELAYS_SECONDS; messages in it: {messages}."
    delete = f"python manage.py delete_queue {name}"
    if not messages:
        return Finding(Severity.WARNING, subject, problem, "It only uses disk space.", delete)
    if _returns(arguments, service):
        delay = topology.delay_label(arguments["x-message-ttl"] / 1000)
        return Finding(
            Severity.WARNING,
            subject,
            problem,
            f"They return to {service} by themselves; until then nothing counts them as retrying.",
            delete,
            f"When they have returned, in {delay}; it refuses to delete a message.",
        )
    return Finding(
        Severity.ERROR,
        subject,
        problem,
        f"Nothing consumes it, so {service} never finishes their orders.",
        _shovel(name, service),
        "Needs RabbitMQ's plugin: rabbitmq-plugins enable rabbitmq_shovel",
    )


def _messages(broker: Connection, name: str) -> int:
    # The management API's own count is up to five seconds old.
    return depth(broker, name)


def _returns(arguments: dict[str, Any], service: str) -> bool:
    """Whether its messages go back to the service by themselves."""
    return (
        "x-message-ttl" in arguments
        and arguments.get("x-dead-letter-exchange") in (topology.by_name.name, "")
        and arguments.get("x-dead-letter-routing-key") == service
    )


def _shovel(name: str, service: str) -> str:
    """Moves what is in the queue, and ends. https://www.rabbitmq.com/docs/shovel-dynamic"""
    vhost = management_api.broker().virtual_host
    uri = "amqp://" if vhost == "/" else f"amqp:///{vhost}"
    move = {
        "src-protocol": "amqp091",
        "src-uri": uri,
        "src-queue": name,
        "src-delete-after": "queue-length",
        "dest-protocol": "amqp091",
        "dest-uri": uri,
        "dest-queue": service,
        "ack-mode": "on-confirm",
    }
    return (
        f"rabbitmqctl set_parameter --vhost {shlex.quote(vhost)} shovel {name} "
        f"{shlex.quote(json.dumps(move))}"
    )
