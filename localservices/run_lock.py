"""One `make run` at a time in one folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localservices.errors import AlreadyRunning


@contextmanager
def only_run(file: Path) -> Iterator[None]:
    """Hold the lock as long as the block runs; the kernel frees it however we end.

    Raises:
        AlreadyRunning: another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunning(
                f"The pipeline of this folder runs already (process {lock.read().strip()}). "
                "Use that one, or stop it with Ctrl-C in its terminal first."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
