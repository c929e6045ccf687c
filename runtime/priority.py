"""A lower priority than the processes that a client waits for.

Where the CPU is short, an order is taken first and worked on next: a queue keeps it meanwhile.
"""

from __future__ import annotations

import os

NICENESS = 10


def lower_priority() -> None:
    """Lower this process's priority from now on; children inherit it.

    It adds to the `nice` that the process was started with.
    """
    os.nice(NICENESS)
