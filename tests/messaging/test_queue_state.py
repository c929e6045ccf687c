"""What is read of several queues, in memory: RabbitMQ closes a channel on which one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from amqp import NotFound

from messaging.queue_state import QueueState, queue_states


class Broker:
    """Has some queues, and channels that end with the first one that is missing."""

    def __init__(self, **messages: int) -> None:
        self._messages = messages
        self.channels = 0

    @contextmanager
    def channel(self) -> Iterator[Any]:
        self.channels += 1
        yield Channel(self._messages)


class Channel:
    def __init__(self, messages: dict[str, int]) -> None:
        self._messages = messages
        self._is_open = True

    def queue_declare(self, name: str, passive: bool) -> Any:
        assert passive
        assert self._is_open
        if name not in self._messages:
            self._is_open = False
            raise NotFound
        return SimpleNamespace(message_count=self._messages[name], consumer_count=1)


@pytest.mark.parametrize("missing", [(), ("first",), ("last",), ("first", "middle", "last")])
def test_a_queue_that_is_missing_hides_no_other(missing: tuple[str, ...]) -> None:
    names = ["first", "second", "middle", "fourth", "last"]
    there = {name: number for number, name in enumerate(names) if name not in missing}
    broker: Any = Broker(**there)

    states = queue_states(broker, names)

    expected = {name: QueueState(there[name], 1) if name in there else None for name in names}
    assert states == expected
    assert broker.channels <= 1 + len(missing)
