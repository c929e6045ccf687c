"""Moving a queue to new arguments, by way of a shadow queue.

RabbitMQ never changes the arguments of a queue, so the queue has to be deleted and declared again.
Meanwhile a shadow queue stands in for it: it is bound to the same exchanges before the old queue is
unbound, it takes what the old queue holds, and gives it back to the new one.

Every step can be done twice. Which are left follows from what RabbitMQ has: with a shadow queue and
the old one, the old one is still to be emptied; with a shadow queue alone or beside the new queue,
the messages are still to be brought back. So a move that was killed is simply run again.

A message may be copied twice where a run was killed between confirm and ack, or an exchange was
bound to both for a moment. Consumers are idempotent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from amqp import PreconditionFailed
from kombu import Connection, Exchange, Queue

from messaging import topology
from messaging.queue_state import queue_state, queue_state_on
from ordersite.broker import management_api
from ordersite.broker.shadow_queues import shadow_of, way_back
from ordersite.topology_change.copying import PRIORITY, Copier

#: A publish that was routed just before an exchange was unbound has arrived after so long.
QUIET_SECONDS = 2.0
#: The management API's counts are up to two intervals of 5 s old.
#: https://www.rabbitmq.com/docs/management#statistics-interval
COUNTS_SETTLE_SECONDS = 12.0
PROGRESS_SECONDS = 10.0
COPY_SECONDS = 0.5
LAST_SECONDS = 10.0

#: A process of an earlier release may declare the queue again, with the old arguments.
ATTEMPTS = 3

#: The arguments by which the shadow, too, never loses what expires in it.
KEPT_ARGUMENTS = (
    "x-queue-type",
    "x-overflow",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    # From RabbitMQ 4.0 on there is a small one where none is named.
    "x-delivery-limit",
)

Say = Callable[[str], object]


class Undone(Exception):
    """A queue could not be moved; nothing is lost, and running it again continues."""


class Move:
    """Gives one queue the arguments that are declared for it."""

    def __init__(self, broker: Connection, queue: Queue, say: Say) -> None:
        self._broker = broker
        self._queue = queue
        self._name = queue.name
        self._shadow = shadow_of(queue.name)
        self._say = say
        self._channel = broker.channel()

    def run(self) -> None:
        """Do what is left to be done; harmless where that is nothing.

        Raises:
            Undone: another process interferes.
            PublishError, OSError, amqp.AMQPError, management_api.Unavailable: RabbitMQ failed.
        """
        for _ in range(ATTEMPTS):
            if queue_state(self._broker, self._name) and not self._declare():
                self._set_aside()
            if self._declare():
                break
        else:
            raise Undone(
                f"{self._name} comes back with its old arguments: a process of an earlier release "
                "declares it. Stop that, and run this again."
            )
        if queue_state(self._broker, self._shadow):
            self._bring_back()
        for exchange in (self._shadow, way_back(self._name)):
            self._channel.exchange_delete(exchange)

    def _declare(self) -> bool:
        """Declare the queue; return whether it now is as declared."""
        try:
            with self._broker.channel() as channel:
                self._queue(channel).queue_declare()
        except PreconditionFailed:
            return False
        return True

    def _set_aside(self) -> None:
        """Empty the old queue into the shadow, and delete it."""
        self._make_shadow()
        self._unbind_queue()
        copier = Copier(self._broker, self._name, exchange=self._shadow, target=self._shadow)
        moved = self._empty(copier)
        consumers = self._others_connections()
        self._channel.queue_delete(self._name)
        moved += _last_of(copier)
        self._send_back(consumers)
        self._say(f"{self._name}: {moved} messages set aside, the old queue is deleted.")

    def _others_connections(self) -> set[str]:
        """The connections of the queue's other consumers, by name."""
        found = asked("queues", self._name).get("consumer_details", [])
        # Of what is empty the API makes a list.
        return {
            dict(each["channel_details"]).get("connection_name", "")
            for each in found
            if dict(each["arguments"]).get("x-priority") != PRIORITY
        } - {""}

    def _send_back(self, consumers: set[str]) -> None:
        """Let those reconnect who do not know yet that their queue was deleted.

        A queue that does not end in time is deleted by force, and then its consumers hear nothing:
        they would wait for ever, beside the new queue.
        https://www.rabbitmq.com/docs/consumer-cancel
        """
        for connection in consumers:
            management_api.patiently(partial(management_api.close_connection, connection))

    def _make_shadow(self) -> None:
        if not queue_state(self._broker, self._shadow):
            arguments = arguments_of(self._queue)
            kept = {name: arguments[name] for name in KEPT_ARGUMENTS if name in arguments}
            self._channel.queue_declare(
                self._shadow, durable=True, auto_delete=False, arguments=kept
            )
        self._bind_fanout(self._shadow, self._shadow)
        self._channel.queue_bind(self._shadow, topology.by_name.name, self._shadow)
        for source, routing_key in self._sources():
            self._channel.queue_bind(self._shadow, source, routing_key)

    def _unbind_queue(self) -> None:
        for each in asked("bindings"):
            is_ours = (each["destination_type"], each["destination"]) == ("queue", self._name)
            if is_ours and each["source"]:
                self._channel.queue_unbind(
                    self._name, each["source"], each["routing_key"], arguments=each["arguments"]
                )
        self._say(f"{self._name}: {self._shadow} takes what is published from now on.")

    def _empty(self, copier: Copier) -> int:
        """Move everything, until nothing is left, also in the hands of other consumers."""
        moved, quiet_since, said_at = 0, time.monotonic(), time.monotonic()
        while True:
            if count := copier.copy(COPY_SECONDS):
                moved, quiet_since = moved + count, time.monotonic()
            held = self._held_by_others(time.monotonic() - quiet_since)
            if held == 0:
                return moved
            if time.monotonic() - said_at > PROGRESS_SECONDS:
                said_at = time.monotonic()
                self._say(f"{self._name}: {moved} moved; {_waiting_for(held)}")

    def _held_by_others(self, quiet_seconds: float) -> int | None:
        """How many messages are left, at others too; None where it is too early to say."""
        found = queue_state_on(self._channel, self._name)
        if found.messages or quiet_seconds < QUIET_SECONDS:
            return None
        if found.consumers <= 1:
            return 0
        unacked = asked("queues", self._name).get("messages_unacknowledged")
        if unacked == 0 and quiet_seconds < COUNTS_SETTLE_SECONDS:
            return None
        return None if unacked is None else int(unacked)

    def _bring_back(self) -> None:
        """Fill the new queue from the shadow, and let it take over."""
        back = way_back(self._name)
        self._bind_fanout(back, self._name)
        # What we publish by the queue's name must not come round again.
        self._hand_over([(topology.by_name.name, self._name)])
        copier = Copier(self._broker, self._shadow, exchange=back, target=self._name)
        # The oldest first, so that the order stays; under load the shadow never runs empty.
        waiting = queue_state_on(self._channel, self._shadow).messages
        moved = 0
        while moved < waiting and (count := copier.copy(COPY_SECONDS)):
            moved += count
        self._hand_over(self._sources())
        moved += self._copy_until_quiet(copier)
        self._channel.queue_delete(self._shadow)
        moved += _last_of(copier)
        self._say(f"{self._name}: {moved} messages brought back, {self._shadow} is deleted.")

    def _copy_until_quiet(self, copier: Copier) -> int:
        moved, quiet_since = 0, time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            if count := copier.copy(COPY_SECONDS):
                moved, quiet_since = moved + count, time.monotonic()
        return moved

    def _hand_over(self, sources: list[tuple[str, str]]) -> None:
        """Bind first, then unbind: twice is harmless, never is not."""
        for source, routing_key in sources:
            self._channel.queue_bind(self._name, source, routing_key)
            self._channel.queue_unbind(self._shadow, source, routing_key)

    def _sources(self) -> list[tuple[str, str]]:
        return [
            (source.name, routing_key)
            for source, destination, routing_key in topology.bindings()
            if isinstance(destination, Queue) and destination.name == self._name
        ]

    def _bind_fanout(self, exchange: str, queue: str) -> None:
        """A fanout ignores the routing key, and a `CC` header that names more queues."""
        Exchange(exchange, type="fanout", durable=True)(self._channel).declare()
        self._channel.queue_bind(queue, exchange, "")


def _last_of(copier: Copier) -> int:
    """What came in just before the queue was deleted is on its way to us, and then RabbitMQ's word.

    https://www.rabbitmq.com/docs/consumer-cancel
    """
    moved, deadline = 0, time.monotonic() + LAST_SECONDS
    while not copier.is_cancelled and time.monotonic() < deadline:
        moved += copier.copy(COPY_SECONDS)
    copier.close()
    return moved


def asked(kind: str, *names: str) -> Any:
    """What the management API says; a move is not left half done because it is slow."""
    return management_api.patiently(partial(management_api.get, kind, *names)).content


def _waiting_for(held: int | None) -> str:
    if held is None:
        return "continuing."
    return f"its consumers still hold {held} messages, which they finish or give back."


def arguments_of(queue: Any) -> dict[str, Any]:
    """What it is declared with; kombu makes this attribute where no type checker sees it."""
    return dict(queue.queue_arguments)
