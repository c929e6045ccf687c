"""The request to stop, and waits that end at once when it comes."""

from __future__ import annotations

import signal
from queue import Empty, SimpleQueue
from types import FrameType


class StopRequest:
    """Whether this process was asked to stop.

    A signal handler may interrupt `wait` anywhere, where `threading.Event` could wait for itself
    for ever; `SimpleQueue.put` is reentrant.
    https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    """

    def __init__(self) -> None:
        self.requested = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as the request to stop; for the main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def request(self) -> None:
        """Ask to stop, from any thread or signal handler."""
        self.requested = True
        self._wake.put(None)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until asked to stop."""
        try:
            self._wake.get(timeout=seconds)
        except Empty:
            return

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.request()
