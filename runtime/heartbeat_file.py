"""A process's heartbeat in a file, for a container's or Kubernetes' probe.

A probe asks whether *this* process still works, so it neither needs MongoDB or RabbitMQ nor Django.
A process that waits for either of them is alive. Probes run for ever, in every container: what they
import is most of what they cost.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import NamedTuple

from runtime.process_start import start_of

#: The environment variable with the file's path; without it no process writes one.
VARIABLE = "HEARTBEAT_FILE"
EVERY_SECONDS = 1.0
#: Longer than the longest step of any process that works: MongoDB has 30 s to elect a primary.
LATE_SECONDS = 60.0

_process = ""
#: When the last beat was, and what it said: trouble, and what is waited for.
_beaten_at, _said = time.monotonic(), ("", "")
#: The same of the last one that was written.
_written_at, _written = -EVERY_SECONDS, ("", "")
_cannot_write = ""


class Heartbeat(NamedTuple):
    """What a process wrote last."""

    process: str
    pid: int
    #: Of the process, as `start_of` tells; empty where the system has no /proc.
    started: str
    age_seconds: float
    #: Why it should be started again although it runs; empty where it should not.
    trouble: str = ""
    #: What it needs before it can do its work for the first time; empty once it does it.
    waits_for: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether the process that wrote it is gone, also where another one has its id."""
        return bool(self.started) and start_of(self.pid) != self.started


def begin(process: str) -> None:
    """From now on `beat` speaks for this process, of which there is one a file."""
    global _process
    _process = process
    if path := os.environ.get(VARIABLE):
        _warn_of_another(Path(path))
    beat(waits_for="its start")


def beat(trouble: str = "", waits_for: str = "") -> None:
    """Write that the process works; at most one write in `EVERY_SECONDS`, unless it says more.

    A file that cannot be written is noticed by the probe, and costs the process a line in its log.
    """
    global _beaten_at, _said, _written_at, _written
    path = os.environ.get(VARIABLE)
    _beaten_at = now = time.monotonic()
    _said = (trouble, waits_for)
    is_due = now - _written_at >= EVERY_SECONDS or _said != _written
    if not path or not _process or not is_due:
        return
    _written_at, _written = now, _said
    pid = os.getpid()
    who = {"process": _process, "pid": pid, "started": start_of(pid)}
    _write(Path(path), json.dumps({**who, "at": now, "trouble": trouble, "waits_for": waits_for}))


def last_beat_at() -> float:
    """When this process last said that it works, on `time.monotonic`'s clock."""
    return _beaten_at


def trouble() -> str:
    """Why it said then that it should be started again; empty where it should not."""
    return _said[0]


def waits_for() -> str:
    """What it waited for then; empty where it did its work."""
    return _said[1]


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
        return Heartbeat(
            said["process"],
            said["pid"],
            said["started"],
            age_seconds,
            said["trouble"],
            said["waits_for"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError("it is not a heartbeat") from error


def _write(path: Path, text: str) -> None:
    global _cannot_write
    # A probe never reads half of it.
    written = Path(f"{path}.new")
    try:
        written.write_text(text)
        written.replace(path)
    except OSError as error:
        if _cannot_write != str(error):
            _warn("The probe will not see that this process works: %s", error)
        _cannot_write = str(error)
    else:
        _cannot_write = ""


def _warn_of_another(path: Path) -> None:
    """Two processes that write the same file hide that one of them has ended."""
    try:
        last = read(path)
    except (OSError, ValueError):
        return
    if last.started and last.pid != os.getpid() and not last.has_ended:
        _warn(
            "%s is written by the %s with process id %s, too. Give each a file of its own: %s",
            *(path, last.process, last.pid, VARIABLE),
        )


def _warn(text: str, *arguments: object) -> None:
    # A probe never does, and need not import it.
    import logging

    logging.getLogger(__name__).warning(text, *arguments)
