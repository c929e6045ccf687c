"""What is to be changed on RabbitMQ, and what of it is safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kombu import Connection, Queue

from messaging import topology
from messaging.declaring import is_changing
from ordersite.broker import management_api
from ordersite.broker.difference import difference
from ordersite.broker.shadow_queues import shadow_of
from ordersite.topology_change import leftovers
from ordersite.topology_change.leftovers import Leftover, OldBinding
from ordersite.topology_change.moving import arguments_of


@dataclass(frozen=True, slots=True)
class Changed:
    """One argument or property of a queue; None where there is none."""

    argument: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class QueueMove:
    """A queue that is to be moved by way of a shadow queue."""

    queue: str
    #: Empty where an interrupted move is to be completed and the old queue is gone already.
    changed: tuple[Changed, ...]
    #: In the queue and in its shadow; as RabbitMQ counts them, up to some seconds ago.
    messages: int
    consumers: int
    #: Whether a shadow queue of an earlier run exists.
    is_begun: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs."""

    #: Exchanges and queues that are not there.
    missing: tuple[str, ...]
    moves: tuple[QueueMove, ...]
    old_bindings: tuple[OldBinding, ...]
    leftovers: tuple[Leftover, ...]
    #: Exchanges that differ: to replace one is not ours, since external subscribers have bound to
    #: it.
    differing_exchanges: tuple[str, ...]
    #: An earlier run has not finished.
    is_interrupted: bool

    @property
    def is_empty(self) -> bool:
        return not (
            self.missing
            or self.moves
            or self.old_bindings
            or self.leftovers
            or self.differing_exchanges
            or self.is_interrupted
        )


def make(broker: Connection) -> Plan:
    """Compare what is declared with what is there.

    Raises:
        OSError, amqp.AMQPError, management_api.Unavailable: RabbitMQ did not answer.
    """
    there = {queue["name"]: queue for queue in management_api.get("queues").content}
    exchanges = {exchange["name"] for exchange in management_api.get("exchanges").content}
    missing = [f"exchange {e.name}" for e in topology.exchanges() if e.name not in exchanges]
    moves = [move for queue in topology.queues() if (move := _move(broker, queue, there))]
    begun = {move.queue for move in moves}
    missing += [
        f"queue {queue.name}"
        for queue in topology.queues()
        if queue.name not in there and queue.name not in begun
    ]
    return Plan(
        missing=tuple(missing),
        moves=tuple(moves),
        old_bindings=tuple(leftovers.old_bindings()),
        leftovers=tuple(leftovers.queues(broker, there)),
        differing_exchanges=tuple(
            exchange.name for exchange in topology.exchanges() if difference(broker, exchange)
        ),
        is_interrupted=is_changing(broker),
    )


def _move(broker: Connection, queue: Queue, there: dict[str, Any]) -> QueueMove | None:
    found, shadow = there.get(queue.name), there.get(shadow_of(queue.name))
    differs = found and difference(broker, queue)
    if not differs and not shadow:
        return None
    both = [each for each in (found, shadow) if each]
    return QueueMove(
        queue.name,
        changed=tuple(_changes(queue, found)) if found else (),
        messages=sum(each.get("messages", 0) for each in both),
        consumers=found.get("consumers", 0) if found else 0,
        is_begun=bool(shadow),
    )


def _changes(queue: Queue, found: dict[str, Any]) -> list[Changed]:
    old = {"durable": found["durable"], "auto_delete": found["auto_delete"]} | found["arguments"]
    new = {"durable": queue.durable, "auto_delete": queue.auto_delete} | arguments_of(queue)
    return [
        Changed(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
