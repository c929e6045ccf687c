"""A process's heartbeat in a file, for a container's or Kubernetes' probe.

A probe asks whether *this* process still works, so it neither needs MongoDB or RabbitMQ nor Django:
`python -m runtime.health relay` takes 30 ms. A process that waits for either of them is alive.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The environment variable with the file's path; without it no process writes one.
VARIABLE = "HEARTBEAT_FILE"
EVERY_SECONDS = 1.0
#: Longer than the longest step of any process that works: MongoDB has 30 s to elect a primary.
LATE_SECONDS = 60.0

_process = ""
_last_beat = -EVERY_SECONDS
#: The same without a file, and what was said then.
_beaten_at, _trouble = time.monotonic(), ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a process wrote last."""

    process: str
    pid: int
    age_seconds: float
    #: Why it should be started again although it runs; empty where it should not.
    trouble: str = ""


def begin(process: str) -> None:
    """From now on `beat` speaks for this process, of which there is one a file."""
    global _process
    _process = process
    beat()


def beat(trouble: str = "") -> None:
    """Write that the process works; at most one write in `EVERY_SECONDS`.

    A file that cannot be written is noticed by the probe, and costs the process nothing.
    """
    global _last_beat, _beaten_at, _trouble
    path = os.environ.get(VARIABLE)
    _beaten_at = now = time.monotonic()
    _trouble = trouble
    if not path or not _process or now - _last_beat < EVERY_SECONDS:
        return
    _last_beat = now
    said = {"process": _process, "pid": os.getpid(), "at": now, "trouble": trouble}
    with suppress(OSError):
        # A probe never reads half of it.
        written = Path(f"{path}.new")
        written.write_text(json.dumps(said))
        written.replace(path)


def last_beat_at() -> float:
    """When this process last said that it works, on `time.monotonic`'s clock."""
    return _beaten_at


def trouble() -> str:
    """Why it said then that it should be started again; empty where it should not."""
    return _trouble


def read(path: Path) -> Heartbeat:
    """The last heartbeat in the file.

    Raises:
        OSError: there is no file that can be read.
        ValueError: it is not a heartbeat.
    """
    said = json.loads(path.read_text())
    try:
        # All processes of a machine share this clock, and no change of the time of day moves it.
        age_seconds = time.monotonic() - said["at"]
        return Heartbeat(said["process"], said["pid"], age_seconds, said["trouble"])
    except (KeyError, TypeError) as error:
        raise ValueError("it is not a heartbeat") from error
