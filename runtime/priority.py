"""Stepping back behind the processes that somebody waits for.

Where the CPU is short, an order is taken first and worked on next: a queue keeps it meanwhile.
"""

from __future__ import annotations

import os

NICENESS = 10


def step_back() -> None:
    """Let other processes go first, from now on; children inherit it.

    Whatever `nice` the process was started with counts, too.
    """
    os.nice(NICENESS)
