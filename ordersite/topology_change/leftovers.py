"""What is on RabbitMQ, is ours, and is no longer declared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kombu import Connection

from messaging import topology
from messaging.queue_state import queue_state, queue_state_on
from messaging.topology import delay_label
from ordersite.broker import management_api
from ordersite.broker.leftover_queues import left_over
from ordersite.broker.shadow_queues import shadow_of, way_back
from ordersite.topology_change.moving import QUIET_SECONDS


@dataclass(frozen=True, slots=True)
class OldBinding:
    """A queue of ours gets messages that are not declared for it."""

    source: str
    queue: str
    routing_key: str
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)
    #: Why it stays; empty where it is safe to remove.
    kept_because: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A queue of ours that is no longer declared."""

    queue: str
    messages: int
    #: Why it stays; empty where it is safe to delete.
    kept_because: str = ""


def old_bindings() -> Iterator[OldBinding]:
    """Undeclared bindings of declared queues; those of subscribers' own queues are theirs."""
    names = {queue.name for queue in topology.queues()}
    ours = {exchange.name: exchange for exchange in topology.exchanges()}
    declared = {
        (source.name, destination.name, _used_key(source, routing_key))
        for source, destination, routing_key in topology.bindings()
    }
    for each in management_api.get("bindings").content:
        source, queue, key = each["source"], each["destination"], each["routing_key"]
        if not source or each["destination_type"] != "queue" or queue not in names:
            continue
        if source in ours:
            if (source, queue, _used_key(ours[source], key)) not in declared:
                yield OldBinding(source, queue, key, each["arguments"])
        elif source not in (shadow_of(queue), way_back(queue)):
            reason = f"the exchange {source} is not ours, and someone may need it"
            yield OldBinding(source, queue, key, each["arguments"], reason)


def _used_key(exchange: Any, routing_key: str) -> str:
    """The routing key, where the exchange uses it."""
    return "" if exchange.type == "fanout" else routing_key


def queues(broker: Connection, there: dict[str, Any]) -> Iterator[Leftover]:
    """What is safe to delete of the queues that are left over, and why the others stay."""
    for name in left_over(there):
        if found := queue_state(broker, name):
            reason = _kept_because(there[name], found.messages, found.consumers)
            yield Leftover(name, found.messages, reason)


def _kept_because(queue: dict[str, Any], messages: int, consumers: int) -> str:
    unacked = queue.get("messages_unacknowledged", 0)
    if consumers:
        return f"{consumers} consume it: stop them first"
    if messages or unacked:
        ttl = queue["arguments"].get("x-message-ttl")
        leaving = f"; they leave it within {delay_label(ttl / 1000)}" if ttl else ""
        return f"it holds {messages or unacked} messages{leaving}"
    return ""


def remove_binding(broker: Connection, binding: OldBinding) -> None:
    with broker.channel() as channel:
        channel.queue_unbind(
            binding.queue, binding.source, binding.routing_key, arguments=binding.arguments
        )


def remove_queue(broker: Connection, leftover: Leftover) -> str:
    """Delete it, unless it has become used meanwhile: then return why it stays.

    A quorum queue does not know RabbitMQ's own "if empty" and "if unused", so it is cut off first.
    https://www.rabbitmq.com/docs/quorum-queues#feature-matrix
    """
    with broker.channel() as channel:
        for each in management_api.get("bindings").content:
            if each["destination"] == leftover.queue and each["source"]:
                channel.queue_unbind(
                    leftover.queue, each["source"], each["routing_key"], arguments=each["arguments"]
                )
        time.sleep(QUIET_SECONDS)
        found = queue_state_on(channel, leftover.queue)
        if found.messages or found.consumers:
            return "it is in use again"
        channel.queue_delete(leftover.queue)
    return ""
