"""Stepping back behind the processes that somebody waits for.

Where the CPU is short, an order is taken first and worked on next: a queue keeps it meanwhile.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NICENESS = 10
#: Linux schedules whole sessions, and weighs a process within its own alone: sched(7).
AUTOGROUP = Path("/proc/self/autogroup")


def step_back() -> None:
    """Let other processes go first, from now on; children inherit it.

    Whatever `nice` the process was started with counts, too, also for its session.
    """
    niceness = os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        # Not the session of a shell, where it would last.
        with suppress(OSError):
            AUTOGROUP.write_text(str(niceness))
