"""Sets up the garbage collector of a process that runs for long."""

from __future__ import annotations

import gc

#: Objects that are made and not freed again until those that are new are visited, and how often
#: they and their elders are until all are. Nearly everything is freed without the collector: what
#: it visits is at work, like the requests of hundreds of connections.
THRESHOLDS = (50_000, 10, 10)


def tune_garbage_collector() -> None:
    """Let the garbage collector visit little, and seldom.

    It never visits what is there now (Django, Celery, the apps). Children that are forked later
    inherit that. https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
