"""Do RabbitMQ's own settings undo what the declared queues promise?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from kombu import Connection

from messaging import topology
from messaging.consuming.holding import longest_held_seconds
from ordersite.broker import management_api
from ordersite.doctor.report import Finding, Severity

#: RabbitMQ's default; a message's headers with its death certificate need most of it.
FRAME_BYTES = 131_072

#: What a policy can do to a queue that loses or returns its messages.
HARMFUL = {
    "dead-letter-exchange",
    "dead-letter-routing-key",
    "dead-letter-strategy",
    "delivery-limit",
    "expires",
    "max-length",
    "max-length-bytes",
    "message-ttl",
    "overflow",
}


def frame_size(broker: Connection) -> Iterator[Finding]:
    allowed_bytes = broker.connection.frame_max
    if allowed_bytes < FRAME_BYTES:
        yield Finding(
            Severity.ERROR,
            "RabbitMQ",
            f"It takes frames of {allowed_bytes:,} bytes; {FRAME_BYTES:,} are needed.",
            "A failed message does not fit with its certificate, and is redelivered for ever.",
            f"rabbitmqctl eval 'application:set_env(rabbit, frame_max, {FRAME_BYTES}).'",
            f"And for its next start, in rabbitmq.conf: frame_max = {FRAME_BYTES}",
        )


def policies() -> Iterator[Finding]:
    """https://www.rabbitmq.com/docs/parameters#policies"""
    ours = {queue.name for queue in topology.queues()}
    for queue in management_api.get("queues").content:
        definition = queue.get("effective_policy_definition") or {}
        harmful = sorted(HARMFUL.intersection(definition))
        if queue["name"] in ours and harmful:
            policy = queue.get("policy") or queue.get("operator_policy")
            yield Finding(
                Severity.WARNING,
                f"Queue {queue['name']}",
                f"The policy {policy} sets {', '.join(harmful)} for it.",
                "It limits the queue in a way that this release does not count on, and may drop "
                "messages.",
                management_api.deletion("policies", str(policy)),
                "Or give the policy a pattern that does not match this queue.",
            )


def consumer_timeout() -> Iterator[Finding]:
    """What a queue or a policy says; RabbitMQ's own value is in no answer of its API."""
    ours = {queue.name for queue in topology.queues()}
    for queue in management_api.get("queues").content:
        if queue["name"] in ours and (finding := short_consumer_timeout(queue)):
            yield finding


def short_consumer_timeout(queue: dict[str, Any]) -> Finding | None:
    """https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout"""
    arguments, policy = queue.get("arguments") or {}, queue.get("effective_policy_definition") or {}
    given = [arguments.get("x-consumer-timeout"), policy.get("consumer-timeout")]
    milliseconds = min((each for each in given if isinstance(each, int)), default=None)
    needed_seconds = longest_held_seconds()
    if milliseconds is None or milliseconds >= needed_seconds * 1_000:
        return None
    return Finding(
        Severity.WARNING,
        f"Queue {queue['name']}",
        f"Its consumer timeout is {milliseconds / 1_000:g} s; a worker may hold a message for "
        f"{needed_seconds:g} s.",
        "RabbitMQ closes the consumer's channel at each message that takes longer. It continues by "
        "itself, and such a message is delivered again and again.",
        f"rabbitmqctl list_policies -p {shlex.quote(management_api.vhost())}",
        "Remove consumer-timeout from the policy that sets it, or make it 1800000 (30 minutes).",
    )
