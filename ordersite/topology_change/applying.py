"""Carrying a plan out; killed at any point and run again, it continues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amqp import ResourceLocked
from kombu import Connection

from messaging import topology
from messaging.adapters.py_amqp import unread_properties
from messaging.declaring import declare_missing
from messaging.queue_state import queue_state
from ordersite.broker.shadow_queues import shadow_of
from ordersite.topology_change import leftovers, plan
from ordersite.topology_change.moving import Move, Say, Undone
from ordersite.topology_change.plan import Plan

#: Exclusive to one connection: who has it, works; RabbitMQ takes it back from the dead.
LOCK = "topology.apply"


def apply(broker: Connection, say: Say) -> list[str]:
    """Make RabbitMQ as it is declared; return what was left as it is, and why.

    Raises:
        Undone: another run is running, or a process of another release interferes.
        PublishError, OSError, amqp.AMQPError, management_api.Unavailable: RabbitMQ failed.
    """
    with only_run(broker):
        made = plan.make(broker)
        move_queues(broker, made, say)
        # Also without a plan for it: bindings.
        declare_missing(broker)
        left = [*remove_bindings(broker, made, say), *remove_queues(broker, made, say)]
        return left + [_left_exchange(name) for name in made.differing_exchanges]


@contextmanager
def only_run(broker: Connection) -> Iterator[None]:
    with broker.channel() as channel:
        try:
            channel.queue_declare(LOCK, exclusive=True, auto_delete=True)
        except ResourceLocked:
            raise Undone("Another `topology apply` is running; wait until it has ended.") from None
        yield
        channel.queue_delete(LOCK)


def move_queues(broker: Connection, made: Plan, say: Say) -> None:
    """Move what is to be moved, while no other process declares anything."""
    if not made.moves and not made.is_interrupted:
        return
    to_move = {move.queue for move in made.moves}
    with broker.channel() as channel:
        # What stays has to be there first: a moved queue's messages may go there.
        for exchange in topology.exchanges():
            if exchange.name not in made.differing_exchanges:
                exchange(channel).declare()
        topology.change_marker(channel).declare()
        for queue in topology.queues():
            if queue.name not in to_move:
                queue(channel).queue_declare()
        for source, destination, routing_key in topology.bindings():
            if destination.name not in to_move:
                destination(channel).bind_to(source, routing_key=routing_key)
        try:
            with unread_properties():
                for queue in topology.queues():
                    if queue.name in to_move:
                        Move(broker, queue, say).run()
        finally:
            if not any(queue_state(broker, shadow_of(queue.name)) for queue in topology.queues()):
                topology.change_marker(channel).delete()


def remove_bindings(broker: Connection, made: Plan, say: Say) -> Iterator[str]:
    for binding in made.old_bindings:
        words = f"the binding of {binding.source} to {binding.queue}"
        if binding.kept_because:
            yield f"{words}: {binding.kept_because}."
        else:
            leftovers.remove_binding(broker, binding)
            say(f"Removed {words}.")


def remove_queues(broker: Connection, made: Plan, say: Say) -> Iterator[str]:
    for leftover in made.leftovers:
        reason = leftover.kept_because or leftovers.remove_queue(broker, leftover)
        if reason:
            yield f"the queue {leftover.queue}: {reason}."
        else:
            say(f"Deleted the queue {leftover.queue}, which was empty.")


def _left_exchange(name: str) -> str:
    return (
        f"the exchange {name}: it is of another type or durability, and subscribers that are not "
        "ours may have bound to it. The doctor names the command."
    )
