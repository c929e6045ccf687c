"""One call of a handler: for one message, or for several that share it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from celery import Task

from messaging.handling.handler import Body, Handler
from messaging.incoming import Delivery
from messaging.message import Message
from messaging.publishing.publisher import Outgoing
from runtime.tracing import context
from runtime.tracing.context import TraceContext
from runtime.tracing.spans import Link

#: For each body the events that it leads to, or None where it has to be handled alone.
Answers = list[list[Message] | None]
#: Calls the next middleware, and finally the handler.
GoOn = Callable[[], Answers]


@dataclass(slots=True, kw_only=True)
class Call(ABC):
    """What the middlewares of `messaging.handling.middlewares` share."""

    service: str
    type: str
    handler: Handler
    #: The bodies as they arrived.
    raw: Sequence[bytes]
    #: RabbitMQ's users that published them, as `messaging.trust.publishers` tells them.
    publishers: Sequence[str]
    #: The same decoded, from `decode_bodies` on.
    bodies: list[Body] = field(default_factory=list)
    #: Which of `raw` those are.
    indexes: Sequence[int] = ()
    #: What is published with the events.
    also: list[Outgoing] = field(default_factory=list)

    @abstractmethod
    def answers(self) -> Answers:
        """Call the handler.

        Raises:
            Exception: whatever the handler raises.
        """

    @abstractmethod
    def trace_of(self, index: int) -> TraceContext | None:
        """Where in its trace the message at this index of `raw` is handled; None where it has none.

        Only asked for where traces are recorded.
        """


@dataclass(slots=True, kw_only=True)
class MessageCall(Call):
    """For one message, as a Celery task of its own."""

    delivery: Delivery
    task: Task
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_on_clock: float = field(default_factory=time.monotonic)

    @property
    def body(self) -> bytes:
        return self.raw[0]

    def answers(self) -> Answers:
        return [self.handler.handle(self.bodies[0])]

    def trace_of(self, index: int) -> TraceContext | None:
        return _here(context.read(self.delivery.headers))


@dataclass(slots=True, kw_only=True)
class BatchCall(Call):
    """For several messages at their first delivery and attempt, none of them replayed."""

    #: By index of `raw`, of those that have a trace; empty where none is recorded.
    traces: Mapping[int, Link] = field(default_factory=dict)

    def answers(self) -> Answers:
        assert self.handler.handle_batch is not None
        return self.handler.handle_batch(self.bodies)

    def trace_of(self, index: int) -> TraceContext | None:
        sent = self.traces.get(index)
        return _here(sent and sent.context)


def _here(trace: TraceContext | None) -> TraceContext | None:
    """The span of this call, where it is one of this trace."""
    here = context.current.get()
    is_ours = here is not None and trace is not None and here.trace_id == trace.trace_id
    return here if is_ours else trace
