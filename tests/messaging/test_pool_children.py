"""A worker that connects again watches its children, whatever was seen of them meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency.asynpool import AsynPool
from kombu.asynchronous import Hub

from messaging.adapters.billiard import watch_children_again


@pytest.fixture
def sentinel() -> Iterator[int]:
    """What can be read once the child has ended."""
    reader, writer = os.pipe()
    yield reader
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("before", [{}, {"_sentinel_poll": None}])
def test_a_child_is_watched_again(sentinel: int, before: dict[str, Any]) -> None:
    child = SimpleNamespace(_popen=SimpleNamespace(sentinel=sentinel), **before)
    pool = SimpleNamespace(_pool=SimpleNamespace(_pool=[child]), maintain_pool=lambda: None)
    hub = Hub()

    watch_children_again(pool)
    AsynPool._track_child_process(SimpleNamespace(_event_process_exit=print), child, hub)

    assert child._sentinel_poll in hub.readers
    os.close(child._sentinel_poll)
    hub.close()


def test_a_child_that_is_watched_stays_so(sentinel: int) -> None:
    child = SimpleNamespace(_sentinel_poll=sentinel)

    watch_children_again(
        SimpleNamespace(_pool=SimpleNamespace(_pool=[child]), maintain_pool=lambda: None)
    )

    assert child._sentinel_poll == sentinel
